/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_DNS_CACHE_H
#define TCPCONNECT_DNS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dns/attribution.h"
#include "dns/message.h"

#define DNS_CACHE_ANSWERS 10240
#define DNS_CACHE_AGE_NS  (24ULL * 60 * 60 * 1000000000)

/*
 * How many answers one address holds at most, so that a look-up touches no more.
 * A further one takes the place of the least recently used of its network namespace, and only
 * where that has none, of any: those of others do not push out what a process goes on using.
 */
#define DNS_CACHE_PER_ADDRESS 32

/*
 * Addresses and the names they were given for. One answer is an address, a name,
 * who received it (process, network namespace) and when; it is used or forgotten
 * as a whole. The TTL that a server gave plays no part: what counts is what a
 * process was told, and programs keep addresses for longer than they should.
 *
 * Nothing here reads a clock: time comes in with each call. Memory: with the first
 * answer, a hash table for all that may be held (32 to 64 bytes each; twice that
 * from 65,536 answers on); then 128 bytes for each answer, and the name, which the
 * addresses of one message share. A full cache of 10,240 names of usual length takes
 * 2.4 MB. An IPv4-mapped IPv6 address (::ffff:a.b.c.d, RFC 4291 2.5.5.2) is taken for
 * the IPv4 address inside.
 */
struct dns_cache;

/*
 * answers: how many to hold (0 is taken for 1). age_ns: an answer older than this is never
 * used. seed: 16 random bytes, so that nobody outside can choose addresses that
 * collide in the hash table.
 * Returns a cache that the caller owns, or NULL when memory is short.
 */
struct dns_cache *dns_cache_new(size_t answers, uint64_t age_ns, const uint8_t seed[16]);
/* NULL is allowed. */
void dns_cache_free(struct dns_cache *cache);

/*
 * Remember that receiver was told: name has these addresses. wire, length: as in
 * struct dns_name; copied. Same address, name (whatever its case), process and
 * namespace as an answer held: that one's time and spelling are renewed (the spelling
 * for all addresses of its message), its time never goes back. When the cache is full, the least
 * recently used answer makes room: used means inserted, renewed, or returned by a look-up.
 *
 * Returns 0, or -ENOMEM: the addresses up to there are in, the cache stays sound.
 */
int dns_cache_insert(struct dns_cache *cache, const uint8_t *wire, size_t length,
		     const struct dns_address *addresses, size_t count,
		     const struct dns_receiver *receiver);

struct dns_match {
	const uint8_t *wire; /* the name; the cache's, until the next insert or free */
	size_t length;
	uint64_t age_ns;  /* from the answer to the connect; 0 with age_unknown */
	bool age_unknown; /* the same receiver was told the same since the connect, too */
	enum dns_tie tie; /* never DNS_TIE_NONE */
};

/*
 * The answer that names a connect to address best, by the rule of attribution.h,
 * among those not later than the connect and not older than the age limit then. One that was
 * renewed since counts as long as it had been told before: an outcome is known later than its
 * attempt began.
 * Returns whether there is one; *match is set only then. An answer found, and it
 * alone, counts as used.
 */
bool dns_cache_lookup(struct dns_cache *cache, const struct dns_address *address,
		      const struct dns_connector *connector, struct dns_match *match);

/* How many answers are held; those past the age limit count until their place is needed. */
size_t dns_cache_count(const struct dns_cache *cache);

#endif
