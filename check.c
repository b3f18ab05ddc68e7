/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdlib.h>
#include "check_report.h"
#include "probes/ways.h"
#include "start.h"

_Static_assert(POINTS_MAX <= sizeof(((struct check_start *)0)->without) / sizeof(const char *),
	       "as many as a session can have");

/* No line is worth as much as the whole start, so that is what is tried last. */
static void try_start(struct check_start *start, const struct options *options)
{
	struct tracing tracing;
	struct error error;

	if (start->reason[0])
		return;
	if (tracing_start(&tracing, options, &error)) {
		snprintf(start->reason, sizeof(start->reason), "%s", error.line);
		return;
	}
	start->works = true;
	start->probe = way_name(tracing.way);
	start->types = tracing.types == TYPES_BTF ? "btf" : "headers";
	start->pages = tracing.stream ? stream_pages(tracing.stream) : 0;
	start->ring_buffer = tracing.stream && !start->pages;
	start->compiled_before = tracing.compiled_before;
	for (size_t i = 0; i < tracing.session.without_count; i++)
		start->without[start->without_count++] = tracing.session.without[i];
	tracing_stop(&tracing);
}

int check_print(const struct options *options, FILE *out, struct error *error)
{
	struct check_report *report = calloc(1, sizeof(*report));
	struct options plain = *options;
	int works;

	plain.json = false; /* here it means what is printed now, not what is traced */

	if (!report)
		return fail(error, "out of memory");
	check_machine(report, &plain);
	check_kernel(report, &plain);
	try_start(&report->start, &plain);
	if (options->json)
		check_print_json(report, out);
	else
		check_print_table(report, out);
	works = report->start.works;
	free(report);
	return works;
}
