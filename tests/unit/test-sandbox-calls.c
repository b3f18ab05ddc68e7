/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which system calls the sandbox lets through: what the loop does works, all else kills. Built
 * without sanitizers, whose own calls are on no list.
 */
#include "sandbox-child.h"

#include <sched.h>
#include <time.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <linux/bpf.h>

#define KEPT 7 /* a descriptor of the plan */

static void enter_keeping(enum sandbox_maps maps)
{
	const int fds[] = {KEPT};
	struct sandbox_plan plan = {.fds = fds,
				    .fd_count = 1,
				    .maps = maps,
				    .map = maps == SANDBOX_MAPS_NONE ? -1 : KEPT};
	struct sandbox_report report;
	struct error error;

	if (sandbox_find_user(NULL, &plan.user, &error) || sandbox_enter(&plan, &report, &error) ||
	    report.without[SANDBOX_CALLS]) {
		say("not in the sandbox");
		_exit(97);
	}
}

static void *page;

static long call_bpf(int command)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};

	return syscall(SYS_bpf, command, &attr, sizeof(attr));
}

/* Each is called by number, so that libc cannot help itself with another. */
#define FORBIDDEN(name, call)                                                                      \
	static void name(void)                                                                     \
	{                                                                                          \
		say((call) ? "n" : "y");                                                           \
	}

FORBIDDEN(do_socket, syscall(SYS_socket, AF_INET, SOCK_STREAM, 0))
FORBIDDEN(do_openat, syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY))
FORBIDDEN(do_execve, syscall(SYS_execve, "/bin/true", NULL, NULL))
FORBIDDEN(do_clone, syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))
FORBIDDEN(do_ptrace, syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0))
FORBIDDEN(do_kill, syscall(SYS_kill, getppid(), 0))
FORBIDDEN(do_setuid, syscall(SYS_setuid, 0))
FORBIDDEN(do_prctl, syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0))
FORBIDDEN(do_setrlimit, syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL))
FORBIDDEN(do_dup, syscall(SYS_dup, STDOUT_FILENO))
FORBIDDEN(do_read, syscall(SYS_read, KEPT, page, 1))
FORBIDDEN(do_ioctl, syscall(SYS_ioctl, STDERR_FILENO, TIOCSTI, "x"))
FORBIDDEN(do_request, syscall(SYS_ioctl, STDOUT_FILENO, TIOCSTI, "x"))
FORBIDDEN(do_write_elsewhere, syscall(SYS_write, KEPT, "x", 1))
FORBIDDEN(do_mmap_executable,
	  syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
FORBIDDEN(do_mprotect_executable, syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC))
FORBIDDEN(do_bpf_read, call_bpf(BPF_MAP_GET_NEXT_KEY))
FORBIDDEN(do_bpf_load, call_bpf(BPF_PROG_LOAD))
FORBIDDEN(do_bpf_create, call_bpf(BPF_MAP_CREATE))
FORBIDDEN(do_bpf_update, call_bpf(BPF_MAP_UPDATE_ELEM))
FORBIDDEN(do_bpf_delete, call_bpf(BPF_MAP_DELETE_ELEM))
FORBIDDEN(do_io_uring, syscall(SYS_io_uring_setup, 1, page))
FORBIDDEN(do_unknown, syscall(4095))

static const struct forbidden {
	const char *name;
	void (*go)(void);
} forbidden[] = {
	{"socket", do_socket},
	{"openat", do_openat},
	{"execve", do_execve},
	{"clone", do_clone},
	{"ptrace", do_ptrace},
	{"kill", do_kill},
	{"setuid", do_setuid},
	{"prctl", do_prctl},
	{"prlimit64", do_setrlimit},
	{"dup", do_dup},
	{"read", do_read},
	{"ioctl", do_ioctl},
	{"ioctl, another request", do_request},
	{"write to another descriptor", do_write_elsewhere},
	{"mmap of executable memory", do_mmap_executable},
	{"mprotect to executable", do_mprotect_executable},
	{"bpf, loading", do_bpf_load},
	{"bpf, creating", do_bpf_create},
	{"bpf, updating", do_bpf_update},
	{"bpf, deleting", do_bpf_delete},
	{"io_uring_setup", do_io_uring},
	{"a number that no call has", do_unknown},
};

static void go_forbidden(void *arg)
{
	const struct forbidden *call = arg;

	dup2(STDERR_FILENO, KEPT);
	enter_keeping(SANDBOX_MAPS_NONE);
	say("in ");
	call->go();
}

static void expect_death(const struct forbidden *call, void (*go)(void *))
{
	struct child child;
	int status;

	child_start(&child, go, (void *)(uintptr_t)call);
	child_hear(&child);
	status = child_end(&child);
	if (strcmp(child.text, "in ") != 0 || !WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		fail_msg("%s: said '%s', status %#x", call->name, child.text, status);
}

static void other_calls_kill(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		expect_death(&forbidden[i], go_forbidden);
	expect_death(&(struct forbidden){"bpf, reading, when not said", do_bpf_read}, go_forbidden);
}

static void make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 8, .max_entries = 8};
	uint64_t key = 1, value = 42;
	long map = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	if (map < 0 || dup2((int)map, KEPT) < 0)
		_exit(96);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = KEPT;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&value;
	if (syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)))
		_exit(96);
}

