/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and addresses as text, without the cost of printf(3). Each writes at out,
 * without a NUL, and returns the end of what it wrote.
 */
#ifndef TCPCONNECT_OUTPUT_TEXT_H
#define TCPCONNECT_OUTPUT_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DECIMAL_MAX 20 /* bytes of the longest uint64_t */
#define ADDRESS_MAX 45 /* bytes of the longest IPv6 address, one with an IPv4 tail */
#define SECONDS_MAX 24 /* bytes of the longest number of seconds: sign, 19 digits, 3 decimals */
#define MILLIS_MAX  21 /* bytes of the longest number of milliseconds */

char *text_decimal(char *out, uint64_t number);
/* number below 100, 1000 and 1000000, with leading zeros */
char *text_2_digits(char *out, unsigned int number);
char *text_3_digits(char *out, unsigned int number);
char *text_6_digits(char *out, unsigned int number);

/*
 * family 6: all 16 bytes of address; any other: the first 4, as IPv4. Network byte
 * order; as inet_ntop(3) writes it (RFC 5952, but that ::a.b.c.d is written so too).
 */
char *text_address(char *out, unsigned int family, const uint8_t *address);

/*
 * Microseconds as seconds with three decimals, the same digits as printf("%.3f",
 * microseconds / 1e6) gives.
 */
char *text_seconds(char *out, int64_t microseconds);

/* Nanoseconds as milliseconds with three decimals, rounded, a half up. */
char *text_millis(char *out, uint64_t ns);
/* Nanoseconds as milliseconds with all their six decimals. */
char *text_millis_exact(char *out, uint64_t ns);

/* A string, without its NUL; of a constant one the compiler knows the length. */
static inline char *text_string(char *out, const char *string)
{
	size_t length = strlen(string);

	memcpy(out, string, length);
	return out + length;
}

/* Blanks from end on, until width bytes from start on are filled. */
static inline char *text_pad(const char *start, char *end, size_t width)
{
	size_t length = (size_t)(end - start);

	if (length >= width)
		return end;
	memset(end, ' ', width - length);
	return end + (width - length);
}

/* A decimal number, filled up with blanks. */
static inline char *text_decimal_padded(char *out, uint64_t number, size_t width)
{
	return text_pad(out, text_decimal(out, number), width);
}

/* An address, filled up with blanks. */
static inline char *text_address_padded(char *out, unsigned int family, const uint8_t *address,
					size_t width)
{
	return text_pad(out, text_address(out, family, address), width);
}

#endif
