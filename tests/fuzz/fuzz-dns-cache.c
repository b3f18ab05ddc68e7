/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache under libFuzzer: the input's bytes are inserts and look-ups, done to the
 * cache and to a model so naive that it can be seen to be right: an array in the
 * order of use, searched from end to end. Both must always give the same answer.
 */
#include <stdlib.h>
#include <string.h>
#include "dns/cache.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT_MAX 80

struct answer {
	struct dns_address address;
	struct dns_receiver receiver;
	unsigned name; /* which of the names, and how it is spelled */
	bool upper;
	uint64_t first_ns; /* told since then, without a gap of age_ns */
};

/* The most recently used first. */
static struct answer held[LIMIT_MAX];
static unsigned count, limit;
static uint64_t age_ns;
static bool few_addresses; /* which have many answers each */

static size_t make_name(uint8_t *wire, unsigned name, bool upper)
{
	/* Of very different lengths: name 0 is the root, 7 has 255 bytes. */
	size_t at = 0, left = name == 7 ? 254 : name * 20;

	while (left) {
		size_t label = left > 64 ? 63 : left - 1;

		if (left - label - 1 == 1)
			label--;
		wire[at++] = (uint8_t)label;
		memset(wire + at, (upper ? 'A' : 'a') + (int)name, label);
		at += label;
		left -= label + 1;
	}
	wire[at++] = 0;
	return at;
}

static struct dns_address make_address(uint8_t byte)
{
	struct dns_address address = {.family = byte & 1 ? 6 : 4};

	if (few_addresses)
		byte &= 3;
	memset(address.bytes, byte >> 2 & 15, 4);
	/* Half of the IPv6 ones are IPv4 in disguise. */
	if (byte & 1 && byte & 2) {
		memset(address.bytes + 12, byte >> 2 & 15, 4);
		memset(address.bytes, 0, 10);
		memset(address.bytes + 10, 0xff, 2);
	}
	return address;
}

/* What the cache is to take an address for. */
static struct dns_address plain(struct dns_address address)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (address.family == 6 && !memcmp(address.bytes, mapped, 12)) {
		address.family = 4;
		memmove(address.bytes, address.bytes + 12, 4);
		memset(address.bytes + 4, 0, 12);
	}
	return address;
}

static bool same_address(const struct dns_address *a, const struct dns_address *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, 16);
}

static void drop(unsigned index)
{
	memmove(held + index, held + index + 1, (count - index - 1) * sizeof(*held));
	count--;
}

static void put_first(const struct answer *answer)
{
	memmove(held + 1, held, count * sizeof(*held));
	held[0] = *answer;
	count++;
}

static void model_insert(const struct answer *answer)
{
	unsigned of_address = 0, oldest = 0, own = LIMIT_MAX;

	for (unsigned i = 0; i < count; i++) {
		struct answer renewed = held[i];

		if (!same_address(&renewed.address, &answer->address))
			continue;
		if (renewed.name == answer->name &&
		    renewed.receiver.tgid == answer->receiver.tgid &&
		    renewed.receiver.netns == answer->receiver.netns) {
			if (answer->receiver.time_ns > renewed.receiver.time_ns) {
				if (answer->receiver.time_ns - renewed.receiver.time_ns > age_ns)
					renewed.first_ns = answer->receiver.time_ns;
				renewed.receiver.time_ns = answer->receiver.time_ns;
			}
			renewed.upper = answer->upper;
			drop(i);
			put_first(&renewed);
			return;
		}
		of_address++;
		oldest = i;
		if (renewed.receiver.netns == answer->receiver.netns)
			own = i;
	}
	if (of_address == DNS_CACHE_PER_ADDRESS)
		drop(own < LIMIT_MAX ? own : oldest);
	else if (count == limit)
		count--;
	put_first(answer);
	held[0].first_ns = answer->receiver.time_ns;
}

/* Told again since, it counts as told at the very moment. */
static uint64_t told_at(const struct answer *answer, uint64_t time_ns)
{
	return answer->receiver.time_ns < time_ns ? answer->receiver.time_ns : time_ns;
}

