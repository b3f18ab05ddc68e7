/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, addresses and seconds against what libc makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include "output/text.h"

/* xorshift64: the same values in every run. */
static uint64_t next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void check_decimal(uint64_t number)
{
	char expected[32], text[32];

	snprintf(expected, sizeof(expected), "%lu", number);
	*text_decimal(text, number) = '\0';
	assert_string_equal(text, expected);
	snprintf(expected, sizeof(expected), "%-6lu|", number);
	strcpy(text_decimal_padded(text, number, 6), "|");
	assert_string_equal(text, expected);
}

static void decimals(void **state)
{
	(void)state;
	for (uint64_t number = 0; number < 100000; number++)
		check_decimal(number);
	for (uint64_t power = 1; power < UINT64_MAX / 10; power *= 10) {
		check_decimal(power - 1);
		check_decimal(power);
		check_decimal(power + 1);
	}
	check_decimal(UINT32_MAX);
	check_decimal(UINT64_MAX);
	for (int i = 0; i < 100000; i++)
		check_decimal(next_random() >> (next_random() % 64));
}

static void three_digits(void **state)
{
	(void)state;
	for (unsigned int number = 0; number < 1000; number++) {
		char expected[8], text[8];

		snprintf(expected, sizeof(expected), "%03u", number);
		*text_3_digits(text, number) = '\0';
		assert_string_equal(text, expected);
	}
}

static void check_address(unsigned int family, const uint8_t *address)
{
	char expected[INET6_ADDRSTRLEN], text[ADDRESS_MAX + 1], *end;

	assert_non_null(
		inet_ntop(family == 6 ? AF_INET6 : AF_INET, address, expected, sizeof(expected)));
	end = text_address(text, family, address);
	assert_in_range(end - text, 1, ADDRESS_MAX);
	*end = '\0';
	assert_string_equal(text, expected);
}

static void ipv4_addresses(void **state)
{
	(void)state;
	for (unsigned int place = 0; place < 4; place++) {
		for (unsigned int byte = 0; byte < 256; byte++) {
			uint8_t address[4] = {0};

			address[place] = (uint8_t)byte;
			check_address(4, address);
			memset(address, 255, sizeof(address));
			address[place] = (uint8_t)byte;
			check_address(4, address);
		}
	}
	for (int i = 0; i < 100000; i++) {
		uint64_t bits = next_random();

		check_address(4, (const uint8_t *)&bits);
	}
}

static void ipv6_well_known(void **state)
{
	static const char *const addresses[] = {
		"::",
		"::1",
		"1::",
		"::1:0",
		"::0.0.1.0",
		"::1.2.3.4",
		"::255.255.255.255",
		"::ffff:0.0.0.0",
		"::ffff:127.0.0.1",
		"::ffff:255.255.255.255",
		"::fffe:1.2.3.4",
		"::1:ffff:1.2.3.4",
		"64:ff9b::192.0.2.33",
		"2001:db8::1",
		"2001:db8:0:1:1:1:1:1",
		"2001:0:0:1:0:0:0:1",
		"2001:db8:0:0:1:0:0:1",
		"1:0:0:2:3:0:0:0",
		"1:2:3:4:5:6:7:8",
		"0:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7:0",
		"0:0:3:4:5:6:7:8",
		"1:2:3:4:5:6:0:0",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"a:b0:c00:d000:e:f0:100:1000",
		"fe80::1ff:fe23:4567:890a",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		uint8_t address[16];

		assert_int_equal(inet_pton(AF_INET6, addresses[i], address), 1);
		check_address(6, address);
	}
}

/* Every way in which the eight groups can be zero or not, with small and large others. */
static void ipv6_gaps(void **state)
{
	static const uint16_t groups[] = {0x1, 0xff, 0x100, 0xffff};

	(void)state;
	for (size_t kind = 0; kind < sizeof(groups) / sizeof(groups[0]); kind++) {
		for (unsigned int mask = 0; mask < 256; mask++) {
			uint8_t address[16] = {0};

			for (unsigned int group = 0; group < 8; group++) {
				if (!(mask & 1u << group))
					continue;
				address[2 * group] = (uint8_t)(groups[kind] >> 8);
				address[2 * group + 1] = (uint8_t)groups[kind];
			}
			check_address(6, address);
		}
	}
}

