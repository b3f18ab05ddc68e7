/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include "tests/bench/bench-dns.h"
#include "tests/unit/dns-builder.h"

#define TYPE_NS    2
#define TYPE_OPT   41
#define TYPE_NSEC3 50

static struct message messages[MESSAGES];
static struct builder b;

static void finish(unsigned index, const char *title)
{
	struct message *message = &messages[index];

	if (b.size > sizeof(message->bytes))
		abort();
	message->title = title;
	message->size = b.size;
	memcpy(message->bytes, b.bytes, b.size);
}

static void put_numbered(unsigned number, bool ipv6)
{
	char text[INET6_ADDRSTRLEN];

	snprintf(text, sizeof(text), ipv6 ? "2001:db8::%x" : "192.0.2.%u", number % 250 + 1);
	put_address(&b, text);
}

/* A signature of a record just put, by a zone of that name at zone; size: of the record. */
static void put_signature(unsigned owner, const char *zone, unsigned size)
{
	unsigned rdlength, start = b.size;

	put_pointer(&b, owner);
	rdlength = put_fixed(&b, TYPE_RRSIG, CLASS_IN, 0);
	put(&b, "\0\1\15\2\0\0\1\54\145\0\0\0\144\360\0\0\22\64", 18);
	put_name(&b, zone);
	while (b.size - start < size)
		put8(&b, b.size * 37);
	close_rdata(&b, rdlength);
}

static void put_opt(unsigned size)
{
	put8(&b, 0);
	put16(&b, TYPE_OPT);
	put16(&b, 1232);
	put16(&b, 0);
	put16(&b, 0x8000);
	put16(&b, size - 11);
	if (size > 11) {
		put16(&b, 12); /* padding (RFC 7830) */
		put16(&b, size - 15);
		while (size-- > 15)
			put8(&b, 0);
	}
}

static unsigned put_compressed_cname(unsigned owner, const char *labels, unsigned suffix)
{
	unsigned rdlength, target;

	put_pointer(&b, owner);
	rdlength = put_fixed(&b, TYPE_CNAME, CLASS_IN, 0);
	target = put_labels(&b, labels);
	if (suffix)
		put_pointer(&b, suffix);
	else
		put8(&b, 0);
	close_rdata(&b, rdlength);
	return target;
}

static void four_addresses(void)
{
	begin(&b, "www.example.com", TYPE_A, 4);
	for (unsigned i = 0; i < 4; i++) {
		put_pointer(&b, QUESTION);
		put_numbered(i, false);
	}
	finish(0, "four A");
}

static void chain(void)
{
	unsigned first, second, third;

	begin(&b, "www.example.com", TYPE_A, 5);
	first = put_compressed_cname(QUESTION, "www.example.com.edgekey.net", 0);
	second = put_compressed_cname(first, "e1234.dscb", first + 16);
	third = put_compressed_cname(second, "a", second + 11);
	put_pointer(&b, third);
	put_numbered(1, false);
	put_pointer(&b, third);
	put_numbered(2, false);
	finish(1, "CNAME chain of three, two A");
}

/* Signed answer, the zone's servers with addresses, a denial: what fills 1,232 bytes. */
static void dnssec(void)
{
	unsigned target, name[4];

	begin(&b, "www.example.com", TYPE_A, 6);
	set16(&b, 8, 4);
	set16(&b, 10, 6);
	target = put_compressed_cname(QUESTION, "web", QUESTION + 4);
	put_signature(QUESTION, "example.com", 107);
	for (unsigned i = 0; i < 3; i++) {
		put_pointer(&b, target);
		put_numbered(i, false);
	}
	put_signature(target, "example.com", 295);
	for (unsigned i = 0; i < 2; i++) {
		put_pointer(&b, QUESTION + 4);
		put_fixed(&b, TYPE_NS, CLASS_IN, 6);
		name[i] = b.size;
		put8(&b, 3);
		put(&b, "ns", 2);
		put8(&b, '1' + i);
		put_pointer(&b, QUESTION + 4);
	}
	put_signature(QUESTION + 4, "example.com", 107);
	put_signature(QUESTION + 4, "example.com", 291);
	for (unsigned i = 0; i < 4; i++) {
		put_pointer(&b, name[i % 2]);
		put_numbered(i, i >= 2);
	}
	put_signature(name[0], "example.com", 107);
	put_opt(1232 - b.size);
	finish(2, "DNSSEC answer, CNAME, three A");
}

