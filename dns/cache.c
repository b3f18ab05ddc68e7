/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "dns/cache.h"
#include "dns/hash.h"
#include "dns/slot.h"

/* uthash makes its table where the variable cache is in scope, in add(): of its full size at once.
 */
#undef HASH_INITIAL_NUM_BUCKETS
#undef HASH_INITIAL_NUM_BUCKETS_LOG2
#define HASH_INITIAL_NUM_BUCKETS      (1U << cache->buckets_log2)
#define HASH_INITIAL_NUM_BUCKETS_LOG2 (cache->buckets_log2)

#define LARGE_ANSWERS                 65536              /* makes a cache large */
#define KNOWN_MAX                     ((1ULL << 56) - 1) /* two years */
#define TOGETHER                      8 /* addresses whose places in memory are fetched at once */

struct dns_cache {
	struct slot *table;
	struct slot *newest, *oldest; /* by use */
	struct slots slots;
	size_t count, limit;
	unsigned buckets_log2;
	uint64_t age_ns;
	uint64_t seed[2];
};

/* An address as the table knows it. */
struct key {
	uint8_t bytes[16];
	unsigned length, hash;
};

static void make_key(const struct dns_cache *cache, const struct dns_address *address,
		     struct key *key)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	memcpy(key->bytes, address->bytes, 16);
	key->length = address->family == 6 ? 16 : 4;
	if (key->length == 16 && !memcmp(key->bytes, mapped, sizeof(mapped))) {
		memmove(key->bytes, key->bytes + 12, 4);
		key->length = 4;
	}
	key->hash = hash_address(cache->seed, key->bytes, key->length);
}

static UT_hash_bucket *bucket_of(const struct dns_cache *cache, unsigned hash)
{
	const UT_hash_table *table = cache->table->hh.tbl;

	return &table->buckets[hash & (table->num_buckets - 1)];
}

/* Of an address' answers, what finding them reads: first the bucket, then the slot in it. */
static void prefetch_bucket(const struct dns_cache *cache, unsigned hash)
{
	if (cache->table)
		__builtin_prefetch(bucket_of(cache, hash), 1);
}

static void prefetch_first(const struct dns_cache *cache, unsigned hash)
{
	/* A number, because it may be NULL: then this is of no use, and no harm. */
	uintptr_t first = cache->table ? (uintptr_t)bucket_of(cache, hash)->hh_head : 0;

	/* NOLINTBEGIN(performance-no-int-to-ptr): nothing is read through it */
	__builtin_prefetch((const void *)(first + offsetof(struct slot, hh.hh_next)), 1);
	__builtin_prefetch((const void *)(first + offsetof(struct slot, newer)), 1);
	/* NOLINTEND(performance-no-int-to-ptr) */
}

/*
 * Fetch what forgetting the next answers will touch: the next but one, and of the
 * next one, which was fetched the time before, where it points.
 */
static void prefetch_oldest(const struct dns_cache *cache)
{
	const struct slot *next = cache->oldest->newer;

	if (!next)
		return;
	prefetch_bucket(cache, next->hh.hashv);
	__builtin_prefetch(next->name, 1);
	if (next->newer) {
		__builtin_prefetch(&next->newer->hh, 1);
		__builtin_prefetch(&next->newer->hh.hh_next, 1);
		__builtin_prefetch(&next->newer->newer, 1);
	}
}

static struct slot *find_first(const struct dns_cache *cache, const struct key *key)
{
	struct slot *first;

	prefetch_first(cache, key->hash);
	HASH_FIND_BYHASHVALUE(hh, cache->table, key->bytes, key->length, key->hash, first);
	return first;
}

static struct name *name_new(const struct dns_cache *cache, const uint8_t *wire, size_t length)
{
	struct name *name = malloc(sizeof(*name) + length);

	if (!name)
		return NULL;
	name->holders = 1;
	name->hash = hash_name(cache->seed, wire, length);
	name->length = (uint8_t)length;
	memcpy(name->wire, wire, length);
	return name;
}

static void name_put(struct name *name)
{
	if (!--name->holders)
		free(name);
}

static void use_unlink(struct dns_cache *cache, struct slot *slot)
{
	*(slot->newer ? &slot->newer->older : &cache->newest) = slot->older;
	*(slot->older ? &slot->older->newer : &cache->oldest) = slot->newer;
}

static void use_link(struct dns_cache *cache, struct slot *slot)
{
	slot->newer = NULL;
	slot->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = slot;
	cache->newest = slot;
}

static void use_now(struct dns_cache *cache, struct slot *slot)
{
	if (cache->newest == slot)
		return;
	use_unlink(cache, slot);
	use_link(cache, slot);
}

