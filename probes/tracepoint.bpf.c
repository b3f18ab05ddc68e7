/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/*
 * Attached by tracepoints alone: sock:inet_sock_set_state on the way to SYN_SENT, and
 * the connect system call's own, for what fails before that.
 *
 * The state change comes before the kernel picks the local port. Where LPORT is wanted
 * and the socket is not bound, the record waits for the first of: the start of the SYN's
 * retransmit timer (same thread, same CPU), the end of the system call, the end of SYN_SENT.
 */
#if defined(WANT_LPORT) && !defined(COUNT_FLOWS)
#define WAIT_FOR_PORT 1
#endif

struct call {
	void *sk; /* set when the call reached SYN_SENT */
	void *sockaddr;
	__u64 began_ns;
	__u32 fd;
	__u32 length;
	__u32 under_way;
	__u32 stale_error; /* that the socket had in SYN_SENT, from before */
};

/*
 * The last connect(2) of each thread. An entry is used again rather than made anew, which
 * costs twice as much; those of threads long gone give way to new ones. What is under way
 * was used last.
 */
BPF_TABLE("lru_hash", __u64, struct call, calls, ATTEMPTS_MAX);

#ifdef WAIT_FOR_PORT
/*
 * The socket that this CPU last left without a port, and its thread: for what connects without
 * connect(2), by io_uring say.
 */
struct port_waiter {
	__u64 thread;
	void *sk;
};

BPF_PERCPU_ARRAY(port_waiter, struct port_waiter, 1);

#ifdef WANT_RESULT
/* The record waits for the outcome, and gets its port meanwhile. */
static int keep_portless(struct connect_record *record, void *sk)
{
	return halfopen.update(&sk, record);
}

static void port_chosen(void *ctx, void *sk)
{
	struct connect_record *waiting = halfopen.lookup(&sk);

	if (waiting && !waiting->lport)
		fill_port_after(waiting, sk);
}
#else
BPF_HASH(portless, void *, struct connect_record, ATTEMPTS_MAX);

static int keep_portless(struct connect_record *record, void *sk)
{
	return portless.update(&sk, record);
}

static void port_chosen(void *ctx, void *sk)
{
	struct connect_record *waiting = portless.lookup(&sk);
	struct connect_record record;

	if (!waiting)
		return;
	record = *waiting;
	if (portless.delete(&sk)) /* another CPU was quicker */
		return;
	record.head.ts_ns = bpf_ktime_get_ns(); /* records come in the order of their times */
	if (fill_port_after(&record, sk))
		report(ctx, &record);
}
#endif

static void wait_for_port(struct connect_record *record, void *sk)
{
	__u32 zero = 0;
	struct port_waiter *here = port_waiter.lookup(&zero);

	if (keep_portless(record, sk)) {
		COUNT_LOSS(table_full);
		return;
	}
	if (here) {
		here->thread = bpf_get_current_pid_tgid();
		here->sk = sk;
	}
}

/* The socket for which the current thread may have a port by now, or 0. */
static void *port_awaited(void)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct call *call = calls.lookup(&thread);
	__u32 zero = 0;
	struct port_waiter *here;

	/* The search for a port lets other threads run, and the thread may change its CPU. */
	if (call && call->under_way)
		return call->sk;
	here = port_waiter.lookup(&zero);
	return here && here->thread == thread ? here->sk : 0;
}

/* A timer starts: the SYN's, once it was sent, or dropped, or waits for a neighbour's address. */
int timer_started(void *ctx)
{
	void *sk = port_awaited();
	struct port_waiter *here;
	__u32 zero = 0;
	__u16 port = 0;

	if (!sk)
		return 0;
	FIELD_READ(port, sk, OFFSET_SOCK_LPORT);
	if (!port) /* an interrupt's timer, before the port is chosen */
		return 0;
	here = port_waiter.lookup(&zero);
	if (here && here->sk == sk)
		here->sk = 0;
	port_chosen(ctx, sk);
	return 0;
}
#endif

/*
 * Results by which the kernel can only speak of an earlier attempt, or of one under way: no
 * attempt fails so before its SYN.
 */
#define ERROR_EINTR        4
#define ERROR_EPIPE        32
#define ERROR_ECONNABORTED 103
#define ERROR_ECONNRESET   104
#define ERROR_EISCONN      106
#define ERROR_ETIMEDOUT    110
#define ERROR_ECONNREFUSED 111
#define ERROR_EALREADY     114
#define ERROR_EINPROGRESS  115
#define ERRORS_OF_USERS    512 /* from here on they are the kernel's own: to be interrupted, say */

/* Whether a call that never reached SYN_SENT may have failed at once, by its result. */
static int fails_at_once(long result)
{
	switch (-result) {
	case ERROR_EINTR:
	case ERROR_EPIPE:
	case ERROR_EAFNOSUPPORT:
	case ERROR_ECONNABORTED:
	case ERROR_ECONNRESET:
	case ERROR_EISCONN:
	case ERROR_ETIMEDOUT:
	case ERROR_ECONNREFUSED:
	case ERROR_EALREADY:
	case ERROR_EINPROGRESS:
		return 0;
	}
	return result < 0 && -result < ERRORS_OF_USERS;
}

