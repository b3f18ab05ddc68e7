/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/measures.h"

#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <linux/bpf.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* Linux 5.17 */
#endif

/*
 * What the loop calls, and what libc calls for it. A name that this architecture or this
 * libseccomp does not have is passed over: its own form of the call stands beside it.
 */
/* clang-format off */
static const char *const loop_calls[] = {
	/* waiting */
	"epoll_wait", "epoll_pwait", "poll", "ppoll", "ppoll_time64", "restart_syscall",
	/* the clock, where the vDSO cannot read it */
	"clock_gettime", "clock_gettime64", "gettimeofday", "time",
	/* malloc(); with mmap and mprotect below */
	"brk", "munmap", "mremap", "madvise", "getrandom",
	/* qsort() of glibc before 2.37: how much memory is there */
	"sysinfo",
	/* how often the kernel skipped a program: see probes/skips.h */
	"pread64",
	/* detaching; signals; the end */
	"close", "rt_sigreturn", "sigreturn", "exit", "exit_group",
};
/* clang-format on */

/* None makes, changes or pins anything. */
static const uint32_t reading_commands[] = {BPF_MAP_LOOKUP_ELEM, BPF_MAP_GET_NEXT_KEY,
					    BPF_MAP_LOOKUP_BATCH};

#define LOW_HALF 0xffffffffu /* an int's upper half in a register may be anything */

static int call_number(const char *name)
{
	return seccomp_syscall_resolve_name(name);
}

static bool exists(int number)
{
	return number >= 0; /* negative: not on this architecture, or not known at all */
}

static int allow(scmp_filter_ctx filter, const char *name)
{
	int number = call_number(name);

	return exists(number) ? seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) : 0;
}

/* Allow the call where the bits of mask in its argument are value's. */
static int allow_where(scmp_filter_ctx filter, const char *name, unsigned int argument,
		       uint64_t mask, uint64_t value)
{
	int number = call_number(name);

	if (!exists(number))
		return 0;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
				SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value));
}

/* Allow a request of ioctl(2) to standard output. */
static int allow_request(scmp_filter_ctx filter, uint32_t request)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 2,
				SCMP_CMP(0, SCMP_CMP_MASKED_EQ, LOW_HALF, STDOUT_FILENO),
				SCMP_CMP(1, SCMP_CMP_MASKED_EQ, LOW_HALF, request));
}

static int allow_loop(scmp_filter_ctx filter, enum sandbox_maps maps)
{
	int failed = 0;

	for (size_t i = 0; i < sizeof(loop_calls) / sizeof(loop_calls[0]); i++)
		failed |= allow(filter, loop_calls[i]);
	failed |= allow_where(filter, "write", 0, LOW_HALF, STDOUT_FILENO);
	failed |= allow_where(filter, "write", 0, LOW_HALF, STDERR_FILENO);
	/* How much the reader has not taken. */
	failed |= allow_request(filter, FIONREAD);
	failed |= allow_request(filter, TIOCOUTQ);
	/*
	 * Memory to be executed is never had, nor made from other memory. malloc() that finds no
	 * memory tries again in a second arena, which it makes with mprotect().
	 */
	failed |= allow_where(filter, "mmap", 2, PROT_EXEC, 0);
	failed |= allow_where(filter, "mmap2", 2, PROT_EXEC, 0);
	failed |= allow_where(filter, "mprotect", 2, PROT_EXEC, 0);
	/* It names its mappings where GLIBC_TUNABLES asks for that (glibc.mem.decorate_maps). */
	failed |= allow_where(filter, "prctl", 0, LOW_HALF, PR_SET_VMA);
	if (maps == SANDBOX_MAPS_NONE)
		return failed;
	for (size_t i = 0; i < sizeof(reading_commands) / sizeof(reading_commands[0]); i++)
		failed |= allow_where(filter, "bpf", 0, LOW_HALF, reading_commands[i]);
	if (maps == SANDBOX_MAPS_EMPTIED)
		failed |= allow_where(filter, "bpf", 0, LOW_HALF, BPF_MAP_DELETE_ELEM);
	return failed;
}

