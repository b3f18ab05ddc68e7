/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/*
 * connect(2) from its entry to its exit. A call that returns an error and never reached
 * SYN_SENT failed on the spot. Fields of the events' records: 8 common bytes, the
 * number of the call (padded to 8), then the arguments, or the result, 8 bytes each.
 */
#define CALL_FIELD(ctx, index) (((__u64 *)(ctx))[2 + (index)])

#define MODE_TYPE              0170000
#define MODE_SOCKET            0140000

int call_enter(void *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct call *before = calls.lookup(&thread), call = {};

	if (!process_wanted())
		return 0;
	call.under_way = 1;
	call.fd = (__u32)CALL_FIELD(ctx, 0);
	call.sockaddr = (void *)CALL_FIELD(ctx, 1);
	call.length = (__u32)CALL_FIELD(ctx, 2);
	call.began_ns = bpf_ktime_get_ns();
	if (before)
		*before = call;
	else if (calls.update(&thread, &call))
		COUNT_LOSS(table_full);
	return 0;
}

/* The TCP socket behind a descriptor of the current process, or 0. */
static void *socket_of(__u64 fd)
{
	void *files = pointer_at((void *)bpf_get_current_task(), OFFSET_TASK_FILES);
	void *table = pointer_at(files, OFFSET_FILES_FDT);
	void *slots = pointer_at(table, OFFSET_FDTABLE_FD);
	void *file, *inode, *socket, *sk;
	__u32 slots_max = 0;
	__u16 mode = 0;

	FIELD_READ(slots_max, table, OFFSET_FDTABLE_MAX);
	if (fd >= slots_max)
		return 0;
	file = pointer_at(slots, fd * sizeof(void *));
	if (!file)
		return 0;
	inode = pointer_at(file, OFFSET_FILE_INODE);
	FIELD_READ(mode, inode, OFFSET_INODE_MODE);
	if ((mode & MODE_TYPE) != MODE_SOCKET)
		return 0;
	socket = pointer_at(file, OFFSET_FILE_PRIVATE);
	sk = pointer_at(socket, OFFSET_SOCKET_SK);
	return sk && connects_by_tcp(sk) ? sk : 0;
}

static void failed_at_once(void *ctx, struct call *call, void *sk, int error)
{
	struct connect_record record = {};
	struct destination to = {};
	__u8 raw[SOCKADDR_IN6_SIZE] = {};
	struct sock_head head;

	if (bpf_probe_read_user(raw, sizeof(raw), call->sockaddr) &&
	    bpf_probe_read_user(raw, SOCKADDR_IN_SIZE, call->sockaddr))
		return;
	if (!parse_sockaddr(&to, raw, call->length) || !family_fits(&to, sk))
		return;
	resolve_any(&to, sk);
	if (!destination_wanted(sk, &to))
		return;
#ifdef WANT_RESULT
	record.head.ts_ns = call->began_ns;
#else
	record.head.ts_ns = bpf_ktime_get_ns(); /* records come in the order of their times */
#endif
	record.family = to.family;
	record.dport = to.port;
	record.error = error;
	__builtin_memcpy(record.daddr, to.address, sizeof(record.daddr));
	fill_process(&record);
	read_head(&head, sk);
	fill_source(&record, &head);
	report_attempt(ctx, &record, sk);
}

/*
 * connect(2) with AF_UNSPEC frees the socket from its last attempt: no later call tells how that
 * had ended.
 */
static void call_frees(struct call *call)
{
	__u16 family = FAMILY_INET;
	void *sk;

	if (bpf_probe_read_user(&family, sizeof(family), call->sockaddr) || family != FAMILY_UNSPEC)
		return;
	sk = socket_of(call->fd);
	if (sk)
		drop_late_failure(sk);
}

static void call_sent_syn(void *ctx, struct call *call, long result)
{
	void *sk = call->sk;

	if (fails_at_once(result)) /* it tells so itself */
		drop_late_failure(sk);
#ifdef WAIT_FOR_PORT
	port_chosen(ctx, sk);
#endif
#ifdef WANT_RESULT
	__u32 error = -result;
	__u8 state = 0;

	/* Failed after SYN_SENT, with the reason in the result alone, or the same as once before.
	 */
	FIELD_READ(state, sk, OFFSET_SOCK_STATE);
	if (result == -ERROR_EINPROGRESS)
		FIELD_READ(error, sk, OFFSET_SOCK_ERR);
	if (state == STATE_CLOSE && result < 0)
		end_attempt(ctx, sk, 0, error);
	note_soft_error(sk);
#endif
}

int call_exit(void *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct call *call = calls.lookup(&thread);
	long result = CALL_FIELD(ctx, 0);
	void *sk;

	if (!call || !call->under_way)
		return 0;
	call->under_way = 0;
	if (call->sk) {
		call_sent_syn(ctx, call, result);
		return 0;
	}
	if (result == 0)
		call_frees(call);
	if (!fails_at_once(result) && result != -ERROR_ECONNABORTED)
		return 0;
	sk = socket_of(call->fd);
	if (!sk || take_late_failure(sk, -result) || result == -ERROR_ECONNABORTED)
		return 0;
	failed_at_once(ctx, call, sk, -result);
	return 0;
}
