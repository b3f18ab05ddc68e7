/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DNS_BUILDER_H
#define TESTS_DNS_BUILDER_H

/* DNS messages byte by byte, for tests and measurements. What does not fit aborts. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#define RESPONSE   0x8180 /* QR, RD, RA */
#define QUESTION   12     /* offset of the question's name */

#define TYPE_A     1
#define TYPE_CNAME 5
#define TYPE_TXT   16
#define TYPE_AAAA  28
#define TYPE_DNAME 39
#define TYPE_RRSIG 46
#define TYPE_SVCB  64
#define TYPE_HTTPS 65
#define CLASS_IN   1

struct builder {
	unsigned size;
	uint8_t bytes[1 << 16];
};

static inline void put(struct builder *b, const void *bytes, size_t size)
{
	if (size > sizeof(b->bytes) - b->size)
		abort();
	memcpy(b->bytes + b->size, bytes, size);
	b->size += (unsigned)size;
}

static inline void put8(struct builder *b, unsigned value)
{
	uint8_t byte = (uint8_t)value;

	put(b, &byte, 1);
}

static inline void put16(struct builder *b, unsigned value)
{
	put8(b, value >> 8);
	put8(b, value & 0xff);
}

static inline void set16(struct builder *b, unsigned at, unsigned value)
{
	b->bytes[at] = (uint8_t)(value >> 8);
	b->bytes[at + 1] = (uint8_t)value;
}

/* Labels of a text without escapes, no root behind them: put_pointer() may follow. */
static inline unsigned put_labels(struct builder *b, const char *text)
{
	unsigned at = b->size;

	while (*text) {
		size_t length = strcspn(text, ".");

		put8(b, (unsigned)length);
		put(b, text, length);
		text += length + (text[length] == '.');
	}
	return at;
}

/* A whole name; "" is the root. Returns its offset. */
static inline unsigned put_name(struct builder *b, const char *text)
{
	unsigned at = put_labels(b, text);

	put8(b, 0);
	return at;
}

static inline void put_pointer(struct builder *b, unsigned target)
{
	put16(b, 0xc000 | target);
}

static inline void put_header(struct builder *b, unsigned flags, unsigned questions,
			      unsigned answers)
{
	b->size = 0;
	put16(b, 0x1234);
	put16(b, flags);
	put16(b, questions);
	put16(b, answers);
	put16(b, 0);
	put16(b, 0);
}

/* A response's header and its one question of class IN. */
static inline void begin(struct builder *b, const char *name, unsigned type, unsigned answers)
{
	put_header(b, RESPONSE, 1, answers);
	put_name(b, name);
	put16(b, type);
	put16(b, CLASS_IN);
}

/* What follows the owner; returns the offset of RDLENGTH. */
static inline unsigned put_fixed(struct builder *b, unsigned type, unsigned class,
				 unsigned rdlength)
{
	put16(b, type);
	put16(b, class);
	put16(b, 0);
	put16(b, 300);
	put16(b, rdlength);
	return b->size - 2;
}

/* Set the RDLENGTH at offset at to what was put behind it. */
static inline void close_rdata(struct builder *b, unsigned at)
{
	set16(b, at, b->size - at - 2);
}

/* The RDATA part of an address record behind an owner just put. */
static inline void put_address(struct builder *b, const char *text)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1) {
		put_fixed(b, TYPE_A, CLASS_IN, 4);
		put(b, bytes, 4);
	} else if (inet_pton(AF_INET6, text, bytes) == 1) {
		put_fixed(b, TYPE_AAAA, CLASS_IN, 16);
		put(b, bytes, 16);
	} else {
		abort();
	}
}

/* owner: an uncompressed name. */
static inline void add_address(struct builder *b, const char *owner, const char *text)
{
	put_name(b, owner);
	put_address(b, text);
}

/* CNAME or DNAME, uncompressed. Returns the target's offset. */
static inline unsigned add_redirection(struct builder *b, unsigned type, const char *owner,
				       const char *target)
{
	unsigned at, rdlength;

	put_name(b, owner);
	rdlength = put_fixed(b, type, CLASS_IN, 0);
	at = put_name(b, target);
	close_rdata(b, rdlength);
	return at;
}

static inline unsigned add_cname(struct builder *b, const char *owner, const char *target)
{
	return add_redirection(b, TYPE_CNAME, owner, target);
}

#endif
