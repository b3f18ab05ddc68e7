/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include "tests/unit/dns-expect.h"

static struct builder b;
static struct dns_answer out;
static char text[1 << 16];

static void addresses_of_others_are_not_taken(void **state)
{
	(void)state;
	begin(&b, "www.example.com", TYPE_A, 3);
	add_address(&b, "www.example.com", "192.0.2.1");
	add_address(&b, "bank.example", "192.0.2.2");
	/* Neither what is above nor what is below the question's name. */
	put_pointer(&b, QUESTION + 4);
	put_address(&b, "192.0.2.3");
	expect_answer(&b, "www.example.com", "192.0.2.1");
	set16(&b, 6, 4);
	add_address(&b, "a.www.example.com", "192.0.2.4");
	expect_answer(&b, "www.example.com", "192.0.2.1");
}

static void only_others(void **state)
{
	(void)state;
	begin(&b, "www.example.com", TYPE_A, 2);
	add_cname(&b, "a.example.com", "b.example.com");
	add_address(&b, "b.example.com", "192.0.2.1");
	expect_answer(&b, "www.example.com", "");
}

static void chain_in_order(void **state)
{
	(void)state;
	begin(&b, "www.example.com", TYPE_A, 4);
	add_cname(&b, "www.example.com", "a.cdn.example");
	add_cname(&b, "a.cdn.example", "b.cdn.example");
	add_address(&b, "b.cdn.example", "192.0.2.1");
	add_address(&b, "B.CDN.EXAMPLE", "192.0.2.2");
	expect_answer(&b, "www.example.com", "192.0.2.1 192.0.2.2");
}

/* Each of the 24 orders of a chain of two and its two addresses. */
static void chain_in_any_order(void **state)
{
	(void)state;
	for (unsigned order = 0; order < 24; order++) {
		unsigned left[4] = {0, 1, 2, 3}, code = order;
		bool swapped = false, seen_first = false;

		begin(&b, "www.example.com", TYPE_A, 4);
		for (unsigned n = 4; n; n--) {
			unsigned pick = code % n, record = left[pick];

			code /= n;
			memmove(left + pick, left + pick + 1, (n - pick - 1) * sizeof(*left));
			switch (record) {
			case 0:
				add_cname(&b, "www.example.com", "a.cdn.example");
				break;
			case 1:
				add_cname(&b, "A.cdn.example", "b.cdn.example");
				break;
			case 2:
				seen_first = true;
				add_address(&b, "b.CDN.example", "192.0.2.1");
				break;
			case 3:
				swapped = !seen_first;
				add_address(&b, "b.cdn.example", "192.0.2.2");
				break;
			}
		}
		expect_answer(&b, "www.example.com",
			      swapped ? "192.0.2.2 192.0.2.1" : "192.0.2.1 192.0.2.2");
	}
}

/* Backwards, compressed as servers do it, and with records of no concern between. */
static void chain_backwards_and_compressed(void **state)
{
	unsigned rdlength, last, middle;

	(void)state;
	begin(&b, "www.example.com", TYPE_A, 7);
	last = put_labels(&b, "a-label-of-many-bytes");
	put_pointer(&b, QUESTION + 4);
	put_address(&b, "192.0.2.1");
	put_pointer(&b, last);
	put_fixed(&b, TYPE_TXT, CLASS_IN, 4);
	put(&b, "\3abc", 4);
	middle = put_labels(&b, "middle");
	put_pointer(&b, last + 22);
	rdlength = put_fixed(&b, TYPE_CNAME, CLASS_IN, 0);
	put_pointer(&b, last);
	close_rdata(&b, rdlength);
	put_pointer(&b, middle);
	put_fixed(&b, TYPE_TXT, CLASS_IN, 4);
	put(&b, "\3abc", 4);
	put_pointer(&b, QUESTION);
	rdlength = put_fixed(&b, TYPE_CNAME, CLASS_IN, 0);
	put_pointer(&b, middle);
	close_rdata(&b, rdlength);
	put_pointer(&b, last);
	put_address(&b, "192.0.2.2");
	/* What follows a label, another one or a pointer, is not of the name. */
	add_address(&b, "a-label-of-many-bytes.example.com", "192.0.2.3");
	expect_answer(&b, "www.example.com", "192.0.2.1 192.0.2.2 192.0.2.3");
}

