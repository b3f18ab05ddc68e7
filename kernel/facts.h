/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_FACTS_H
#define TCPCONNECT_FACTS_H

#include <stdbool.h>
#include "cli/options.h"
#include "error.h"
#include "kernel/fields.h"
#include "kernel/headers.h"
#include "kernel/identity.h"

/* What is asked of the kernel once, whatever ways of attaching are tried. */
struct facts {
	struct kernel_identity kernel;
	enum types_kind types;         /* not TYPES_AUTO */
	struct kernel_headers headers; /* with TYPES_HEADERS */

	/* Set by facts_read_types(), which takes its time; offsets from headers by who asked. */
	bool types_read;
	struct btf *btf;              /* the kernel's, or NULL with TYPES_HEADERS */
	struct field_offsets offsets; /* count 0: not known */
	bool no_ringbuf;              /* no BPF ring buffers (before Linux 5.8) */
	bool old_probe_read;          /* no bpf_probe_read_kernel (before Linux 5.5) */
};

/*
 * What is quick to ask: which kernel, and where the types of its structures are to be had.
 * Returns 0, or -1 with *error set. To be ended by facts_forget() in either case.
 */
int facts_ask(struct facts *facts, enum types_kind types, struct error *error);

/*
 * What a compilation needs besides: the fields' offsets, the helpers there are. Does nothing the
 * second time. With TYPES_HEADERS the offsets are for the caller to find. Returns 0, or -1 with
 * *error set.
 */
int facts_read_types(struct facts *facts, struct error *error);

void facts_forget(struct facts *facts);

#endif
