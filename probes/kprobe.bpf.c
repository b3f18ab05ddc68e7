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

struct attempt {
	__u64 began_ns; /* first: the tool reads it */
	void *sk;
	struct destination to;
};

/* tcp_v4_connect() neither sleeps for long nor runs twice in one thread. */
BPF_HASH(attempts, __u64, struct attempt, ATTEMPTS_MAX);

static void attempt_begins(void *sk, const void *sockaddr, __u32 length, int inner)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct attempt attempt = {.sk = sk};
	struct attempt *before;

	if (!attempt_wanted(&attempt.to, sk, sockaddr, length, inner))
		return;
	attempt.began_ns = bpf_ktime_get_ns();
	/*
	 * A mapped connect enters tcp_v6_connect(), then tcp_v4_connect() inside it, which
	 * takes the place. Any other attempt still here had its return skipped; what a thread
	 * leaves that never connects again, the tool finds by its age.
	 */
	before = attempts.lookup(&thread);
	if (before && !(before->to.mapped && before->sk == sk))
		COUNT_LOSS(missed_return);
	if (attempts.update(&thread, &attempt))
		COUNT_LOSS(stash_full);
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

/* tcp_connect(): addresses and ports are chosen. */
int syn_leaves(void *ctx)
{
	struct attempt attempt;

	if (attempt_take(&attempt) && attempt.sk == (void *)ARGUMENT1(ctx))
		attempt_done(ctx, attempt.sk, &attempt.to, attempt.began_ns, 0);
	return 0;
}

int connect4_entry(void *ctx)
{
	attempt_begins((void *)ARGUMENT1(ctx), (void *)ARGUMENT2(ctx), ARGUMENT3(ctx), 1);
	return 0;
}

int connect_entry(void *ctx)
{
	attempt_begins((void *)ARGUMENT1(ctx), (void *)ARGUMENT2(ctx), ARGUMENT3(ctx), 0);
	return 0;
}

int connect_return(void *ctx)
{
	attempt_returns(ctx, RESULT(ctx), 0);
	return 0;
}

/* tcp_v4_pre_connect(), tcp_v6_pre_connect(): where a cgroup's BPF program may refuse. */
int refused_return(void *ctx)
{
	attempt_returns(ctx, RESULT(ctx), 1);
	return 0;
}

/* security_socket_connect(): where a security module may refuse; sees every protocol. */
int security_entry(void *ctx)
{
	void *sk = pointer_at((void *)ARGUMENT1(ctx), OFFSET_SOCKET_SK);

	if (sk && connects_by_tcp(sk))
		attempt_begins(sk, (void *)ARGUMENT2(ctx), ARGUMENT3(ctx), 0);
	return 0;
}
