/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_FLOWS_H
#define TCPCONNECT_FLOWS_H

#include <stddef.h>
#include "error.h"
#include "probes/flow_count.h"

/* Counts by flow, read from the kernel. Zero-initialized it is empty. */
struct flow_table {
	struct flow_count *flows;
	size_t count;
};

void flows_free(struct flow_table *table);

/*
 * Append all entries of a flow map, in the kernel's order, whatever their round. Counting may go
 * on meanwhile. Returns 0, or -1 with *error set.
 */
int flows_read(int map, struct flow_table *table, struct error *error);

/*
 * The same once nothing is attached any more, and in a quarter of the time, by batches (Linux
 * 5.6). While the kernel makes up a batch it runs no kprobe's program on that CPU, for as long as
 * it walks through empty buckets (__htab_map_lookup_and_delete_batch(), Linux 5.10 to 7.3).
 */
int flows_read_all(int map, struct flow_table *table, struct error *error);

/*
 * Append the entries of other rounds than this one, and take them out of the map: nothing counts
 * in them any more. Returns 0, or -1 with *error set.
 */
int flows_take(int map, uint16_t round, struct flow_table *table, struct error *error);

/* One entry a flow, sorted by key, from a table in which a flow may stand more than once. */
void flows_merge(struct flow_table *table);

/* Append records, each counted once under its flow. Returns 0, or -1 with *error set. */
int flows_add_records(struct flow_table *table, const struct connect_record *records, size_t count,
		      struct error *error);

/*
 * What came since before: flows whose counts grew, by how much. Without a before they keep
 * now's order; else both tables are sorted by key. *since is to be freed. Returns 0, or -1 with
 * *error set.
 */
int flows_since(struct flow_table *now, struct flow_table *before, struct flow_table *since,
		struct error *error);

/*
 * All records of the map of half-open connects; *records is to be freed. Entries that end while
 * they are read are left out. Returns 0, or -1 with *error set.
 */
int halfopen_read(int map, struct connect_record **records, size_t *count, struct error *error);

#endif
