/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wall clock of events. Records carry CLOCK_MONOTONIC; what turns it into the
 * time of day is the distance between the two clocks, which a clock that is set, or
 * a suspended machine, changes: the caller reads it anew from time to time.
 */
#ifndef TCPCONNECT_CLOCK_H
#define TCPCONNECT_CLOCK_H

#include <stdint.h>

#define LOCAL_TIME_SIZE 8  /* bytes of HH:MM:SS */
#define UTC_TIME_SIZE   27 /* bytes of YYYY-MM-DDTHH:MM:SS.ffffffZ */

struct wall_clock {
	int64_t offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	/* The last second written, as text: events come many a second. Empty at first. */
	uint64_t local_second, utc_second;
	char local[LOCAL_TIME_SIZE], utc[UTC_TIME_SIZE - 8];
};

/*
 * Load the time zone, which takes files, and read the offset. From then on nothing here
 * opens a file: glibc's localtime_r(3) works on what tzset(3) has loaded.
 */
void wall_clock_start(struct wall_clock *clock);
/* Read the offset anew: no system call where the vDSO has the clocks. */
void wall_clock_update(struct wall_clock *clock);

/* CLOCK_MONOTONIC in ns as HH:MM:SS, local; no NUL. Returns the end. */
char *wall_clock_local(struct wall_clock *clock, char *out, uint64_t ts_ns);
/* The same in UTC, as RFC 3339 has it, with microseconds (the ns are cut). Returns the end. */
char *wall_clock_utc(struct wall_clock *clock, char *out, uint64_t ts_ns);

#endif
