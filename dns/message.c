/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "dns/wire.h"

/* Flags of the header's second 16 bits (RFC 1035 4.1.1). */
#define FLAG_QR     0x8000
#define MASK_OPCODE 0x7800
#define FLAG_TC     0x0200
#define MASK_RCODE  0x000f

static enum dns_status refuse(struct dns_answer *out, enum dns_why why)
{
	out->why = why;
	out->count = 0;
	return why < DNS_WHY_SHORT ? DNS_IGNORED : DNS_MALFORMED;
}

/* Returns DNS_WHY_WHOLE, or why the message is none of ours. */
static enum dns_why check_header(const uint8_t *msg)
{
	unsigned flags = dns_get16(msg + 2);

	if (!(flags & FLAG_QR))
		return DNS_WHY_QUERY;
	if (flags & MASK_OPCODE)
		return DNS_WHY_OPCODE;
	if (flags & MASK_RCODE)
		return DNS_WHY_RCODE;
	if (dns_get16(msg + 4) != 1)
		return DNS_WHY_QUESTIONS;
	return DNS_WHY_WHOLE;
}

/* The question, behind the header; *next is set to the offset behind it. */
static enum dns_why read_question(const struct dns_view *view, unsigned *next,
				  struct dns_answer *out)
{
	uint16_t first;
	enum dns_why why = dns_name_check(view, DNS_HEADER_SIZE, next, &first);

	if (why != DNS_WHY_WHOLE)
		return why;
	if (view->end - *next < 4)
		return DNS_WHY_SHORT;
	if (dns_get16(view->msg + *next + 2) != DNS_CLASS_IN)
		return DNS_WHY_CLASS;
	/* No pointer can be in it: there is nothing between header and question to point at. */
	out->question.length = (uint8_t)(*next - DNS_HEADER_SIZE);
	memcpy(out->question.wire, view->msg + DNS_HEADER_SIZE, out->question.length);
	out->question_type = (uint16_t)dns_get16(view->msg + *next);
	*next += 4;
	return DNS_WHY_WHOLE;
}

/*
 * The answer section as servers write it: each CNAME behind the one that leads to
 * it, addresses last. Then one name, the chain's last, is all there is to compare
 * with, mostly by its offset alone. What is in another order goes the long way.
 * A DNAME can only put further names on the chain: as long as each address is that of
 * a name which is on it already, by the CNAME that servers send with a DNAME (RFC 6672
 * 3.1), it changes nothing.
 */
static enum dns_why read_answers(const struct dns_view *view, unsigned at, unsigned count,
				 struct dns_answer *out)
{
	unsigned start = at, left, tail = DNS_HEADER_SIZE;

	for (left = count; left; left--) {
		struct dns_record record;
		enum dns_why why = dns_record_read(view, at, tail, &record);

		if (why != DNS_WHY_WHOLE)
			return why;
		at = record.next;
		if (!record.type || record.type == DNS_TYPE_DNAME)
			continue;
		if (record.owner != tail &&
		    !dns_same_name(view->msg, record.owner, view->msg, tail))
			break;
		if (record.type == DNS_TYPE_CNAME)
			tail = record.target;
		else
			dns_record_addresses(view, &record, out);
	}
	if (!left)
		return DNS_WHY_WHOLE;
	out->count = 0;
	return dns_chain_follow(view, start, count, out);
}

enum dns_status dns_parse(const uint8_t *msg, size_t captured, size_t wire_length,
			  struct dns_answer *out)
{
	struct dns_view view = {.msg = msg};
	enum dns_why why;
	unsigned next;
	bool cut;

	if (wire_length < DNS_HEADER_SIZE)
		return refuse(out, DNS_WHY_SHORT);
	if (captured > wire_length)
		captured = wire_length;
	if (captured > DNS_MESSAGE_MAX)
		captured = DNS_MESSAGE_MAX;
	if (captured < DNS_HEADER_SIZE)
		return refuse(out, DNS_WHY_NOTHING_CAPTURED);
	view.end = (unsigned)captured;
	why = check_header(msg);
	if (why != DNS_WHY_WHOLE)
		return refuse(out, why);

	cut = captured < wire_length || dns_get16(msg + 2) & FLAG_TC;
	why = read_question(&view, &next, out);
	if (why == DNS_WHY_SHORT && cut)
		why = DNS_WHY_NOTHING_CAPTURED;
	if (why != DNS_WHY_WHOLE)
		return refuse(out, why);

	out->count = 0;
	why = read_answers(&view, next, dns_get16(msg + 6), out);
	if (why == DNS_WHY_SHORT && cut)
		why = DNS_WHY_CUT;
	if (why > DNS_WHY_CUT)
		return refuse(out, why);
	out->why = why;
	return DNS_OK;
}

const char *dns_why_text(enum dns_why why)
{
	switch (why) {
	case DNS_WHY_WHOLE:
		return "whole";
	case DNS_WHY_CUT:
		return "cut short";
	case DNS_WHY_NOTHING_CAPTURED:
		return "the capture ends before the question does";
	case DNS_WHY_QUERY:
		return "a query";
	case DNS_WHY_OPCODE:
		return "not a standard query";
	case DNS_WHY_RCODE:
		return "an error answer";
	case DNS_WHY_QUESTIONS:
		return "not exactly one question";
	case DNS_WHY_CLASS:
		return "not of class IN";
	case DNS_WHY_SHORT:
		return "ends too early";
	case DNS_WHY_LABEL:
		return "bad label type";
	case DNS_WHY_POINTER:
		return "bad compression pointer";
	case DNS_WHY_JUMPS:
		return "too many compression pointers";
	case DNS_WHY_NAME_LENGTH:
		return "name too long";
	case DNS_WHY_RDATA:
		return "RDATA does not fit its type";
	case DNS_WHY_SVCPARAM:
		return "bad service parameters";
	}
	return "unknown";
}
