/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/flows.h"

#include <stdbool.h>
#include <stdlib.h>
#include <bpf/bpf.h>

void flows_free(struct flow_table *table)
{
	free(table->flows);
	*table = (struct flow_table){0};
}

/* An array that grows by doubling, its room the next power of two from 1,024 on. */
static void *make_room(void *array, size_t count, size_t size)
{
	if (count == 0)
		return realloc(array, 1024 * size);
	if (count < 1024 || (count & (count - 1)))
		return array;
	return realloc(array, 2 * count * size);
}

static int append(struct flow_table *table, const struct flow_key *key, uint64_t connects,
		  struct error *error)
{
	struct flow_count *flows = make_room(table->flows, table->count, sizeof(*flows));

	if (!flows)
		return fail(error, "out of memory for the table of counts");
	table->flows = flows;
	flows[table->count++] = (struct flow_count){*key, connects};
	return 0;
}

/* The key behind this one, or the first; 0, or the error number: ENOENT at the end. */
static int next_key(int map, const struct flow_key *key, struct flow_key *next)
{
	return bpf_map_get_next_key(map, key, next) == 0 ? 0 : errno;
}

static int at_end(int cause, struct error *error)
{
	return cause == ENOENT ? 0 : fail(error, "cannot read the counts: %s", strerror(cause));
}

/*
 * counting: the round that counts now, whose entries stay; all others are taken out of the map.
 * One of those with nothing counted stays, too: a program was interrupted between making it and
 * counting. NULL: all entries are used, and all stay.
 */
static int use_entry(int map, const struct flow_key *key, uint64_t connects,
		     const uint16_t *counting, struct flow_table *table, struct error *error)
{
	struct flow_key flow = *key;

	if (counting && (key->round == *counting || !connects))
		return 0;
	flow.round = 0;
	if (append(table, &flow, connects, error))
		return -1;
	if (counting)
		bpf_map_delete_elem(map, key);
	return 0;
}

/* Entry by entry. */
static int walk(int map, const uint16_t *counting, struct flow_table *table, struct error *error)
{
	struct flow_key key, next;
	uint64_t connects;
	int end = next_key(map, NULL, &next);

	while (!end) {
		key = next;
		/* Behind a key that has gone the walk would begin anew. */
		end = next_key(map, &key, &next);
		if (bpf_map_lookup_elem(map, &key, &connects) == 0 &&
		    use_entry(map, &key, connects, counting, table, error))
			return -1;
	}
	return at_end(end, error);
}

#define BATCH 4096

struct batch {
	struct flow_key keys[BATCH];
	uint64_t counts[BATCH];
};

/*
 * Many entries with each call. Returns as walk() does, or 1 when it does not go: before Linux 5.6,
 * or where the kernel cannot have one of its locks at once.
 */
static int read_batches(int map, struct batch *batch, struct flow_table *table, struct error *error)
{
	uint32_t bucket, count;
	void *from = NULL;
	int end;

	do {
		count = BATCH;
		end = bpf_map_lookup_batch(map, from, &bucket, batch->keys, batch->counts, &count,
					   NULL)
			      ? errno
			      : 0;
		if (end && end != ENOENT)
			return 1;
		for (uint32_t i = 0; i < count; i++)
			if (use_entry(map, &batch->keys[i], batch->counts[i], NULL, table, error))
				return -1;
		from = &bucket;
	} while (!end);
	return 0;
}

int flows_read_all(int map, struct flow_table *table, struct error *error)
{
	struct batch *batch = malloc(sizeof(*batch));
	size_t before = table->count;
	int result;

	if (!batch)
		return fail(error, "out of memory for the table of counts");
	result = read_batches(map, batch, table, error);
	free(batch);
	if (result <= 0)
		return result;
	table->count = before;
	return walk(map, NULL, table, error);
}

int flows_read(int map, struct flow_table *table, struct error *error)
{
	return walk(map, NULL, table, error);
}

int flows_take(int map, uint16_t round, struct flow_table *table, struct error *error)
{
	return walk(map, &round, table, error);
}

static int by_key(const void *a, const void *b)
{
	const struct flow_count *first = a, *second = b;

	return memcmp(&first->key, &second->key, sizeof(first->key));
}

static void sort(struct flow_table *table)
{
	if (table->count)
		qsort(table->flows, table->count, sizeof(*table->flows), by_key);
}

void flows_merge(struct flow_table *table)
{
	size_t kept = 0;

	sort(table);
	for (size_t i = 0; i < table->count; i++) {
		if (kept && by_key(&table->flows[kept - 1], &table->flows[i]) == 0)
			table->flows[kept - 1].connects += table->flows[i].connects;
		else
			table->flows[kept++] = table->flows[i];
	}
	table->count = kept;
}

int flows_add_records(struct flow_table *table, const struct connect_record *records, size_t count,
		      struct error *error)
{
	if (!count)
		return 0;
	for (size_t i = 0; i < count; i++) {
		struct flow_key key = {
			.dport = records[i].dport,
			.family = records[i].family,
			.outcome = records[i].outcome,
			.error = records[i].error,
		};

		memcpy(key.saddr, records[i].saddr, sizeof(key.saddr));
		memcpy(key.daddr, records[i].daddr, sizeof(key.daddr));
		if (append(table, &key, 1, error))
			return -1;
	}
	flows_merge(table);
	return 0;
}

int flows_since(struct flow_table *now, struct flow_table *before, struct flow_table *since,
		struct error *error)
{
	size_t old = 0;

	*since = (struct flow_table){0};
	if (before->count) {
		sort(now);
		sort(before);
	}
	for (size_t i = 0; i < now->count; i++) {
		uint64_t connects = now->flows[i].connects;

		while (old < before->count && by_key(&before->flows[old], &now->flows[i]) < 0)
			old++;
		if (old < before->count && by_key(&before->flows[old], &now->flows[i]) == 0)
			connects -= before->flows[old].connects;
		if (connects && append(since, &now->flows[i].key, connects, error)) {
			flows_free(since);
			return -1;
		}
	}
	return 0;
}

int halfopen_read(int map, struct connect_record **records, size_t *count, struct error *error)
{
	struct connect_record record, *more;
	uint64_t socket, next;
	void *from = NULL;

	*records = NULL;
	*count = 0;
	while (bpf_map_get_next_key(map, from, &next) == 0) {
		if (bpf_map_lookup_elem(map, &next, &record) == 0) {
			more = make_room(*records, *count, sizeof(record));
			if (!more) {
				free(*records);
				return fail(error, "out of memory for the pending connects");
			}
			*records = more;
			more[(*count)++] = record;
		}
		socket = next;
		from = &socket;
	}
	if (errno == ENOENT)
		return 0;
	free(*records);
	return fail(error, "cannot read the pending connects: %s", strerror(errno));
}
