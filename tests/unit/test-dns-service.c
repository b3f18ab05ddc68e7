/* SPDX-License-Identifier: Apache-2.0 */
/* SVCB and HTTPS records (RFC 9460). */
#include "tests/unit/dns-expect.h"

static struct builder b;
static struct dns_answer out;
static char text[1 << 16];
static unsigned rdlength_at;

/* One record of type, owned by the question, up to its parameters. */
static void begin_service(unsigned type, unsigned priority, const char *target)
{
	begin(&b, "svc.example", type, 1);
	put_pointer(&b, QUESTION);
	rdlength_at = put_fixed(&b, type, CLASS_IN, 0);
	put16(&b, priority);
	put_name(&b, target);
}

static void put_param(unsigned key, const void *value, unsigned length)
{
	put16(&b, key);
	put16(&b, length);
	put(&b, value, length);
	close_rdata(&b, rdlength_at);
}

static const uint8_t v4[] = {192, 0, 2, 1, 192, 0, 2, 2};
static const uint8_t v6[32] = {0x20, 1, 0xd, 0xb8, [15] = 1, 0x20, 1, 0xd, 0xb8, [31] = 2};

static void hints(void **state)
{
	static const unsigned types[] = {TYPE_SVCB, TYPE_HTTPS};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin_service(types[i], 1, "target.example");
		put_param(1, "\2h2", 3);
		put_param(4, v4, 8);
		put_param(5, "ech", 3);
		put_param(6, v6, 32);
		put_param(65280, "", 0);
		expect_answer(&b, "svc.example", "192.0.2.1 192.0.2.2 2001:db8::1 2001:db8::2");
	}
}

static void alias_mode_has_none(void **state)
{
	(void)state;
	begin_service(TYPE_HTTPS, 0, "target.example");
	put_param(4, v4, 8);
	expect_answer(&b, "svc.example", "");
	/* Its parameters are to be ignored, wrong ones too. */
	put16(&b, 1);
	put8(&b, 0);
	close_rdata(&b, rdlength_at);
	expect_answer(&b, "svc.example", "");
}

static void no_parameters(void **state)
{
	(void)state;
	begin_service(TYPE_HTTPS, 1, "");
	close_rdata(&b, rdlength_at);
	expect_answer(&b, "svc.example", "");
}

static void keys_must_ascend(void **state)
{
	(void)state;
	begin_service(TYPE_HTTPS, 1, "");
	put_param(6, v6, 16);
	put_param(4, v4, 4);
	expect_why(&b, DNS_WHY_SVCPARAM);
	begin_service(TYPE_HTTPS, 1, "");
	put_param(4, v4, 4);
	put_param(4, v4, 4);
	expect_why(&b, DNS_WHY_SVCPARAM);
	/* Key 0 is the first there can be. */
	begin_service(TYPE_HTTPS, 1, "");
	put_param(0, "\0\4", 2);
	put_param(4, v4, 4);
	expect_answer(&b, "svc.example", "192.0.2.1");
}

static void hint_lengths(void **state)
{
	(void)state;
	for (unsigned length = 0; length <= 8; length++) {
		begin_service(TYPE_HTTPS, 1, "");
		put_param(4, v4, length);
		if (length && length % 4 == 0)
			assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
		else
			expect_why(&b, DNS_WHY_SVCPARAM);
	}
	for (unsigned length = 0; length <= 32; length++) {
		begin_service(TYPE_HTTPS, 1, "");
		put_param(6, v6, length);
		if (length && length % 16 == 0)
			assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
		else
			expect_why(&b, DNS_WHY_SVCPARAM);
	}
}

static void rdata_too_short(void **state)
{
	(void)state;
	/* target.example is 16 bytes with its root; then 4 + 8 of the hint. */
	for (unsigned length = 0; length < 2 + 16 + 12; length++) {
		begin_service(TYPE_HTTPS, 1, "target.example");
		put_param(4, v4, 8);
		assert_int_equal(b.size - rdlength_at - 2, 2 + 16 + 12);
		set16(&b, rdlength_at, length);
		b.size = rdlength_at + 2 + length;
		if (length < 18)
			expect_why(&b, DNS_WHY_RDATA);
		else if (length == 18)
			expect_answer(&b, "svc.example", "");
		else
			expect_why(&b, DNS_WHY_SVCPARAM);
	}
}

