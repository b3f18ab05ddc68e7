/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_OVERDUE_H
#define TCPCONNECT_OVERDUE_H

#include <stddef.h>
#include <stdint.h>
#include "probes/session.h"

#define OVERDUE_MAX 1024

/*
 * Attempts whose return the kernel skipped, and whose thread never connected again: they stay in
 * the table of attempts under way. To look an entry up, as to take it out, keeps the kernel from
 * running any kprobe's program on this CPU meanwhile, which lasts where this process is preempted
 * in it, and which before Linux 6.7 nothing counts. So the table's keys, whose walk does no such
 * thing, are compared from look to look, and only what has stood there for long is looked up.
 */
struct overdue {
	uint64_t threads[OVERDUE_MAX]; /* there at each look since the first; in their order */
	size_t count;
	uint64_t since_ns; /* CLOCK_MONOTONIC of the first look; 0: none yet */
};

/*
 * Look, to be called about once a second, with the time of CLOCK_MONOTONIC. Returns how many
 * attempts were found to be overdue, and taken out.
 */
uint64_t overdue_look(struct overdue *overdue, const struct session *session, uint64_t now_ns);

/* When all is detached, no return comes any more. Returns how many attempts still waited. */
uint64_t overdue_rest(const struct session *session);

#endif
