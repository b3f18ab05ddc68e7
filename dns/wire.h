/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_DNS_WIRE_H
#define TCPCONNECT_DNS_WIRE_H

/* Internal to the room: bytes of a message, and names inside it. */

#include <stdbool.h>
#include <stdint.h>
#include "dns/message.h"

#define DNS_HEADER_SIZE 12
#define DNS_JUMPS_MAX   127 /* a name of 255 bytes has no more labels to point at */

#define DNS_TYPE_A      1
#define DNS_TYPE_CNAME  5
#define DNS_TYPE_AAAA   28
#define DNS_TYPE_DNAME  39
#define DNS_TYPE_SVCB   64
#define DNS_TYPE_HTTPS  65
#define DNS_CLASS_IN    1

/* The least a record takes: owner (the root), type, class, TTL, RDLENGTH. */
#define DNS_RECORD_MIN  11
#define DNS_RECORDS_MAX ((DNS_MESSAGE_MAX - DNS_HEADER_SIZE - 5) / DNS_RECORD_MIN)

/* The bytes in hand; end is at most DNS_MESSAGE_MAX. */
struct dns_view {
	const uint8_t *msg;
	unsigned end;
};

/*
 * One record of the answer section, whole and checked. Of other classes and of
 * types that we do not follow, type is 0.
 */
struct dns_record {
	uint16_t owner; /* offset of the owner's first label, pointers in front followed */
	uint16_t type;
	uint16_t rdata, rdlength;
	uint16_t target; /* CNAME, DNAME: as owner, for the name in RDATA */
	uint16_t next;   /* offset behind the record */
};

static inline unsigned dns_get16(const uint8_t *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

static inline bool dns_is_pointer(uint8_t byte)
{
	return byte >= 0xc0;
}

static inline uint8_t dns_fold(uint8_t byte)
{
	return byte - (unsigned)'A' < 26 ? byte | 0x20 : byte;
}

/* The first label at or behind at: follows pointers. Only for names found well formed. */
static inline unsigned dns_label_at(const uint8_t *msg, unsigned at)
{
	while (dns_is_pointer(msg[at]))
		at = dns_get16(msg + at) & 0x3fff;
	return at;
}

/*
 * Check the name at offset at, from its first label to the root. *next is set to
 * the offset behind it where it stands, *first to where its first label is.
 * Returns DNS_WHY_WHOLE; DNS_WHY_SHORT when it leaves the view; or what is wrong.
 */
enum dns_why dns_name_check(const struct dns_view *view, unsigned at, unsigned *next,
			    uint16_t *first);

/*
 * Read the record at offset at, check its owner and, for the types we follow, its
 * RDATA. trusted: the offset of a name known to be well formed; an owner that is a
 * pointer to it is not walked again.
 * Returns DNS_WHY_WHOLE, DNS_WHY_SHORT when it leaves the view, or what is wrong.
 */
enum dns_why dns_record_read(const struct dns_view *view, unsigned at, unsigned trusted,
			     struct dns_record *record);

/* Append the addresses of a record that was read: A, AAAA, SVCB, HTTPS. */
void dns_record_addresses(const struct dns_view *view, const struct dns_record *record,
			  struct dns_answer *out);

/*
 * The answer section in any order: find the chain from the question (at offset 12),
 * append the addresses of the owners on it. at: offset of the first record; count:
 * ANCOUNT. Returns what ended the reading: DNS_WHY_WHOLE, DNS_WHY_SHORT, or what is wrong.
 */
enum dns_why dns_chain_follow(const struct dns_view *view, unsigned at, unsigned count,
			      struct dns_answer *out);

/* Whether two well formed names are the same: a inside message ma, b inside mb. */
bool dns_same_name(const uint8_t *ma, unsigned a, const uint8_t *mb, unsigned b);

#endif
