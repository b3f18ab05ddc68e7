/* SPDX-License-Identifier: Apache-2.0 */
/* The cache when memory runs out: linked with --wrap for the functions that hand it out. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include "dns/cache.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

/* Requests until one fails, that one included; 0: none fails. */
static unsigned fail_at;
static bool failed;

static bool fails(void)
{
	if (!fail_at || --fail_at)
		return false;
	failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

#define ADDRESSES 2000

static struct dns_cache *cache;

static struct dns_address numbered(unsigned number)
{
	struct dns_address address = {.family = 4};

	memcpy(address.bytes, &number, sizeof(number));
	return address;
}

static int insert(unsigned number, const char *name, uint64_t time_ns)
{
	struct dns_receiver receiver = {.time_ns = time_ns, .tgid = 1, .netns = 1};
	struct dns_address address = numbered(number);

	return dns_cache_insert(cache, (const uint8_t *)name, strlen(name) + 1, &address, 1,
				&receiver);
}

static bool holds(unsigned number)
{
	struct dns_connector connector = {.time_ns = ADDRESSES};
	struct dns_address address = numbered(number);
	struct dns_match match;

	return dns_cache_lookup(cache, &address, &connector, &match);
}

static void no_cache(void **state)
{
	const uint8_t seed[16] = {0};

	(void)state;
	fail_at = 1;
	assert_null(dns_cache_new(10, 10, seed));
}

/*
 * Fail each request in turn while the cache is filled, and grows its table: the
 * insert says so, nothing held is lost, and the same insert works a moment later.
 */
static void each_request_fails_once(void **state)
{
	const uint8_t seed[16] = {0};
	unsigned failures = 0;

	(void)state;
	for (unsigned at = 1;; at = at < 20 ? at + 1 : at * 5 / 4) {
		failed = false;
		cache = dns_cache_new(ADDRESSES, ADDRESSES, seed);
		assert_non_null(cache);
		fail_at = at;
		for (unsigned i = 0; i < ADDRESSES; i++) {
			bool before = failed;
			int error = insert(i, "\1a", i);

			assert_int_equal(error, before != failed ? -ENOMEM : 0);
			if (error) {
				failures++;
				assert_int_equal(dns_cache_count(cache), i);
				assert_false(holds(i));
				assert_int_equal(insert(i, "\1a", i), 0);
			}
			assert_int_equal(dns_cache_count(cache), i + 1);
		}
		fail_at = 0;
		for (unsigned i = 0; i < ADDRESSES; i++)
			assert_true(holds(i));
		dns_cache_free(cache);
		if (!failed)
			break;
	}
	assert_true(failures > 20);
}

/* From some request on, all fail: inserts go on failing, and look-ups go on working. */
static void memory_stays_short(void **state)
{
	const uint8_t seed[16] = {0};
	unsigned held = 0;

	(void)state;
	cache = dns_cache_new(ADDRESSES, ADDRESSES, seed);
	assert_non_null(cache);
	for (unsigned i = 0; i < ADDRESSES; i++) {
		if (i >= 300)
			fail_at = 1;
		if (!insert(i, "\1a", i))
			held++;
	}
	fail_at = 0;
	assert_int_equal(held, 300);
	assert_int_equal(dns_cache_count(cache), 300);
	for (unsigned i = 0; i < ADDRESSES; i++)
		assert_int_equal(holds(i), i < 300);
	dns_cache_free(cache);
}

/* A full cache that must forget before it can add, while the name has no memory. */
static void full_and_short(void **state)
{
	const uint8_t seed[16] = {0};

	(void)state;
	cache = dns_cache_new(100, ADDRESSES, seed);
	assert_non_null(cache);
	for (unsigned i = 0; i < 1000; i++) {
		fail_at = i % 3 == 2 ? 1 : 0;
		assert_int_equal(insert(i % 700, "\1a", i), i % 3 == 2 ? -ENOMEM : 0);
		assert_true(dns_cache_count(cache) <= 100);
	}
	fail_at = 0;
	assert_int_equal(dns_cache_count(cache), 100);
	dns_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_cache),
		cmocka_unit_test(each_request_fails_once),
		cmocka_unit_test(memory_stays_short),
		cmocka_unit_test(full_and_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
