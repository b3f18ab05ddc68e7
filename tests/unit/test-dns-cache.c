/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <malloc.h>
#include "tests/unit/dns-cache-calls.h"

static void found_and_not_found(void **state)
{
	struct dns_match match;

	(void)state;
	assert_string_equal(lookup(v4(1), 10, 1, 1, NULL), "-");
	insert(v4(1), "one", 10, 7, 9);
	insert(v6(1), "one6", 11, 7, 9);
	assert_string_equal(lookup(v4(1), 15, 7, 9, &match), "one");
	assert_int_equal(match.age_ns, 5);
	assert_int_equal(match.tie, DNS_TIE_PROCESS);
	assert_string_equal(lookup(v6(1), 15, 8, 9, &match), "one6");
	assert_int_equal(match.age_ns, 4);
	assert_int_equal(match.tie, DNS_TIE_NAMESPACE);
	assert_string_equal(lookup(v6(1), 15, 8, 8, &match), "one6");
	assert_int_equal(match.tie, DNS_TIE_LATEST);
	assert_string_equal(lookup(v4(2), 15, 7, 9, NULL), "-");
	assert_int_equal(dns_cache_count(cache), 2);
	dns_cache_free(NULL);
}

static void families_apart(void **state)
{
	struct dns_address four = v4(0x20010db8), six = {.family = 6};

	(void)state;
	memcpy(six.bytes, four.bytes, 4);
	insert(four, "four", 1, 1, 1);
	assert_string_equal(lookup(six, 2, 1, 1, NULL), "-");
	insert(six, "six", 1, 1, 1);
	assert_string_equal(lookup(four, 2, 1, 1, NULL), "four");
	assert_string_equal(lookup(six, 2, 1, 1, NULL), "six");
}

static void mapped_is_ipv4(void **state)
{
	struct dns_address mapped = v6(0x01020304);

	(void)state;
	memset(mapped.bytes, 0, 10);
	memset(mapped.bytes + 10, 0xff, 2);
	insert(v4(0x01020304), "four", 1, 1, 1);
	assert_string_equal(lookup(mapped, 2, 1, 1, NULL), "four");
	insert(mapped, "mapped", 3, 1, 1);
	assert_string_equal(lookup(v4(0x01020304), 4, 1, 1, NULL), "mapped");
	/* Not the deprecated IPv4-compatible form. */
	memset(mapped.bytes + 10, 0, 2);
	assert_string_equal(lookup(mapped, 4, 1, 1, NULL), "-");
}

static void attribution(void **state)
{
	struct dns_match match;

	(void)state;
	insert(v4(1), "mine", 10, 7, 1);
	insert(v4(1), "neighbour", 20, 8, 1);
	insert(v4(1), "stranger", 30, 9, 2);
	assert_string_equal(lookup(v4(1), 40, 7, 1, &match), "mine");
	assert_int_equal(match.tie, DNS_TIE_PROCESS);
	assert_int_equal(match.age_ns, 30);
	assert_string_equal(lookup(v4(1), 40, 5, 1, &match), "neighbour");
	assert_int_equal(match.tie, DNS_TIE_NAMESPACE);
	assert_string_equal(lookup(v4(1), 40, 5, 5, &match), "stranger");
	assert_int_equal(match.tie, DNS_TIE_LATEST);
	assert_string_equal(lookup(v4(1), 40, NOBODY, 0, &match), "stranger");
	/* Of one's own answers, the latest. */
	insert(v4(1), "mine-too", 35, 7, 1);
	assert_string_equal(lookup(v4(1), 40, 7, 1, NULL), "mine-too");
	/* As it stood at the time. */
	assert_string_equal(lookup(v4(1), 34, 7, 1, NULL), "mine");
	assert_string_equal(lookup(v4(1), 29, 5, 5, NULL), "neighbour");
	assert_string_equal(lookup(v4(1), 10, 5, 5, NULL), "mine");
	assert_string_equal(lookup(v4(1), 9, 7, 1, NULL), "-");
}

static void order_of_arrival_does_not_matter(void **state)
{
	(void)state;
	insert(v4(1), "late", 30, 1, 1);
	insert(v4(1), "early", 10, 2, 1);
	assert_string_equal(lookup(v4(1), 40, 3, 3, NULL), "late");
	insert(v4(1), "at-once", 30, 3, 1);
	assert_string_equal(lookup(v4(1), 40, 4, 4, NULL), "at-once");
}