static void addresses_at_each_name_of_the_chain(void **state)
{
	(void)state;
	begin(&b, "www.example.com", TYPE_A, 3);
	add_cname(&b, "www.example.com", "a.cdn.example");
	add_address(&b, "www.example.com", "192.0.2.1");
	add_address(&b, "a.cdn.example", "192.0.2.2");
	expect_answer(&b, "www.example.com", "192.0.2.1 192.0.2.2");
}

static void chain_loops(void **state)
{
	(void)state;
	begin(&b, "www.example.com", TYPE_A, 5);
	add_cname(&b, "www.example.com", "a.example");
	add_cname(&b, "a.example", "b.example");
	add_cname(&b, "b.example", "www.example.com");
	add_address(&b, "b.example", "192.0.2.1");
	add_cname(&b, "a.example", "a.example");
	expect_answer(&b, "www.example.com", "192.0.2.1");
}

static void several_cnames_of_one_name(void **state)
{
	(void)state;
	begin(&b, "www.example.com", TYPE_A, 4);
	add_cname(&b, "www.example.com", "a.example");
	add_cname(&b, "www.example.com", "b.example");
	add_address(&b, "a.example", "192.0.2.1");
	add_address(&b, "b.example", "192.0.2.2");
	expect_answer(&b, "www.example.com", "192.0.2.1 192.0.2.2");
}

/* As long as one fits, backwards, so that each name is found one round later. */
static void longest_chain_backwards(void **state)
{
	char owner[16], target[16];

	(void)state;
	begin(&b, "n0", TYPE_A, 181);
	add_address(&b, "n180", "192.0.2.1");
	for (int i = 179; i >= 0; i--) {
		snprintf(owner, sizeof(owner), "n%d", i);
		snprintf(target, sizeof(target), "n%d", i + 1);
		add_cname(&b, owner, target);
	}
	assert_true(b.size <= DNS_MESSAGE_MAX);
	assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
	assert_int_equal(out.why, DNS_WHY_WHOLE);
	assert_string_equal(addresses_text(&out, text), "192.0.2.1");
}

static void cname_must_fill_its_rdata(void **state)
{
	(void)state;
	for (int off = -1; off <= 1; off += 2) {
		unsigned rdlength;

		begin(&b, "www.example.com", TYPE_A, 1);
		put_name(&b, "www.example.com");
		rdlength = put_fixed(&b, TYPE_CNAME, CLASS_IN, 0);
		put_name(&b, "a.example");
		set16(&b, rdlength, b.size - rdlength - 2 + (unsigned)off);
		put8(&b, 0);
		expect_why(&b, DNS_WHY_RDATA);
	}
	/* A name that goes on where the message ends has left the RDATA as well. */
	begin(&b, "www.example.com", TYPE_A, 1);
	put_pointer(&b, QUESTION);
	put_fixed(&b, TYPE_CNAME, CLASS_IN, 3);
	put(&b, "\7ab", 3);
	expect_why(&b, DNS_WHY_RDATA);
	assert_int_equal(parse(&b, b.size, b.size + 9, &out), DNS_MALFORMED);
	begin(&b, "www.example.com", TYPE_A, 1);
	put_pointer(&b, QUESTION);
	put_fixed(&b, TYPE_CNAME, CLASS_IN, 0);
	expect_why(&b, DNS_WHY_RDATA);
}

static void dname_with_its_cname(void **state)
{
	(void)state;
	begin(&b, "www.old.example", TYPE_A, 3);
	add_redirection(&b, TYPE_DNAME, "old.example", "new.example");
	add_cname(&b, "www.old.example", "www.new.example");
	add_address(&b, "www.new.example", "192.0.2.1");
	expect_answer(&b, "www.old.example", "192.0.2.1");
}

