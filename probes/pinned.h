/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_PINNED_H
#define TCPCONNECT_PINNED_H

#include <stdint.h>
#include "error.h"

struct bpf_map_info;

/* What a filter needs of the map that the user names. Sizes in bytes. */
struct pinned_wish {
	const char *option, *path; /* for the error's sake */
	uint32_t key_size, value_size;
};

/*
 * Whether an object pinned at the wish's path is a map that the filter can look up in. link: what
 * /proc/self/fd has for it, "" where there is no /proc; info: what the kernel tells of it as a
 * map, NULL: nothing. Both are somebody else's, anything may stand in them. No system call.
 * Returns 0, or -1 with *error set.
 */
int pinned_judge(const struct pinned_wish *wish, const char *link, const struct bpf_map_info *info,
		 struct error *error);

#endif
