/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "probes/flows.h"
#include "sandbox/sandbox.h"
#include "show.h"

#define CLOCK_UPDATE_NS 1000000000ull
#define COUNT_TICK_MS   100
/* A program that has read which interval counts has counted within this time. */
#define ROUND_GRACE_MS 20

/* One run of the loop. */
struct run {
	struct tracing *tracing;
	const struct options *options;
	const volatile sig_atomic_t *stop;
	struct show *show;
	uint64_t clock_at_ns; /* when the wall clock was last looked at */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static bool reader_gone(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

/*
 * Whether nobody wants more: all lines asked for are shown, or the reader has gone. Any other
 * error of writing does not end the reading: the lines that it loses are counted to the end.
 */
static bool enough(const struct show *show)
{
	return show->done || show->sink.error == -EPIPE;
}

static bool ended(const struct run *run)
{
	return *run->stop || run->show->done || run->show->sink.error || reader_gone() ||
	       now_ns() >= run->show->sink.end_ns;
}

/* What happens now and then, whatever is shown. */
static void tick(struct run *run)
{
	uint64_t now = now_ns();

	if (now - run->clock_at_ns >= CLOCK_UPDATE_NS) {
		wall_clock_update(&run->show->clock);
		run->clock_at_ns = now;
	}
	show_losses(run->show, run->tracing, now, false);
	sink_flush(&run->show->sink);
}

static int by_time(const void *a, const void *b)
{
	const struct connect_record *first = a, *second = b;

	return (first->head.ts_ns > second->head.ts_ns) - (first->head.ts_ns < second->head.ts_ns);
}

/* The records that wait in a table of the kernel's, the oldest first; to be freed. */
static int read_waiting(int map, struct connect_record **records, size_t *count,
			struct error *error)
{
	if (halfopen_read(map, records, count, error))
		return -1;
	if (*count)
		qsort(*records, *count, sizeof(**records), by_time);
	return 0;
}

/*
 * The connects that wait for their outcome, the oldest first, as records of now; to be freed.
 * -1 with *error set where they cannot be read.
 */
static int read_pending(const struct run *run, struct connect_record **records, size_t *count,
			struct error *error)
{
	uint64_t now = now_ns();
	size_t kept = 0;

	*records = NULL;
	*count = 0;
	if (run->tracing->session.halfopen < 0)
		return 0;
	if (read_waiting(run->tracing->session.halfopen, records, count, error))
		return -1;
	for (size_t i = 0; i < *count; i++) {
		struct connect_record *record = &(*records)[i];

		if (record->outcome != OUTCOME_NONE) /* told, and could not be taken out */
			continue;
		record->latency_ns = now - record->head.ts_ns;
		record->head.ts_ns = now;
		record->outcome = OUTCOME_PENDING;
		record->error = 0;
		if (record->latency_ns >= run->options->slow_ns)
			(*records)[kept++] = *record;
	}
	*count = kept;
	return 0;
}

/* The connects still waiting in the kernel: for their outcome, or only for their port. */
static int show_pending(struct run *run, struct error *error)
{
	const int portless = run->tracing->session.portless;
	struct connect_record *records;
	const uint64_t now = now_ns();
	size_t count;

	if (portless < 0 ? read_pending(run, &records, &count, error)
			 : read_waiting(portless, &records, &count, error))
		return -1;
	for (size_t i = 0; i < count && portless >= 0; i++)
		records[i].head.ts_ns = now; /* what was seen since has been shown */
	for (size_t i = 0; i < count; i++)
		show_record(run->show, &records[i].head);
	free(records);
	return 0;
}

static int trace_events(struct run *run, struct error *error)
{
	struct tracing *tracing = run->tracing;

	while (!ended(run)) {
		int result = stream_poll(tracing->stream, show_record, run->show);

		if (result && result != -EINTR)
			return fail(error, "cannot read the perf buffers: %s", strerror(-result));
		tick(run);
	}
	session_detach(&tracing->session);
	if (enough(run->show))
		return 0;
	stream_drain(tracing->stream, show_record, run->show);
	return show_pending(run, error);
}

/* All flows counted so far, and at the end those still pending. */
static int read_flows(const struct run *run, bool last, struct flow_table *flows,
		      struct error *error)
{
	const struct session *session = &run->tracing->session;
	struct connect_record *pending;
	size_t count;
	int failed;

	if (!last)
		return flows_read(session->flows4, flows, error) ||
				       flows_read(session->flows6, flows, error)
			       ? -1
			       : 0;
	if (flows_read_all(session->flows4, flows, error) ||
	    flows_read_all(session->flows6, flows, error))
		return -1;
	if (session->round) /* what came late stands in an earlier one */
		flows_merge(flows);
	if (read_pending(run, &pending, &count, error))
		return -1;
	failed = flows_add_records(flows, pending, count, error);
	free(pending);
	return failed;
}

/* Let the next interval count; what the one before had, leaves the kernel. */
static int take_round(const struct run *run, struct flow_table *flows, struct error *error)
{
	const struct session *session = &run->tracing->session;
	uint16_t round;

	*session->round += 1;
	round = (uint16_t)*session->round;
	poll(NULL, 0, ROUND_GRACE_MS);
	if (flows_take(session->flows4, round, flows, error) ||
	    flows_take(session->flows6, round, flows, error))
		return -1;
	flows_merge(flows);
	return 0;
}

/* What the intervals have in common. */
struct intervals {
	struct flow_table before; /* without rounds: all that was counted when the last one ended */
	uint64_t shown_ns;        /* when that was, CLOCK_MONOTONIC */
	uint64_t due_ns;          /* when the next one ends */
};

/* Show what was counted since the interval before. Without rounds, the flows stay in the kernel. */
static int show_interval(struct run *run, struct intervals *intervals, bool last,
			 struct error *error)
{
	struct flow_table now = {0}, since = {0};
	uint64_t ts_ns = now_ns();
	int failed;

	if (!last && run->tracing->session.round)
		failed = take_round(run, &since, error);
	else
		failed = read_flows(run, last, &now, error) ||
			 flows_since(&now, &intervals->before, &since, error);
	failed = failed || show_counts(run->show, since.flows, since.count, ts_ns,
				       ts_ns - intervals->shown_ns, error);
	flows_free(&since);
	flows_free(&intervals->before);
	intervals->before = now;
	intervals->shown_ns = ts_ns;
	return failed ? -1 : 0;
}

static int trace_counts(struct run *run, struct error *error)
{
	const uint64_t interval_ns = run->options->interval_sec * 1000000000ull;
	struct intervals intervals = {.shown_ns = now_ns()};
	int failed = 0;

	intervals.due_ns = intervals.shown_ns + interval_ns;
	while (!failed && !ended(run)) {
		poll(NULL, 0, COUNT_TICK_MS);
		tick(run);
		/* The interval that ends with all is shown last, not twice. */
		if (!interval_ns || now_ns() < intervals.due_ns || ended(run))
			continue;
		failed = show_interval(run, &intervals, false, error);
		/* Those that a stalled reader made it miss are in this one. */
		intervals.due_ns += (now_ns() - intervals.due_ns) / interval_ns * interval_ns;
		intervals.due_ns += interval_ns;
	}
	session_detach(&run->tracing->session);
	if (!failed && !enough(run->show))
		failed = show_interval(run, &intervals, true, error);
	flows_free(&intervals.before);
	return failed;
}

/* The descriptors that the loop needs, and the maps that it reads by system call. */
static size_t needed_fds(const struct tracing *tracing, int fds[], size_t room, int *map)
{
	const struct session *session = &tracing->session;
	const int maps[] = {session->flows4,   session->flows6,
			    session->halfopen, session->portless,
			    session->attempts, session->loss_memory ? -1 : session->losses};
	size_t count = 0;

	*map = -1;
	/* The kernel empties a perf event array when the descriptor that filled it is closed. */
	if (count < room)
		fds[count++] = session->events;
	for (size_t i = 0; i < session->link_count && count < room; i++)
		fds[count++] = session->links[i];
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]) && count < room; i++)
		if (maps[i] >= 0)
			*map = fds[count++] = maps[i];
	for (size_t i = 0; i < session->program_count && count + 1 < room; i++) {
		if (session->programs[i].skips < 0)
			continue;
		fds[count++] = session->programs[i].fd;
		fds[count++] = session->programs[i].skips;
	}
	if (tracing->places.netns >= 0 && count < room)
		fds[count++] = tracing->places.netns;
	if (tracing->stream)
		count += stream_fds(tracing->stream, fds + count, room - count);
	return count;
}

