/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dns-expect.h"

static struct builder b;
static struct dns_answer out;
static char text[1 << 16];

/* One answer of each kind that the cut tests go through byte by byte. */
static void build_plain(void)
{
	begin(&b, "www.example.com", TYPE_A, 4);
	for (unsigned i = 1; i <= 4; i++) {
		char address[16] = "192.0.2.0";

		address[8] = (char)('0' + i);
		put_pointer(&b, QUESTION);
		put_address(&b, address);
	}
}

static void build_chain(void)
{
	unsigned target, rdlength;

	begin(&b, "www.example.com", TYPE_AAAA, 4);
	put_pointer(&b, QUESTION);
	rdlength = put_fixed(&b, TYPE_CNAME, CLASS_IN, 0);
	target = put_labels(&b, "edge");
	put_pointer(&b, QUESTION + 4);
	close_rdata(&b, rdlength);
	put_pointer(&b, target);
	rdlength = put_fixed(&b, TYPE_RRSIG, CLASS_IN, 0);
	put(&b, "some signature, of no concern here", 34);
	close_rdata(&b, rdlength);
	put_pointer(&b, target);
	put_address(&b, "2001:db8::1");
	put_labels(&b, "EDGE");
	put_pointer(&b, QUESTION + 4);
	put_address(&b, "2001:db8::2");
}

static void build_service(void)
{
	unsigned rdlength;

	begin(&b, "example.com", TYPE_HTTPS, 2);
	put_pointer(&b, QUESTION);
	rdlength = put_fixed(&b, TYPE_HTTPS, CLASS_IN, 0);
	put16(&b, 1);
	put_name(&b, "");
	put16(&b, 1);
	put16(&b, 3);
	put(&b, "\2h3", 3);
	put16(&b, 4);
	put16(&b, 8);
	put(&b, "\300\0\2\1\300\0\2\2", 8);
	close_rdata(&b, rdlength);
	put_pointer(&b, QUESTION);
	put_address(&b, "192.0.2.3");
}

static void plain_addresses(void **state)
{
	(void)state;
	build_plain();
	assert_int_equal(b.size, 12 + 21 + 4 * 16);
	expect_answer(&b, "www.example.com", "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
	assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
	assert_int_equal(out.why, DNS_WHY_WHOLE);
	assert_int_equal(out.question_type, TYPE_A);

	build_chain();
	expect_answer(&b, "www.example.com", "2001:db8::1 2001:db8::2");
	build_service();
	expect_answer(&b, "example.com", "192.0.2.1 192.0.2.2 192.0.2.3");
	assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
	assert_int_equal(out.question_type, TYPE_HTTPS);
}

static void no_addresses(void **state)
{
	(void)state;
	begin(&b, "www.example.com", TYPE_A, 0);
	expect_answer(&b, "www.example.com", "");
	begin(&b, "www.example.com", TYPE_TXT, 1);
	put_pointer(&b, QUESTION);
	put_fixed(&b, TYPE_TXT, CLASS_IN, 4);
	put(&b, "\3abc", 4);
	expect_answer(&b, "www.example.com", "");
}

static void case_of_the_question_is_kept(void **state)
{
	(void)state;
	begin(&b, "wWw.eXample.COM", TYPE_A, 1);
	add_address(&b, "WwW.ExAMPLE.com", "192.0.2.1");
	expect_answer(&b, "wWw.eXample.COM", "192.0.2.1");
}

/* '@' and '[' stand beside the letters, '`' and '{' beside the small ones. */
static void only_letters_fold(void **state)
{
	static const char *const other[][2] = {
		{"a@b", "a`b"},
		{"a[b", "a{b"},
		{"a1b", "aQb"},
		{"a\301b", "a\341b"},
	};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		begin(&b, other[i][0], TYPE_A, 2);
		add_address(&b, other[i][0], "192.0.2.1");
		add_address(&b, other[i][1], "192.0.2.2");
		assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
		assert_string_equal(addresses_text(&out, text), "192.0.2.1");
	}
}