/* Whether a DNAME leads to a further name or not, and that has an address or not. */
static void dname_beside_an_ordered_chain(void **state)
{
	(void)state;
	begin(&b, "www.example", TYPE_A, 3);
	add_redirection(&b, TYPE_DNAME, "odd.example", "new.example");
	add_cname(&b, "www.example", "a.example");
	add_address(&b, "a.example", "192.0.2.1");
	expect_answer(&b, "www.example", "192.0.2.1");
	begin(&b, "www.example", TYPE_A, 5);
	add_redirection(&b, TYPE_DNAME, "odd.example", "new.example");
	add_cname(&b, "www.example", "a.example");
	add_redirection(&b, TYPE_DNAME, "example", "elsewhere");
	add_address(&b, "a.example", "192.0.2.1");
	add_address(&b, "a.elsewhere", "192.0.2.2");
	expect_answer(&b, "www.example", "192.0.2.1 192.0.2.2");
	begin(&b, "www.example", TYPE_A, 3);
	add_redirection(&b, TYPE_DNAME, "odd.example", "new.example");
	add_address(&b, "www.example", "192.0.2.1");
	add_address(&b, "www.new.example", "192.0.2.2");
	expect_answer(&b, "www.example", "192.0.2.1");
}

static void dname_alone(void **state)
{
	(void)state;
	begin(&b, "a.b.OLD.example", TYPE_A, 5);
	add_address(&b, "a.b.new.example", "192.0.2.1");
	add_address(&b, "b.new.example", "192.0.2.2");
	add_address(&b, "new.example", "192.0.2.3");
	add_redirection(&b, TYPE_DNAME, "old.EXAMPLE", "new.example");
	add_address(&b, "A.B.NEW.EXAMPLE", "192.0.2.4");
	expect_answer(&b, "a.b.OLD.example", "192.0.2.1 192.0.2.4");
}

static void dname_does_not_redirect_its_owner(void **state)
{
	(void)state;
	begin(&b, "old.example", TYPE_A, 3);
	add_redirection(&b, TYPE_DNAME, "old.example", "new.example");
	add_address(&b, "new.example", "192.0.2.1");
	add_address(&b, "old.example", "192.0.2.2");
	expect_answer(&b, "old.example", "192.0.2.2");
}

/* "xold.example" ends in the same bytes as "old.example", but not in the same labels. */
static void dname_needs_whole_labels(void **state)
{
	(void)state;
	begin(&b, "a.xold.example", TYPE_A, 2);
	add_redirection(&b, TYPE_DNAME, "old.example", "new.example");
	add_address(&b, "a.new.example", "192.0.2.1");
	expect_answer(&b, "a.xold.example", "");
	/* A label whose bytes look like length bytes and labels. */
	begin(&b, "a.b", TYPE_A, 2);
	b.size = QUESTION;
	put(&b, "\6xx\3old\0\0\1\0\1", 12);
	add_redirection(&b, TYPE_DNAME, "old", "new");
	add_address(&b, "xx.new", "192.0.2.1");
	assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
	assert_int_equal(out.count, 0);
}

/* As many labels as the end of the name, and as long, but others. */
static void dname_of_another_name(void **state)
{
	(void)state;
	begin(&b, "www.old.example", TYPE_A, 2);
	add_redirection(&b, TYPE_DNAME, "odd.example", "new.example");
	add_address(&b, "www.new.example", "192.0.2.1");
	expect_answer(&b, "www.old.example", "");
}

/* What leads to the same name again does not use up the sixteen. */
static void dname_again_and_again(void **state)
{
	(void)state;
	begin(&b, "www.a", TYPE_A, 22);
	for (unsigned i = 0; i < 20; i++)
		add_redirection(&b, TYPE_DNAME, "a", "b");
	add_redirection(&b, TYPE_DNAME, "b", "c");
	add_address(&b, "www.c", "192.0.2.1");
	expect_answer(&b, "www.a", "192.0.2.1");
}

