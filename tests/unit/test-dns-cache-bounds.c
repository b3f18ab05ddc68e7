/* SPDX-License-Identifier: Apache-2.0 */
/* What makes room for what. */
#include <stdio.h>
#include "tests/unit/dns-cache-calls.h"

static void least_recently_used_goes_first(void **state)
{
	(void)state;
	restart(3, DNS_CACHE_AGE_NS);
	insert(v4(1), "one", 1, 1, 1);
	insert(v4(2), "two", 2, 1, 1);
	insert(v4(3), "three", 3, 1, 1);
	assert_string_equal(lookup(v4(1), 4, 1, 1, NULL), "one"); /* used */
	insert(v4(4), "four", 4, 1, 1);
	assert_int_equal(dns_cache_count(cache), 3);
	assert_string_equal(lookup(v4(2), 5, 1, 1, NULL), "-");
	insert(v4(3), "three", 5, 1, 1); /* renewed */
	insert(v4(5), "five", 6, 1, 1);
	assert_string_equal(lookup(v4(1), 7, 1, 1, NULL), "-");
	insert(v4(6), "six", 8, 1, 1);
	assert_string_equal(lookup(v4(4), 9, 1, 1, NULL), "-");
	assert_string_equal(lookup(v4(3), 9, 1, 1, NULL), "three");
	assert_string_equal(lookup(v4(5), 9, 1, 1, NULL), "five");
	assert_string_equal(lookup(v4(6), 9, 1, 1, NULL), "six");
	assert_int_equal(dns_cache_count(cache), 3);
}

/* A look-up in vain, and the answers passed over, are no use. */
static void only_the_answer_found_counts_as_used(void **state)
{
	(void)state;
	restart(2, DNS_CACHE_AGE_NS);
	insert(v4(1), "passed-over", 1, 1, 1);
	insert(v4(1), "found", 2, 2, 1);
	assert_string_equal(lookup(v4(1), 3, 2, 1, NULL), "found");
	insert(v4(2), "new", 4, 1, 1);
	assert_string_equal(lookup(v4(1), 5, 1, 1, NULL), "found");
}

static void one_answer_only(void **state)
{
	(void)state;
	restart(1, DNS_CACHE_AGE_NS);
	insert(v4(1), "one", 1, 1, 1);
	insert(v4(1), "two", 2, 1, 1);
	assert_string_equal(lookup(v4(1), 3, 1, 1, NULL), "two");
	insert(v4(2), "three", 3, 1, 1);
	assert_string_equal(lookup(v4(1), 4, 1, 1, NULL), "-");
	assert_string_equal(lookup(v4(2), 4, 1, 1, NULL), "three");
	assert_int_equal(dns_cache_count(cache), 1);
}

static void fill_address(unsigned netns)
{
	char label[16];

	for (unsigned i = 0; i < DNS_CACHE_PER_ADDRESS; i++) {
		snprintf(label, sizeof(label), "n%u", i);
		insert(v4(1), label, 100 + i, 1000 + i, netns);
	}
	assert_int_equal(dns_cache_count(cache), DNS_CACHE_PER_ADDRESS);
}

/* The one least recently used makes room, whether it came first or not. */
static void bounded_per_address(void **state)
{
	char label[16];

	(void)state;
	fill_address(1);
	assert_string_equal(lookup(v4(1), 500, 1000, 1, NULL), "n0"); /* the first in the table */
	assert_string_equal(lookup(v4(1), 500, 1005, 1, NULL), "n5");
	insert(v4(1), "n2", 90, 1002, 1); /* told again */
	insert(v4(1), "more", 300, 2000, 1);
	assert_string_equal(lookup(v4(1), 500, 1001, 1, NULL), "more");
	insert(v4(1), "again", 301, 2001, 1);
	assert_string_equal(lookup(v4(1), 500, 1003, 1, NULL), "again");
	assert_int_equal(dns_cache_count(cache), DNS_CACHE_PER_ADDRESS);
	for (unsigned i = 0; i < DNS_CACHE_PER_ADDRESS; i++) {
		snprintf(label, sizeof(label), i == 1 || i == 3 ? "again" : "n%u", i);
		assert_string_equal(lookup(v4(1), 500, 1000 + i, 1, NULL), label);
	}
	insert(v4(2), "other", 1, 1, 1);
	assert_int_equal(dns_cache_count(cache), DNS_CACHE_PER_ADDRESS + 1);
}

