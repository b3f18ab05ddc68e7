/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers chose must not reach a terminal as it is, and must not be lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "output/printer.h"

static char out[4096];

/* The escaped text of size bytes; nothing beyond 4 * size is written. */
static const char *escape(const char *text, size_t size)
{
	size_t length;

	memset(out, '#', sizeof(out));
	length = escape_untrusted(out, text, size);
	assert_true(length <= 4 * size);
	for (size_t i = length; i < sizeof(out); i++)
		assert_int_equal(out[i], '#');
	out[length] = '\0';
	assert_int_equal(strlen(out), length);
	return out;
}

static void every_byte(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		char text[] = {'a', (char)byte, 'b'}, expected[8];

		if (byte == '\\')
			strcpy(expected, "a\\\\b");
		else if (byte >= 0x20 && byte < 0x7f)
			snprintf(expected, sizeof(expected), "a%cb", byte);
		else
			snprintf(expected, sizeof(expected), "a\\x%02xb", byte);
		assert_string_equal(escape(text, sizeof(text)), expected);
	}
}

static void ends(void **state)
{
	(void)state;
	assert_string_equal(escape("", 0), "");
	assert_string_equal(escape("\0abc", 4), "");
	assert_string_equal(escape("ab\0cd", 5), "ab");
	assert_string_equal(escape("abcdef", 3), "abc");
	assert_string_equal(escape("\xc3\xa4", 2), "\xc3\xa4");
	/* a character cut by size, or by a NUL, is not whole */
	assert_string_equal(escape("\xc3\xa4", 1), "\\xc3");
	assert_string_equal(escape("\xe2\x82\xac", 2), "\\xe2\\x82");
	assert_string_equal(escape("\xf0\x9f\x98\x80", 3), "\\xf0\\x9f\\x98");
	assert_string_equal(escape("\xe2\x82\0\xac", 4), "\\xe2\\x82");
}

static void not_utf8(void **state)
{
	static const struct {
		const char *text, *escaped;
	} rows[] = {
		{"\x80", "\\x80"},
		{"\xbf", "\\xbf"},
		/* longer than need be */
		{"\xc0\xaf", "\\xc0\\xaf"},
		{"\xc1\xbf", "\\xc1\\xbf"},
		{"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
		{"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
		{"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
		{"\xf0\x8f\xbf\xbd", "\\xf0\\x8f\\xbf\\xbd"},
		/* surrogates, and beyond U+10FFFF */
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xed\xbf\xbf", "\\xed\\xbf\\xbf"},
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
		{"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
		{"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
		{"\xfe\xff", "\\xfe\\xff"},
		/* what follows a broken start is looked at on its own */
		{"\xc3"
		 "A",
		 "\\xc3A"},
		{"\xe2\x82"
		 "A",
		 "\\xe2\\x82"
		 "A"},
		{"\xe2\xc3\xa4", "\\xe2\xc3\xa4"},
		{"\xc3\x1b[m", "\\xc3\\x1b[m"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(escape(rows[i].text, strlen(rows[i].text)), rows[i].escaped);
}

static size_t encode(char *text, uint32_t character)
{
	if (character < 0x800) {
		text[0] = (char)(0xc0 | character >> 6);
		text[1] = (char)(0x80 | (character & 63));
		return 2;
	}
	if (character < 0x10000) {
		text[0] = (char)(0xe0 | character >> 12);
		text[1] = (char)(0x80 | (character >> 6 & 63));
		text[2] = (char)(0x80 | (character & 63));
		return 3;
	}
	text[0] = (char)(0xf0 | character >> 18);
	text[1] = (char)(0x80 | (character >> 12 & 63));
	text[2] = (char)(0x80 | (character >> 6 & 63));
	text[3] = (char)(0x80 | (character & 63));
	return 4;
}

static bool passes(uint32_t character)
{
	char text[4], escaped[16];
	size_t size = encode(text, character);
	size_t length = escape_untrusted(escaped, text, size);

	if (length == size && memcmp(escaped, text, size) == 0)
		return true;
	assert_int_equal(length, 4 * size);
	return false;
}

static void printable(void **state)
{
	static const uint32_t characters[] = {
		0xa0,   0xa1,   0xe4,   0x7ff,  0x3b1,  0x439,  0x5d0,   0x627,   0x905,   0xe01,
		0x10d0, 0x200a, 0x2010, 0x2027, 0x202f, 0x205f, 0x2070,  0x20ac,  0x2500,  0x3042,
		0x4e2d, 0xac00, 0xd7a3, 0xf900, 0xfb01, 0xff21, 0x10000, 0x1f600, 0x20000, 0x2fffd,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
		if (!passes(characters[i]))
			fail_msg("U+%04X is escaped", characters[i]);
	}
}

static void assert_none_passes(uint32_t first, uint32_t last)
{
	for (uint32_t character = first; character <= last; character++) {
		if (passes(character))
			fail_msg("U+%04X passes", character);
	}
}

static void unprintable(void **state)
{
	(void)state;
	assert_none_passes(0x80, 0x9f);     /* C1: U+009B alone starts an escape sequence */
	assert_none_passes(0xad, 0xad);     /* soft hyphen */
	assert_none_passes(0x61c, 0x61c);   /* Arabic letter mark */
	assert_none_passes(0x180e, 0x180e); /* Mongolian vowel separator */
	assert_none_passes(0x200b, 0x200f); /* zero width, direction marks */
	assert_none_passes(0x2028, 0x202e); /* separators, bidirectional embeddings */
	assert_none_passes(0x2060, 0x206f); /* bidirectional isolates */
	assert_none_passes(0xd800, 0xf8ff); /* surrogates, private use */
	assert_none_passes(0xfeff, 0xfeff); /* byte order mark */
	assert_none_passes(0xfff9, 0xffff);
	assert_none_passes(0x1d173, 0x1d17a);
	assert_none_passes(0xe0000, 0xe0fff); /* tags */
	assert_none_passes(0xf0000, 0x110100);
}

/* Two texts that differ stay different: a reader can have the bytes back. */
static void can_be_undone(void **state)
{
	(void)state;
	for (unsigned int pair = 0x101; pair < 0x10000; pair++) {
		char text[] = {'x', (char)(pair >> 8), (char)pair}, back[16];
		const char *escaped;
		size_t used = 0;

		if (!text[1] || !text[2])
			continue;
		escaped = escape(text, sizeof(text));
		while (*escaped) {
			unsigned int byte = (unsigned char)*escaped;

			if (byte != '\\')
				escaped++;
			else if (escaped[1] == '\\')
				escaped += 2;
			else if (sscanf(escaped, "\\x%2x", &byte) == 1)
				escaped += 4;
			else
				fail_msg("not to be undone: '%s'", escaped);
			back[used++] = (char)byte;
		}
		assert_int_equal(used, sizeof(text));
		assert_memory_equal(back, text, used);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte),  cmocka_unit_test(ends),
		cmocka_unit_test(not_utf8),    cmocka_unit_test(printable),
		cmocka_unit_test(unprintable), cmocka_unit_test(can_be_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
