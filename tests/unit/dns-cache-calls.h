/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_TEST_DNS_CACHE_CALLS_H
#define TCPCONNECT_TEST_DNS_CACHE_CALLS_H

/* A cache for each test, and what it is told and asked, in one line each. */

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include "dns/cache.h"

#define SECOND 1000000000ULL
#define NOBODY 0

static const uint8_t seed[16] = "not so secret...";
static struct dns_cache *cache;

static inline struct dns_address v4(uint32_t number)
{
	struct dns_address address = {.family = 4};

	for (unsigned i = 0; i < 4; i++)
		address.bytes[i] = (uint8_t)(number >> (24 - 8 * i));
	return address;
}

static inline struct dns_address v6(uint32_t number)
{
	struct dns_address address = v4(number);

	address.family = 6;
	memmove(address.bytes + 12, address.bytes, 4);
	memcpy(address.bytes, "\x20\x01\xd\xb8", 4);
	return address;
}

/* A name of one label. */
static inline size_t wire(uint8_t *out, const char *label)
{
	size_t length = strlen(label);

	out[0] = (uint8_t)length;
	memcpy(out + 1, label, length + 1);
	return length + 2;
}

static inline void insert(struct dns_address address, const char *label, uint64_t time,
			  uint32_t tgid, uint32_t netns)
{
	const struct dns_receiver receiver = {.time_ns = time, .tgid = tgid, .netns = netns};
	uint8_t name[DNS_NAME_MAX];

	assert_int_equal(dns_cache_insert(cache, name, wire(name, label), &address, 1, &receiver),
			 0);
}

/* The name found, or "-". */
static inline const char *lookup(struct dns_address address, uint64_t time, uint32_t tgid,
				 uint32_t netns, struct dns_match *match)
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

static inline int begin(void **state)
{
	(void)state;
	cache = dns_cache_new(100, DNS_CACHE_AGE_NS, seed);
	return cache ? 0 : -1;
}

static inline int end(void **state)
{
	(void)state;
	dns_cache_free(cache);
	return 0;
}

static inline void restart(size_t answers, uint64_t age_ns)
{
	dns_cache_free(cache);
	cache = dns_cache_new(answers, age_ns, seed);
	assert_non_null(cache);
}

#endif