/* A process goes on using its answer while ever more processes are told other names. */
static void in_use_among_many(void **state)
{
	char label[16];

	(void)state;
	insert(v4(1), "mine", 1, 7, 1);
	for (unsigned i = 0; i < 5 * DNS_CACHE_PER_ADDRESS; i++) {
		snprintf(label, sizeof(label), "n%u", i);
		insert(v4(1), label, 100 + i, 1000 + i, 1);
		assert_string_equal(lookup(v4(1), 500, 7, 1, NULL), "mine");
	}
}

/* Those of one namespace push out their own, once there are some. */
static void bounded_per_namespace(void **state)
{
	char label[16];

	(void)state;
	fill_address(1);
	for (unsigned i = 0; i < 5 * DNS_CACHE_PER_ADDRESS; i++) {
		snprintf(label, sizeof(label), "forged%u", i);
		insert(v4(1), label, 200 + i, 2000, 2);
	}
	assert_int_equal(dns_cache_count(cache), DNS_CACHE_PER_ADDRESS);
	for (unsigned i = 1; i < DNS_CACHE_PER_ADDRESS; i++) {
		snprintf(label, sizeof(label), "n%u", i);
		assert_string_equal(lookup(v4(1), 500, 1000 + i, 1, NULL), label);
	}
}

/* Forgotten from the head, the middle and the end of an address' answers. */
static void forgotten_at_each_place(void **state)
{
	static const char *const labels[] = {"a", "b", "c", "d"};

	(void)state;
	for (unsigned gone = 0; gone < 4; gone++) {
		restart(4, DNS_CACHE_AGE_NS);
		for (unsigned i = 0; i < 4; i++)
			insert(v4(1), labels[i], 10 + i, 1 + i, 1);
		for (unsigned i = 0; i < 4; i++) {
			if (i != gone)
				assert_string_equal(lookup(v4(1), 20, 1 + i, 1, NULL), labels[i]);
		}
		insert(v4(2), "new", 15, 9, 1);
		for (unsigned i = 0; i < 4; i++)
			assert_string_equal(lookup(v4(1), 20, 1 + i, 1, NULL), i != gone ? labels[i]
									       : gone == 3 ? "c"
											   : "d");
		/* The place is used again, and at the end of the row. */
		insert(v4(1), "more", 30, 1 + gone, 1);
		assert_string_equal(lookup(v4(1), 40, 1 + gone, 1, NULL), "more");
		assert_int_equal(dns_cache_count(cache), 4);
	}
}

/* Making room for a further answer of an address whose only other one is the oldest. */
static void room_from_the_same_address(void **state)
{
	(void)state;
	restart(2, DNS_CACHE_AGE_NS);
	insert(v4(1), "one", 1, 1, 1);
	insert(v4(2), "two", 2, 1, 1);
	insert(v4(1), "three", 3, 1, 1);
	assert_string_equal(lookup(v4(1), 9, 1, 1, NULL), "three");
	assert_string_equal(lookup(v4(1), 2, 1, 1, NULL), "-");
	assert_string_equal(lookup(v4(2), 9, 1, 1, NULL), "two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(least_recently_used_goes_first, begin, end),
		cmocka_unit_test_setup_teardown(only_the_answer_found_counts_as_used, begin, end),
		cmocka_unit_test_setup_teardown(one_answer_only, begin, end),
		cmocka_unit_test_setup_teardown(bounded_per_address, begin, end),
		cmocka_unit_test_setup_teardown(in_use_among_many, begin, end),
		cmocka_unit_test_setup_teardown(bounded_per_namespace, begin, end),
		cmocka_unit_test_setup_teardown(forgotten_at_each_place, begin, end),
		cmocka_unit_test_setup_teardown(room_from_the_same_address, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