static void large(void)
{
	unsigned i;

	begin(&b, "www.example.com", TYPE_A, 0);
	for (i = 0; b.size + 28 + 295 + 11 <= 4096 && i < 120; i++) {
		put_pointer(&b, QUESTION);
		put_numbered(i, i >= 60);
	}
	for (; b.size + 295 + 15 <= 4096; i++)
		put_signature(QUESTION, "example.com", 295);
	set16(&b, 6, i);
	set16(&b, 10, 1);
	put_opt(4096 - b.size);
	finish(3, "60 A, 60 AAAA, signatures");
}

static void service(void)
{
	unsigned rdlength;

	begin(&b, "www.example.com", TYPE_HTTPS, 1);
	put_pointer(&b, QUESTION);
	rdlength = put_fixed(&b, TYPE_HTTPS, CLASS_IN, 0);
	put16(&b, 1);
	put8(&b, 0);
	put(&b, "\0\1\0\6\2h3\2h2\0\4\0\10\300\0\2\1\300\0\2\2\0\6\0\40", 26);
	for (unsigned i = 0; i < 2; i++) {
		put(&b, "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0", 15);
		put8(&b, i + 1);
	}
	close_rdata(&b, rdlength);
	finish(4, "HTTPS, two hints of each family");
}

/* The address first, then the chain backwards; among records of somebody else. */
static void unordered(void)
{
	begin(&b, "www.example.com", TYPE_A, 6);
	add_address(&b, "c.cdn.example", "192.0.2.1");
	add_address(&b, "other.example", "192.0.2.66");
	add_cname(&b, "b.cdn.example", "c.cdn.example");
	add_cname(&b, "a.cdn.example", "b.cdn.example");
	add_cname(&b, "www.example.com", "a.cdn.example");
	add_address(&b, "C.cdn.example", "192.0.2.2");
	finish(5, "CNAME chain in the wrong order");
}

static void dname(void)
{
	begin(&b, "www.old.example", TYPE_A, 3);
	add_redirection(&b, TYPE_DNAME, "old.example", "new.example");
	add_cname(&b, "www.old.example", "www.new.example");
	add_address(&b, "www.new.example", "192.0.2.1");
	finish(6, "DNAME with its CNAME");
}

static void long_uncompressed(void)
{
	static const char name[] = "a-rather-long-host-name-0123456789.some-region-1."
				   "compute.provider-with-a-long-name.example.com";

	begin(&b, name, TYPE_A, 4);
	for (unsigned i = 0; i < 4; i++) {
		put_name(&b, name);
		put_numbered(i, i >= 2);
	}
	finish(7, "long names, no compression");
}

#define RUNGS 125

/* Names each a label longer than the one before, which it points at. */
static void put_ladder(const char *end, unsigned *rungs)
{
	unsigned last = put_name(&b, end);

	for (unsigned i = 0; i < RUNGS; i++) {
		unsigned rung = put_labels(&b, "y");

		put_pointer(&b, last);
		rungs[i] = last = rung;
	}
}

/*
 * A chain of the longest names, and as many DNAMEs as fit whose owners are the same
 * up to the very last label: each pair is compared as far as can be.
 */
const struct message *bench_hostile(void)
{
	static struct message message = {.title = "hostile"};
	unsigned chain[RUNGS], owners[RUNGS], rdlength, records = 2;

	begin(&b, "q", TYPE_A, 0);
	put_pointer(&b, QUESTION);
	rdlength = put_fixed(&b, TYPE_TXT, CLASS_IN, 0);
	put_ladder("p", chain);
	put_ladder("r", owners);
	close_rdata(&b, rdlength);
	put_pointer(&b, QUESTION);
	put_fixed(&b, TYPE_CNAME, CLASS_IN, 2);
	put_pointer(&b, chain[RUNGS - 1]);
	for (unsigned i = RUNGS - 1; i > RUNGS / 2; i--, records++) {
		put_pointer(&b, chain[i]);
		put_fixed(&b, TYPE_CNAME, CLASS_IN, 2);
		put_pointer(&b, chain[i - 1]);
	}
	for (; b.size + 14 <= sizeof(message.bytes); records++) {
		put_pointer(&b, owners[records % (RUNGS / 2)]);
		put_fixed(&b, TYPE_DNAME, CLASS_IN, 2);
		put_pointer(&b, chain[RUNGS - 1]);
	}
	set16(&b, 6, records);
	message.size = b.size;
	memcpy(message.bytes, b.bytes, b.size);
	return &message;
}

const struct message *bench_messages(void)
{
	four_addresses();
	chain();
	dnssec();
	large();
	service();
	unordered();
	dname();
	long_uncompressed();
	if (messages[0].size != 97 || messages[2].size != 1232 || messages[3].size != 4096)
		abort();
	return messages;
}
