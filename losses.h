/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_LOSSES_H
#define TCPCONNECT_LOSSES_H

#include <stdbool.h>
#include <stdint.h>
#include "output/json.h"
#include "probes/overdue.h"
#include "start.h"

/* What was lost, and how much of it has been told. */
struct losses {
	struct json_losses told;
	uint64_t told_ns; /* CLOCK_MONOTONIC of the last report */
	struct overdue overdue;
	uint64_t returns_missed;  /* those that only their age told */
	uint64_t names_no_memory; /* DNS answers that found no memory; counted by the owner */
};

/*
 * Say on standard error, and in JSON as a line too (json not NULL), what was lost since the last
 * report, at most once a second; or with total everything, at the end. Silent where nothing was.
 */
void losses_tell(struct losses *losses, const struct tracing *tracing,
		 const struct json_printer *json, uint64_t now_ns, bool total);

#endif
