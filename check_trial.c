/* SPDX-License-Identifier: Apache-2.0 */
#include "check_trial.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include "probes/attach.h"

/* Instructions by their parts, as <linux/bpf.h> names them. */
#define MOVE(to, from)                                                                             \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from)            \
	}
#define SET(to, value)                                                                             \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (value)               \
	}
#define ADD(to, value)                                                                             \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (to), .imm = (value)               \
	}
#define CALL(helper)                                                                               \
	{                                                                                          \
		.code = BPF_JMP | BPF_CALL, .imm = (helper)                                        \
	}
#define RETURN                                                                                     \
	{                                                                                          \
		.code = BPF_JMP | BPF_EXIT                                                         \
	}
/* A word of the argument; a zero at the top of the stack; a map's address, in two halves. */
#define LOAD(to, from)                                                                             \
	{                                                                                          \
		.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = (to), .src_reg = (from)             \
	}
#define ZERO(at)                                                                                   \
	{                                                                                          \
		.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = (at), .imm = 0            \
	}
#define MAP(to, fd)                                                                                \
	{                                                                                          \
		.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = (to), .src_reg = BPF_PSEUDO_MAP_FD,  \
		.imm = (fd)                                                                        \
	}
#define HALF                                                                                       \
	{                                                                                          \
		.code = 0                                                                          \
	}

static const struct bpf_insn nothing[] = {SET(0, 0), RETURN};

#define COUNT(insns) (sizeof(insns) / sizeof((insns)[0]))

static int load(const struct trial *trial, const struct attacher *attacher, uint32_t btf_id,
		const struct bpf_insn *insns, size_t count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .kern_version = trial->kernel_version,
		    .expected_attach_type = attacher->expected_type, .attach_btf_id = btf_id);
	int fd = bpf_prog_load(attacher->program_type, "check", "GPL", insns, count, &opts);

	return fd < 0 ? -1 : fd;
}

/* Close without losing the errno of what came before. */
static int finish(int fd, int result)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return result;
}

/* The program for BTF tracepoints: the packet, its first argument, goes to the perf buffer. */
static int load_packet_program(const struct trial *trial, const struct attacher *attacher,
			       uint32_t btf_id)
{
	int map = bpf_map_create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, "check", 4, 4, 1, NULL);
	const struct bpf_insn insns[] = {
		LOAD(1, 1), ZERO(-8),  MAP(2, map),
		HALF,       SET(3, 0), MOVE(4, 10),
		ADD(4, -8), SET(5, 8), CALL(BPF_FUNC_skb_output),
		SET(0, 0),  RETURN,
	};
	int fd = map < 0 ? -1 : load(trial, attacher, btf_id, insns, COUNT(insns));

	return finish(map, fd);
}

static int find_target(const struct trial *trial, const struct point *point, uint32_t *btf_id)
{
	const struct attacher *attacher = attacher_of(point->kind);
	char name[128];
	int id;

	*btf_id = 0;
	if (!attacher->btf_prefix)
		return 0;
	snprintf(name, sizeof(name), "%s%s", attacher->btf_prefix, point->target);
	id = trial->btf ? btf__find_by_name_kind(trial->btf, name, attacher->btf_kind) : -1;
	if (id < 0) {
		errno = ESRCH;
		return -1;
	}
	*btf_id = (uint32_t)id;
	return 0;
}

int trial_point(const struct trial *trial, const struct point *point)
{
	const struct attacher *attacher = attacher_of(point->kind);
	uint32_t btf_id;
	int program, link;

	if (find_target(trial, point, &btf_id))
		return -1;
	if (point->kind == POINT_BTF_TRACEPOINT)
		program = load_packet_program(trial, attacher, btf_id);
	else
		program = load(trial, attacher, btf_id, nothing, COUNT(nothing));
	if (program < 0)
		return -1;
	link = attacher->attach(point, program);
	finish(link, 0);
	return finish(program, link < 0 ? -1 : 0);
}
