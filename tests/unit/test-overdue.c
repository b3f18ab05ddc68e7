/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attempts left behind are found by looking at keys alone; the table is made up: by thread, when
 * its attempt began, 0 where it has none.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <bpf/bpf.h>
#include "probes/overdue.h"
#include <cmocka.h>

#define THREADS 20000
#define SECOND  1000000000ull

static uint64_t began[THREADS];
static unsigned looked_up, deleted;
static struct overdue overdue;
static struct session session;

int __wrap_bpf_map_get_next_key(int fd, const void *key, void *next);
int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value);
int __wrap_bpf_map_delete_elem(int fd, const void *key);

int __wrap_bpf_map_get_next_key(int fd, const void *key, void *next)
{
	uint64_t thread = 0;

	(void)fd;
	/* Behind a key that is not there comes the first one. */
	if (key) {
		memcpy(&thread, key, sizeof(thread));
		thread = began[thread] ? thread + 1 : 0;
	}
	while (thread < THREADS && !began[thread])
		thread++;
	if (thread == THREADS)
		return -ENOENT;
	memcpy(next, &thread, sizeof(thread));
	return 0;
}

int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	uint64_t thread;

	(void)fd;
	looked_up++;
	memcpy(&thread, key, sizeof(thread));
	memcpy(value, &began[thread], sizeof(began[thread]));
	return began[thread] ? 0 : -ENOENT;
}

int __wrap_bpf_map_delete_elem(int fd, const void *key)
{
	uint64_t thread;

	(void)fd;
	deleted++;
	memcpy(&thread, key, sizeof(thread));
	began[thread] = 0;
	return 0;
}

static int begin_anew(void **state)
{
	(void)state;
	memset(began, 0, sizeof(began));
	memset(&overdue, 0, sizeof(overdue));
	looked_up = deleted = 0;
	session.attempts = 3;
	return 0;
}

/* The entry is of another attempt at each look, or is away at one of them: nothing is touched. */
static void busy_threads_are_left_alone(void **state)
{
	(void)state;
	for (uint64_t second = 100; second < 200; second++) {
		for (unsigned thread = 1; thread < 50; thread++)
			began[thread] = (second + thread) % 7 ? second * SECOND : 0;
		assert_int_equal(overdue_look(&overdue, &session, second * SECOND), 0);
	}
	assert_int_equal(looked_up, 0);
}

/* One that happens to connect at each look is looked up, but is too young. */
static void always_met(void **state)
{
	(void)state;
	for (uint64_t second = 100; second < 200; second++) {
		began[7] = second * SECOND;
		assert_int_equal(overdue_look(&overdue, &session, second * SECOND), 0);
	}
	assert_in_range(looked_up, 1, 4);
	assert_int_equal(deleted, 0);
}

static void left_behind(void **state)
{
	uint64_t found = 0, second;

	(void)state;
	began[3] = began[9] = 100 * SECOND;
	for (second = 101; second < 131; second++)
		found += overdue_look(&overdue, &session, second * SECOND);
	assert_int_equal(found, 0);
	for (; second < 162; second++)
		found += overdue_look(&overdue, &session, second * SECOND);
	assert_int_equal(found, 2);
	assert_int_equal(deleted, 2);
	assert_int_equal(began[3] + began[9], 0);
	/* And the next one. */
	began[5] = second * SECOND;
	for (; second < 260; second++)
		found += overdue_look(&overdue, &session, second * SECOND);
	assert_int_equal(found, 3);
}

/* More than fit are found later, and those still there at the end. */
static void many(void **state)
{
	uint64_t found = 0;

	(void)state;
	for (unsigned thread = 0; thread < 3000; thread++)
		began[thread] = SECOND;
	for (uint64_t second = 100; second < 300; second++)
		found += overdue_look(&overdue, &session, second * SECOND);
	assert_int_equal(found, 3000);
	for (unsigned thread = 0; thread < THREADS; thread++)
		began[thread] = 300 * SECOND;
	assert_int_equal(overdue_rest(&session), THREADS);
	assert_int_equal(overdue_rest(&session), 0);
}

static void other_ways_have_no_table(void **state)
{
	(void)state;
	session.attempts = -1;
	began[1] = 1;
	assert_int_equal(overdue_look(&overdue, &session, 1000 * SECOND), 0);
	assert_int_equal(overdue_rest(&session), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(busy_threads_are_left_alone, begin_anew),
		cmocka_unit_test_setup(always_met, begin_anew),
		cmocka_unit_test_setup(left_behind, begin_anew),
		cmocka_unit_test_setup(many, begin_anew),
		cmocka_unit_test_setup(other_ways_have_no_table, begin_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