static void ipv6_random(void **state)
{
	(void)state;
	for (int i = 0; i < 300000; i++) {
		uint64_t bits[2] = {next_random(), next_random()};
		uint64_t zero = next_random();
		uint8_t *address = (uint8_t *)bits;

		/* Most addresses have zeros: wipe each byte with a chance of a half. */
		for (int byte = 0; i % 4 && byte < 16; byte++) {
			if (zero & 1u << byte)
				address[byte] = 0;
		}
		check_address(6, address);
	}
}

static void address_padded(void **state)
{
	static const uint8_t loopback[16] = {127, 0, 0, 1};
	char text[64];

	(void)state;
	strcpy(text_address_padded(text, 4, loopback, 16), "|");
	assert_string_equal(text, "127.0.0.1       |");
	strcpy(text_address_padded(text, 4, loopback, 9), "|");
	assert_string_equal(text, "127.0.0.1|");
	strcpy(text_address_padded(text, 4, loopback, 3), "|");
	assert_string_equal(text, "127.0.0.1|");
}

static void check_seconds(int64_t microseconds)
{
	char expected[64], text[SECONDS_MAX + 1], *end;

	/* As bcc computes it, in Python: the same double, the same rounding. */
	snprintf(expected, sizeof(expected), "%.3f", (double)microseconds / 1000000);
	end = text_seconds(text, microseconds);
	assert_in_range(end - text, 5, SECONDS_MAX);
	*end = '\0';
	assert_string_equal(text, expected);
}

static void seconds(void **state)
{
	static const int64_t edges[] = {
		0,
		499,
		500,
		501,
		999499,
		999500,
		999999,
		1000000,
		(INT64_C(1) << 53) - 1,
		INT64_C(1) << 53,
		(INT64_C(1) << 53) + 1,
		INT64_MAX,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		check_seconds(edges[i]);
		check_seconds(-edges[i]);
	}
	check_seconds(INT64_MIN);
	for (int64_t microseconds = -20000; microseconds < 20000; microseconds++)
		check_seconds(microseconds);
	/* Halves of a millisecond: some of them doubles, most just above or below one. */
	for (int64_t half = 500; half < 200000000; half += 1000) {
		check_seconds(half - 1);
		check_seconds(half);
		check_seconds(half + 1);
	}
	for (int i = 0; i < 200000; i++) {
		int64_t size = (int64_t)(next_random() >> (1 + next_random() % 63));

		check_seconds(size);
		check_seconds(-size);
		check_seconds(size / 1000 * 1000 + 500);
	}
}

/* Rounded by Python 3.11, not by this machine's libc: ties to even, others to the double. */
static void seconds_by_python(void **state)
{
	static const struct {
		int64_t microseconds;
		const char *text;
	} known[] = {
		{500, "0.001"},    {1500, "0.002"},      {2500, "0.003"},
		{62500, "0.062"},  {187500, "0.188"},    {1000500, "1.000"},
		{999500, "1.000"}, {12345678, "12.346"}, {-1, "-0.000"},
		{-1500, "-0.002"}, {999499, "0.999"},    {86400000500, "86400.000"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char text[SECONDS_MAX + 1];

		*text_seconds(text, known[i].microseconds) = '\0';
		assert_string_equal(text, known[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimals),          cmocka_unit_test(three_digits),
		cmocka_unit_test(ipv4_addresses),    cmocka_unit_test(ipv6_well_known),
		cmocka_unit_test(ipv6_gaps),         cmocka_unit_test(ipv6_random),
		cmocka_unit_test(address_padded),    cmocka_unit_test(seconds),
		cmocka_unit_test(seconds_by_python),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
