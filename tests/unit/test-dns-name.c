/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include "dns/hash.h"
#include "tests/unit/dns-expect.h"

static struct builder b;
static struct dns_answer out;

/* Text of a name given as wire bytes, root included. */
static void expect_text(const char *wire, size_t length, const char *expected)
{
	uint8_t *copy = malloc(length);
	char text[DNS_TEXT_SIZE];

	assert_non_null(copy);
	memcpy(copy, wire, length);
	memset(text, 'x', sizeof(text));
	assert_int_equal(dns_name_text(text, copy, length), strlen(expected));
	assert_string_equal(text, expected);
	free(copy);
}

#define EXPECT_TEXT(wire, expected) expect_text(wire, sizeof(wire), expected)

static void text_of_names(void **state)
{
	(void)state;
	/* The string's own NUL is the root. */
	EXPECT_TEXT("", ".");
	EXPECT_TEXT("\3www\7example\3com", "www.example.com");
	EXPECT_TEXT("\1a", "a");
	EXPECT_TEXT("\4_sip\4A-b9", "_sip.A-b9");
	EXPECT_TEXT("\3a.b\3c\\d", "a\\.b.c\\\\d");
	EXPECT_TEXT("\5a b\tc", "a\\032b\\009c");
	EXPECT_TEXT("\4\0\1\377\177", "\\000\\001\\255\\127");
	EXPECT_TEXT("\4\"*;@", "\\034\\042\\059\\064");
	EXPECT_TEXT("\5\33[31m", "\\027\\09131m");
	EXPECT_TEXT("\3\303\251x", "\\195\\169x");
}

static void text_of_every_byte(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		const char wire[3] = {1, (char)byte, 0};
		char expected[8];

		if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
		    (byte >= '0' && byte <= '9') || byte == '-' || byte == '_')
			snprintf(expected, sizeof(expected), "%c", byte);
		else if (byte == '.' || byte == '\\')
			snprintf(expected, sizeof(expected), "\\%c", byte);
		else
			snprintf(expected, sizeof(expected), "\\%03u", byte);
		expect_text(wire, 3, expected);
	}
}

/* Labels of 63, 63, 63 and last bytes, value in each. Returns the wire length. */
static unsigned longest(uint8_t *wire, unsigned last, uint8_t value)
{
	unsigned at = 0;

	for (unsigned label = 0; label < 4; label++) {
		unsigned length = label < 3 ? 63 : last;

		wire[at++] = (uint8_t)length;
		memset(wire + at, value, length);
		at += length;
	}
	wire[at++] = 0;
	return at;
}

static void text_of_the_longest(void **state)
{
	uint8_t wire[300];
	char text[DNS_TEXT_SIZE];
	unsigned length = longest(wire, 61, 0xfe);

	(void)state;
	assert_int_equal(length, DNS_NAME_MAX);
	/* 250 bytes of four characters, three dots. */
	assert_int_equal(dns_name_text(text, wire, length), 1003);
	assert_int_equal(strlen(text), 1003);
	assert_memory_equal(text + 1003 - 8, "\\254\\254", 8);
}

static void text_stops_at_the_length(void **state)
{
	(void)state;
	/* Not well formed: nothing beyond the length is read, sanitizers watch. */
	expect_text("\7abc", 4, ".");
	expect_text("\1a\7abc", 6, "a");
	expect_text("\1a", 2, "a");
	expect_text("\2a", 2, ".");
}

static void equality(void **state)
{
	(void)state;
	assert_true(dns_name_equal((const uint8_t *)"\1A\2Zz", (const uint8_t *)"\1a\2zZ", 6));
	assert_false(dns_name_equal((const uint8_t *)"\1A\2Zz", (const uint8_t *)"\1a\2zy", 6));
	assert_false(dns_name_equal((const uint8_t *)"\1[", (const uint8_t *)"\1{", 3));
	assert_false(dns_name_equal((const uint8_t *)"\1@", (const uint8_t *)"\1`", 3));
}

/* Of every length up to several words, with a difference at each place. */
static void equality_at_each_place(void **state)
{
	static const uint8_t base[] = "kLmNoPqRsTuVwXyZaBcDe";
	static const uint64_t key[2] = {0x0123456789abcdef, 0xfedcba9876543210};

	(void)state;
	for (size_t length = 1; length < sizeof(base); length++) {
		for (size_t at = 0; at < length; at++) {
			uint8_t *a = malloc(length), *b2 = malloc(length);

			assert_non_null(a);
			assert_non_null(b2);
			memcpy(a, base, length);
			memcpy(b2, base, length);
			assert_true(dns_name_equal(a, b2, length));
			b2[at] ^= 0x20; /* the other case */
			assert_true(dns_name_equal(a, b2, length));
			assert_int_equal(hash_name(key, a, length), hash_name(key, b2, length));
			b2[at] ^= 0x01; /* another letter */
			assert_false(dns_name_equal(a, b2, length));
			assert_int_not_equal(hash_name(key, a, length), hash_name(key, b2, length));
			b2[at] = '{';
			assert_false(dns_name_equal(a, b2, length));
			a[at] = '['; /* differs as cases do, and is no letter */
			assert_false(dns_name_equal(a, b2, length));
			a[at] = '{';
			assert_true(dns_name_equal(a, b2, length));
			free(a);
			free(b2);
		}
	}
}

