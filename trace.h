/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_TRACE_H
#define TCPCONNECT_TRACE_H

#include <signal.h>
#include "start.h"

/*
 * Show what the probes see until *stop is set or standard output is closed by its reader;
 * in count mode, the table at the end. Reports losses on standard error. Returns 0, or -1 with
 * *error set.
 */
int trace(struct tracing *tracing, const struct options *options, const volatile sig_atomic_t *stop,
	  struct error *error);

#endif
