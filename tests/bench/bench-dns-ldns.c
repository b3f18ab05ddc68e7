/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench-dns.h"

#ifdef HAVE_LDNS

#include <stdlib.h>
#include <string.h>
#include <ldns/ldns.h>

#define CHAIN_MAX 32

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

/* ldns 1.8 hands the parameters out as one piece: key, length, value, and so on. */
static void append_hints(struct taken *out, const ldns_rr *rr)
{
	const ldns_rdf *params = ldns_rr_rd_count(rr) > 2 ? ldns_rr_rdf(rr, 2) : NULL;
	const uint8_t *at, *end;

	if (!params || !ldns_rdf2native_int16(ldns_rr_rdf(rr, 0)))
		return;
	at = ldns_rdf_data(params);
	end = at + ldns_rdf_size(params);
	while (end - at >= 4) {
		unsigned key = ldns_read_uint16(at), length = ldns_read_uint16(at + 2);
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

static void follow(const ldns_rr_list *answers, const ldns_rdf **chain, bool *reached)
{
	unsigned names = 1;

	for (unsigned name = 0; name < names; name++) {
		for (size_t i = 0; i < ldns_rr_list_rr_count(answers); i++) {
			const ldns_rr *rr = ldns_rr_list_rr(answers, i);

			if (reached[i] || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN ||
			    ldns_dname_compare(ldns_rr_owner(rr), chain[name]))
				continue;
			reached[i] = true;
			if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME && names < CHAIN_MAX)
				chain[names++] = ldns_rr_rdf(rr, 0);
		}
	}
}

static void collect(const ldns_rr_list *answers, const bool *reached, struct taken *out)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(answers); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answers, i);

		if (!reached[i])
			continue;
		switch (ldns_rr_get_type(rr)) {
		case LDNS_RR_TYPE_A:
			append(out, 4, ldns_rdf_data(ldns_rr_rdf(rr, 0)));
			break;
		case LDNS_RR_TYPE_AAAA:
			append(out, 6, ldns_rdf_data(ldns_rr_rdf(rr, 0)));
			break;
		case LDNS_RR_TYPE_SVCB:
		case LDNS_RR_TYPE_HTTPS:
			append_hints(out, rr);
			break;
		default:
			break;
		}
	}
}

static bool take(const uint8_t *bytes, size_t size, struct taken *out)
{
	const ldns_rr_list *answers;
	const ldns_rdf *chain[CHAIN_MAX];
	const ldns_rr *question;
	bool reached[512] = {false};
	ldns_pkt *pkt;
	char *text;
	size_t length;

	if (ldns_wire2pkt(&pkt, bytes, size) != LDNS_STATUS_OK)
		return false;
	answers = ldns_pkt_answer(pkt);
	question = ldns_rr_list_rr(ldns_pkt_question(pkt), 0);
	if (!ldns_pkt_qr(pkt) || ldns_pkt_get_rcode(pkt) || !question ||
	    ldns_rr_list_rr_count(answers) > 512) {
		ldns_pkt_free(pkt);
		return false;
	}
	text = ldns_rdf2str(ldns_rr_owner(question));
	length = strlen(text);
	memcpy(out->question, text, length);
	out->question[length - 1] = '\0'; /* in place of the last dot */
	free(text);
	chain[0] = ldns_rr_owner(question);
	follow(answers, chain, reached);
	out->count = 0;
	collect(answers, reached, out);
	ldns_pkt_free(pkt);
	return true;
}

take_fn *const bench_ldns = take;
const char *const bench_missing_ldns = NULL;

#else

take_fn *const bench_ldns = NULL;
const char *const bench_missing_ldns = "not found when this was built: libldns-dev";

#endif