static void ignored_by_header(void **state)
{
	(void)state;
	build_plain();
	set16(&b, 2, RESPONSE & ~0x8000);
	expect_why(&b, DNS_WHY_QUERY);
	for (unsigned opcode = 1; opcode < 16; opcode++) {
		set16(&b, 2, RESPONSE | opcode << 11);
		expect_why(&b, DNS_WHY_OPCODE);
	}
	for (unsigned rcode = 1; rcode < 16; rcode++) {
		set16(&b, 2, RESPONSE | rcode);
		expect_why(&b, DNS_WHY_RCODE);
	}
	/* None of AA, RD, RA, Z, AD, CD matters. */
	for (unsigned bit = 4; bit < 11; bit++) {
		set16(&b, 2, 0x8000 | (bit == 9 ? 0 : 1u << bit));
		expect_answer(&b, "www.example.com", "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
	}
	set16(&b, 2, RESPONSE);
	set16(&b, 4, 0);
	expect_why(&b, DNS_WHY_QUESTIONS);
	set16(&b, 4, 2);
	expect_why(&b, DNS_WHY_QUESTIONS);
	set16(&b, 4, 65535);
	expect_why(&b, DNS_WHY_QUESTIONS);
}

static void header_speaks_before_names(void **state)
{
	(void)state;
	put_header(&b, RESPONSE & ~0x8000, 1, 0);
	put8(&b, 0x80);
	expect_why(&b, DNS_WHY_QUERY);
	set16(&b, 2, RESPONSE);
	expect_why(&b, DNS_WHY_LABEL);
}

static void classes(void **state)
{
	static const unsigned others[] = {0, 2, 3, 4, 254, 255, 256, 257, 0x8001};

	(void)state;
	for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++) {
		build_plain();
		set16(&b, QUESTION + 19, others[i]);
		expect_why(&b, DNS_WHY_CLASS);

		/* A record of another class is passed over, whatever is in it. */
		begin(&b, "www.example.com", TYPE_A, 3);
		put_pointer(&b, QUESTION);
		put_fixed(&b, TYPE_A, others[i], 4);
		put(&b, "\300\0\2\1", 4);
		put_pointer(&b, QUESTION);
		put_fixed(&b, TYPE_CNAME, others[i], 1);
		put8(&b, 0x80);
		put_pointer(&b, QUESTION);
		put_address(&b, "192.0.2.2");
		expect_answer(&b, "www.example.com", "192.0.2.2");
	}
}

