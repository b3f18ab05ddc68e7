/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "dns/cache.h"
#include "tests/bench/bench-dns.h"

/* "hostXXXXXXXX.cdn.example.com": of about the usual length, another one for each number. */
#define NAME_LENGTH 30

static void numbered_name(uint8_t *wire, uint32_t number)
{
	static const uint8_t tail[] = "\3cdn\7example\3com";

	wire[0] = 12;
	memcpy(wire + 1, "host", 4);
	for (unsigned i = 0; i < 8; i++)
		wire[5 + i] = "0123456789abcdef"[number >> (28 - 4 * i) & 15];
	memcpy(wire + 13, tail, sizeof(tail));
	_Static_assert(13 + sizeof(tail) == NAME_LENGTH, "as told");
}

/* Numbers to numbers, one to one, without order: the finalizer of MurmurHash3. */
static uint32_t scramble(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x85ebca6b;
	x ^= x >> 13;
	x *= 0xc2b2ae35;
	return x ^ x >> 16;
}

static struct dns_address numbered_address(uint32_t number)
{
	struct dns_address address = {.family = 4};

	number = scramble(number);
	memcpy(address.bytes, &number, 4);
	return address;
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

#define COSTS       5
#define PER_MESSAGE 4

/* ns each */
struct costs {
	double each[COSTS]; /* filling, replacing, replacing one by one, look-up, in vain */
};

/*
 * What goes into the cache, and what is looked up, lies ready: making it between two
 * calls would be measured as well, and keep the processor from having several
 * accesses to memory under way.
 */
struct numbered {
	uint8_t wire[32];
};

struct work {
	size_t answers, rounds;
	struct dns_address *addresses; /* answers + 2 * rounds to insert */
	struct numbered *names;        /* one for each of them */
	struct dns_address *hits, *misses;
};

static void work_free(struct work *work)
{
	free(work->addresses);
	free(work->names);
	free(work->hits);
	free(work->misses);
}

static int work_new(struct work *work, size_t answers)
{
	size_t all;
	uint64_t random = 1;

	work->answers = answers;
	work->rounds = answers < 100000 ? 200000 : answers;
	all = answers + 2 * work->rounds;
	work->addresses = malloc(all * sizeof(*work->addresses));
	work->names = malloc(all * sizeof(*work->names));
	work->hits = malloc(work->rounds * sizeof(*work->hits));
	work->misses = malloc(work->rounds * sizeof(*work->misses));
	if (!work->addresses || !work->names || !work->hits || !work->misses)
		return -1;
	for (size_t i = 0; i < all; i++) {
		work->addresses[i] = numbered_address((uint32_t)i);
		numbered_name(work->names[i].wire, (uint32_t)i);
	}
	for (size_t i = 0; i < work->rounds; i++) {
		uint32_t pick = (uint32_t)(next_random(&random) % answers);

		work->hits[i] = numbered_address((uint32_t)(all - answers) + pick);
		work->misses[i] = numbered_address((uint32_t)all + pick);
	}
	return 0;
}

static double each(double start, size_t count)
{
	return (bench_now() - start) * 1e9 / (double)count;
}

static int insert(struct dns_cache *cache, const struct work *work, size_t first, size_t count,
		  unsigned per_message)
{
	int error = 0;

	for (size_t i = first; i < first + count; i += per_message) {
		const struct dns_receiver receiver = {
			.time_ns = i, .tgid = i % 500 + 1, .netns = 1};

		error |= dns_cache_insert(cache, work->names[i].wire, NAME_LENGTH,
					  &work->addresses[i], per_message, &receiver);
	}
	return error;
}

/* Returns how many were found. */
static size_t look_up(struct dns_cache *cache, const struct dns_address *addresses, size_t count)
{
	const struct dns_connector connector = {.time_ns = UINT32_MAX, .tgid = 1, .netns = 1};
	struct dns_match match;
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += dns_cache_lookup(cache, &addresses[i], &connector, &match);
	return found;
}

/* Fill a cache, go on inserting into the full one, look up what it holds and what not. */
static int run(const struct work *work, struct costs *costs)
{
	size_t answers = work->answers, rounds = work->rounds;
	struct dns_cache *cache;
	double start;
	int error = 0;

	cache = dns_cache_new(answers, DNS_CACHE_AGE_NS, (const uint8_t *)"0123456789abcdef");
	if (!cache)
		return 1;
	start = bench_now();
	error |= insert(cache, work, 0, answers, PER_MESSAGE);
	costs->each[0] = each(start, answers);
	start = bench_now();
	error |= insert(cache, work, answers, rounds, PER_MESSAGE);
	costs->each[1] = each(start, rounds);
	start = bench_now();
	error |= insert(cache, work, answers + rounds, rounds, 1);
	costs->each[2] = each(start, rounds);
	start = bench_now();
	error |= look_up(cache, work->hits, rounds) != rounds;
	costs->each[3] = each(start, rounds);
	start = bench_now();
	error |= look_up(cache, work->misses, rounds) != 0;
	costs->each[4] = each(start, rounds);
	dns_cache_free(cache);
	return error;
}

/* What the cache takes for an answer: 128 bytes, its buckets, a part of a name. */
#define BYTES_EACH ((size_t)192)
#define LINE       ((size_t)128)
#define HUGE       ((size_t)2 << 20)

/* ns: what the memory itself costs, which no cache of that size can be quicker than */
struct floor {
	double touch;  /* to have so much memory for the first time, for each answer */
	double access; /* one access to it, at a place that the one before told */
};

/*
 * In the same kind of memory as the cache's. Each line holds where the next one is; the
 * order has no pattern and goes round all of them (Sattolo's shuffle).
 */
static int measure_floor(size_t answers, struct floor *floor)
{
	size_t size = (answers * BYTES_EACH + HUGE - 1) & ~(HUGE - 1), lines = size / LINE;
	size_t *order = malloc(lines * sizeof(*order)), at = 0;
	uint64_t random = 1;
	uint8_t *memory;
	double start;

	memory = aligned_alloc(HUGE, size);
	if (!order || !memory) {
		free(order);
		free(memory);
		return -1;
	}
	if (answers >= 65536)
		(void)madvise(memory, size, MADV_HUGEPAGE);
	start = bench_now();
	for (size_t i = 0; i < answers * BYTES_EACH; i += LINE)
		*(volatile uint8_t *)(memory + i) = 1;
	floor->touch = each(start, answers);

	for (size_t i = 0; i < lines; i++)
		order[i] = i;
	for (size_t i = lines - 1; i; i--) {
		size_t j = next_random(&random) % i, other = order[i];

		order[i] = order[j];
		order[j] = other;
	}
	for (size_t i = 0; i < lines; i++) {
		size_t next = order[i] * LINE;

		memcpy(memory + i * LINE, &next, sizeof(next));
	}
	start = bench_now();
	for (size_t i = 0; i < 1000000; i++)
		memcpy(&at, memory + at, sizeof(at));
	floor->access = each(start, 1000000);
	*(volatile uint8_t *)memory = (uint8_t)at; /* so that the chain must be followed */
	free(order);
	free(memory);
	return 0;
}

static int measure(const struct pace *pace, size_t answers)
{
	double values[COSTS][RUNS_MAX], touches[RUNS_MAX], accesses[RUNS_MAX];
	struct floor floor = {0};
	struct costs costs;
	struct work work;
	int error = work_new(&work, answers);

	for (unsigned i = 0; i < pace->runs && !error; i++) {
		error = run(&work, &costs);
		error |= measure_floor(answers, &floor);
		for (unsigned cost = 0; cost < COSTS; cost++)
			values[cost][i] = costs.each[cost];
		touches[i] = floor.touch;
		accesses[i] = floor.access;
	}
	work_free(&work);
	if (error) {
		fprintf(stderr, "bench-dns: the cache with %zu answers fails\n", answers);
		return 1;
	}
	printf("%9zu", answers);
	for (unsigned cost = 0; cost < COSTS; cost++)
		printf(" %12.0f", bench_median(values[cost], pace->runs));
	printf(" %12.0f %12.0f\n", bench_median(touches, pace->runs),
	       bench_median(accesses, pace->runs));
	return 0;
}

int bench_cache(const struct pace *pace, bool large)
{
	puts("\ncache, ns an answer, median; addresses all different, look-ups at random");
	printf("%9s %12s %12s %12s %12s %12s %12s %12s\n", "answers", "filling", "replacing",
	       "one by one", "look-up", "in vain", "first touch", "one access");
	if (measure(pace, 10240))
		return 1;
	if (large && measure(pace, 1000000))
		return 1;
	puts("filling, replacing: messages with four addresses; one by one: with one\n"
	     "first touch, one access: what as much memory costs an answer that is put there for\n"
	     "the first time, and what one access to it costs that waits for the one before");
	return 0;
}
