/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_CHECK_REPORT_H
#define TCPCONNECT_CHECK_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "cli/options.h"

/* Inside --check: its lines, how they come about, how they are printed. */

#define CHECK_ROWS_MAX 32

enum check_answer {
	CHECK_NO,
	CHECK_YES,
	CHECK_UNKNOWN, /* it could not be tried; the reason says why */
};

struct check_row {
	const char *name; /* lower case but for names of things; static */
	enum check_answer answer;
	char reason[1024];
};

/* What a start would use. */
struct check_start {
	bool works;
	const char *probe, *types; /* as the options take them; static */
	unsigned int pages;        /* perf buffer of each CPU; 0: none */
	bool ring_buffer;          /* one instead of them */
	bool compiled_before;
	const char *without[32]; /* what would not be seen; static sentences */
	size_t without_count;
	char reason[1024]; /* why it does not work; "" while nothing speaks against it */
};

struct check_report {
	struct check_row rows[CHECK_ROWS_MAX];
	size_t count;
	struct check_start start;
};

/* A line; returns whether it says yes. */
__attribute__((format(printf, 4, 5))) bool check_add(struct check_report *report, const char *name,
						     enum check_answer answer, const char *format,
						     ...);

/* What the kernel is asked: programs, maps, types, ways of attaching, buffers, lockdown. */
void check_kernel(struct check_report *report, const struct options *options);

/* What this process and this machine have: capabilities, limits, libraries, mounts, cache. */
void check_machine(struct check_report *report, const struct options *options);

/*
 * Where a file system of this type is mounted, by the text of /proc/self/mountinfo: at most size
 * bytes with NUL into path, its escapes undone. Several: the one mounted last.
 */
bool mounted_at(FILE *mountinfo, const char *type, char *path, size_t size);

void check_print_table(const struct check_report *report, FILE *out);
void check_print_json(const struct check_report *report, FILE *out);

#endif
