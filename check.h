/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_CHECK_H
#define TCPCONNECT_CHECK_H

#include <stdio.h>
#include "cli/options.h"
#include "error.h"

/*
 * --check: what this kernel and this process offer, each line tried, and last what a start with
 * these options would use, tried as well and undone at once; as a table, or with options->json as
 * one JSON object. Nothing stays behind: not in the kernel, not in the cache.
 * Returns 1 where tracing would work, 0 where not, -1 with *error set.
 */
int check_print(const struct options *options, FILE *out, struct error *error);

#endif
