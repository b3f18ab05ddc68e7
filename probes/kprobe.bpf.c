/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/*
 * Attached by kprobes at a function's entry and kretprobes at its return: what the entry saw
 * waits, by thread, for tcp_connect(), which sends the SYN, or for the return of what failed
 * before. The kernel has few places for returns under way, and skips those that find none; an
 * entry it never skips.
 */
#define ARGUMENT1(ctx) (*(__u64 *)((char *)(ctx) + OFFSET_REGS_PARM1))
#define ARGUMENT2(ctx) (*(__u64 *)((char *)(ctx) + OFFSET_REGS_PARM2))
#define ARGUMENT3(ctx) (*(__u64 *)((char *)(ctx) + OFFSET_REGS_PARM3))
#define RESULT(ctx)    (*(__u64 *)((char *)(ctx) + OFFSET_REGS_RESULT))

/* The functions that one attempt enters, in this order, each left out for some. */
#define IN_SECURITY    1
#define IN_PRE_CONNECT 2
#define IN_CONNECT6    3
#define IN_CONNECT4    4 /* for a mapped address, inside the one for IPv6 */

struct attempt {
	__u64 began_ns; /* first: the tool reads it */
	void *sk;
	struct destination to;
	__u32 place; /* the function that was entered last */
};

/* tcp_v4_connect() neither sleeps for long nor runs twice in one thread. */
BPF_HASH(attempts, __u64, struct attempt, ATTEMPTS_MAX);

/* Whether it is the same attempt that now gets further; then nothing refused it before. */
static int gets_further(const struct attempt *before, const struct attempt *attempt)
{
	return before->place < attempt->place &&
	       (before->sk == attempt->sk || is_multipath(before->sk));
}

/*
 * The thread enters a function for a connect that is not wanted. If an attempt of its is stored
 * all the same, either that one's return was skipped (count it), or a cgroup's BPF program has
 * rewritten its destination to one that the filters leave out.
 */
static void attempt_ceases(const struct attempt *attempt)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct attempt *before = attempts.lookup(&thread);

	if (!before)
		return;
	if (!gets_further(before, attempt))
		COUNT_LOSS(return_missed);
	attempts.delete(&thread);
}

static void attempt_begins(void *sk, const void *sockaddr, __u32 length, __u32 place)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct attempt attempt = {.sk = sk, .place = place};
	struct attempt *before;

	if (!attempt_wanted(&attempt.to, sk, sockaddr, length, place == IN_CONNECT4)) {
		if (place != IN_PRE_CONNECT)
			attempt_ceases(&attempt);
		return;
	}
	attempt.began_ns = bpf_ktime_get_ns();
	/*
	 * Another attempt still here had its return skipped, and it failed: success is taken out
	 * by syn_leaves(). What a thread leaves that never connects again, the tool finds by its
	 * age.
	 */
	before = attempts.lookup(&thread);
	if (before && !gets_further(before, &attempt))
		COUNT_LOSS(return_missed);
	if (attempts.update(&thread, &attempt))
		COUNT_LOSS(table_full);
}

/* The attempt that the thread has under way, taken out. Returns 0 where there is none. */
static int attempt_take(struct attempt *attempt)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct attempt *found = attempts.lookup(&thread);

	if (!found)
		return 0;
	*attempt = *found;
	attempts.delete(&thread);
#ifndef WANT_RESULT
	attempt->began_ns = bpf_ktime_get_ns(); /* records come in the order of their times */
#endif
	return 1;
}

/* only_failed: success goes on to another probe. */
static void attempt_returns(void *ctx, int result, int only_failed)
{
	struct attempt attempt;

	if (!attempt_take(&attempt) || (result == 0 && only_failed) ||
	    result == -ERROR_EAFNOSUPPORT)
		return;
	attempt_done(ctx, attempt.sk, &attempt.to, attempt.began_ns, result);
}

#ifdef WANT_RESULT
/*
 * The socket whose SYN each thread is sending, 0 once its connecting has returned. The entries
 * stay, as it costs more to make them anew.
 */
BPF_TABLE("lru_hash", __u64, void *, sending, ATTEMPTS_MAX);

static void sending_begins(void *sk)
{
	__u64 thread = bpf_get_current_pid_tgid();
	void **before = sending.lookup(&thread);

	if (before)
		*before = sk;
	else
		sending.update(&thread, &sk);
}

static void sending_returns(void)
{
	__u64 thread = bpf_get_current_pid_tgid();
	void **before = sending.lookup(&thread), *sk;

	if (!before || !*before)
		return;
	sk = *before;
	*before = 0;
	note_soft_error(sk);
}
#endif

/* tcp_connect(): addresses and ports are chosen. */
int syn_leaves(void *ctx)
{
	struct attempt attempt;

	if (!attempt_take(&attempt))
		return 0;
	/* Left by an attempt whose return was skipped. */
	if (attempt.sk != (void *)ARGUMENT1(ctx)) {
		COUNT_LOSS(return_missed);
		return 0;
	}
	attempt_done(ctx, attempt.sk, &attempt.to, attempt.began_ns, 0);
#ifdef WANT_RESULT
	sending_begins(attempt.sk);
#endif
	return 0;
}

int connect4_entry(void *ctx)
{
	attempt_begins((void *)ARGUMENT1(ctx), (void *)ARGUMENT2(ctx), ARGUMENT3(ctx), IN_CONNECT4);
	return 0;
}

int connect6_entry(void *ctx)
{
	attempt_begins((void *)ARGUMENT1(ctx), (void *)ARGUMENT2(ctx), ARGUMENT3(ctx), IN_CONNECT6);
	return 0;
}

/* tcp_v4_pre_connect(), tcp_v6_pre_connect(): where a cgroup's BPF program may refuse. */
int pre_connect_entry(void *ctx)
{
	attempt_begins((void *)ARGUMENT1(ctx), (void *)ARGUMENT2(ctx), ARGUMENT3(ctx),
		       IN_PRE_CONNECT);
	return 0;
}

int connect_return(void *ctx)
{
	attempt_returns(ctx, RESULT(ctx), 0);
#ifdef WANT_RESULT
	sending_returns();
#endif
	return 0;
}

/* What may refuse before: tcp_v4_pre_connect(), tcp_v6_pre_connect(), security_socket_connect(). */
int refused_return(void *ctx)
{
	attempt_returns(ctx, RESULT(ctx), 1);
	return 0;
}

/* security_socket_connect(): where a security module may refuse; sees every protocol. */
int security_entry(void *ctx)
{
	void *sk = socket_asked((void *)ARGUMENT1(ctx));

	if (sk) {
		attempt_begins(sk, (void *)ARGUMENT2(ctx), ARGUMENT3(ctx), IN_SECURITY);
	} else {
		/* Its return must not be taken for that of an attempt before. */
		struct attempt none = {.place = IN_SECURITY};

		attempt_ceases(&none);
	}
	return 0;
}
