/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/*
 * Attempts as functions of the kernel show them: tcp_v4_connect(), tcp_v6_connect(), and what
 * may refuse before them.
 */

/*
 * Reads and filters the destination of an attempt. inner: tcp_v4_connect() itself, which
 * tcp_v6_connect() calls with an IPv4 address for an IPv6 socket. Returns 0 where it is no
 * attempt, or not wanted.
 */
static int attempt_wanted(struct destination *to, void *sk, const void *sockaddr, __u32 length,
			  int inner)
{
	__u8 raw[SOCKADDR_IN6_SIZE] = {};

	if (!process_wanted())
		return 0;
	/* The kernel's own copy: 128 bytes however short the user's address was. */
	bpf_probe_read_kernel(raw, sizeof(raw), sockaddr);
	if (!parse_sockaddr(to, raw, length) || (!inner && !family_fits(to, sk)))
		return 0;
	resolve_any(to, sk);
	return destination_wanted(sk, to);
}

/*
 * The socket that security_socket_connect() is asked about, where that may be an attempt: of TCP,
 * and not one that connects already.
 */
static void *socket_asked(void *socket)
{
	void *sk = pointer_at(socket, OFFSET_SOCKET_SK);
	__u8 state = 0;

	if (!sk || !connects_by_tcp(sk))
		return 0;
	FIELD_READ(state, sk, OFFSET_SOCK_STATE);
	return state == STATE_CLOSE ? sk : 0;
}

/*
 * began_ns: when the attempt began, where outcomes are wanted, else now; result: what the
 * function returned.
 */
static void attempt_done(void *ctx, void *sk, const struct destination *to, __u64 began_ns,
			 int result)
{
	struct connect_record record = {};
	struct sock_head head;

	read_head(&head, sk);
	record.head.ts_ns = began_ns;
	record.family = to->family;
	record.dport = to->port;
	__builtin_memcpy(record.daddr, to->address, sizeof(record.daddr));
	fill_process(&record);
	fill_source(&record, &head);
	if (result == 0) /* 0.0.0.0 and :: became the loopback address */
		copy_address(record.daddr, record.family, head.bytes + OFFSET_SOCK_DADDR4,
			     head.bytes + OFFSET_SOCK_DADDR6);
	else
		record.error = -result;
	report_attempt(ctx, &record, sk);
}

#ifdef WANT_RESULT
/* Raw arguments: the socket, the state it leaves, the state it enters. */
int state_change(__u64 *ctx)
{
	int old = ctx[1], new = ctx[2];

	if (old == STATE_SYN_SENT || old == STATE_SYN_RECV)
		connect_ends(ctx, (void *)ctx[0], new);
	return 0;
}
#endif
