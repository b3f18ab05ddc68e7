/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "dns/wire.h"

#define SVC_IPV4HINT 4 /* RFC 9460 14.3.2 */
#define SVC_IPV6HINT 6

static void append(struct dns_answer *out, uint8_t family, const uint8_t *bytes)
{
	struct dns_address *address;

	if (out->count >= DNS_ADDRESSES_MAX)
		return;
	address = &out->addresses[out->count++];
	address->family = family;
	if (family == 6) {
		memcpy(address->bytes, bytes, 16);
		return;
	}
	memset(address->bytes, 0, 16);
	memcpy(address->bytes, bytes, 4);
}

static void append_list(struct dns_answer *out, uint8_t family, const uint8_t *bytes,
			unsigned length)
{
	unsigned size = family == 6 ? 16 : 4;

	for (; length >= size; length -= size, bytes += size)
		append(out, family, bytes);
}

/*
 * SVCB and HTTPS (RFC 9460 2.2). With out == NULL the record is only checked; else
 * the addresses of its hints are appended.
 */
static enum dns_why service(const struct dns_view *view, const struct dns_record *record,
			    struct dns_answer *out)
{
	const uint8_t *rdata = view->msg + record->rdata;
	unsigned at = 2, end = record->rdlength;
	int last_key = -1;

	for (; at < end && rdata[at]; at += 1 + rdata[at]) {
		if (dns_is_pointer(rdata[at]))
			return DNS_WHY_POINTER;
		if (rdata[at] > DNS_LABEL_MAX)
			return DNS_WHY_LABEL;
	}
	if (at >= end)
		return DNS_WHY_RDATA;
	at++;
	if (at - 2 > DNS_NAME_MAX)
		return DNS_WHY_NAME_LENGTH;
	/* AliasMode: whatever parameters there are do not count (2.4.2). */
	if (!dns_get16(rdata))
		return DNS_WHY_WHOLE;

	while (at < end) {
		unsigned length, size;
		int key;

		if (end - at < 4)
			return DNS_WHY_SVCPARAM;
		key = (int)dns_get16(rdata + at);
		length = dns_get16(rdata + at + 2);
		at += 4;
		if (key <= last_key || length > end - at)
			return DNS_WHY_SVCPARAM;
		last_key = key;
		if (key == SVC_IPV4HINT || key == SVC_IPV6HINT) {
			size = key == SVC_IPV6HINT ? 16 : 4;
			/* An empty list of addresses is invalid (7.3). */
			if (!length || length % size)
				return DNS_WHY_SVCPARAM;
			if (out)
				append_list(out, size == 16 ? 6 : 4, rdata + at, length);
		}
		at += length;
	}
	return DNS_WHY_WHOLE;
}

/* A name that fills the RDATA exactly: CNAME (RFC 1035 3.3.1), DNAME (RFC 6672 2.1). */
static enum dns_why redirection(const struct dns_view *view, struct dns_record *record)
{
	unsigned next;
	enum dns_why why = dns_name_check(view, record->rdata, &next, &record->target);

	/* The record is whole, so a name that leaves the view has left the RDATA before. */
	if (why == DNS_WHY_SHORT)
		return DNS_WHY_RDATA;
	if (why != DNS_WHY_WHOLE)
		return why;
	return next == record->next ? DNS_WHY_WHOLE : DNS_WHY_RDATA;
}

static enum dns_why check_rdata(const struct dns_view *view, struct dns_record *record)
{
	switch (record->type) {
	case DNS_TYPE_A:
		return record->rdlength == 4 ? DNS_WHY_WHOLE : DNS_WHY_RDATA;
	case DNS_TYPE_AAAA:
		return record->rdlength == 16 ? DNS_WHY_WHOLE : DNS_WHY_RDATA;
	case DNS_TYPE_CNAME:
	case DNS_TYPE_DNAME:
		return redirection(view, record);
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		return service(view, record, NULL);
	default:
		record->type = 0;
		return DNS_WHY_WHOLE;
	}
}

enum dns_why dns_record_read(const struct dns_view *view, unsigned at, unsigned trusted,
			     struct dns_record *record)
{
	const uint8_t *msg = view->msg;
	unsigned end = view->end, next;

	if (end - at >= 2 && dns_get16(msg + at) == (0xc000 | trusted)) {
		record->owner = (uint16_t)trusted;
		next = at + 2;
	} else {
		enum dns_why why = dns_name_check(view, at, &next, &record->owner);

		if (why != DNS_WHY_WHOLE)
			return why;
	}
	if (end - next < 10)
		return DNS_WHY_SHORT;
	record->type = (uint16_t)dns_get16(msg + next);
	record->rdlength = (uint16_t)dns_get16(msg + next + 8);
	record->rdata = (uint16_t)(next + 10);
	if (record->rdlength > end - record->rdata)
		return DNS_WHY_SHORT;
	record->next = (uint16_t)(record->rdata + record->rdlength);
	if (dns_get16(msg + next + 2) != DNS_CLASS_IN)
		record->type = 0;
	return check_rdata(view, record);
}

void dns_record_addresses(const struct dns_view *view, const struct dns_record *record,
			  struct dns_answer *out)
{
	switch (record->type) {
	case DNS_TYPE_A:
		append(out, 4, view->msg + record->rdata);
		break;
	case DNS_TYPE_AAAA:
		append(out, 6, view->msg + record->rdata);
		break;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		service(view, record, out);
		break;
	}
}
