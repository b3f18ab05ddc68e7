/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_DNS_SLOT_H
#define TCPCONNECT_DNS_SLOT_H

/*
 * Internal to the room: what the cache holds of an answer, and the memory for that, which lies so
 * that a look-up waits for as little of it as may be.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "dns/attribution.h"

/*
 * Memory for free(3), or NULL. Of two megabytes and more it is asked to lie in huge pages: a large
 * cache touches it at random, and would wait for page tables as often as for the memory itself.
 */
void *slot_memory(size_t alignment, size_t size);

static inline int slot_key_differs(const void *a, const void *b, size_t length)
{
	/* Keys are 4 or 16 bytes; with sizes it knows, the compiler compares in place. */
	if (length == 4)
		return memcmp(a, b, 4) != 0;
	return memcmp(a, b, 16) != 0;
}

#define uthash_malloc(size)       slot_memory(64, size)
#define HASH_KEYCMP(a, b, length) slot_key_differs(a, b, length)
#define HASH_NONFATAL_OOM         1 /* a slot that found no room has hh.tbl == NULL */
#include <uthash.h>

/* Shared by the addresses of one message, and no longer than it has to be. */
struct name {
	uint32_t holders;
	uint32_t hash; /* so that a server cannot choose names that take long to tell apart */
	uint8_t length;
	uint8_t wire[];
};

/*
 * One answer. What a look-up reads, from hh.hh_next on to the receiver, lies in one
 * line of the processor's cache, and what using it writes in the next one, which
 * mostly comes along: slots begin at the end of a pair of lines. The length of hh's
 * key, 4 or 16, tells the address' family.
 */
struct slot {
	UT_hash_handle hh;   /* in the table, with tbl set: the first answer of its address */
	struct slot *next;   /* of the same address, in the order of use */
	uint8_t address[16]; /* network byte order */
	struct dns_receiver receiver;
	struct slot *newer, *older; /* by use; newer chains the free slots */
	struct name *name;
	uint64_t name_length : 8; /* as in name, which a look-up then need not touch */
	/* How long before receiver.time_ns it had been told first, without a gap of cache.age_ns.
	 */
	uint64_t known_ns : 56;
};

/* Slots come in slabs, and go on being used until all are freed. */
struct slots {
	struct slot *free;
	struct slab *slabs;
	size_t slab_size;
};

/* large: slabs of the size of a huge page, in the place of 8 kB. */
void slots_init(struct slots *slots, bool large);
/* A slot, its contents undefined; NULL when memory is short. */
struct slot *slot_new(struct slots *slots);
void slot_free(struct slots *slots, struct slot *slot);
void slots_free(struct slots *slots);

#endif
