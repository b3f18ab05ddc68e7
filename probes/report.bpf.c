/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/* One connect, from the place that saw it to the perf buffer or the table of counts. */

#ifdef COUNT_FLOWS
BPF_HASH(flows4, struct flow_key, __u64, FLOWS_MAX);
BPF_HASH(flows6, struct flow_key, __u64, FLOWS_MAX);

#ifdef COUNT_ROUNDS
/* The interval that counts now: the tool goes on to the next, and takes out what the last had. */
BPF_TABLE("array", __u32, __u64, rounds, 1);
#endif

/* The count is atomic: several CPUs may count one flow at once. */
static void count_flow(struct flow_key *key)
{
	__u64 zero = 0, *count;

	/* Two tables, so that neither family's flows take the other's room. */
	if (key->family == 4) {
		count = flows4.lookup(key);
		if (!count) {
			flows4.insert(key, &zero);
			count = flows4.lookup(key);
		}
	} else {
		count = flows6.lookup(key);
		if (!count) {
			flows6.insert(key, &zero);
			count = flows6.lookup(key);
		}
	}
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		COUNT_LOSS(counts_full);
}
#endif

static void report(void *ctx, struct connect_record *record)
{
#ifdef COUNT_FLOWS
	struct flow_key key = {};

	__builtin_memcpy(key.saddr, record->saddr, sizeof(key.saddr));
	__builtin_memcpy(key.daddr, record->daddr, sizeof(key.daddr));
	key.dport = record->dport;
	key.family = record->family;
	key.outcome = record->outcome;
	key.error = record->outcome == OUTCOME_NONE ? 0 : record->error;
#ifdef COUNT_ROUNDS
	__u32 zero = 0;
	__u64 *round = rounds.lookup(&zero);

	if (round)
		key.round = *round;
#endif
	count_flow(&key);
#else
	if (send(ctx, record, sizeof(*record)))
		COUNT_LOSS(buffer_full);
#endif
}

/* Who does it: the current process. */
static void fill_process(struct connect_record *record)
{
	__u64 ids = bpf_get_current_pid_tgid();

	record->head.kind = RECORD_CONNECT;
	record->head.tgid = ids >> 32;
	record->tid = ids;
	ids = bpf_get_current_uid_gid();
	record->uid = ids;
	record->gid = ids >> 32;
	bpf_get_current_comm(record->comm, sizeof(record->comm));
#ifdef WANT_NAME
	void *leader = pointer_at((void *)bpf_get_current_task(), OFFSET_TASK_LEADER);

	FIELD_READ(record->process_ns, leader, OFFSET_TASK_START);
#endif
#ifdef WANT_DETAILS
	void *parent = pointer_at((void *)bpf_get_current_task(), OFFSET_TASK_PARENT);

	FIELD_READ(record->ppid, parent, OFFSET_TASK_TGID);
	record->mntns = current_mntns();
	record->cgroup_id = bpf_get_current_cgroup_id();
#endif
}

static int is_v4_mapped(const __u8 *address)
{
	const __u32 *word = (const __u32 *)address;

	return word[0] == 0 && word[1] == 0 && word[2] == bpf_htonl(0xffff);
}

static void unmap_address(__u8 *address)
{
	__u32 *word = (__u32 *)address;

	word[0] = word[3];
	word[2] = 0;
	word[3] = 0;
}

/*
 * The start of a socket, as far as the fields below lie in it, read in one go: the fields
 * one by one would cost a connect more than all else that is done with them.
 */
struct sock_head {
	__u8 bytes[sizeof(union {
			   char lport[OFFSET_SOCK_LPORT + 2], dport[OFFSET_SOCK_DPORT + 2];
			   char family[OFFSET_SOCK_FAMILY + 2], net[OFFSET_SOCK_NET + 8];
			   char saddr4[OFFSET_SOCK_SADDR4 + 4], daddr4[OFFSET_SOCK_DADDR4 + 4];
			   char saddr6[OFFSET_SOCK_SADDR6 + 16], daddr6[OFFSET_SOCK_DADDR6 + 16];
		   }) + 7 &
		   ~7ul];
} __attribute__((aligned(8)));

#define HEAD_FIELD(type, head, offset) (*(type *)((head)->bytes + (offset)))

static void read_head(struct sock_head *head, void *sk)
{
	bpf_probe_read_kernel(head, sizeof(*head), sk);
}

/* Copies an address of 4 or 16 bytes. */
static void copy_address(__u8 *address, __u8 family, const __u8 *from4, const __u8 *from6)
{
	if (family == 4)
		__builtin_memcpy(address, from4, 4);
	else
		__builtin_memcpy(address, from6, 16);
}

static void fill_source(struct connect_record *record, struct sock_head *head)
{
	copy_address(record->saddr, record->family, head->bytes + OFFSET_SOCK_SADDR4,
		     head->bytes + OFFSET_SOCK_SADDR6);
	record->lport = HEAD_FIELD(__u16, head, OFFSET_SOCK_LPORT);
#ifdef WANT_NETNS
	FIELD_READ(record->netns, HEAD_FIELD(void *, head, OFFSET_SOCK_NET), OFFSET_NET_INUM);
#endif
}

/*
 * Fills in the local port, where it may have been chosen since. Once its connect has failed, a
 * socket has given the port back; a copy stays. Returns 0 where the memory is another socket's by
 * now, one that was accepted, say: the kernel skips the programs of a CPU that is in one, so that
 * an attempt may end unseen (and counted), and its record stays.
 */
static int fill_port_after(struct connect_record *record, void *sk)
{
	__u16 lport = 0, dport = 0;

	FIELD_READ(dport, sk, OFFSET_SOCK_DPORT);
	FIELD_READ(lport, sk, OFFSET_SOCK_LPORT);
	if (!lport) {
		FIELD_READ(lport, sk, OFFSET_SOCK_SPORT);
		lport = lport == record->lport_before ? 0 : bpf_ntohs(lport);
	}
	/* A connect that fails on the spot takes its ports away. */
	if ((dport && bpf_ntohs(dport) != record->dport) ||
	    (lport && record->lport && lport != record->lport))
		return 0;
	if (lport)
		record->lport = lport;
	return 1;
}
