/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/privilege.h"

#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <linux/version.h>
#include <bpf/bpf.h>
#include <cap-ng.h>
#include "kernel/lockdown.h"

static bool have(unsigned int capability)
{
	return capng_have_capability(CAPNG_EFFECTIVE, capability);
}

int privilege_check(struct error *error)
{
	bool bpf, perfmon;

	if (capng_get_caps_process())
		return fail(error, "cannot tell which capabilities this process has");
	bpf = have(CAP_BPF);
	perfmon = have(CAP_PERFMON);
	if (have(CAP_SYS_ADMIN) || (bpf && perfmon))
		return 0;
	if (prctl(PR_CAPBSET_READ, CAP_BPF, 0, 0, 0) < 0) /* before 5.8 */
		return fail(error, "missing CAP_SYS_ADMIN: run as root, or with it");
	return fail(error, "missing %s%s%s: run as root, or with both CAP_BPF and CAP_PERFMON",
		    bpf ? "" : "CAP_BPF", bpf || perfmon ? "" : " and ",
		    perfmon ? "" : "CAP_PERFMON");
}

/*
 * What for: to trace; perf buffers and maps beyond the limits; tracefs; the namespace of somebody
 * else's process; the sandbox.
 */
static const struct {
	const char *name;
	unsigned int number;
} used[] = {
	{"CAP_BPF", CAP_BPF},
	{"CAP_PERFMON", CAP_PERFMON},
	{"CAP_SYS_ADMIN", CAP_SYS_ADMIN},
	{"CAP_SYS_RESOURCE", CAP_SYS_RESOURCE},
	{"CAP_IPC_LOCK", CAP_IPC_LOCK},
	{"CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH},
	{"CAP_SYS_PTRACE", CAP_SYS_PTRACE},
	{"CAP_SETUID", CAP_SETUID},
	{"CAP_SETGID", CAP_SETGID},
	{"CAP_SETPCAP", CAP_SETPCAP},
	{"CAP_SYS_CHROOT", CAP_SYS_CHROOT},
};

const char *privilege_name(size_t index, bool *held)
{
	if (index >= sizeof(used) / sizeof(used[0]))
		return NULL;
	*held = capng_get_caps_process() == 0 && have(used[index].number);
	return used[index].name;
}

static int try_program(uint32_t kernel_version, const struct bpf_insn *insns, size_t count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .kern_version = kernel_version);
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "try", "GPL", insns, count, &opts);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

int bpf_try_load(uint32_t kernel_version)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return try_program(kernel_version, insns, sizeof(insns) / sizeof(insns[0]));
}

/* helper(8 bytes of the stack, 8, NULL); return 0 */
static int try_helper(uint32_t kernel_version, enum bpf_func_id helper)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = BPF_REG_10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = (int32_t)helper},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return try_program(kernel_version, insns, sizeof(insns) / sizeof(insns[0]));
}

int bpf_try_read(uint32_t kernel_version)
{
	if (try_helper(kernel_version, BPF_FUNC_probe_read_kernel) == 0)
		return 0;
	return errno == EINVAL ? try_helper(kernel_version, BPF_FUNC_probe_read) : -1; /* < 5.5 */
}

const char *privilege_remedy(int cause, uint32_t kernel_version)
{
	struct rlimit locked;

	if (cause == EPERM && kernel_version < KERNEL_VERSION(5, 11, 0) &&
	    getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur != RLIM_INFINITY)
		return "; raise the limit of locked memory (ulimit -l), or add CAP_SYS_RESOURCE";
	return error_remedy(cause);
}

int privilege_try(uint32_t kernel_version, struct error *error)
{
	char mode[32] = "lockdown";

	if (bpf_try_read(kernel_version) == 0)
		return 0;
	if (bpf_try_load(kernel_version) == 0) {
		lockdown_mode(mode, sizeof(mode));
		return fail(error,
			    "the kernel does not let BPF programs read its memory (%s): "
			    "lower its lockdown to integrity (lockdown=integrity at boot, "
			    "or Secure Boot off)",
			    mode);
	}
	if (errno == ENOSYS)
		return fail(error, "this kernel has no bpf() (CONFIG_BPF_SYSCALL), or a seccomp "
				   "filter hides it: run outside the container");
	if (errno == EPERM)
		return fail(error, "the kernel refuses bpf() in spite of the capabilities: a user "
				   "namespace, a seccomp filter or a security module is in the "
				   "way; run outside the container");
	return fail(error, "the kernel refuses BPF programs: %s%s", strerror(errno),
		    error_remedy(errno));
}
