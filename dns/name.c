/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "dns/name.h"
#include "dns/wire.h"

static bool plain(uint8_t byte)
{
	return (byte | 0x20u) - 'a' < 26 || byte - (unsigned)'0' < 10 || byte == '-' || byte == '_';
}

static char *put_escaped(char *out, uint8_t byte)
{
	*out++ = '\\';
	if (byte == '.' || byte == '\\') {
		*out++ = (char)byte;
		return out;
	}
	*out++ = (char)('0' + byte / 100);
	*out++ = (char)('0' + byte / 10 % 10);
	*out++ = (char)('0' + byte % 10);
	return out;
}

size_t dns_name_text(char *out, const uint8_t *wire, size_t length)
{
	size_t at = 0;
	char *start = out;

	while (at < length && wire[at] && wire[at] < length - at) {
		size_t end = at + 1 + wire[at];

		if (at)
			*out++ = '.';
		for (at++; at < end; at++) {
			if (plain(wire[at]))
				*out++ = (char)wire[at];
			else
				out = put_escaped(out, wire[at]);
		}
	}
	if (out == start)
		*out++ = '.';
	*out = '\0';
	return (size_t)(out - start);
}

static bool fold_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (dns_fold(a[i]) != dns_fold(b[i]))
			return false;
	}
	return true;
}

bool dns_name_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
	/* Length bytes are below 64, so that folding leaves them as they are. */
	for (; length >= 8; length -= 8, a += 8, b += 8) {
		uint64_t x, y;

		memcpy(&x, a, 8);
		memcpy(&y, b, 8);
		/* Mostly equal. Names that differ in more than case bits are different ones. */
		if (x == y)
			continue;
		if ((x ^ y) & ~0x2020202020202020 || !fold_equal(a, b, 8))
			return false;
	}
	return fold_equal(a, b, length);
}

enum dns_why dns_name_check(const struct dns_view *view, unsigned at, unsigned *next,
			    uint16_t *first)
{
	const uint8_t *msg = view->msg;
	unsigned end = view->end, run = at, length = 0, jumps = 0;

	*next = 0;
	*first = 0;
	for (;;) {
		unsigned byte;

		if (at >= end)
			return DNS_WHY_SHORT;
		byte = msg[at];
		if (dns_is_pointer((uint8_t)byte)) {
			unsigned target;

			if (end - at < 2)
				return DNS_WHY_SHORT;
			target = dns_get16(msg + at) & 0x3fff;
			if (!*next)
				*next = at + 2;
			if (target >= run || target < DNS_HEADER_SIZE)
				return DNS_WHY_POINTER;
			if (++jumps > DNS_JUMPS_MAX)
				return DNS_WHY_JUMPS;
			at = run = target;
			continue;
		}
		if (byte > DNS_LABEL_MAX)
			return DNS_WHY_LABEL;
		if (!length)
			*first = (uint16_t)at;
		length += byte + 1;
		if (length > DNS_NAME_MAX)
			return DNS_WHY_NAME_LENGTH;
		at += byte + 1;
		if (!byte)
			break;
	}
	if (!*next)
		*next = at;
	return DNS_WHY_WHOLE;
}

bool dns_same_name(const uint8_t *ma, unsigned a, const uint8_t *mb, unsigned b)
{
	for (;;) {
		unsigned length;

		a = dns_label_at(ma, a);
		b = dns_label_at(mb, b);
		/* Shared tails are the usual case: names inside one message point at them. */
		if (ma + a == mb + b)
			return true;
		length = ma[a];
		if (length != mb[b] || !dns_name_equal(ma + a + 1, mb + b + 1, length))
			return false;
		if (!length)
			return true;
		a += length + 1;
		b += length + 1;
	}
}
