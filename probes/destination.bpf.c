/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/* A destination as it stands in a struct sockaddr. */
#define SOCKADDR_IN_SIZE  16
#define SOCKADDR_IN6_SIZE 24 /* RFC 2133's, without the scope: what the kernel accepts */
#define SOCKADDR_MAX      128

/*
 * Takes apart the sockaddr whose first 24 bytes are in raw. Returns 0 where it is no valid
 * destination of TCP: another family, too short for its family, or too long
 * for any.
 */
static int parse_sockaddr(struct destination *to, const __u8 *raw, __u32 length)
{
	__u16 family = *(const __u16 *)raw;

	if (length > SOCKADDR_MAX)
		return 0;
	to->port = bpf_ntohs(*(const __u16 *)(raw + 2));
	if (family == FAMILY_INET && length >= SOCKADDR_IN_SIZE) {
		to->family = 4;
		__builtin_memcpy(to->address, raw + 4, 4);
		return 1;
	}
	if (family != FAMILY_INET6 || length < SOCKADDR_IN6_SIZE)
		return 0;
	to->family = 6;
	__builtin_memcpy(to->address, raw + 8, 16);
	if (is_v4_mapped(to->address)) {
		to->family = 4;
		to->mapped = 1;
		unmap_address(to->address);
	}
	return 1;
}

/*
 * As the kernel does (ip_route_output_key_hash_rcu(), tcp_v6_connect()): an address of zeroes is
 * this host's, the one that the socket is bound to, or the loopback address.
 */
static void resolve_any(struct destination *to, void *sk)
{
	__u32 *word = (__u32 *)to->address;

	if (word[0] | word[1] | word[2] | word[3])
		return;
	if (to->family == 6) {
		word[3] = bpf_htonl(1);
		return;
	}
	FIELD_READ(word[0], sk, OFFSET_SOCK_SADDR4);
	if (!word[0])
		word[0] = bpf_htonl(0x7f000001);
}

/*
 * Whether the socket takes an address of this family. The kernel says so by its result, but for
 * an IPv4 address given to an IPv6 socket, of which it finds that it is too short.
 */
static int family_fits(const struct destination *to, void *sk)
{
	__u16 family = 0;

	if (to->family == 6 || to->mapped)
		return 1;
	FIELD_READ(family, sk, OFFSET_SOCK_FAMILY);
	return family == FAMILY_INET;
}

/* What connecting returns for an address of another family than the socket's: no attempt. */
#define ERROR_EAFNOSUPPORT 97

static int is_tcp_name(const char *name)
{
	return name[0] == 'T' && name[1] == 'C' && name[2] == 'P' && (!name[3] || name[3] == 'v');
}

/* The kernel's name for a socket's protocol is "TCP" or "TCPv6"; others share the family. */
static int is_tcp(void *sk)
{
	char name[4] = {};

	FIELD_READ(name, pointer_at(sk, OFFSET_SOCK_PROT), OFFSET_PROTO_NAME);
	return is_tcp_name(name);
}

/* Multipath TCP's ("MPTCP", "MPTCPv6"): TCP sockets beside it connect for it. */
static int is_multipath(void *sk)
{
	char name[8] = {};

	FIELD_READ(name, pointer_at(sk, OFFSET_SOCK_PROT), OFFSET_PROTO_NAME);
	return name[0] == 'M' && name[1] == 'P' && is_tcp_name(name + 2);
}

static int connects_by_tcp(void *sk)
{
	return is_tcp(sk) || is_multipath(sk);
}
