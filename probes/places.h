/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_PLACES_H
#define TCPCONNECT_PLACES_H

#include <stdint.h>
#include "cli/options.h"
#include "error.h"

/* What the filters name by path, opened and checked. Descriptors; -1: not asked for. */
struct places {
	/*
	 * Held open while tracing, so that the kernel gives its number to no other namespace.
	 */
	int netns;
	uint32_t netns_inum;
	int cgroup;    /* a directory of cgroup v2 */
	int cgroupmap; /* hash map, keys of 8 bytes, values of 8 */
	int mntnsmap;  /* hash map, keys of 8 bytes, values of 4 */
};

/* Returns 0, or -1 with *error saying which path is wrong and why, and nothing left open. */
int places_open(struct places *places, const struct options *options, struct error *error);

void places_close(struct places *places);

#endif
