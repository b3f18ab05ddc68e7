/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_TYPES_H
#define TCPCONNECT_TYPES_H

#include "cli/options.h"
#include "compiler/cache.h"
#include "error.h"
#include "kernel/facts.h"

/*
 * Complete *facts for a compilation: where the kernel's fields are, from its BTF; or from its
 * headers, which takes a compiler that reads them, once for all programs where there is a cache.
 * Does nothing the second time. Returns 0, or -1 with *error set.
 */
int types_read(struct facts *facts, const struct options *options, const struct cache *cache,
	       struct error *error);

#endif
