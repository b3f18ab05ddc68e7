/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_START_H
#define TCPCONNECT_START_H

#include "cli/options.h"
#include "error.h"
#include "events/stream.h"
#include "probes/places.h"
#include "probes/session.h"
#include "sandbox/sandbox.h"

/* What is under way once tracing has begun. */
struct tracing {
	enum probe_kind way;
	enum types_kind types;
	bool compiled_before;     /* what runs came from the cache */
	struct sandbox_user user; /* whom to become; unset with --no-sandbox */
	struct places places;
	struct session session;
	struct stream *stream; /* NULL in count mode */
};

/*
 * From options to attached probes: ask the kernel, assemble the program's text, compile, load,
 * attach; the next way where one does not work and the user left the choice. Says each step on
 * standard error with -v. With ACTION_CHECK, nothing is put into the cache.
 * Returns 0, or -1 with *error set.
 */
int tracing_start(struct tracing *tracing, const struct options *options, struct error *error);

void tracing_stop(struct tracing *tracing);

/* The text that would be compiled, for --ebpf; to be freed. NULL with *error set. */
char *tracing_text(const struct options *options, struct error *error);

#endif
