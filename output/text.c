/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include "output/text.h"

/* Two digits at a time halve the divisions. */
static const char two_digits[] = "0001020304050607080910111213141516171819"
				 "2021222324252627282930313233343536373839"
				 "4041424344454647484950515253545556575859"
				 "6061626364656667686970717273747576777879"
				 "8081828384858687888990919293949596979899";

char *text_decimal(char *out, uint64_t number)
{
	char digits[DECIMAL_MAX];
	char *first = digits + sizeof(digits);
	size_t length;

	while (number >= 100) {
		first -= 2;
		memcpy(first, two_digits + number % 100 * 2, 2);
		number /= 100;
	}
	if (number >= 10) {
		first -= 2;
		memcpy(first, two_digits + number * 2, 2);
	} else {
		*--first = (char)('0' + number);
	}
	length = (size_t)(digits + sizeof(digits) - first);
	memcpy(out, first, length);
	return out + length;
}

char *text_2_digits(char *out, unsigned int number)
{
	memcpy(out, two_digits + number * 2, 2);
	return out + 2;
}

char *text_3_digits(char *out, unsigned int number)
{
	*out++ = (char)('0' + number / 100);
	memcpy(out, two_digits + number % 100 * 2, 2);
	return out + 2;
}

char *text_6_digits(char *out, unsigned int number)
{
	return text_3_digits(text_3_digits(out, number / 1000), number % 1000);
}

static char *text_ipv4(char *out, const uint8_t *address)
{
	for (int i = 0; i < 4; i++) {
		unsigned int byte = address[i];

		if (i)
			*out++ = '.';
		if (byte >= 100) {
			out = text_3_digits(out, byte);
		} else if (byte >= 10) {
			memcpy(out, two_digits + byte * 2, 2);
			out += 2;
		} else {
			*out++ = (char)('0' + byte);
		}
	}
	return out;
}

/* The 16 bits at address, without leading zeros. */
static char *text_group(char *out, const uint8_t *address)
{
	static const char hex[] = "0123456789abcdef";

	if (address[0] >= 0x10)
		*out++ = hex[address[0] >> 4];
	if (address[0])
		*out++ = hex[address[0] & 15];
	if (address[0] || address[1] >= 0x10)
		*out++ = hex[address[1] >> 4];
	*out++ = hex[address[1] & 15];
	return out;
}

/* Groups of zeros, to be written as "::". */
struct gap {
	unsigned int start, length;
};

/* The longest run of at least two zero groups, the first of equals (RFC 5952, 4.2). */
static struct gap find_gap(const uint8_t *address)
{
	struct gap best = {0, 0}, run = {0, 0};

	for (unsigned int i = 0; i < 8; i++) {
		if (address[2 * i] | address[2 * i + 1]) {
			run = (struct gap){i + 1, 0};
			continue;
		}
		if (++run.length > best.length)
			best = run;
	}
	return best.length > 1 ? best : (struct gap){8, 0};
}

/* IPv4-compatible, ::192.0.2.1, and IPv4-mapped, ::ffff:192.0.2.1 */
static bool ends_in_ipv4(const uint8_t *address, struct gap gap)
{
	return gap.start == 0 &&
	       (gap.length == 6 || (gap.length == 5 && address[10] == 0xff && address[11] == 0xff));
}

static char *text_ipv6(char *out, const uint8_t *address)
{
	struct gap gap = find_gap(address);
	unsigned int i = 0, end = ends_in_ipv4(address, gap) ? 6 : 8;

	while (i < end) {
		if (i == gap.start) {
			*out++ = ':';
			i += gap.length;
			if (i == 8)
				*out++ = ':';
			continue;
		}
		if (i)
			*out++ = ':';
		out = text_group(out, address + 2 * i);
		i++;
	}
	if (end == 6) {
		*out++ = ':';
		out = text_ipv4(out, address + 12);
	}
	return out;
}

char *text_address(char *out, unsigned int family, const uint8_t *address)
{
	return family == 6 ? text_ipv6(out, address) : text_ipv4(out, address);
}

char *text_seconds(char *out, int64_t microseconds)
{
	/* Negating in uint64_t is defined for INT64_MIN, too. */
	uint64_t size = microseconds < 0 ? -(uint64_t)microseconds : (uint64_t)microseconds;
	uint64_t milliseconds = size / 1000;
	unsigned int rest = size % 1000;

	/*
	 * Half a millisecond is seldom a double: which way printf rounds it hangs on the
	 * error of the nearest one. From 2^53 on, 285 years, the microseconds are no
	 * double either. Both are rare enough to ask printf itself.
	 */
	if (rest == 500 || size > UINT64_C(1) << 53) {
		char printed[SECONDS_MAX + 1];
		int length = snprintf(printed, sizeof(printed), "%.3f", (double)microseconds / 1e6);

		memcpy(out, printed, (size_t)length);
		return out + length;
	}
	if (microseconds < 0)
		*out++ = '-';
	milliseconds += rest > 500;
	out = text_decimal(out, milliseconds / 1000);
	*out++ = '.';
	return text_3_digits(out, milliseconds % 1000);
}

char *text_millis(char *out, uint64_t ns)
{
	uint64_t us = ns / 1000 + (ns % 1000 >= 500);

	out = text_decimal(out, us / 1000);
	*out++ = '.';
	return text_3_digits(out, us % 1000);
}

char *text_millis_exact(char *out, uint64_t ns)
{
	out = text_decimal(out, ns / 1000000);
	*out++ = '.';
	return text_6_digits(out, ns % 1000000);
}
