/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/*
 * Attached by fexit (and fentry, for answers): a program sees the arguments and the result at
 * once, so that nothing has to wait between them.
 */
#define ARGUMENT1(ctx) (((__u64 *)(ctx))[0])
#define ARGUMENT2(ctx) (((__u64 *)(ctx))[1])
#define ARGUMENT3(ctx) (((__u64 *)(ctx))[2])
#define RESULT(ctx)    ((int)((__u64 *)(ctx))[3]) /* of a function with three arguments */

/*
 * Threads whose tcp_v4_connect() inside tcp_v6_connect() failed and was reported, until the
 * outer function returns the same failure.
 */
BPF_HASH(reported, __u64, void *, ATTEMPTS_MAX);

#ifdef WANT_RESULT
/*
 * When each thread's attempt began, 0 while none is under way. The entries stay: to make and
 * take out one for each attempt costs twice as much.
 */
BPF_TABLE("lru_hash", __u64, __u64, begun, ATTEMPTS_MAX);

/*
 * No attempt takes so long from its entry to its exit. What is older stayed behind where the
 * kernel skipped an exit's program, and then the next entry's.
 */
#define BEGUN_MAX_NS 10000000000ull

/* tcp_v4_connect(), tcp_v6_connect() */
int connect_enter(void *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
	__u64 *before = begun.lookup(&thread);

	if (before)
		*before = now;
	else if (process_wanted())
		begun.update(&thread, &now);
	return 0;
}

/* When the attempt that now ends began. */
static __u64 attempt_began(void)
{
	__u64 thread = bpf_get_current_pid_tgid(), *before = begun.lookup(&thread);
	__u64 now = bpf_ktime_get_ns(), began_ns = before ? *before : 0;

	if (before)
		*before = 0;
	return began_ns && now - began_ns < BEGUN_MAX_NS ? began_ns : now;
}

/* What came of the SYN by now. A socket under repair (TCP_REPAIR) is connected at once. */
static void syn_has_left(void *ctx, void *sk)
{
	__u8 state = 0;

	FIELD_READ(state, sk, OFFSET_SOCK_STATE);
	if (state == STATE_ESTABLISHED)
		end_attempt(ctx, sk, 1, 0);
	else
		note_soft_error(sk);
}
#else
/* Records come in the order of their times. */
static __u64 attempt_began(void)
{
	return bpf_ktime_get_ns();
}
#endif

static void attempt_exits(void *ctx, void *sk, __u64 began_ns, int inner)
{
	int result = RESULT(ctx);
	struct destination to = {};

	if (result == -ERROR_EAFNOSUPPORT ||
	    !attempt_wanted(&to, sk, (void *)ARGUMENT2(ctx), ARGUMENT3(ctx), inner))
		return;
	attempt_done(ctx, sk, &to, began_ns, result);
#ifdef WANT_RESULT
	if (result == 0)
		syn_has_left(ctx, sk);
#endif
}

int connect4_exit(void *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid();
	void *sk = (void *)ARGUMENT1(ctx);
	__u16 family = 0;

	attempt_exits(ctx, sk, attempt_began(), 1);
	FIELD_READ(family, sk, OFFSET_SOCK_FAMILY);
	if (RESULT(ctx) && family == FAMILY_INET6)
		reported.update(&thread, &sk);
	return 0;
}

int connect6_exit(void *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid(), began_ns = attempt_began();
	void *sk = (void *)ARGUMENT1(ctx);
	__u8 address[16] = {};

	bpf_probe_read_kernel(address, sizeof(address), (char *)ARGUMENT2(ctx) + 8);
	if (is_v4_mapped(address)) {
		int seen = reported.lookup(&thread) != 0;

		reported.delete(&thread);
		if (seen || RESULT(ctx) == 0)
			return 0;
	}
	attempt_exits(ctx, sk, began_ns, 0);
	return 0;
}

/*
 * tcp_v4_pre_connect(), tcp_v6_pre_connect(): where a cgroup's BPF program may refuse. An attempt
 * refused here never reached connect_enter(), so it is stamped with the time of its end.
 */
int refused_exit(void *ctx)
{
	if (RESULT(ctx))
		attempt_exits(ctx, (void *)ARGUMENT1(ctx), bpf_ktime_get_ns(), 0);
	return 0;
}

/* security_socket_connect(): where a security module may refuse; sees every protocol. */
int security_exit(void *ctx)
{
	void *sk;

	if (RESULT(ctx) == 0)
		return 0;
	sk = socket_asked((void *)ARGUMENT1(ctx));
	if (sk)
		attempt_exits(ctx, sk, bpf_ktime_get_ns(), 0);
	return 0;
}
