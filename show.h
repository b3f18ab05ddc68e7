/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_SHOW_H
#define TCPCONNECT_SHOW_H

#include <signal.h>
#include "cli/options.h"
#include "dns/cache.h"
#include "error.h"
#include "losses.h"
#include "output/json.h"
#include "output/printer.h"

/* From records to names to lines, in the format that the options ask for. */
struct show {
	const struct options *options;
	struct sink sink;
	struct wall_clock clock;
	struct table_printer table;
	struct json_printer json;
	struct counts_printer counts;
	struct dns_cache *names; /* with -d */
	struct losses losses;
	uint64_t lines;           /* shown so far */
	bool done;                /* as many as the user wanted */
	struct dns_answer answer; /* the one being looked at; too large for the stack */
};

/*
 * To be called before privileges go: reads the time zone. The show is large; the caller
 * allocates it, and ends it with show_free(). Returns 0, or -1 with *error set.
 */
int show_init(struct show *show, const struct options *options, const volatile sig_atomic_t *stop,
	      struct error *error);
void show_free(struct show *show);

/* What stands before the first event. */
void show_begin(struct show *show);

/* One record in its turn: an order_fn, arg is the show. */
void show_record(void *arg, const struct record_head *head);

/* Flows counted until ts_ns (CLOCK_MONOTONIC) in interval_ns. Returns 0, or -1 with *error. */
int show_counts(struct show *show, const struct flow_count *flows, size_t count, uint64_t ts_ns,
		uint64_t interval_ns, struct error *error);

/* Report losses, see losses_tell(). */
void show_losses(struct show *show, const struct tracing *tracing, uint64_t now_ns, bool total);

#endif
