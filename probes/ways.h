/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_WAYS_H
#define TCPCONNECT_WAYS_H

#include <stdbool.h>
#include "cli/options.h"
#include "error.h"

enum point_kind {
	POINT_KPROBE,
	POINT_KRETPROBE,
	POINT_RAW_TRACEPOINT, /* a tracepoint, by name, with its raw arguments */
	POINT_BTF_TRACEPOINT, /* the same, arguments typed by the kernel's BTF */
	POINT_FENTRY,         /* a kernel function's entry, by its BTF */
	POINT_FEXIT,          /* its return */
	POINT_SYSCALL,        /* an event of the syscalls group, by its number in tracefs */
	POINT_KINDS
};

/* One program on one place in the kernel. */
struct point {
	const char *program; /* function in the BPF text */
	enum point_kind kind;
	const char *target; /* kernel function, tracepoint or event */
	/* Whether these options need it; NULL: always. */
	bool (*wanted)(const struct options *options);
	/* NULL: the way does not work without. Else what is then not seen, in the user's words. */
	const char *without;
};

/* Whether the point only shows sooner what another would show later. */
bool point_only_hastens(const struct point *point);

/* The points of one way of attaching, ended by program == NULL. */
const struct point *way_points(enum probe_kind way);

/* "kprobe", "fentry", "tracepoint". */
const char *way_name(enum probe_kind way);

/*
 * The ways that --probe auto tries, the best first, ended by PROBE_AUTO. A kprobe runs with
 * preemption off, so that none is skipped; a fexit program costs a connect about half as much,
 * but may be preempted itself, and is then skipped for all other threads of its CPU
 * (tests/vm/scenarios/storm).
 */
extern const enum probe_kind way_order[];

/*
 * Check that the kernel has this way, as far as can be told without privilege; way_check(): as
 * far as can be told without compiling. Each returns 0, or -1 with *error set.
 */
int way_check_offered(enum probe_kind way, struct error *error);
int way_check(enum probe_kind way, struct error *error);

#endif
