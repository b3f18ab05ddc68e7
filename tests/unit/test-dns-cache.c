/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include <malloc.h>
#include "dns/cache.h"

#define SECOND 1000000000ULL
#define NOBODY 0

static const uint8_t seed[16] = "not so secret...";
static struct dns_cache *cache;

static struct dns_address v4(uint32_t number)
{
	struct dns_address address = {.family = 4};

	for (unsigned i = 0; i < 4; i++)
		address.bytes[i] = (uint8_t)(number >> (24 - 8 * i));
	return address;
}

static struct dns_address v6(uint32_t number)
{
	struct dns_address address = v4(number);

	address.family = 6;
	memmove(address.bytes + 12, address.bytes, 4);
	memcpy(address.bytes, "\x20\x01\xd\xb8", 4);
	return address;
}

/* A name of one label. */
static size_t wire(uint8_t *out, const char *label)
{
	size_t length = strlen(label);

	out[0] = (uint8_t)length;
	memcpy(out + 1, label, length + 1);
	return length + 2;
}

static void insert(struct dns_address address, const char *label, uint64_t time, uint32_t tgid,
		   uint32_t netns)
{
	const struct dns_party receiver = {.time_ns = time, .tgid = tgid, .netns = netns};
	uint8_t name[DNS_NAME_MAX];

	assert_int_equal(dns_cache_insert(cache, name, wire(name, label), &address, 1, &receiver),
			 0);
}

/* The name found, or "-". */
static const char *lookup(struct dns_address address, uint64_t time, uint32_t tgid, uint32_t netns,
			  struct dns_match *match)
{
	const struct dns_connector connector = {.time_ns = time, .tgid = tgid, .netns = netns};
	static char text[DNS_TEXT_SIZE];
	struct dns_match none;

	if (!match)
		match = &none;
	if (!dns_cache_lookup(cache, &address, &connector, match))
		return "-";
	dns_name_text(text, match->wire, match->length);
	return text;
}

static int begin(void **state)
{
	(void)state;
	cache = dns_cache_new(100, DNS_CACHE_AGE_NS, seed);
	return cache ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	dns_cache_free(cache);
	return 0;
}

static void restart(size_t answers, uint64_t age_ns)
{
	dns_cache_free(cache);
	cache = dns_cache_new(answers, age_ns, seed);
	assert_non_null(cache);
}

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
	assert_false(match.told_again);
	assert_string_equal(lookup(v4(1), 89, 7, 1, &match), "name");
	assert_true(match.told_again);
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

static void whole_message_at_once(void **state)
{
	const struct dns_party receiver = {.time_ns = 5, .tgid = 7, .netns = 1};
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
	const struct dns_party receiver = {.time_ns = 5};
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
		cmocka_unit_test_setup_teardown(least_recently_used_goes_first, begin, end),
		cmocka_unit_test_setup_teardown(only_the_answer_found_counts_as_used, begin, end),
		cmocka_unit_test_setup_teardown(one_answer_only, begin, end),
		cmocka_unit_test_setup_teardown(too_old, begin, end),
		cmocka_unit_test_setup_teardown(day_by_default, begin, end),
		cmocka_unit_test_setup_teardown(bounded_per_address, begin, end),
		cmocka_unit_test_setup_teardown(in_use_among_many, begin, end),
		cmocka_unit_test_setup_teardown(bounded_per_namespace, begin, end),
		cmocka_unit_test_setup_teardown(forgotten_at_each_place, begin, end),
		cmocka_unit_test_setup_teardown(room_from_the_same_address, begin, end),
		cmocka_unit_test_setup_teardown(whole_message_at_once, begin, end),
		cmocka_unit_test_setup_teardown(longest_and_shortest_name, begin, end),
		cmocka_unit_test_setup_teardown(large_cache, begin, end),
		cmocka_unit_test_setup_teardown(none_is_one, begin, end),
		cmocka_unit_test_setup_teardown(memory, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
