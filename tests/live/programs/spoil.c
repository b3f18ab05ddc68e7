/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For LD_PRELOAD: each BPF program that is more than a trial begins by reading a register that
 * nothing was written to, so that the kernel's verifier refuses it.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>

#define TRIAL 32 /* instructions: what libbpf and the tool load to learn what the kernel can do */

/* libbpf's, whose header says of opts now that it is const, now that it is not. */
typedef int load_fn(enum bpf_prog_type type, const char *name, const char *license,
		    const struct bpf_insn *insns, size_t count, void *opts);
load_fn bpf_prog_load;

int bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
		  const struct bpf_insn *insns, size_t count, void *opts)
{
	const struct bpf_insn spoiled = {
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_9};
	load_fn *load = (load_fn *)dlsym(RTLD_NEXT, "bpf_prog_load");
	struct bpf_insn *copy;
	int result;

	if (count <= TRIAL)
		return load(type, name, license, insns, count, opts);
	copy = malloc(count * sizeof(*copy));
	if (!copy)
		abort();
	memcpy(copy, insns, count * sizeof(*copy));
	copy[0] = spoiled;
	result = load(type, name, license, copy, count, opts);
	free(copy);
	return result;
}