/* By how dns/attribution.h tells it: process, then namespace, then time; the last used. */
static unsigned rank(const struct answer *answer, const struct dns_connector *connector)
{
	if (answer->receiver.tgid && answer->receiver.tgid == connector->tgid &&
	    told_at(answer, connector->time_ns) >= connector->process_ns)
		return 3;
	return answer->receiver.netns && answer->receiver.netns == connector->netns ? 2 : 1;
}

static bool model_lookup(const struct dns_address *address, const struct dns_connector *connector,
			 struct answer *found)
{
	const struct answer *best = NULL;
	unsigned best_index = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct answer *answer = &held[i];
		uint64_t time = told_at(answer, connector->time_ns);

		if (!same_address(&answer->address, address) ||
		    answer->first_ns > connector->time_ns || connector->time_ns - time > age_ns)
			continue;
		if (best) {
			uint64_t best_time = told_at(best, connector->time_ns);
			unsigned this_rank = rank(answer, connector);
			unsigned best_rank = rank(best, connector);

			if (this_rank < best_rank)
				continue;
			if (this_rank == best_rank && time < best_time)
				continue;
			if (this_rank == best_rank && time == best_time)
				continue; /* best was used later */
		}
		best = answer;
		best_index = i;
	}
	if (!best)
		return false;
	*found = *best;
	drop(best_index);
	put_first(found);
	return true;
}

static void do_insert(struct dns_cache *cache, const uint8_t *op, uint64_t time_ns)
{
	/* One message with one to four addresses. */
	unsigned addresses = (op[2] & 3) + 1;
	struct dns_address list[4];
	struct answer answer = {.name = op[1] & 7, .upper = op[1] >> 3 & 1};
	uint8_t wire[DNS_NAME_MAX];

	answer.receiver = (struct dns_receiver){
		.time_ns = time_ns, .tgid = op[2] >> 2 & 31, .netns = op[1] >> 4 & 3};
	for (unsigned i = 0; i < addresses; i++)
		list[i] = make_address((uint8_t)(op[3] + 5 * i));
	require(!dns_cache_insert(cache, wire, make_name(wire, answer.name, answer.upper), list,
				  addresses, &answer.receiver));
	for (unsigned i = 0; i < addresses; i++) {
		answer.address = plain(list[i]);
		model_insert(&answer);
	}
}

static void do_lookup(struct dns_cache *cache, const uint8_t *op, uint64_t time_ns)
{
	const struct dns_connector connector = {
		.time_ns = time_ns,
		.tgid = op[2] >> 2 & 31,
		.netns = op[1] >> 4 & 3,
		.process_ns = op[2] & 0x80 ? time_ns - (op[1] & 15) : 0,
	};
	struct dns_address address = make_address(op[3]), known = plain(address);
	struct dns_match match;
	struct answer expected;
	uint8_t wire[DNS_NAME_MAX];
	size_t length;

	if (!model_lookup(&known, &connector, &expected)) {
		require(!dns_cache_lookup(cache, &address, &connector, &match));
		return;
	}
	require(dns_cache_lookup(cache, &address, &connector, &match));
	length = make_name(wire, expected.name, expected.upper);
	require(match.length == length && dns_name_equal(match.wire, wire, length));
	require(match.age_ns == time_ns - told_at(&expected, time_ns));
	require(match.age_unknown == (expected.receiver.time_ns > time_ns));
	require((unsigned)match.tie == rank(&expected, &connector));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_cache *cache;
	uint64_t now = 1000;

	if (size < 2)
		return 0;
	limit = data[0] % LIMIT_MAX + 1;
	few_addresses = data[0] & 0x80;
	age_ns = data[1] * 4;
	count = 0;
	cache = dns_cache_new(limit, age_ns, (const uint8_t *)"0123456789abcdef");
	require(cache);
	for (data += 2, size -= 2; size >= 4; data += 4, size -= 4) {
		/* Time goes on, and now and then an event comes late. */
		uint64_t time_ns = now + (data[0] & 31) - 4;

		now += data[0] >> 5 & 3;
		if (data[0] & 0x80)
			do_lookup(cache, data, time_ns);
		else
			do_insert(cache, data, time_ns);
		require(dns_cache_count(cache) == count);
	}
	dns_cache_free(cache);
	return 0;
}