static int enter_sandbox(const struct tracing *tracing, const struct options *options,
			 struct error *error)
{
	size_t room = 3 * POINTS_MAX + 8 + 2 + tracing->session.cpus, count;
	struct sandbox_report report;
	struct sandbox_plan plan;
	int *fds, failed;

	if (options->no_sandbox)
		return 0;
	fds = calloc(room, sizeof(*fds));
	if (!fds)
		return fail(error, "out of memory");
	count = needed_fds(tracing, fds, room, &plan.map);
	plan.maps = plan.map < 0 ? SANDBOX_MAPS_NONE
		    : tracing->session.attempts >= 0 || tracing->session.round
			    ? SANDBOX_MAPS_EMPTIED
			    : SANDBOX_MAPS_READ;
	plan.user = tracing->user;
	plan.fds = fds;
	plan.fd_count = count;
	failed = sandbox_enter(&plan, &report, error);
	free(fds);
	for (int i = 0; i < SANDBOX_MEASURES && !failed && options->verbose; i++)
		if (report.without[i])
			fprintf(stderr, "tcpconnect: sandbox without: %s: %s\n",
				sandbox_measure_name(i), report.without[i]);
	if (!failed && options->verbose && report.kept)
		fprintf(stderr, "tcpconnect: sandbox keeps %s\n", report.kept);
	return failed;
}

static int fail_output(const struct sink *sink, struct error *error)
{
	const char *why = sink->error == -ETIMEDOUT ? "nobody reads it" : strerror(-sink->error);

	return fail(error, "cannot write to standard output: %s; lines lost: %zu", why,
		    sink->lost_lines);
}

int trace(struct tracing *tracing, const struct options *options, const volatile sig_atomic_t *stop,
	  struct error *error)
{
	struct show *show = malloc(sizeof(*show));
	struct run run = {.tracing = tracing, .options = options, .stop = stop, .show = show};
	int failed, written;

	if (!show)
		return fail(error, "out of memory");
	failed = show_init(show, options, stop, error);
	if (!failed) {
		sink_own_terminal(STDOUT_FILENO);
		sink_own_terminal(STDERR_FILENO);
		show_begin(show);
		failed = enter_sandbox(tracing, options, error);
	}
	if (!failed) {
		if (options->duration_sec)
			show->sink.end_ns = now_ns() + options->duration_sec * 1000000000ull;
		failed = options->count ? trace_counts(&run, error) : trace_events(&run, error);
		show_losses(show, tracing, now_ns(), true);
		written = sink_flush(&show->sink);
		/* A reader that has seen enough is no error. */
		if (!failed && written && written != -EPIPE)
			failed = fail_output(&show->sink, error);
	}
	show_free(show);
	free(show);
	return failed;
}
