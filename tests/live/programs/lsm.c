/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lsm connect PID | lsm kprobes: as a security module would, refuse (EPERM) every connect(2) of
 * a process before the protocol hears of it, or every kprobe that is made from now on; as long as
 * this process lives. Prints "refusing" when it does, "cannot" and why where the kernel has no
 * BPF among its security modules.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#define INSN(op, to, from, offset, value)                                                          \
	{                                                                                          \
		.code = (op), .dst_reg = (to), .src_reg = (from), .off = (offset), .imm = (value)  \
	}
#define RETURN(value)                                                                              \
	INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value),                                 \
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int cannot(const char *what)
{
	printf("cannot: %s: %s\n", what, strerror(errno));
	return 1;
}

/* A value of an enumeration, whatever this kernel gives it; -1 if it has none. */
static int enumerator(const struct btf *btf, const char *type, const char *name)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_ENUM);
	const struct btf_type *found = id < 0 ? NULL : btf__type_by_id(btf, id);

	for (int i = 0; found && i < btf_vlen(found); i++)
		if (strcmp(btf__name_by_offset(btf, btf_enum(found)[i].name_off), name) == 0)
			return btf_enum(found)[i].val;
	return -1;
}

static int attach(const struct btf *btf, const char *hook, const struct bpf_insn *insns,
		  size_t count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_LSM_MAC);
	int id = btf__find_by_name_kind(btf, hook, BTF_KIND_FUNC), program;

	if (id < 0)
		return cannot(hook);
	opts.attach_btf_id = id;
	program = bpf_prog_load(BPF_PROG_TYPE_LSM, "refuse", "GPL", insns, count, &opts);
	if (program < 0)
		return cannot("load");
	if (bpf_raw_tracepoint_open(NULL, program) < 0)
		return cannot("attach");
	puts("refusing");
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char *argv[])
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return cannot("BTF");
	if (argc == 3 && strcmp(argv[1], "connect") == 0) {
		const struct bpf_insn connect[] = {
			INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_current_pid_tgid),
			INSN(BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_0, 0, 0, 32),
			INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 2, atoi(argv[2])),
			RETURN(-EPERM),
			RETURN(0),
		};

		return attach(btf, "bpf_lsm_socket_connect", connect,
			      sizeof(connect) / sizeof(connect[0]));
	}
	if (argc == 2 && strcmp(argv[1], "kprobes") == 0) {
		const struct bpf_insn kprobes[] = {
			INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_2, BPF_REG_1, 0, 0),
			INSN(BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_2, 0, 2,
			     enumerator(btf, "lockdown_reason", "LOCKDOWN_KPROBES")),
			RETURN(-EPERM),
			RETURN(0),
		};

		return attach(btf, "bpf_lsm_locked_down", kprobes,
			      sizeof(kprobes) / sizeof(kprobes[0]));
	}
	return 2;
}