/* Told before and after the attempt whose outcome is asked for: the name holds, not the age. */
static void told_again_since_the_connect(void **state)
{
	struct dns_match match;

	(void)state;
	restart(4, 100);
	insert(v4(1), "name", 10, 7, 1);
	insert(v4(1), "name", 50, 7, 1);
	insert(v4(1), "name", 90, 7, 1);
	assert_string_equal(lookup(v4(1), 90, 7, 1, &match), "name");
	assert_false(match.age_unknown);
	assert_string_equal(lookup(v4(1), 89, 7, 1, &match), "name");
	assert_true(match.age_unknown);
	assert_int_equal(match.age_ns, 0);
	assert_string_equal(lookup(v4(1), 10, 7, 1, &match), "name");
	assert_string_equal(lookup(v4(1), 9, 7, 1, NULL), "-");
	insert(v4(1), "other", 20, 8, 1); /* the process's own goes before another's */
	assert_string_equal(lookup(v4(1), 30, 7, 1, &match), "name");
	assert_int_equal(match.tie, DNS_TIE_PROCESS);
	/* Between what was too old and what came anew lies nothing. */
	insert(v4(1), "name", 191, 7, 1);
	assert_string_equal(lookup(v4(1), 150, 7, 1, NULL), "-");
	assert_string_equal(lookup(v4(1), 191, 7, 1, &match), "name");
	restart(4, UINT64_MAX); /* what is known for longer than two years is known for two */
	insert(v4(1), "name", 10, 7, 1);
	insert(v4(1), "name", UINT64_MAX, 7, 1);
	assert_string_equal(lookup(v4(1), UINT64_MAX - (1ULL << 56) + 1, 7, 1, NULL), "name");
	assert_string_equal(lookup(v4(1), UINT64_MAX - (1ULL << 56), 7, 1, NULL), "-");
}

static void repeats_renew(void **state)
{
	struct dns_match match;

	(void)state;
	insert(v4(1), "name", 10, 7, 1);
	insert(v4(1), "NAME", 20, 7, 1);
	assert_int_equal(dns_cache_count(cache), 1);
	assert_string_equal(lookup(v4(1), 25, 7, 1, &match), "NAME");
	assert_int_equal(match.age_ns, 5);
	/* Time never goes back. */
	insert(v4(1), "name", 15, 7, 1);
	assert_string_equal(lookup(v4(1), 25, 7, 1, &match), "name");
	assert_int_equal(match.age_ns, 5);
	/* Each of the four parts makes another answer. */
	insert(v4(2), "name", 20, 7, 1);
	insert(v4(1), "nam", 20, 7, 1);
	insert(v4(1), "nane", 20, 7, 1);
	insert(v4(1), "name", 20, 8, 1);
	insert(v4(1), "name", 20, 7, 2);
	assert_int_equal(dns_cache_count(cache), 6);
}

static void too_old(void **state)
{
	(void)state;
	restart(10, 60 * SECOND);
	insert(v4(1), "old", 1 * SECOND, 7, 1);
	assert_string_equal(lookup(v4(1), 61 * SECOND, 7, 1, NULL), "old");
	assert_string_equal(lookup(v4(1), 61 * SECOND + 1, 7, 1, NULL), "-");
	/* A weaker tie that is young wins over a stronger one too old. */
	insert(v4(1), "young", 50 * SECOND, 8, 2);
	assert_string_equal(lookup(v4(1), 61 * SECOND, 7, 1, NULL), "old");
	assert_string_equal(lookup(v4(1), 62 * SECOND, 7, 1, NULL), "young");
	insert(v4(1), "old", 62 * SECOND, 7, 1);
	assert_string_equal(lookup(v4(1), 62 * SECOND, 7, 1, NULL), "old");
}

static void day_by_default(void **state)
{
	(void)state;
	insert(v4(1), "old", 5, 7, 1);
	assert_string_equal(lookup(v4(1), 86400 * SECOND + 5, 7, 1, NULL), "old");
	assert_string_equal(lookup(v4(1), 86400 * SECOND + 6, 7, 1, NULL), "-");
}

static void whole_message_at_once(void **state)
{
	const struct dns_receiver receiver = {.time_ns = 5, .tgid = 7, .netns = 1};
	struct dns_address addresses[150];
	uint8_t name[DNS_NAME_MAX];
	size_t length = wire(name, "many");

	(void)state;
	for (unsigned i = 0; i < 150; i++)
		addresses[i] = v4(i);
	addresses[1] = addresses[0];
	assert_int_equal(dns_cache_insert(cache, name, length, addresses, 0, &receiver), 0);
	assert_int_equal(dns_cache_count(cache), 0);
	assert_int_equal(dns_cache_insert(cache, name, length, addresses, 4, &receiver), 0);
	assert_int_equal(dns_cache_count(cache), 3);
	assert_int_equal(dns_cache_insert(cache, name, length, addresses, 150, &receiver), 0);
	assert_int_equal(dns_cache_count(cache), 100);
	assert_string_equal(lookup(v4(49), 9, 1, 1, NULL), "-");
	assert_string_equal(lookup(v4(50), 9, 1, 1, NULL), "many");
	assert_string_equal(lookup(v4(149), 9, 1, 1, NULL), "many");
}