static void question_of_255_bytes(void **state)
{
	uint8_t wire[300];
	unsigned length;

	(void)state;
	for (unsigned last = 61; last <= 62; last++) {
		length = longest(wire, last, 'a');
		put_header(&b, RESPONSE, 1, 1);
		put(&b, wire, length);
		put16(&b, TYPE_A);
		put16(&b, CLASS_IN);
		put_pointer(&b, QUESTION);
		put_address(&b, "192.0.2.1");
		if (last == 62) {
			expect_why(&b, DNS_WHY_NAME_LENGTH);
			continue;
		}
		assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
		assert_int_equal(out.question.length, 255);
		assert_memory_equal(out.question.wire, wire, 255);
		assert_int_equal(out.count, 1);
	}
}

/* 255 and 256 bytes by way of a pointer: the length counts what the name means. */
static void pointed_name_of_255_bytes(void **state)
{
	uint8_t wire[300];
	unsigned length = longest(wire, 59, 'a');

	(void)state;
	assert_int_equal(length, 253);
	for (unsigned more = 1; more <= 2; more++) {
		put_header(&b, RESPONSE, 1, 1);
		put(&b, wire, length);
		put16(&b, TYPE_A);
		put16(&b, CLASS_IN);
		put_labels(&b, more == 1 ? "x" : "xy");
		put_pointer(&b, QUESTION);
		put_address(&b, "192.0.2.1");
		if (more == 2)
			expect_why(&b, DNS_WHY_NAME_LENGTH);
		else
			assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
	}
}

static void label_types(void **state)
{
	(void)state;
	for (unsigned byte = 0x40; byte < 0xc0; byte++) {
		put_header(&b, RESPONSE, 1, 0);
		put8(&b, byte);
		for (unsigned i = 0; i < 200; i++)
			put8(&b, 0);
		expect_why(&b, DNS_WHY_LABEL);
	}
	begin(&b, "a", TYPE_A, 1);
	put(&b, "\100\0", 2);
	put_address(&b, "192.0.2.1");
	expect_why(&b, DNS_WHY_LABEL);
}