static void other_sections_are_not_read(void **state)
{
	(void)state;
	build_plain();
	set16(&b, 8, 1);
	set16(&b, 10, 2);
	put_pointer(&b, QUESTION);
	put_address(&b, "192.0.2.9");
	put(&b, "\377\377\377", 3);
	expect_answer(&b, "www.example.com", "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
}

static void address_of_wrong_size(void **state)
{
	static const struct {
		unsigned type, size;
	} wrong[] = {
		{TYPE_A, 0},    {TYPE_A, 3},    {TYPE_A, 5},     {TYPE_A, 16},
		{TYPE_AAAA, 0}, {TYPE_AAAA, 4}, {TYPE_AAAA, 15}, {TYPE_AAAA, 17},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		for (unsigned off_chain = 0; off_chain < 2; off_chain++) {
			begin(&b, "www.example.com", TYPE_A, 2);
			put_pointer(&b, QUESTION);
			put_address(&b, "192.0.2.1");
			put_pointer(&b, QUESTION + 4 * off_chain);
			put_fixed(&b, wrong[i].type, CLASS_IN, wrong[i].size);
			put(&b, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21", wrong[i].size);
			expect_why(&b, DNS_WHY_RDATA);
		}
	}
}

/* An address whose bytes could be a service record with a hint. */
static void addresses_are_not_service_records(void **state)
{
	(void)state;
	begin(&b, "www.example.com", TYPE_AAAA, 1);
	put_pointer(&b, QUESTION);
	put_address(&b, "1:0:400:4c0:2:100:500:178");
	expect_answer(&b, "www.example.com", "1:0:400:4c0:2:100:500:178");
}

static void ends_too_early(void **state)
{
	unsigned whole;

	(void)state;
	build_plain();
	whole = b.size;
	for (unsigned size = 0; size < whole; size++) {
		b.size = size;
		expect_why(&b, DNS_WHY_SHORT);
	}
	b.size = whole;
	set16(&b, 6, 5);
	expect_why(&b, DNS_WHY_SHORT);
	set16(&b, 6, 3);
	expect_answer(&b, "www.example.com", "192.0.2.1 192.0.2.2 192.0.2.3");
}

/* Cut at every byte, by the capture or by the server: what was whole counts, in order. */
static void cut_at_every_byte(void **state)
{
	static void (*const build[])(void) = {build_plain, build_chain, build_service};
	char whole[1024];

	(void)state;
	for (unsigned i = 0; i < sizeof(build) / sizeof(*build); i++) {
		unsigned question_end, counts = 0, last = 0;

		build[i]();
		question_end = QUESTION + (unsigned)strlen((char *)b.bytes + QUESTION) + 5;
		assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
		addresses_text(&out, whole);
		for (unsigned tc = 0; tc < 2; tc++) {
			set16(&b, 2, RESPONSE | tc << 9);
			last = counts = 0;
			for (unsigned size = tc ? 12 : 0; size < b.size; size++) {
				enum dns_status status = parse(&b, size, tc ? size : b.size, &out);

				if (size < question_end) {
					assert_int_equal(status, DNS_IGNORED);
					assert_int_equal(out.why, DNS_WHY_NOTHING_CAPTURED);
					continue;
				}
				assert_int_equal(status, DNS_OK);
				assert_int_equal(out.why, DNS_WHY_CUT);
				addresses_text(&out, text);
				assert_memory_equal(text, whole, strlen(text));
				assert_true(out.count >= last);
				counts += out.count != last;
				last = out.count;
			}
			/* The last record came only with its last byte, those before in steps. */
			assert_int_equal(counts, i == 0 ? 3 : 1);
		}
	}
}

static void cut_but_wrong_before(void **state)
{
	(void)state;
	begin(&b, "www.example.com", TYPE_A, 2);
	put_pointer(&b, QUESTION);
	put_fixed(&b, TYPE_A, CLASS_IN, 5);
	put(&b, "abcde", 5);
	put_pointer(&b, QUESTION);
	assert_int_equal(parse(&b, b.size, b.size + 100, &out), DNS_MALFORMED);
	assert_int_equal(out.why, DNS_WHY_RDATA);
}

static void wire_length_rules(void **state)
{
	(void)state;
	build_plain();
	/* Bytes beyond the wire length are not the message's. */
	assert_int_equal(parse(&b, b.size, b.size - 1, &out), DNS_MALFORMED);
	assert_int_equal(out.why, DNS_WHY_SHORT);
	assert_int_equal(parse(&b, b.size, 11, &out), DNS_MALFORMED);
	assert_int_equal(parse(&b, 0, 0, &out), DNS_MALFORMED);
	assert_int_equal(parse(&b, 0, 12, &out), DNS_IGNORED);
	assert_int_equal(out.why, DNS_WHY_NOTHING_CAPTURED);
}

static void build_many(unsigned addresses)
{
	begin(&b, "", TYPE_A, addresses);
	for (unsigned i = 0; i < addresses; i++) {
		put_name(&b, "");
		put_fixed(&b, TYPE_A, CLASS_IN, 4);
		put16(&b, 0x0a00);
		put16(&b, i);
	}
}

static void as_many_as_fit(void **state)
{
	(void)state;
	/* 12 + 5 + 271 * 15 = 4082 */
	build_many(271);
	assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
	assert_int_equal(out.why, DNS_WHY_WHOLE);
	assert_int_equal(out.count, 271);
	build_many(272);
	assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
	assert_int_equal(out.why, DNS_WHY_CUT);
	assert_int_equal(out.count, 271);
	/* A datagram of the greatest size is read as far as 4,096 bytes go. */
	build_many(4000);
	assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
	assert_int_equal(out.why, DNS_WHY_CUT);
	assert_int_equal(out.count, 271);
	assert_int_equal(out.addresses[270].bytes[2] << 8 | out.addresses[270].bytes[3], 270);

	/* Most addresses come in a hint. */
	begin(&b, "", TYPE_SVCB, 1);
	put_name(&b, "");
	put_fixed(&b, TYPE_SVCB, CLASS_IN, 7 + 4060);
	put16(&b, 1);
	put_name(&b, "");
	put16(&b, 4);
	put16(&b, 4060);
	for (unsigned i = 0; i < 1015; i++) {
		put16(&b, 0x0a00);
		put16(&b, i);
	}
	assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
	assert_int_equal(out.why, DNS_WHY_WHOLE);
	assert_int_equal(out.count, DNS_ADDRESSES_MAX);
	assert_int_equal(out.addresses[1014].bytes[2] << 8 | out.addresses[1014].bytes[3], 1014);
}

static void every_why_has_words(void **state)
{
	(void)state;
	for (int why = DNS_WHY_WHOLE; why <= DNS_WHY_SVCPARAM; why++) {
		assert_string_not_equal(dns_why_text((enum dns_why)why), "unknown");
		for (int other = 0; other < why; other++)
			assert_string_not_equal(dns_why_text((enum dns_why)why),
						dns_why_text((enum dns_why)other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_addresses),
		cmocka_unit_test(no_addresses),
		cmocka_unit_test(case_of_the_question_is_kept),
		cmocka_unit_test(only_letters_fold),
		cmocka_unit_test(ignored_by_header),
		cmocka_unit_test(header_speaks_before_names),
		cmocka_unit_test(classes),
		cmocka_unit_test(other_sections_are_not_read),
		cmocka_unit_test(address_of_wrong_size),
		cmocka_unit_test(addresses_are_not_service_records),
		cmocka_unit_test(ends_too_early),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(cut_but_wrong_before),
		cmocka_unit_test(wire_length_rules),
		cmocka_unit_test(as_many_as_fit),
		cmocka_unit_test(every_why_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
