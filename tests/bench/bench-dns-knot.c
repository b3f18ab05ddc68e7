/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench-dns.h"

#ifdef HAVE_LIBKNOT

#include <string.h>
#include <libknot/libknot.h>
#include <libknot/rrtype/svcb.h>

#define CHAIN_MAX 32

/*
 * The fastest memory libknot can get: a bump of a pointer, freed as a whole before
 * the next message.
 */
static uint8_t arena[1 << 20];
static size_t arena_used;

static void *arena_alloc(void *ctx, size_t size)
{
	void *memory = arena + arena_used;

	(void)ctx;
	size = (size + 15) & ~(size_t)15;
	if (size > sizeof(arena) - arena_used)
		return NULL;
	arena_used += size;
	return memory;
}

static void arena_free(void *memory)
{
	(void)memory;
}

static void append(struct taken *out, uint8_t family, const uint8_t *bytes)
{
	struct dns_address *address;

	if (out->count == DNS_ADDRESSES_MAX)
		return;
	address = &out->addresses[out->count++];
	address->family = family;
	memset(address->bytes, 0, 16);
	memcpy(address->bytes, bytes, family == 6 ? 16 : 4);
}

static void append_hints(struct taken *out, const knot_rdata_t *rdata)
{
	const uint8_t *at = rdata->data, *end = at + rdata->len;
	bool alias = !knot_wire_read_u16(at);

	at += 2;
	at += knot_dname_size(at);
	if (alias)
		return;
	while (end - at >= 4) {
		unsigned key = knot_wire_read_u16(at), length = knot_wire_read_u16(at + 2);
		unsigned size = key == 6 ? 16 : 4;

		at += 4;
		if (length > end - at)
			return;
		if (key == 4 || key == 6) {
			for (unsigned i = 0; i + size <= length; i += size)
				append(out, size == 16 ? 6 : 4, at + i);
		}
		at += length;
	}
}

/* The chain's names so far, each held against all records, as a user of libknot would. */
static void follow(const knot_pktsection_t *answers, const knot_dname_t **chain, bool *reached)
{
	unsigned names = 1;

	for (unsigned name = 0; name < names; name++) {
		for (unsigned i = 0; i < answers->count; i++) {
			const knot_rrset_t *rr = knot_pkt_rr(answers, (uint16_t)i);

			if (reached[i] || rr->rclass != KNOT_CLASS_IN ||
			    !knot_dname_is_case_equal(rr->owner, chain[name]))
				continue;
			reached[i] = true;
			if (rr->type == KNOT_RRTYPE_CNAME && names < CHAIN_MAX)
				chain[names++] = knot_cname_name(rr->rrs.rdata);
		}
	}
}

static bool take(const uint8_t *bytes, size_t size, struct taken *out)
{
	knot_mm_t mm = {NULL, arena_alloc, arena_free};
	const knot_dname_t *chain[CHAIN_MAX];
	const knot_pktsection_t *answers;
	bool reached[512];
	knot_pkt_t *pkt;

	arena_used = 0;
	pkt = knot_pkt_new((void *)(uintptr_t)bytes, (uint16_t)size, &mm);
	if (!pkt || knot_pkt_parse(pkt, KNOT_PF_KEEPWIRE | KNOT_PF_NOCANON) != KNOT_EOK ||
	    !knot_wire_get_qr(pkt->wire) || knot_wire_get_rcode(pkt->wire))
		return false;
	if (!knot_dname_to_str(out->question, knot_pkt_wire_qname(pkt), sizeof(out->question)))
		return false;
	out->question[strlen(out->question) - 1] = '\0';
	answers = knot_pkt_section(pkt, KNOT_ANSWER);
	if (answers->count > sizeof(reached))
		return false;
	memset(reached, 0, answers->count);
	chain[0] = knot_pkt_wire_qname(pkt);
	follow(answers, chain, reached);
	out->count = 0;
	for (unsigned i = 0; i < answers->count; i++) {
		const knot_rrset_t *rr = knot_pkt_rr(answers, (uint16_t)i);

		if (!reached[i])
			continue;
		if (rr->type == KNOT_RRTYPE_A)
			append(out, 4, rr->rrs.rdata->data);
		else if (rr->type == KNOT_RRTYPE_AAAA)
			append(out, 6, rr->rrs.rdata->data);
		else if (rr->type == KNOT_RRTYPE_HTTPS || rr->type == KNOT_RRTYPE_SVCB)
			append_hints(out, rr->rrs.rdata);
	}
	return true;
}

take_fn *const bench_knot = take;
const char *const bench_missing_knot = NULL;

#else

take_fn *const bench_knot = NULL;
const char *const bench_missing_knot = "not found when this was built: libknot-dev";

#endif
