/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_ATTACH_H
#define TCPCONNECT_ATTACH_H

#include <stdbool.h>
#include <stdint.h>
#include "error.h"
#include "probes/ways.h"

/*
 * One way of attaching a program. Whatever is attached lives as long as the descriptor
 * that attach() returns, so that nothing stays behind when the process is killed.
 */
struct attacher {
	const char *name;
	uint32_t program_type;  /* BPF_PROG_TYPE_... */
	uint32_t expected_type; /* BPF_... attach type given at load, or 0 */
	/* The BTF type whose id the program is loaded with: prefix of its name, and kind; NULL:
	 * none. */
	const char *btf_prefix;
	uint32_t btf_kind;
	/* Returns a descriptor, or -1 with errno as the kernel gave it. */
	int (*attach)(const struct point *point, int program);
};

const struct attacher *attacher_of(enum point_kind kind);

/*
 * Whether the kernel refuses fexit programs whatever they attach to, errno telling why. Some
 * kernels do so as a policy, which shows before anything is compiled.
 */
bool fexit_refused(void);

#endif
