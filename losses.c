/* SPDX-License-Identifier: Apache-2.0 */
#include "losses.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "output/sink.h"

#define REPORT_NS 1000000000ull

#define EITHER_WAY(what)                                                                           \
	{                                                                                          \
		what, what                                                                         \
	}

/* Each cause: where its count stands, and what the user reads, [1] where all CPUs share a ring. */
static const struct {
	size_t offset;
	const char *what[2];
} causes[] = {
	{offsetof(struct json_losses, buffer_full),
	 {"connects (perf buffer full; --pages makes it larger)", "connects (ring buffer full)"}},
	{offsetof(struct json_losses, table_full),
	 EITHER_WAY("connects (table of attempts under way full)")},
	{offsetof(struct json_losses, return_missed), EITHER_WAY("connects (kretprobe missed)")},
	{offsetof(struct json_losses, probes_skipped),
	 EITHER_WAY("events at most (probes skipped, their CPU was in one)")},
	{offsetof(struct json_losses, counts_full), EITHER_WAY("counts (flow table full)")},
	{offsetof(struct json_losses, answers_buffer_full),
	 {"DNS answers (perf buffer full; --pages makes it larger)",
	  "DNS answers (ring buffer full)"}},
	{offsetof(struct json_losses, answers_unreadable),
	 EITHER_WAY("DNS answers (their memory not to be read)")},
	{offsetof(struct json_losses, answers_no_memory),
	 EITHER_WAY("DNS answers (out of memory)")},
	{offsetof(struct json_losses, records_invalid), EITHER_WAY("records (not understood)")},
	{offsetof(struct json_losses, records_no_memory), EITHER_WAY("records (out of memory)")},
};

#define CAUSES (sizeof(causes) / sizeof(causes[0]))

static uint64_t *count_at(struct json_losses *losses, size_t cause)
{
	return (uint64_t *)((char *)losses + causes[cause].offset);
}

static struct json_losses read_all(const struct losses *losses, const struct tracing *tracing)
{
	struct stream_losses stream = {0};
	struct loss_counters kernel;

	session_losses(&tracing->session, &kernel);
	if (tracing->stream)
		stream_losses(tracing->stream, &stream);
	/* Before Linux 5.2 the probe cannot tell; then only the buffer's own count does. */
	if (stream.dropped > kernel.buffer_full + kernel.answers_buffer_full)
		kernel.buffer_full = stream.dropped - kernel.answers_buffer_full;
	return (struct json_losses){
		.buffer_full = kernel.buffer_full,
		.table_full = kernel.table_full,
		.probes_skipped = session_skips(&tracing->session),
		.return_missed = kernel.return_missed + losses->returns_missed,
		.counts_full = kernel.counts_full,
		.answers_buffer_full = kernel.answers_buffer_full,
		.answers_unreadable = kernel.answers_unreadable,
		.answers_no_memory = losses->names_no_memory,
		.records_invalid = stream.invalid,
		.records_no_memory = stream.no_memory,
	};
}

void losses_tell(struct losses *losses, const struct tracing *tracing,
		 const struct json_printer *json, uint64_t now_ns, bool total)
{
	struct json_losses now, tell;
	bool ring = tracing->stream && !stream_pages(tracing->stream);
	char line[768] = "";
	size_t used = 0;

	if (!total && now_ns - losses->told_ns < REPORT_NS)
		return;
	losses->told_ns = now_ns;
	losses->returns_missed += total ? overdue_rest(&tracing->session)
					: overdue_look(&losses->overdue, &tracing->session, now_ns);
	now = tell = read_all(losses, tracing);
	for (size_t i = 0; i < CAUSES; i++) {
		uint64_t *count = count_at(&tell, i), *told = count_at(&losses->told, i);

		/* Before Linux 5.2 a count may turn out to be another cause's. */
		if (*count < *told)
			*count = *told;
		*count_at(&now, i) = *count;
		if (!total)
			*count -= *told;
		if (*count && used < sizeof(line))
			used += snprintf(line + used, sizeof(line) - used, "%s %" PRIu64 " %s",
					 used ? "," : "", *count, causes[i].what[ring]);
	}
	losses->told = now;
	if (!used)
		return;
	/* Where nobody reads it, the end must not wait for that; the total has it all. */
	if (sink_await(STDERR_FILENO, total ? SINK_PATIENCE_MS : 0) == 0)
		fprintf(stderr, "tcpconnect: lost%s:%s\n", total ? " in total" : "", line);
	if (json)
		json_lost(json, now_ns, &tell, total);
}