/* The question stands first: there is nothing its name could point at. */
static void pointer_in_the_question(void **state)
{
	(void)state;
	for (unsigned target = 0; target < 64; target++) {
		put_header(&b, RESPONSE, 1, 0);
		put_pointer(&b, target);
		put16(&b, TYPE_A);
		put16(&b, CLASS_IN);
		put_name(&b, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z");
		expect_why(&b, DNS_WHY_POINTER);
	}
}

static void pointers_not_backwards(void **state)
{
	unsigned owner;

	(void)state;
	/* At itself, at what follows, at its own labels, far away, into the header. */
	for (unsigned variant = 0; variant < 7; variant++) {
		begin(&b, "www.example.com", TYPE_A, 1);
		owner = b.size;
		if (variant == 2 || variant == 3)
			put_labels(&b, "ab");
		put_pointer(&b, (unsigned[]){owner, owner + 4, owner, owner + 3, 0x3fff, 0,
					     11}[variant]);
		put_address(&b, "192.0.2.1");
		put_name(&b, "a");
		expect_why(&b, DNS_WHY_POINTER);
	}
}

/* Two pointers at each other: the second one is not backwards from where the first led. */
static void pointer_loop(void **state)
{
	unsigned first;

	(void)state;
	begin(&b, "www.example.com", TYPE_A, 2);
	put_name(&b, "x");
	put_fixed(&b, TYPE_TXT, CLASS_IN, 2);
	first = b.size;
	put_pointer(&b, first + 2);
	put_pointer(&b, first);
	put_address(&b, "192.0.2.1");
	expect_why(&b, DNS_WHY_POINTER);
}

static void pointer_to_pointer(void **state)
{
	unsigned first;

	(void)state;
	begin(&b, "www.example.com", TYPE_A, 2);
	first = b.size;
	put_pointer(&b, QUESTION);
	put_address(&b, "192.0.2.1");
	put_pointer(&b, first);
	put_address(&b, "192.0.2.2");
	expect_answer(&b, "www.example.com", "192.0.2.1 192.0.2.2");
}

/* A row of pointers, each at the one before: 127 jumps pass, 128 do not. */
static void too_many_pointers(void **state)
{
	(void)state;
	for (unsigned jumps = 126; jumps <= 128; jumps++) {
		unsigned rdlength, last = QUESTION;

		begin(&b, "a", TYPE_A, 2);
		put_pointer(&b, QUESTION);
		rdlength = put_fixed(&b, TYPE_TXT, CLASS_IN, 0);
		for (unsigned i = 0; i < jumps - 1; i++) {
			unsigned at = b.size;

			put_pointer(&b, last);
			last = at;
		}
		close_rdata(&b, rdlength);
		put_pointer(&b, last);
		put_address(&b, "192.0.2.1");
		if (jumps <= 127)
			expect_answer(&b, "a", "192.0.2.1");
		else
			expect_why(&b, DNS_WHY_JUMPS);
	}
}

/* The most labels a name can have, each but the last behind a pointer of its own. */
static void pointer_at_each_label(void **state)
{
	unsigned last = QUESTION, rdlength;
	char expected[256], *at = expected;

	(void)state;
	begin(&b, "z", TYPE_A, 2);
	put_pointer(&b, QUESTION);
	rdlength = put_fixed(&b, TYPE_TXT, CLASS_IN, 0);
	for (unsigned i = 0; i < 125; i++) {
		unsigned here = put_labels(&b, "y");

		put_pointer(&b, last);
		last = here;
	}
	close_rdata(&b, rdlength);
	put_labels(&b, "x");
	put_pointer(&b, last);
	rdlength = put_fixed(&b, TYPE_CNAME, CLASS_IN, 0);
	put_pointer(&b, QUESTION);
	close_rdata(&b, rdlength);
	expect_answer(&b, "z", "");

	/* The same name is the question: found equal label by label. */
	at += sprintf(at, "x.");
	for (unsigned i = 0; i < 125; i++)
		at += sprintf(at, "Y.");
	sprintf(at, "z");
	begin(&b, expected, TYPE_A, 2);
	put_name(&b, "");
	rdlength = put_fixed(&b, TYPE_TXT, CLASS_IN, 0);
	last = put_name(&b, "z");
	for (unsigned i = 0; i < 125; i++) {
		unsigned here = put_labels(&b, "y");

		put_pointer(&b, last);
		last = here;
	}
	close_rdata(&b, rdlength);
	put_labels(&b, "x");
	put_pointer(&b, last);
	put_address(&b, "192.0.2.1");
	expect_answer(&b, expected, "192.0.2.1");
	/* One label more is one too many. */
	b.size -= 18;
	put_labels(&b, "w.x");
	put_pointer(&b, last);
	put_address(&b, "192.0.2.1");
	expect_why(&b, DNS_WHY_NAME_LENGTH);
}

/* A broken owner spoils the message even when its record is none of ours. */
static void owner_of_another_type(void **state)
{
	(void)state;
	begin(&b, "a", TYPE_A, 2);
	put_pointer(&b, QUESTION);
	put_address(&b, "192.0.2.1");
	put_pointer(&b, 4000);
	put_fixed(&b, TYPE_TXT, CLASS_IN, 0);
	expect_why(&b, DNS_WHY_POINTER);
}

static void hostile_labels(void **state)
{
	(void)state;
	put_header(&b, RESPONSE, 1, 1);
	put(&b, "\13\r\n\33]0;x\7 .\\\2\0\377\0", 16);
	put16(&b, TYPE_A);
	put16(&b, CLASS_IN);
	put_pointer(&b, QUESTION);
	put_address(&b, "192.0.2.1");
	expect_answer(&b, "\\013\\010\\027\\0930\\059x\\007\\032\\.\\\\.\\000\\255", "192.0.2.1");
}

static void root_question(void **state)
{
	(void)state;
	begin(&b, "", TYPE_A, 1);
	put_pointer(&b, QUESTION);
	put_address(&b, "192.0.2.1");
	expect_answer(&b, ".", "192.0.2.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_names),
		cmocka_unit_test(text_of_every_byte),
		cmocka_unit_test(text_of_the_longest),
		cmocka_unit_test(text_stops_at_the_length),
		cmocka_unit_test(equality),
		cmocka_unit_test(equality_at_each_place),
		cmocka_unit_test(question_of_255_bytes),
		cmocka_unit_test(pointed_name_of_255_bytes),
		cmocka_unit_test(label_types),
		cmocka_unit_test(pointer_in_the_question),
		cmocka_unit_test(pointers_not_backwards),
		cmocka_unit_test(pointer_loop),
		cmocka_unit_test(pointer_to_pointer),
		cmocka_unit_test(too_many_pointers),
		cmocka_unit_test(pointer_at_each_label),
		cmocka_unit_test(owner_of_another_type),
		cmocka_unit_test(hostile_labels),
		cmocka_unit_test(root_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