/* How an attempt failed after connect(2) had returned. */
struct late_failure {
	__u64 number; /* of the socket's inode, which a new socket in the same place has not */
	__u64 error;
};

/*
 * Such failures, by struct socket, which MPTCP's socket shares with its first subflow: the next
 * call for it tells so, and is no attempt. Those never asked give way.
 */
BPF_TABLE("lru_hash", void *, struct late_failure, late_failures, ATTEMPTS_MAX);

static __u64 socket_number(void *socket)
{
	void *file = pointer_at(socket, OFFSET_SOCKET_FILE);
	void *inode = file ? pointer_at(file, OFFSET_FILE_INODE) : 0;
	unsigned long number = 0;

	if (inode)
		FIELD_READ(number, inode, OFFSET_INODE_NUMBER);
	return number;
}

static void note_late_failure(void *sk)
{
	struct late_failure late = {};
	__u32 error = 0;
	void *socket;

	FIELD_READ(error, sk, OFFSET_SOCK_ERR);
	if (!error || !fails_at_once(-(long)error))
		return;
	socket = pointer_at(sk, OFFSET_SOCK_SOCKET);
	if (!socket)
		return;
	late.number = socket_number(socket);
	late.error = error;
	late_failures.update(&socket, &late);
}

/*
 * Whether the call that ends told how an earlier attempt of the socket had ended. It is told
 * once, so what was noted is taken out.
 */
static int take_late_failure(void *sk, int error)
{
	void *socket = pointer_at(sk, OFFSET_SOCK_SOCKET);
	struct late_failure *before = late_failures.lookup(&socket), late;

	if (!before)
		return 0;
	late = *before;
	late_failures.delete(&socket);
	return late.error == error && late.number == socket_number(socket);
}

/* A new attempt, or one that tells itself how it ended. */
static void drop_late_failure(void *sk)
{
	void *socket = pointer_at(sk, OFFSET_SOCK_SOCKET);

	if (late_failures.lookup(&socket))
		late_failures.delete(&socket);
}

static void fill_destination(struct destination *to, struct sock_head *head)
{
	const __u8 *daddr6 = head->bytes + OFFSET_SOCK_DADDR6;

	to->port = bpf_ntohs(HEAD_FIELD(__u16, head, OFFSET_SOCK_DPORT));
	to->family = 4;
	if (HEAD_FIELD(__u16, head, OFFSET_SOCK_FAMILY) == FAMILY_INET6) {
		to->mapped = is_v4_mapped(daddr6);
		if (!to->mapped)
			to->family = 6;
	}
	copy_address(to->address, to->family, head->bytes + OFFSET_SOCK_DADDR4, daddr6);
}

static void syn_sent(void *ctx, void *sk)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct connect_record record = {};
	struct destination to = {};
	struct sock_head head;
	struct call *call;

	if (!process_wanted() || !is_tcp(sk))
		return;
	call = calls.lookup(&thread);
	if (call) {
		call->sk = sk;
#ifdef WANT_RESULT
		FIELD_READ(call->stale_error, sk, OFFSET_SOCK_ERR);
#endif
	}
	read_head(&head, sk);
	fill_destination(&to, &head);
	if (!destination_wanted(sk, &to))
		return;
	record.head.ts_ns = bpf_ktime_get_ns();
	record.family = to.family;
	record.dport = to.port;
	__builtin_memcpy(record.daddr, to.address, sizeof(record.daddr));
	fill_process(&record);
	fill_source(&record, &head);
	if (!record.lport)
		FIELD_READ(record.lport_before, sk, OFFSET_SOCK_SPORT);
	if (record.lport || record.lport_before) /* bound, or used before */
		drop_late_failure(sk);
#ifdef WAIT_FOR_PORT
	if (!record.lport) {
		wait_for_port(&record, sk);
		return;
	}
#endif
	report_attempt(ctx, &record, sk);
}

static void syn_sent_ends(void *ctx, void *sk, int new)
{
#ifdef WANT_RESULT
	__u64 thread = bpf_get_current_pid_tgid();
	struct call *call = calls.lookup(&thread);
	__u32 error = 0;

	/*
	 * Closed inside connect(2) with no new error in the socket: the call is about to return
	 * one (no port left, say), which call_exit() sees.
	 */
	FIELD_READ(error, sk, OFFSET_SOCK_ERR);
	if (new == STATE_CLOSE && call && call->under_way && call->sk == sk &&
	    (!error || error == call->stale_error))
		return;
	connect_ends(ctx, sk, new);
#endif
#if defined(WAIT_FOR_PORT) && !defined(WANT_RESULT)
	port_chosen(ctx, sk);
#endif
}

/* Raw arguments: the socket, the state it leaves, the state it enters. */
int state_change(__u64 *ctx)
{
	void *sk = (void *)ctx[0];
	int old = ctx[1], new = ctx[2];

	if (new == STATE_SYN_SENT)
		syn_sent(ctx, sk);
	else if (old == STATE_SYN_SENT || old == STATE_SYN_RECV)
		syn_sent_ends(ctx, sk, new);
	/* A connection, too: its process may not have asked yet how the attempt went. */
	if (new == STATE_CLOSE)
		note_late_failure(sk);
	return 0;
}
