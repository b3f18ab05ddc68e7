/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/facts.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "kernel/sysfs.h"

int facts_ask(struct facts *facts, enum types_kind types, struct error *error)
{
	struct error no_headers;

	memset(facts, 0, sizeof(*facts));
	kernel_identify(&facts->kernel);
	facts->types = types;
	if (types == TYPES_AUTO)
		facts->types = kernel_has_btf() ? TYPES_BTF : TYPES_HEADERS;
	if (facts->types == TYPES_BTF) {
		if (kernel_has_btf())
			return 0;
		return fail(error,
			    "this kernel has no BTF to be read at /sys/kernel/btf/vmlinux (%s); "
			    "--types headers needs none",
			    sysfs_lacks("CONFIG_DEBUG_INFO_BTF"));
	}
	if (headers_find(&facts->kernel, &facts->headers, &no_headers) == 0)
		return 0;
	if (types == TYPES_HEADERS)
		return fail(error, "%s", no_headers.line);
	return fail(error, "this kernel's types are not to be had: no BTF (%s), and %s",
		    sysfs_lacks("CONFIG_DEBUG_INFO_BTF"), no_headers.line);
}

/* Whether the kernel lacks a helper for BPF programs: its BTF lists those it has. */
static bool lacks_helper(const struct btf *btf, enum bpf_func_id helper, const char *name)
{
	const struct btf_type *helpers;
	int id;

	if (!btf) /* 0: not there; an error is no answer */
		return libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, helper, NULL) == 0;
	id = btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM);
	helpers = id < 0 ? NULL : btf__type_by_id(btf, id);
	for (int i = 0; helpers && i < btf_vlen(helpers); i++)
		if (strcmp(btf__name_by_offset(btf, btf_enum(helpers)[i].name_off), name) == 0)
			return false;
	return helpers != NULL;
}

int facts_read_types(struct facts *facts, struct error *error)
{
	if (facts->types_read)
		return 0;
	if (facts->types == TYPES_BTF) {
		facts->btf = kernel_btf(error);
		if (!facts->btf || fields_resolve(facts->btf, &facts->offsets, error))
			return -1;
	}
	facts->old_probe_read =
		lacks_helper(facts->btf, BPF_FUNC_probe_read_kernel, "BPF_FUNC_probe_read_kernel");
	facts->no_ringbuf =
		lacks_helper(facts->btf, BPF_FUNC_ringbuf_output, "BPF_FUNC_ringbuf_output");
	facts->types_read = true;
	return 0;
}

void facts_forget(struct facts *facts)
{
	btf__free(facts->btf);
	facts->btf = NULL;
}
