/* SPDX-License-Identifier: Apache-2.0 */
/* What the process that compiles may and may not do. */
#include "sandbox-child.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <linux/bpf.h>

static long call_bpf(int command)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};

	return syscall(SYS_bpf, command, &attr, sizeof(attr));
}

/* Each is said that could be done though it must not, and that could not though it must. */
static int inherited[2]; /* sockets from before */

static void check_calls(void)
{
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int pair[2];
	struct {
		const char *name;
		long result;
	} denied[] = {
		{"socket", socket(AF_INET, SOCK_STREAM, 0)},
		{"unix socket", socket(AF_UNIX, SOCK_DGRAM, 0)},
		{"socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair)},
		{"io_uring", syscall(SYS_io_uring_setup, 1, code)},
		{"send", send(inherited[0], "x", 1, 0)},
		{"recv", recv(inherited[0], pair, 1, MSG_DONTWAIT)},
		{"connect", connect(inherited[0], &(struct sockaddr){AF_UNSPEC, ""}, 2)},
		{"bind", bind(inherited[0], &(struct sockaddr){AF_UNIX, ""}, 2)},
		{"listen", listen(inherited[0], 1)},
		{"ptrace", ptrace(PTRACE_SEIZE, getppid(), 0, 0)},
		{"kill", kill(getppid(), 0)},
		{"mount", mount("tmpfs", "/mnt", "tmpfs", 0, NULL)},
		{"unshare", unshare(CLONE_NEWNS)},
		{"chroot", chroot("/")},
		{"perf_event_open", syscall(SYS_perf_event_open, code, -1, 0, -1, 0)},
		{"loading a module", syscall(SYS_finit_module, -1, "", 0)},
		{"bpf, loading", call_bpf(BPF_PROG_LOAD)},
		{"bpf, opening maps", call_bpf(BPF_MAP_GET_FD_BY_ID)},
		{"bpf, attaching", call_bpf(BPF_LINK_CREATE)},
	};

	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
		if (denied[i].result >= 0)
			say(denied[i].name);
	/* The errno tells a refusal from an argument that is wrong anyhow. */
	if (syscall(SYS_finit_module, -1, "", 0) != -1 || errno != EPERM)
		say("finit_module was reached");
	if (call_bpf(BPF_PROG_LOAD) != -1 || errno != EPERM)
		say("BPF_PROG_LOAD was reached");
	if (code == MAP_FAILED)
		say("no memory for code");
	if (call_bpf(BPF_MAP_CREATE) < 0)
		say("no map");
	if (close(open("/etc/passwd", O_RDONLY)))
		say("no file");
}

static void go_compile(void *arg)
{
	(void)arg;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, inherited))
		_exit(96);
	if (send(inherited[1], "x", 1, 0) != 1)
		_exit(96);
	if (sandbox_compiler(false))
		say("not filtered");
	check_calls();
	execl("/bin/true", "true", NULL);
	say(errno == EPERM ? "done" : "execve was reached");
}

static void only_what_compiling_takes(void **state)
{
	struct rlimit limit;
	struct child child;

	(void)state;
	child_start(&child, go_compile, NULL);
	assert_string_equal(child_hear(&child), "done");
	assert_int_equal(child_end(&child), 0);
	/* Only the child's; not this process's. */
	assert_int_equal(close(socket(AF_UNIX, SOCK_STREAM, 0)), 0);
	assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
}

static void go_unpack(void *arg)
{
	(void)arg;
	if (sandbox_compiler(true))
		say("not filtered");
	check_calls();
	/* sh without any socket, as what it starts is held to the same */
	execl("/bin/sh", "sh", "-c",
	      "grep -h -e NoNewPrivs -e Seccomp: /proc/self/status; "
	      "mount -t tmpfs tmpfs /mnt 2>/dev/null && echo mounted",
	      NULL);
	say("no sh");
}

static void unpacking_programs_are_held_to_the_same(void **state)
{
	struct child child;

	(void)state;
	child_start(&child, go_unpack, NULL);
	assert_string_equal(child_hear(&child), "NoNewPrivs:\t1\nSeccomp:\t2\n");
	assert_string_not_equal(child_hear(&child), "mounted\n");
	child_end(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_compiling_takes),
		cmocka_unit_test(unpacking_programs_are_held_to_the_same),
	};

	if (need_root(NULL))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
