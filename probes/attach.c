/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/attach.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <linux/btf.h>
#include <linux/perf_event.h>
#include "probes/number.h"
#include "probes/tracefs.h"

#define KPROBE_SOURCE "/sys/bus/event_source/devices/kprobe/"

/* An event on every CPU with a program on it; the kernel takes CPU 0 to stand for all. */
static int open_event(struct perf_event_attr *attr, int program)
{
	int fd = syscall(SYS_perf_event_open, attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	int saved;

	if (fd < 0)
		return -1;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, program) == 0 &&
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int attach_function(const struct point *point, int program, int at_return)
{
	int type = number_in(AT_FDCWD, KPROBE_SOURCE "type", "");
	int bit = at_return ? number_in(AT_FDCWD, KPROBE_SOURCE "format/retprobe", "config:") : 0;
	struct perf_event_attr attr = {
		.size = sizeof(attr), .config1 = (uintptr_t)point->target, /* kprobe_func */
	};

	if (type < 0 || bit < 0 || bit > 63) {
		errno = ENOENT;
		return -1;
	}
	attr.type = type;
	if (at_return)
		attr.config = 1ull << bit;
	return open_event(&attr, program);
}

static int attach_kprobe(const struct point *point, int program)
{
	return attach_function(point, program, 0);
}

static int attach_kretprobe(const struct point *point, int program)
{
	return attach_function(point, program, 1);
}

static int attach_raw_tracepoint(const struct point *point, int program)
{
	int fd = bpf_raw_tracepoint_open(point->target, program);

	return fd < 0 ? -1 : fd;
}

/* What the program attaches to, it was loaded for. */
static int attach_loaded(const struct point *point, int program)
{
	int fd = bpf_raw_tracepoint_open(NULL, program);

	(void)point;
	return fd < 0 ? -1 : fd;
}

static int attach_syscall(const struct point *point, int program)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
	};
	int id = tracefs_event_id("syscalls", point->target);

	if (id < 0)
		return -1;
	attr.config = id;
	return open_event(&attr, program);
}

static const struct attacher attachers[POINT_KINDS] = {
	[POINT_KPROBE] =
		{
			.name = "kprobe",
			.program_type = BPF_PROG_TYPE_KPROBE,
			.attach = attach_kprobe,
		},
	[POINT_KRETPROBE] =
		{
			.name = "kretprobe",
			.program_type = BPF_PROG_TYPE_KPROBE,
			.attach = attach_kretprobe,
		},
	[POINT_RAW_TRACEPOINT] =
		{
			.name = "raw tracepoint",
			.program_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
			.attach = attach_raw_tracepoint,
		},
	[POINT_BTF_TRACEPOINT] =
		{
			.name = "BTF tracepoint",
			.program_type = BPF_PROG_TYPE_TRACING,
			.expected_type = BPF_TRACE_RAW_TP,
			.btf_prefix = "btf_trace_",
			.btf_kind = BTF_KIND_TYPEDEF,
			.attach = attach_loaded,
		},
	[POINT_FENTRY] =
		{
			.name = "fentry program",
			.program_type = BPF_PROG_TYPE_TRACING,
			.expected_type = BPF_TRACE_FENTRY,
			.btf_prefix = "",
			.btf_kind = BTF_KIND_FUNC,
			.attach = attach_loaded,
		},
	[POINT_FEXIT] =
		{
			.name = "fexit program",
			.program_type = BPF_PROG_TYPE_TRACING,
			.expected_type = BPF_TRACE_FEXIT,
			.btf_prefix = "",
			.btf_kind = BTF_KIND_FUNC,
			.attach = attach_loaded,
		},
	[POINT_SYSCALL] =
		{
			.name = "system call tracepoint",
			.program_type = BPF_PROG_TYPE_TRACEPOINT,
			.attach = attach_syscall,
		},
};

const struct attacher *attacher_of(enum point_kind kind)
{
	return &attachers[kind];
}

bool fexit_refused(void)
{
	/* It names no function: a kernel that would load one answers EINVAL. */
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FEXIT);
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "refused", "GPL", insns, 2, &opts);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EPERM;
}
