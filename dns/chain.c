/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "dns/wire.h"

/*
 * The chain from the question to its addresses when the answer section is in no
 * particular order, or holds records that have nothing to do with the question.
 *
 * The names on the chain are the smallest set that has the question's name and,
 * with each name, where CNAME and DNAME records lead from it. They are queued; each
 * is held against all records once. Hashes keep that cheap; the budget keeps it
 * bounded where somebody has gone to the trouble of making names whose hashes collide.
 */

#define SUBSTITUTED_MAX 16   /* names made by DNAME; a loop of them would make ever longer ones */
#define COMPARE_BUDGET  2048 /* pairs of names compared byte by byte */

/* A name on the chain: in the message, or made by a DNAME, then in chain.made. */
struct member {
	const uint8_t *base;
	uint16_t offset;
	uint8_t length; /* uncompressed, with the root */
	uint32_t hash;
};

struct candidate {
	struct dns_record record;
	uint32_t owner_hash;
	uint8_t owner_length;
	bool reached; /* its owner is on the chain */
};

struct chain {
	const struct dns_view *view;
	unsigned candidates, members, substituted, budget;
	struct candidate candidate[DNS_RECORDS_MAX];
	struct member member[1 + DNS_RECORDS_MAX + SUBSTITUTED_MAX];
	uint8_t made[SUBSTITUTED_MAX][DNS_NAME_MAX];
};

/* Setting the case bit makes more bytes equal than folding does, which a hash may. */
static uint32_t hash_label(uint32_t hash, const uint8_t *label, unsigned length)
{
	uint64_t chunk, mixed = hash;

	for (; length >= 8; length -= 8, label += 8) {
		memcpy(&chunk, label, 8);
		mixed = (mixed ^ (chunk | 0x2020202020202020)) * 0x9e3779b97f4a7c15;
		mixed ^= mixed >> 32;
	}
	for (chunk = length + 1; length; length--)
		chunk = chunk << 8 | *label++ | 0x20;
	mixed = (mixed ^ chunk) * 0x9e3779b97f4a7c15;
	return (uint32_t)(mixed >> 32);
}

/* Of a well formed name; *length is set to what it takes uncompressed. */
static uint32_t hash_name(const uint8_t *base, unsigned at, uint8_t *length)
{
	uint32_t hash = 0;
	unsigned all = 1;

	for (;;) {
		unsigned label;

		at = dns_label_at(base, at);
		label = base[at];
		if (!label)
			break;
		hash = hash_label(hash, base + at + 1, label);
		at += label + 1;
		all += label + 1;
	}
	*length = (uint8_t)all;
	return hash;
}

/*
 * Copy labels of a well formed name, uncompressed, until size bytes are copied or
 * would be exceeded. Returns how many were; *at is set to where the next label is.
 */
static unsigned copy_labels(uint8_t *out, const uint8_t *base, unsigned *at, unsigned size)
{
	unsigned used = 0;

	while (used < size) {
		unsigned label;

		*at = dns_label_at(base, *at);
		label = base[*at] + 1;
		if (label > size - used)
			break;
		memcpy(out + used, base + *at, label);
		used += label;
		*at += label;
	}
	return used;
}

static bool same(struct chain *chain, const uint8_t *a_base, unsigned a, const uint8_t *b_base,
		 unsigned b)
{
	if (!chain->budget)
		return false;
	chain->budget--;
	return dns_same_name(a_base, a, b_base, b);
}

/* Queue a name unless it is there. Returns whether it is new. */
static bool add_member(struct chain *chain, const uint8_t *base, unsigned offset)
{
	struct member *added = &chain->member[chain->members];

	added->base = base;
	added->offset = (uint16_t)offset;
	added->hash = hash_name(base, offset, &added->length);
	for (const struct member *member = chain->member; member < added; member++) {
		if (member->hash == added->hash &&
		    same(chain, member->base, member->offset, base, offset))
			return false;
	}
	chain->members++;
	return true;
}

