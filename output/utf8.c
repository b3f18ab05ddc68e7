/* SPDX-License-Identifier: Apache-2.0 */
#include "output/utf8.h"

/*
 * Characters that a terminal does not show as themselves: general categories Cc, Cf,
 * Co, Cs, Zl and Zp of Unicode 15 above ASCII, the tag and noncharacter blocks, and
 * the invisible fillers of Hangul and braille. Ascending.
 */
static const struct {
	uint32_t first, last;
} unprintable[] = {
	{0x0080, 0x009f},    /* C1 controls */
	{0x00ad, 0x00ad},    /* soft hyphen */
	{0x034f, 0x034f},    /* combining grapheme joiner */
	{0x0600, 0x0605},    /* Arabic number signs */
	{0x061c, 0x061c},    /* Arabic letter mark (bidirectional) */
	{0x06dd, 0x06dd},    /* Arabic end of ayah */
	{0x070f, 0x070f},    /* Syriac abbreviation mark */
	{0x0890, 0x0891},    /* Arabic pound and piastre marks */
	{0x08e2, 0x08e2},    /* Arabic disputed end of ayah */
	{0x115f, 0x1160},    /* Hangul fillers */
	{0x17b4, 0x17b5},    /* Khmer inherent vowels */
	{0x180b, 0x180f},    /* Mongolian selectors and vowel separator */
	{0x200b, 0x200f},    /* zero width, left-to-right and right-to-left marks */
	{0x2028, 0x202e},    /* line and paragraph separators, bidirectional embeddings */
	{0x2060, 0x206f},    /* word joiner, invisible operators, bidirectional isolates */
	{0x2800, 0x2800},    /* blank braille pattern */
	{0x3164, 0x3164},    /* Hangul filler */
	{0xd800, 0xf8ff},    /* surrogates, private use */
	{0xfdd0, 0xfdef},    /* noncharacters */
	{0xfe00, 0xfe0f},    /* variation selectors */
	{0xfeff, 0xfeff},    /* byte order mark */
	{0xffa0, 0xffa0},    /* halfwidth Hangul filler */
	{0xfff0, 0xffff},    /* unassigned, interlinear annotation, replacement, noncharacters */
	{0x110bd, 0x110bd},  /* Kaithi number sign */
	{0x110cd, 0x110cd},  /* Kaithi number sign above */
	{0x13430, 0x1343f},  /* Egyptian hieroglyph format controls */
	{0x1bca0, 0x1bca3},  /* shorthand format controls */
	{0x1d173, 0x1d17a},  /* musical format controls */
	{0x1fffe, 0x1ffff},  /* noncharacters */
	{0x2fffe, 0x2ffff},  /* noncharacters */
	{0x3fffe, 0x10ffff}, /* unassigned planes, tags, private use */
};

bool utf8_printable(uint32_t character)
{
	for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++) {
		if (character < unprintable[i].first)
			return true;
		if (character <= unprintable[i].last)
			return false;
	}
	return false; /* above all of Unicode */
}

size_t utf8_read(const char *text, size_t size, uint32_t *character)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *bytes = (const unsigned char *)text;
	size_t length = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
	uint32_t sum = bytes[0] & (0x7fu >> length);

	if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || length > size)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		sum = sum << 6 | (bytes[i] & 0x3f);
	}
	if (sum < smallest[length] || sum > 0x10ffff || (sum >= 0xd800 && sum <= 0xdfff))
		return 0;
	*character = sum;
	return length;
}