/* Let slot stand where other stands in the order of use. */
static void use_replace(struct dns_cache *cache, struct slot *other, struct slot *slot)
{
	slot->newer = other->newer;
	slot->older = other->older;
	*(slot->newer ? &slot->newer->older : &cache->newest) = slot;
	*(slot->older ? &slot->older->newer : &cache->oldest) = slot;
}

/* What an answer for an address is, but for its places: in the table, in use, among others. */
static void copy_answer(struct slot *to, const struct slot *from)
{
	to->name = from->name;
	to->name_length = from->name_length;
	to->known_ns = from->known_ns;
	to->receiver = from->receiver;
}

/*
 * Move the next answer of the same address into slot, whose own has been dropped; it keeps its
 * place in the order of use.
 */
static void inherit(struct dns_cache *cache, struct slot *slot)
{
	struct slot *heir = slot->next;

	copy_answer(slot, heir);
	slot->next = heir->next;
	use_replace(cache, heir, slot);
}

/*
 * Use an answer, which previous (NULL: none) stands before: it is the last of its address then.
 * Returns where it lies now: the first slot of an address stays in the table.
 */
static struct slot *use(struct dns_cache *cache, struct slot *previous, struct slot *slot)
{
	struct slot *last = slot->next;

	if (!last) {
		use_now(cache, slot);
		return slot;
	}
	use_unlink(cache, slot);
	if (previous) {
		previous->next = slot->next;
	} else {
		const struct slot used = *slot;
		struct slot *first = slot;

		slot = slot->next;
		last = first;
		inherit(cache, first);
		copy_answer(slot, &used);
	}
	while (last->next)
		last = last->next;
	last->next = slot;
	slot->next = NULL;
	use_link(cache, slot);
	return slot;
}

static void forget(struct dns_cache *cache, struct slot *slot)
{
	use_unlink(cache, slot);
	name_put(slot->name);
	cache->count--;
	if (slot->hh.tbl && slot->next) {
		/* The table needs no memory, and so cannot fail, when the heir moves in here. */
		struct slot *heir = slot->next;

		inherit(cache, slot);
		slot = heir;
	} else if (slot->hh.tbl) {
		HASH_DELETE(hh, cache->table, slot);
	} else {
		struct slot *previous;

		HASH_FIND_BYHASHVALUE(hh, cache->table, slot->address, slot->hh.keylen,
				      slot->hh.hashv, previous);
		while (previous && previous->next != slot)
			previous = previous->next;
		if (previous) /* it is in the chain of its address */
			previous->next = slot->next;
	}
	slot_free(&cache->slots, slot);
}

static void renew(const struct dns_cache *cache, struct slot *slot, const uint8_t *wire,
		  uint64_t time_ns)
{
	memmove(slot->name->wire, wire, slot->name_length); /* it may be the same name */
	if (time_ns > slot->receiver.time_ns) {
		uint64_t since = time_ns - slot->receiver.time_ns;
		uint64_t known = since > cache->age_ns ? 0 : slot->known_ns + since;

		slot->known_ns = known < KNOWN_MAX ? known : KNOWN_MAX;
		slot->receiver.time_ns = time_ns;
	}
}

/*
 * Put a new answer behind the last one of its address, or into the table when there
 * is none. Takes a hold on name. Returns 0 or -ENOMEM.
 */
static int add(struct dns_cache *cache, const struct key *key, struct slot *last, struct name *name,
	       const struct dns_receiver *receiver)
{
	struct slot *slot = slot_new(&cache->slots);

	if (!slot)
		return -ENOMEM;
	memcpy(slot->address, key->bytes, 16);
	slot->next = NULL;
	if (last) {
		slot->hh.tbl = NULL;
		slot->hh.keylen = key->length;
		slot->hh.hashv = key->hash;
		last->next = slot;
	} else {
		HASH_ADD_KEYPTR_BYHASHVALUE(hh, cache->table, slot->address, key->length, key->hash,
					    slot);
		if (!slot->hh.tbl) {
			slot_free(&cache->slots, slot);
			return -ENOMEM;
		}
	}
	slot->name = name;
	slot->name_length = name->length;
	name->holders++;
	slot->receiver = *receiver;
	slot->known_ns = 0;
	use_link(cache, slot);
	cache->count++;
	return 0;
}

static int insert(struct dns_cache *cache, const struct key *key, struct name *name,
		  const struct dns_receiver *receiver)
{
	struct slot *first, *last = NULL, *own = NULL;
	unsigned held = 0;

	first = find_first(cache, key);
	for (struct slot *slot = first; slot; slot = slot->next) {
		bool same_netns = slot->receiver.netns == receiver->netns;

		if (same_netns && slot->receiver.tgid == receiver->tgid &&
		    slot->name_length == name->length && slot->name->hash == name->hash &&
		    dns_name_equal(slot->name->wire, name->wire, name->length)) {
			renew(cache, slot, name->wire, receiver->time_ns);
			use(cache, last, slot);
			return 0;
		}
		if (same_netns && !own)
			own = slot;
		last = slot;
		held++;
	}
	if (held == DNS_CACHE_PER_ADDRESS)
		forget(cache, own ? own : first);
	else if (cache->count == cache->limit) {
		prefetch_oldest(cache);
		forget(cache, cache->oldest);
	} else {
		return add(cache, key, last, name, receiver);
	}

	/* What was forgotten may have been of this address. */
	last = first ? find_first(cache, key) : NULL;
	while (last && last->next)
		last = last->next;
	return add(cache, key, last, name, receiver);
}

