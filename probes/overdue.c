/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/overdue.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "probes/maps.h"
#include "probes/text.h"

/* No attempt takes so long from its entry to its return, even where its thread has to wait. */
#define ATTEMPT_NS 30000000000ull
#define KEYS_MAX   4096

static int by_number(const void *a, const void *b)
{
	const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return (one > other) - (one < other);
}

/*
 * The threads in the table, in their order, each once: at most KEYS_MAX. Behind a key that goes
 * meanwhile the walk begins anew; what it misses so, a later one finds.
 */
static size_t read_threads(int map, uint64_t threads[KEYS_MAX])
{
	size_t count = 0, kept = 0;

	while (count < KEYS_MAX &&
	       bpf_map_get_next_key(map, count ? &threads[count - 1] : NULL, &threads[count]) == 0)
		count++;
	qsort(threads, count, sizeof(*threads), by_number);
	for (size_t i = 0; i < count; i++)
		if (!kept || threads[i] != threads[kept - 1])
			threads[kept++] = threads[i];
	return kept;
}

/* Take out a thread's attempt that began before that time. Returns whether there was one. */
static bool take_out(int map, uint64_t thread, uint64_t before_ns)
{
	struct {
		uint64_t began_ns; /* what follows is the probe's alone */
		char rest[ATTEMPT_SIZE - sizeof(uint64_t)];
	} attempt;

	return bpf_map_lookup_elem(map, &thread, &attempt) == 0 && attempt.began_ns < before_ns &&
	       bpf_map_delete_elem(map, &thread) == 0;
}

uint64_t overdue_look(struct overdue *overdue, const struct session *session, uint64_t now_ns)
{
	bool ends = !overdue->since_ns || now_ns - overdue->since_ns >= ATTEMPT_NS;
	uint64_t threads[KEYS_MAX], found = 0;
	size_t count, kept = 0;

	if (session->attempts < 0 || (!ends && !overdue->count))
		return 0;
	count = read_threads(session->attempts, threads);
	for (size_t i = 0; i < overdue->count; i++)
		if (bsearch(&overdue->threads[i], threads, count, sizeof(*threads), by_number))
			overdue->threads[kept++] = overdue->threads[i];
	overdue->count = kept;
	if (!ends)
		return 0;
	for (size_t i = 0; i < overdue->count; i++)
		found += take_out(session->attempts, overdue->threads[i], now_ns - ATTEMPT_NS);
	overdue->count = count < OVERDUE_MAX ? count : OVERDUE_MAX;
	memcpy(overdue->threads, threads, overdue->count * sizeof(*threads));
	overdue->since_ns = now_ns;
	return found;
}

uint64_t overdue_rest(const struct session *session)
{
	uint64_t threads[KEYS_MAX], found = 0, round;

	if (session->attempts < 0)
		return 0;
	do {
		size_t count = read_threads(session->attempts, threads);

		round = 0;
		for (size_t i = 0; i < count; i++)
			round += take_out(session->attempts, threads[i], UINT64_MAX);
		found += round;
	} while (round);
	return found;
}