static int load(scmp_filter_ctx filter)
{
	/*
	 * Before 5.16 a filter also switches off a speculation of the CPU (SSBD) for the whole
	 * process, which costs speed and guards only against code that this process lets in from
	 * elsewhere: there is none. Not known before 4.17; then there is nothing to keep.
	 */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	return seccomp_load(filter);
}

const char *give_up_calls(enum sandbox_maps maps)
{
#ifdef SANDBOX_INSTRUMENTED
	(void)maps;
	(void)allow_loop;
	return "this build is instrumented for tests and makes calls of its own";
#else
	uint32_t kill = SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx filter = seccomp_init(kill);
	int result;

	if (!filter) { /* before 4.14 only the thread can be killed; there is one */
		kill = SCMP_ACT_KILL;
		filter = seccomp_init(kill);
	}
	result = filter ? 0 : -ENOSYS;
	if (!result)
		result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, kill);
	if (!result)
		result = allow_loop(filter, maps);
	if (!result)
		result = load(filter);
	seccomp_release(filter);
	return result ? "the kernel does not filter system calls (CONFIG_SECCOMP_FILTER)" : NULL;
#endif
}

static const char *const compiler_denied[] = {
	/* the network, also by the detour of io_uring */
	"socket", "socketpair", "socketcall", "connect", "bind", "listen", "accept", "accept4",
	"sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg", "io_uring_setup",
	"io_uring_enter", "io_uring_register",
	/* other processes */
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kill", "tkill",
	"pidfd_open", "pidfd_getfd", "pidfd_send_signal", "kcmp", "perf_event_open",
	/* mounts and namespaces */
	"mount", "umount", "umount2", "pivot_root", "chroot", "setns", "unshare", "fsopen",
	"fspick", "fsconfig", "fsmount", "open_tree", "move_mount", "mount_setattr", "swapon",
	"swapoff", "quotactl", "quotactl_fd", "mknod", "mknodat", "open_by_handle_at",
	/* the kernel */
	"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot",
	"userfaultfd", "keyctl", "add_key", "request_key", "syslog", "acct", "iopl", "ioperm",
	"personality", "settimeofday", "clock_settime", "clock_settime64", "adjtimex",
	"clock_adjtime", "clock_adjtime64", "stime", "sethostname", "setdomainname"};

/* libbcc makes the maps as it compiles, and hands BTF to the kernel; that is all it may. */
static const uint32_t compiler_denied_commands[] = {
	BPF_PROG_LOAD,           BPF_OBJ_PIN,          BPF_OBJ_GET,           BPF_PROG_ATTACH,
	BPF_PROG_DETACH,         BPF_PROG_TEST_RUN,    BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID,
	BPF_RAW_TRACEPOINT_OPEN, BPF_BTF_GET_FD_BY_ID, BPF_LINK_CREATE,       BPF_LINK_UPDATE,
	BPF_LINK_GET_FD_BY_ID,   BPF_LINK_DETACH,      BPF_ITER_CREATE,       BPF_PROG_BIND_MAP,
};

static int deny(scmp_filter_ctx filter, const char *name)
{
	int number = call_number(name);

	return exists(number) ? seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0) : 0;
}

int sandbox_compiler(bool runs_programs)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int failed = 0;

	give_up_dumps();
	give_up_new_privileges();
	if (!filter)
		return -1;
	for (size_t i = 0; i < sizeof(compiler_denied) / sizeof(compiler_denied[0]); i++)
		failed |= deny(filter, compiler_denied[i]);
	for (size_t i = 0;
	     i < sizeof(compiler_denied_commands) / sizeof(compiler_denied_commands[0]); i++)
		failed |= seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(bpf), 1,
			SCMP_CMP(0, SCMP_CMP_MASKED_EQ, LOW_HALF, compiler_denied_commands[i]));
	if (!runs_programs)
		failed |= deny(filter, "execve") | deny(filter, "execveat");
	if (!failed)
		failed = load(filter);
	seccomp_release(filter);
	return failed ? -1 : 0;
}