struct dns_cache *dns_cache_new(size_t answers, uint64_t age_ns, const uint8_t seed[16])
{
	struct dns_cache *cache = calloc(1, sizeof(*cache));
	unsigned spare;

	if (!cache)
		return NULL;
	cache->limit = answers ? answers : 1;
	slots_init(&cache->slots, cache->limit >= LARGE_ANSWERS);
	/* Twice as many buckets as answers, or four times, so that most hold one at most. */
	spare = cache->limit < LARGE_ANSWERS ? 1 : 2;
	cache->buckets_log2 = 5;
	while (cache->buckets_log2 < 31 && cache->limit > (size_t)1
								  << (cache->buckets_log2 - spare))
		cache->buckets_log2++;
	cache->age_ns = age_ns;
	memcpy(cache->seed, seed, sizeof(cache->seed));
	return cache;
}

void dns_cache_free(struct dns_cache *cache)
{
	if (!cache)
		return;
	for (struct slot *slot = cache->newest; slot; slot = slot->older)
		name_put(slot->name);
	HASH_CLEAR(hh, cache->table);
	slots_free(&cache->slots);
	free(cache);
}

/* Keys for up to TOGETHER addresses, their places in memory fetched. Returns for how many. */
static unsigned prepare(const struct dns_cache *cache, const struct dns_address *addresses,
			size_t count, struct key *keys)
{
	unsigned some = count < TOGETHER ? (unsigned)count : TOGETHER;

	for (unsigned i = 0; i < some; i++) {
		make_key(cache, &addresses[i], &keys[i]);
		prefetch_bucket(cache, keys[i].hash);
	}
	for (unsigned i = 0; i < some; i++)
		prefetch_first(cache, keys[i].hash);
	return some;
}

int dns_cache_insert(struct dns_cache *cache, const uint8_t *wire, size_t length,
		     const struct dns_address *addresses, size_t count,
		     const struct dns_receiver *receiver)
{
	unsigned ready = 0, next = 0;
	struct key keys[TOGETHER];
	struct name *name;
	int error = 0;

	if (!count)
		return 0;
	name = name_new(cache, wire, length);
	if (!name)
		return -ENOMEM;
	for (size_t i = 0; i < count && !error; i++) {
		if (next == ready) {
			ready = prepare(cache, addresses + i, count - i, keys);
			next = 0;
		}
		error = insert(cache, &keys[next++], name, receiver);
	}
	name_put(name);
	return error;
}

/*
 * Whether the slot's answer had been told by the time of a connect, and to whom and when. Of one
 * renewed since, the last time before the connect is not known any more: receiver then has the
 * connect's own.
 */
static bool told_by(const struct slot *slot, uint64_t time_ns, struct dns_receiver *receiver)
{
	*receiver = slot->receiver;
	if (receiver->time_ns <= time_ns)
		return true;
	if (slot->known_ns < receiver->time_ns - time_ns)
		return false;
	receiver->time_ns = time_ns;
	return true;
}

bool dns_cache_lookup(struct dns_cache *cache, const struct dns_address *address,
		      const struct dns_connector *connector, struct dns_match *match)
{
	enum dns_tie best_tie = DNS_TIE_NONE;
	struct dns_receiver receiver, best_receiver = {0};
	struct slot *best = NULL, *before_best = NULL, *previous = NULL;
	struct key key;

	make_key(cache, address, &key);
	for (struct slot *slot = find_first(cache, &key); slot; slot = slot->next) {
		enum dns_tie tie;

		if (told_by(slot, connector->time_ns, &receiver) &&
		    connector->time_ns - receiver.time_ns <= cache->age_ns) {
			tie = dns_tie(connector, &receiver);
			if (!best || dns_better(tie, &receiver, best_tie, &best_receiver)) {
				best = slot;
				before_best = previous;
				best_tie = tie;
				best_receiver = receiver;
			}
		}
		previous = slot;
	}
	if (!best)
		return false;
	best = use(cache, before_best, best);
	match->wire = best->name->wire;
	match->length = best->name_length;
	match->age_ns = connector->time_ns - best_receiver.time_ns;
	match->age_unknown = best->receiver.time_ns > connector->time_ns;
	match->tie = best_tie;
	return true;
}

size_t dns_cache_count(const struct dns_cache *cache)
{
	return cache->count;
}
