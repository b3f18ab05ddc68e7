/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_CHECK_TRIAL_H
#define TCPCONNECT_CHECK_TRIAL_H

#include <stdint.h>
#include "probes/ways.h"

/* Inside --check: BPF programs of a few instructions that show where the kernel lets one attach. */

struct btf;

struct trial {
	const struct btf *btf;   /* NULL: none */
	uint32_t kernel_version; /* LINUX_VERSION_CODE; old kernels compare it */
};

/*
 * A program that does nothing is attached to the point and detached again. On a BTF tracepoint
 * of packets it does what the tool's program does there: hand a packet to a perf buffer.
 * Returns 0, or -1 with errno as the kernel gave it, or ESRCH where its BTF has no such point.
 */
int trial_point(const struct trial *trial, const struct point *point);

#endif