static void go_forbidden_with_map(void *arg)
{
	const struct forbidden *call = arg;

	make_map();
	enter_keeping(SANDBOX_MAPS_READ);
	say("in ");
	call->go();
}

/* Whoever may read maps may do nothing else to them. */
static void map_calls_kill_but_reading(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		expect_death(&forbidden[i], go_forbidden_with_map);
}

static void go_read_map(void *arg)
{
	union bpf_attr attr = {.map_fd = KEPT};
	uint64_t key = 0, value = 0;

	(void)arg;
	make_map();
	enter_keeping(SANDBOX_MAPS_READ);
	attr.next_key = (uintptr_t)&key;
	if (syscall(SYS_bpf, BPF_MAP_GET_NEXT_KEY, &attr, sizeof(attr)))
		_exit(1);
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&value;
	if (syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)))
		_exit(2);
	_exit(key == 1 && value == 42 ? 0 : 3);
}

static void go_empty_map(void *arg)
{
	union bpf_attr attr = {.map_fd = KEPT};
	uint64_t key = 1;

	(void)arg;
	make_map();
	enter_keeping(SANDBOX_MAPS_EMPTIED);
	attr.key = (uintptr_t)&key;
	_exit(syscall(SYS_bpf, BPF_MAP_DELETE_ELEM, &attr, sizeof(attr)) ? 1 : 0);
}

static void expect_exit(void (*go)(void *), int wanted)
{
	struct child child;
	int status;

	child_start(&child, go, NULL);
	status = child_end(&child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != wanted)
		fail_msg("status %#x instead of exit %d", status, wanted);
}

static void maps_can_be_read(void **state)
{
	(void)state;
	expect_exit(go_read_map, 0);
}

static void maps_can_be_emptied_if_said(void **state)
{
	(void)state;
	expect_exit(go_empty_map, 0);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(int));
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	(void)number;
	signals = signals + 1;
}

/* All that the loop does, and libc behind it, at sizes at which libc does it otherwise. */
static void go_work(void *arg)
{
	/* Again and again: the sandbox may take longer than the first time. */
	struct itimerspec soon = {.it_value.tv_nsec = 20000000, .it_interval.tv_nsec = 200000000};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct epoll_event ready;
	struct timespec now;
	char random[16], *block = NULL;
	void *blocks[64];
	timer_t timer;
	int queued;

	(void)arg;
	dup2(epoll_create1(0), KEPT);
	signal(SIGUSR1, on_signal);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &soon, NULL))
		_exit(96);
	enter_keeping(SANDBOX_MAPS_NONE);
	if (epoll_wait(KEPT, &ready, 1, 5000) != -1 || errno != EINTR || signals < 1)
		_exit(1); /* the signal ends the wait, and its handler returns */
	if (poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, 0) != 1)
		_exit(2);
	if (ioctl(STDOUT_FILENO, FIONREAD, &queued) && errno != ENOTTY)
		_exit(8);
	if (ioctl(STDOUT_FILENO, TIOCOUTQ, &queued) && errno != ENOTTY)
		_exit(9);
	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now)) /* as where the vDSO cannot */
		_exit(3);
	if (syscall(SYS_getrandom, random, sizeof(random), 0) != sizeof(random))
		_exit(4);
	for (size_t size = 1; size <= 64u << 20; size *= 2) {
		char *more = realloc(block, size);

		if (!more)
			_exit(5);
		block = more;
		block[size - 1] = 1;
	}
	for (size_t i = 0; i < 64; i++)
		memset(blocks[i] = malloc(100000), 1, 100000);
	for (size_t i = 0; i < 64; i++)
		free(blocks[i]);
	qsort(block, 200000, sizeof(int), compare);
	qsort(block, 16 << 20, sizeof(int), compare); /* more than it takes memory for */
	free(block);
	fprintf(stderr, "%s", ""); /* stdio, unbuffered */
	if (fprintf(stderr, "# %s %d %s\n", "stderr works,", 1, strerror(ENOENT)) < 0)
		_exit(6);
	if (close(KEPT))
		_exit(7);
	exit(70); /* with all that libc does at the end */
}

static void the_loops_own_calls_work(void **state)
{
	(void)state;
	expect_exit(go_work, 70);
}

/* Out of memory is an answer, not a death: libc tries other ways first. */
static void go_hungry(void *arg)
{
	const struct rlimit little = {64 << 20, 64 << 20};
	size_t had = 0;

	(void)arg;
	setrlimit(RLIMIT_AS, &little);
	enter_keeping(SANDBOX_MAPS_NONE);
	while (malloc(1000))
		had++;
	if (malloc(1 << 20) || malloc(1 << 28))
		_exit(1);
	_exit(had > 1000 ? 71 : 2);
}

static void no_memory_does_not_kill(void **state)
{
	(void)state;
	expect_exit(go_hungry, 71);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_calls_kill),
		cmocka_unit_test(map_calls_kill_but_reading),
		cmocka_unit_test(maps_can_be_read),
		cmocka_unit_test(maps_can_be_emptied_if_said),
		cmocka_unit_test(the_loops_own_calls_work),
		cmocka_unit_test(no_memory_does_not_kill),
	};

	if (need_root(NULL))
		return 77;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