static void longest_and_shortest_name(void **state)
{
	const struct dns_receiver receiver = {.time_ns = 5};
	const struct dns_connector connector = {.time_ns = 5};
	struct dns_address address = v4(1);
	uint8_t name[DNS_NAME_MAX];
	struct dns_match match;

	(void)state;
	for (unsigned label = 0; label < 4; label++) {
		name[64 * label] = label < 3 ? 63 : 61;
		memset(name + 64 * label + 1, 'a', 63 - (label == 3));
	}
	name[254] = 0;
	assert_int_equal(dns_cache_insert(cache, name, 255, &address, 1, &receiver), 0);
	assert_true(dns_cache_lookup(cache, &address, &connector, &match));
	assert_int_equal(match.length, 255);
	assert_memory_equal(match.wire, name, 255);
	address = v4(2);
	assert_int_equal(dns_cache_insert(cache, (const uint8_t *)"", 1, &address, 1, &receiver),
			 0);
	assert_string_equal(lookup(address, 9, 1, 1, NULL), ".");
}

/* A large cache has its memory in other pieces. */
static void large_cache(void **state)
{
	(void)state;
	restart(70000, DNS_CACHE_AGE_NS);
	for (unsigned i = 0; i < 100000; i++)
		insert(i % 2 ? v4(i) : v6(i), i % 3 ? "three" : "others", i, i, 1);
	assert_int_equal(dns_cache_count(cache), 70000);
	for (unsigned i = 0; i < 100000; i++)
		assert_string_equal(lookup(i % 2 ? v4(i) : v6(i), 100000, i, 1, NULL),
				    i < 30000 ? "-"
				    : i % 3   ? "three"
					      : "others");
}

static void none_is_one(void **state)
{
	(void)state;
	restart(0, DNS_CACHE_AGE_NS);
	insert(v4(1), "one", 1, 1, 1);
	insert(v4(2), "two", 2, 1, 1);
	assert_int_equal(dns_cache_count(cache), 1);
	assert_string_equal(lookup(v4(2), 3, 1, 1, NULL), "two");
}

static size_t heap_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* 10,240 answers with names of 30 bytes: below 3 MB. An empty cache: below 1 KB. */
static void memory(void **state)
{
	size_t before, empty, full;
	char label[40];

	(void)state;
	dns_cache_free(cache);
	cache = NULL;
	before = heap_in_use();
	if (!before) {
		print_message("skipped: mallinfo2(3) tells nothing under the sanitizers\n");
		skip();
	}
	cache = dns_cache_new(DNS_CACHE_ANSWERS, DNS_CACHE_AGE_NS, seed);
	assert_non_null(cache);
	empty = heap_in_use() - before;
	for (unsigned i = 0; i < 3 * DNS_CACHE_ANSWERS; i++) {
		snprintf(label, sizeof(label), "%028u", i);
		insert(v6(i), label, i, i, 1);
	}
	assert_int_equal(dns_cache_count(cache), DNS_CACHE_ANSWERS);
	full = heap_in_use() - before;
	print_message("cache: %zu bytes empty, %zu bytes full\n", empty, full);
	assert_true(empty < 1024);
	assert_true(full < 3000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(found_and_not_found, begin, end),
		cmocka_unit_test_setup_teardown(families_apart, begin, end),
		cmocka_unit_test_setup_teardown(mapped_is_ipv4, begin, end),
		cmocka_unit_test_setup_teardown(attribution, begin, end),
		cmocka_unit_test_setup_teardown(order_of_arrival_does_not_matter, begin, end),
		cmocka_unit_test_setup_teardown(told_again_since_the_connect, begin, end),
		cmocka_unit_test_setup_teardown(repeats_renew, begin, end),
		cmocka_unit_test_setup_teardown(too_old, begin, end),
		cmocka_unit_test_setup_teardown(day_by_default, begin, end),
		cmocka_unit_test_setup_teardown(whole_message_at_once, begin, end),
		cmocka_unit_test_setup_teardown(longest_and_shortest_name, begin, end),
		cmocka_unit_test_setup_teardown(large_cache, begin, end),
		cmocka_unit_test_setup_teardown(none_is_one, begin, end),
		cmocka_unit_test_setup_teardown(memory, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