static void dname_of_the_root(void **state)
{
	(void)state;
	begin(&b, "a.b", TYPE_A, 2);
	add_redirection(&b, TYPE_DNAME, "", "c");
	add_address(&b, "a.b.c", "192.0.2.1");
	expect_answer(&b, "a.b", "192.0.2.1");
	begin(&b, "a.b", TYPE_A, 2);
	add_redirection(&b, TYPE_DNAME, "b", "");
	add_address(&b, "a", "192.0.2.1");
	expect_answer(&b, "a.b", "192.0.2.1");
}

static void dname_of_dname(void **state)
{
	(void)state;
	begin(&b, "www.a", TYPE_A, 4);
	add_cname(&b, "www.c", "end");
	add_redirection(&b, TYPE_DNAME, "b", "c");
	add_redirection(&b, TYPE_DNAME, "a", "b");
	add_address(&b, "end", "192.0.2.1");
	expect_answer(&b, "www.a", "192.0.2.1");
}

/* Each round makes the name one label longer: sixteen of them are followed. */
static void dname_that_feeds_itself(void **state)
{
	char owner[80] = "x.";

	(void)state;
	for (unsigned rounds = 1; rounds <= 20; rounds++) {
		strcat(owner, "y.");
		begin(&b, "x.a", TYPE_A, 2);
		add_redirection(&b, TYPE_DNAME, "a", "y.a");
		strcpy(owner + 2 + 2 * rounds, "a");
		add_address(&b, owner, "192.0.2.1");
		owner[2 + 2 * rounds] = '\0';
		expect_answer(&b, "x.a", rounds <= 16 ? "192.0.2.1" : "");
	}
}

static void dname_whose_result_is_too_long(void **state)
{
	char prefix[256], target[256], owner[600];

	(void)state;
	memset(prefix, 'p', sizeof(prefix));
	memset(target, 't', sizeof(target));
	for (unsigned i = 63; i < 127; i += 64)
		prefix[i] = target[i] = '.';
	prefix[127] = '\0';
	/* 128 bytes of prefix labels, so the target may take 127 with its root. */
	for (unsigned length = 124; length <= 126; length++) {
		target[length] = '\0';
		snprintf(owner, sizeof(owner), "%s.d", prefix);
		begin(&b, owner, TYPE_A, 2);
		add_redirection(&b, TYPE_DNAME, "d", target);
		if (length <= 125) {
			snprintf(owner, sizeof(owner), "%s.%s", prefix, target);
			add_address(&b, owner, "192.0.2.1");
		} else {
			add_address(&b, "other", "192.0.2.1");
		}
		assert_int_equal(parse(&b, b.size, b.size, &out), DNS_OK);
		assert_int_equal(out.count, length <= 125);
		target[length] = 't';
	}
}

/*
 * Each name of the chain is held against each DNAME: with too many pairs the chain
 * is left where it stands, so that no message costs more than a few milliseconds.
 */
static void work_is_bounded(void **state)
{
	char owner[32], target[32];

	(void)state;
	for (unsigned names = 10; names <= 80; names += 70) {
		begin(&b, "x.n0", TYPE_A, 60 + names + 1);
		/* First what comes last in order: the chain is then searched, not followed. */
		snprintf(owner, sizeof(owner), "x.n%u", names);
		add_address(&b, owner, "192.0.2.1");
		for (unsigned i = 0; i < 60; i++) {
			snprintf(owner, sizeof(owner), "d%u", i % 10);
			add_redirection(&b, TYPE_DNAME, owner, "e");
		}
		for (unsigned i = 0; i < names; i++) {
			snprintf(owner, sizeof(owner), "x.n%u", i);
			snprintf(target, sizeof(target), "x.n%u", i + 1);
			add_cname(&b, owner, target);
		}
		assert_true(b.size <= DNS_MESSAGE_MAX);
		expect_answer(&b, "x.n0", names == 10 ? "192.0.2.1" : "");
	}
}

