/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_PROBES_TEXT_H
#define TCPCONNECT_PROBES_TEXT_H

#include <stdbool.h>
#include "cli/options.h"
#include "kernel/fields.h"
#include "probes/places.h"

/*
 * How many attempts may be under way at once. One thread has one at most, and only while
 * the kernel's own function runs, so this is generous; an entry costs about 100 bytes.
 */
#define ATTEMPTS_MAX 16384
/* Count mode: flows a family. */
#define FLOWS_MAX 262144

/*
 * Connects waiting for their outcome. Each stays as long as its peer takes to answer, two
 * minutes at most by default; an entry costs about 200 bytes.
 */
#define HALFOPEN_MAX 65536

/* Most values that all filters of one run can have: three lists, comm, netns, slow. */
#define PARAMETERS_MAX (3 * FILTER_MAX + 4)

struct text_config {
	const struct options *options;
	const struct places *places;
	enum probe_kind probe;               /* not PROBE_AUTO */
	const struct field_offsets *offsets; /* NULL: leave them out (a cache key) */
	bool old_probe_read;                 /* struct facts has these */
	bool no_ringbuf;
	/*
	 * The filters' values stand in the text as the numbers given; else as parameters that are
	 * filled in when the program is loaded, so that one compiled object serves all values.
	 */
	bool literal;
};

/* The BPF program's whole text, NUL terminated, to be freed; NULL when out of memory. */
char *program_text(const struct text_config *config);

/* The parameters' values in the order of their numbers in the text. Returns how many. */
size_t program_parameters(const struct options *options, const struct places *places,
			  uint64_t values[PARAMETERS_MAX]);

/* What the output asks of a record beyond what every output shows. */
bool wants_lport(const struct options *options);
bool wants_dns(const struct options *options);
bool wants_result(const struct options *options);

#endif
