/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts read from a map, with many entries a call and one by one, and taken out of it. The map
 * is made up: keys by their ports, in the order in which they stand.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "probes/flows.h"
#include <cmocka.h>

#define ENTRIES 10000 /* more than two calls bring */
#define PORTS   65536

static struct flow_key keys[ENTRIES];
static bool present[ENTRIES];
static int refused_with;    /* what a call for many gives, 0 to obey */
static unsigned good_calls; /* that many obey first */
static unsigned batches;    /* how many calls there were */

int __wrap_bpf_map_lookup_batch(int fd, void *in, void *out, void *to_keys, void *to_values,
				__u32 *count, const struct bpf_map_batch_opts *opts);
int __wrap_bpf_map_get_next_key(int fd, const void *key, void *next);
int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value);
int __wrap_bpf_map_delete_elem(int fd, const void *key);

static int fails_with(int cause)
{
	errno = cause;
	return -cause;
}

static uint64_t count_of(const struct flow_key *key)
{
	return key->dport + 1u;
}

static size_t place_of(const struct flow_key *key)
{
	size_t place = 0;

	while (place < ENTRIES && (!present[place] || memcmp(&keys[place], key, sizeof(*key)) != 0))
		place++;
	return place;
}

/* A cursor is a place, as a bucket is: what is taken out does not move the others. */
int __wrap_bpf_map_lookup_batch(int fd, void *in, void *out, void *to_keys, void *to_values,
				__u32 *count, const struct bpf_map_batch_opts *opts)
{
	uint32_t place = 0, found = 0;

	(void)fd;
	(void)opts;
	batches++;
	if (refused_with && !good_calls) {
		*count = 0;
		return fails_with(refused_with);
	}
	if (good_calls)
		good_calls--;
	if (in)
		memcpy(&place, in, sizeof(place));
	for (; place < ENTRIES && found < *count; place++) {
		uint64_t value = count_of(&keys[place]);

		if (!present[place])
			continue;
		memcpy((struct flow_key *)to_keys + found, &keys[place], sizeof(keys[place]));
		memcpy((uint64_t *)to_values + found++, &value, sizeof(value));
	}
	*count = found;
	memcpy(out, &place, sizeof(place));
	return place == ENTRIES ? fails_with(ENOENT) : 0;
}

int __wrap_bpf_map_get_next_key(int fd, const void *key, void *next)
{
	size_t place = 0;

	(void)fd;
	if (key) {
		place = place_of(key);
		place = place == ENTRIES ? 0 : place + 1; /* as the kernel does it */
	}
	while (place < ENTRIES && !present[place])
		place++;
	if (place == ENTRIES)
		return fails_with(ENOENT);
	memcpy(next, &keys[place], sizeof(keys[place]));
	return 0;
}

int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	uint64_t count = count_of(key);

	(void)fd;
	if (place_of(key) == ENTRIES)
		return fails_with(ENOENT);
	memcpy(value, &count, sizeof(count));
	return 0;
}

int __wrap_bpf_map_delete_elem(int fd, const void *key)
{
	size_t place = place_of(key);

	(void)fd;
	if (place == ENTRIES)
		return fails_with(ENOENT);
	present[place] = false;
	return 0;
}

/* The first so many entries; each third one is of round 7, the others of round 6. */
static void fill(size_t count)
{
	memset(keys, 0, sizeof(keys));
	memset(present, 0, sizeof(present));
	for (size_t i = 0; i < count; i++) {
		keys[i].family = 4;
		keys[i].dport = (uint16_t)i;
		keys[i].round = i % 3 ? 6 : 7;
		present[i] = true;
	}
	refused_with = 0;
	good_calls = 0;
	batches = 0;
}

/* Each wanted flow once, with its count, and none of them by round. */
static void expect(const struct flow_table *table, size_t made, uint16_t left_out)
{
	static bool seen[PORTS];
	size_t wanted = 0;

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < table->count; i++) {
		const struct flow_key *key = &table->flows[i].key;

		assert_true(key->dport < made && !seen[key->dport]);
		seen[key->dport] = true;
		assert_int_equal(key->round, 0);
		assert_int_equal(table->flows[i].connects, count_of(key));
	}
	for (size_t i = 0; i < made; i++) {
		bool in = (i % 3 ? 6 : 7) != left_out;

		assert_int_equal(seen[i], in);
		wanted += in;
	}
	assert_int_equal(table->count, wanted);
}

typedef int read_fn(int map, struct flow_table *table, struct error *error);

static void reads_all(read_fn *read, size_t entries, int refused, unsigned good)
{
	struct flow_table table = {0};
	struct error error;

	fill(entries);
	refused_with = refused;
	good_calls = good;
	assert_int_equal(read(3, &table, &error), 0);
	expect(&table, entries, 0);
	for (size_t i = 0; i < entries; i++)
		assert_true(present[i]);
	flows_free(&table);
}

static void many_a_call(void **state)
{
	static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 8192, ENTRIES};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		reads_all(flows_read_all, sizes[i], 0, 0);
}

/* Linux 5.5 does not know the command, a container may forbid it, a lock may not be had. */
static void one_by_one_instead(void **state)
{
	static const int causes[] = {EINVAL, 524 /* ENOTSUPP */, EPERM, EBUSY, ENOSPC};

	(void)state;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		reads_all(flows_read_all, 0, causes[i], 0);
		reads_all(flows_read_all, 300, causes[i], 0);
		reads_all(flows_read_all, 6000, causes[i], 1); /* the second call fails */
	}
}

/* While the probes count, no batches. */
static void one_by_one(void **state)
{
	struct flow_table table = {0};
	struct error error;

	(void)state;
	reads_all(flows_read, 300, 0, 0);
	assert_int_equal(batches, 0);
	fill(300);
	assert_int_equal(flows_take(3, 7, &table, &error), 0);
	assert_int_equal(batches, 0);
	expect(&table, 300, 7);
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(present[i], i % 3 == 0);
	flows_free(&table);
}

/* What was there before stays in front. */
static void appends(void **state)
{
	struct flow_table table = {0};
	struct error error;

	(void)state;
	fill(5000);
	assert_int_equal(flows_read_all(3, &table, &error), 0);
	refused_with = EBUSY;
	good_calls = 1;
	assert_int_equal(flows_read_all(3, &table, &error), 0);
	assert_int_equal(table.count, 10000);
	for (size_t i = 0; i < 5000; i++)
		assert_memory_equal(&table.flows[i], &table.flows[5000 + i],
				    sizeof(table.flows[i]));
	flows_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_a_call),
		cmocka_unit_test(one_by_one_instead),
		cmocka_unit_test(one_by_one),
		cmocka_unit_test(appends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