/* A name of eight bytes, of 0x01 and 0x21, which differ where the cases of letters do. */
static const char *twin(unsigned number)
{
	static char names[2][9];
	static unsigned turn;
	char *name = names[turn++ % 2];

	for (unsigned i = 0; i < 8; i++)
		name[i] = number >> i & 1 ? '!' : 1;
	return name;
}

/* Names whose hashes collide: told apart, as long as there are not too many. */
static void colliding_names(void **state)
{
	(void)state;
	for (unsigned names = 20; names <= 80; names += 60) {
		begin(&b, "q", TYPE_A, names + 2);
		for (unsigned i = names; i--;)
			add_cname(&b, twin(i), twin(i + 1));
		add_cname(&b, "q", twin(0));
		add_address(&b, twin(names), "192.0.2.1");
		assert_true(b.size <= DNS_MESSAGE_MAX);
		expect_answer(&b, "q", names == 20 ? "192.0.2.1" : "");
	}
}

static void cut_inside_an_unordered_chain(void **state)
{
	unsigned whole, before;

	(void)state;
	begin(&b, "www.example.com", TYPE_A, 3);
	add_address(&b, "a.example", "192.0.2.1");
	add_cname(&b, "www.example.com", "a.example");
	before = b.size;
	add_address(&b, "a.example", "192.0.2.2");
	whole = b.size;
	for (unsigned size = before; size <= whole; size++) {
		assert_int_equal(parse(&b, size, whole, &out), DNS_OK);
		assert_int_equal(out.why, size == whole ? DNS_WHY_WHOLE : DNS_WHY_CUT);
		assert_int_equal(out.count, size == whole ? 2 : 1);
	}
	assert_int_equal(parse(&b, before - 1, whole, &out), DNS_OK);
	assert_int_equal(out.count, 0);
	/* Not cut but short: nothing is believed. */
	assert_int_equal(parse(&b, whole - 1, whole - 1, &out), DNS_MALFORMED);
	assert_int_equal(out.count, 0);
}

static void wrong_record_off_the_chain(void **state)
{
	(void)state;
	begin(&b, "www.example.com", TYPE_A, 3);
	add_address(&b, "other.example", "192.0.2.1");
	add_address(&b, "www.example.com", "192.0.2.2");
	put_name(&b, "other.example");
	put_fixed(&b, TYPE_CNAME, CLASS_IN, 1);
	put8(&b, 0x40);
	expect_why(&b, DNS_WHY_LABEL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_others_are_not_taken),
		cmocka_unit_test(only_others),
		cmocka_unit_test(chain_in_order),
		cmocka_unit_test(chain_in_any_order),
		cmocka_unit_test(chain_backwards_and_compressed),
		cmocka_unit_test(addresses_at_each_name_of_the_chain),
		cmocka_unit_test(chain_loops),
		cmocka_unit_test(several_cnames_of_one_name),
		cmocka_unit_test(longest_chain_backwards),
		cmocka_unit_test(cname_must_fill_its_rdata),
		cmocka_unit_test(dname_with_its_cname),
		cmocka_unit_test(dname_beside_an_ordered_chain),
		cmocka_unit_test(dname_alone),
		cmocka_unit_test(dname_does_not_redirect_its_owner),
		cmocka_unit_test(dname_needs_whole_labels),
		cmocka_unit_test(dname_of_another_name),
		cmocka_unit_test(dname_again_and_again),
		cmocka_unit_test(dname_of_the_root),
		cmocka_unit_test(dname_of_dname),
		cmocka_unit_test(dname_that_feeds_itself),
		cmocka_unit_test(dname_whose_result_is_too_long),
		cmocka_unit_test(work_is_bounded),
		cmocka_unit_test(colliding_names),
		cmocka_unit_test(cut_inside_an_unordered_chain),
		cmocka_unit_test(wrong_record_off_the_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