static void target_is_not_compressed(void **state)
{
	(void)state;
	begin(&b, "svc.example", TYPE_HTTPS, 1);
	put_pointer(&b, QUESTION);
	rdlength_at = put_fixed(&b, TYPE_HTTPS, CLASS_IN, 0);
	put16(&b, 1);
	put_pointer(&b, QUESTION);
	close_rdata(&b, rdlength_at);
	expect_why(&b, DNS_WHY_POINTER);
	b.bytes[rdlength_at + 4] = 0x80;
	expect_why(&b, DNS_WHY_LABEL);
}

static void target_of_255_bytes(void **state)
{
	(void)state;
	for (unsigned last = 61; last <= 62; last++) {
		begin(&b, "svc.example", TYPE_HTTPS, 1);
		put_pointer(&b, QUESTION);
		rdlength_at = put_fixed(&b, TYPE_HTTPS, CLASS_IN, 0);
		put16(&b, 1);
		for (unsigned label = 0; label < 4; label++) {
			unsigned length = label < 3 ? 63 : last;

			put8(&b, length);
			for (unsigned i = 0; i < length; i++)
				put8(&b, 'a');
		}
		put8(&b, 0);
		put_param(4, v4, 4);
		if (last == 61)
			expect_answer(&b, "svc.example", "192.0.2.1");
		else
			expect_why(&b, DNS_WHY_NAME_LENGTH);
	}
}

static void behind_a_cname_and_off_the_chain(void **state)
{
	(void)state;
	for (unsigned on = 0; on < 2; on++) {
		begin(&b, "svc.example", TYPE_HTTPS, 2);
		add_cname(&b, "svc.example", "pool.example");
		put_name(&b, on ? "pool.example" : "cool.example");
		rdlength_at = put_fixed(&b, TYPE_HTTPS, CLASS_IN, 0);
		put16(&b, 1);
		put_name(&b, "");
		put_param(4, v4, 8);
		expect_answer(&b, "svc.example", on ? "192.0.2.1 192.0.2.2" : "");
	}
}

/* The target's addresses have a question of their own. */
static void target_is_not_followed(void **state)
{
	(void)state;
	begin_service(TYPE_HTTPS, 1, "target.example");
	put_param(4, v4, 4);
	set16(&b, 6, 2);
	add_address(&b, "target.example", "192.0.2.9");
	expect_answer(&b, "svc.example", "192.0.2.1");
}

static void cut_in_a_hint(void **state)
{
	(void)state;
	begin_service(TYPE_HTTPS, 1, "");
	put_param(4, v4, 8);
	for (unsigned size = rdlength_at; size < b.size; size++) {
		assert_int_equal(parse(&b, size, b.size, &out), DNS_OK);
		assert_string_equal(addresses_text(&out, text), "");
	}
}

/* A wrong parameter behind a right hint: the hint is not believed either. */
static void wrong_behind_right(void **state)
{
	(void)state;
	begin_service(TYPE_HTTPS, 1, "");
	put_param(4, v4, 8);
	put_param(6, v6, 15);
	expect_why(&b, DNS_WHY_SVCPARAM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hints),
		cmocka_unit_test(alias_mode_has_none),
		cmocka_unit_test(no_parameters),
		cmocka_unit_test(keys_must_ascend),
		cmocka_unit_test(hint_lengths),
		cmocka_unit_test(rdata_too_short),
		cmocka_unit_test(target_is_not_compressed),
		cmocka_unit_test(target_of_255_bytes),
		cmocka_unit_test(behind_a_cname_and_off_the_chain),
		cmocka_unit_test(target_is_not_followed),
		cmocka_unit_test(cut_in_a_hint),
		cmocka_unit_test(wrong_behind_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