/*
 * RFC 6672 2.2: a name below the DNAME's owner (not the owner itself) has the
 * owner's labels replaced by the target's.
 */
static void substitute(struct chain *chain, const struct member *member,
		       const struct candidate *dname)
{
	const uint8_t *msg = chain->view->msg;
	unsigned at = member->offset, target = dname->record.target, prefix;
	uint8_t target_length, *made;

	if (chain->substituted == SUBSTITUTED_MAX || member->length <= dname->owner_length ||
	    !chain->budget)
		return;
	chain->budget--;
	made = chain->made[chain->substituted];
	prefix = member->length - dname->owner_length;
	if (copy_labels(made, member->base, &at, prefix) != prefix ||
	    !same(chain, member->base, at, msg, dname->record.owner))
		return;
	hash_name(msg, target, &target_length);
	/* The name has no room for the target: the chain ends here (YXDOMAIN). */
	if (prefix + target_length > DNS_NAME_MAX)
		return;
	copy_labels(made + prefix, msg, &target, target_length);
	if (add_member(chain, made, 0))
		chain->substituted++;
}

/* Hold one name of the chain against all records. */
static void reach(struct chain *chain, const struct member *member)
{
	const uint8_t *msg = chain->view->msg;

	for (unsigned i = 0; i < chain->candidates; i++) {
		struct candidate *candidate = &chain->candidate[i];
		const struct dns_record *record = &candidate->record;

		if (record->type == DNS_TYPE_DNAME) {
			substitute(chain, member, candidate);
			continue;
		}
		if (candidate->reached || candidate->owner_hash != member->hash ||
		    !same(chain, member->base, member->offset, msg, record->owner))
			continue;
		candidate->reached = true;
		if (record->type == DNS_TYPE_CNAME)
			add_member(chain, msg, record->target);
	}
}

/* Keep the records that can matter. Returns what ended the reading. */
static enum dns_why collect(struct chain *chain, unsigned at, unsigned count)
{
	const struct dns_view *view = chain->view;
	unsigned trusted = DNS_HEADER_SIZE;
	uint8_t trusted_length;
	uint32_t trusted_hash = hash_name(view->msg, trusted, &trusted_length);

	for (; count; count--) {
		struct candidate *candidate = &chain->candidate[chain->candidates];
		struct dns_record *record = &candidate->record;
		enum dns_why why = dns_record_read(view, at, trusted, record);

		if (why != DNS_WHY_WHOLE)
			return why;
		at = record->next;
		if (!record->type)
			continue;
		/* Not to be reached: no further record fits in the view. */
		if (chain->candidates == DNS_RECORDS_MAX - 1)
			return DNS_WHY_SHORT;
		/* Records of one name mostly stand together. */
		if (record->owner != trusted) {
			trusted = record->owner;
			trusted_hash = hash_name(view->msg, trusted, &trusted_length);
		}
		candidate->owner_hash = trusted_hash;
		candidate->owner_length = trusted_length;
		candidate->reached = false;
		chain->candidates++;
	}
	return DNS_WHY_WHOLE;
}

enum dns_why dns_chain_follow(const struct dns_view *view, unsigned at, unsigned count,
			      struct dns_answer *out)
{
	struct chain chain;
	enum dns_why why;

	chain.view = view;
	chain.candidates = chain.members = chain.substituted = 0;
	chain.budget = COMPARE_BUDGET;
	why = collect(&chain, at, count);
	if (why > DNS_WHY_CUT && why != DNS_WHY_SHORT)
		return why;

	add_member(&chain, view->msg, DNS_HEADER_SIZE);
	for (unsigned i = 0; i < chain.members; i++)
		reach(&chain, &chain.member[i]);
	for (unsigned i = 0; i < chain.candidates; i++) {
		if (chain.candidate[i].reached)
			dns_record_addresses(view, &chain.candidate[i].record, out);
	}
	return why;
}
