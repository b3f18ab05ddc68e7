/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "dns/attribution.h"

static struct dns_receiver party(uint64_t time_ns, uint32_t tgid, uint32_t netns)
{
	return (struct dns_receiver){.time_ns = time_ns, .tgid = tgid, .netns = netns};
}

static enum dns_tie tie_since(uint64_t process_ns, struct dns_receiver at,
			      struct dns_receiver receiver)
{
	const struct dns_connector connector = {at.time_ns, at.tgid, at.netns, process_ns};

	return dns_tie(&connector, &receiver);
}

static enum dns_tie tie(struct dns_receiver connector, struct dns_receiver receiver)
{
	return tie_since(0, connector, receiver);
}

static void ties(void **state)
{
	(void)state;
	assert_int_equal(tie(party(100, 7, 9), party(50, 7, 9)), DNS_TIE_PROCESS);
	assert_int_equal(tie(party(100, 7, 9), party(50, 7, 8)), DNS_TIE_PROCESS);
	assert_int_equal(tie(party(100, 7, 9), party(50, 6, 9)), DNS_TIE_NAMESPACE);
	assert_int_equal(tie(party(100, 7, 9), party(50, 6, 8)), DNS_TIE_LATEST);
}

static void unknown_equals_nothing(void **state)
{
	(void)state;
	assert_int_equal(tie(party(100, 0, 0), party(50, 0, 0)), DNS_TIE_LATEST);
	assert_int_equal(tie(party(100, 0, 9), party(50, 0, 9)), DNS_TIE_NAMESPACE);
	assert_int_equal(tie(party(100, 7, 0), party(50, 6, 0)), DNS_TIE_LATEST);
	assert_int_equal(tie(party(100, 7, 0), party(50, 7, 0)), DNS_TIE_PROCESS);
}

static void later_answers_cannot_be_meant(void **state)
{
	(void)state;
	assert_int_equal(tie(party(100, 7, 9), party(101, 7, 9)), DNS_TIE_NONE);
	assert_int_equal(tie(party(100, 7, 9), party(100, 7, 9)), DNS_TIE_PROCESS);
	assert_int_equal(tie(party(0, 7, 9), party(UINT64_MAX, 7, 9)), DNS_TIE_NONE);
}

/* An answer that is older than the process: its id was another's before. */
static void of_an_earlier_process(void **state)
{
	(void)state;
	assert_int_equal(tie_since(51, party(100, 7, 9), party(50, 7, 9)), DNS_TIE_NAMESPACE);
	assert_int_equal(tie_since(51, party(100, 7, 9), party(50, 7, 8)), DNS_TIE_LATEST);
	assert_int_equal(tie_since(50, party(100, 7, 9), party(50, 7, 8)), DNS_TIE_PROCESS);
}

static bool better(enum dns_tie this_tie, uint64_t this_time, enum dns_tie best_tie,
		   uint64_t best_time)
{
	struct dns_receiver this_one = party(this_time, 1, 1), best = party(best_time, 2, 2);

	return dns_better(this_tie, &this_one, best_tie, &best);
}

static void order(void **state)
{
	(void)state;
	for (int strong = DNS_TIE_LATEST; strong <= DNS_TIE_PROCESS; strong++) {
		for (int weak = DNS_TIE_NONE; weak < strong; weak++) {
			/* However much later the weak one came. */
			assert_true(better((enum dns_tie)strong, 1, (enum dns_tie)weak, 1000));
			assert_false(better((enum dns_tie)weak, 1000, (enum dns_tie)strong, 1));
		}
		assert_true(better((enum dns_tie)strong, 2, (enum dns_tie)strong, 1));
		assert_false(better((enum dns_tie)strong, 1, (enum dns_tie)strong, 2));
		assert_true(better((enum dns_tie)strong, 1, (enum dns_tie)strong, 1));
	}
	assert_false(better(DNS_TIE_NONE, 5, DNS_TIE_NONE, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ties),
		cmocka_unit_test(unknown_equals_nothing),
		cmocka_unit_test(later_answers_cannot_be_meant),
		cmocka_unit_test(of_an_earlier_process),
		cmocka_unit_test(order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
