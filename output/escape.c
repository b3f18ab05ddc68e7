/* SPDX-License-Identifier: Apache-2.0 */
#include "output/printer.h"
#include "output/utf8.h"

size_t escape_untrusted(char *out, const char *text, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *bytes = (const unsigned char *)text;
	char *start = out;
	size_t i = 0;

	while (i < size && bytes[i]) {
		unsigned char byte = bytes[i];
		uint32_t character;
		size_t length = 1;

		if (byte >= 0x20 && byte < 0x7f) {
			*out++ = (char)byte;
			if (byte == '\\')
				*out++ = '\\';
		} else if ((length = utf8_read(text + i, size - i, &character)) &&
			   utf8_printable(character)) {
			for (size_t j = 0; j < length; j++)
				*out++ = text[i + j];
		} else {
			*out++ = '\\';
			*out++ = 'x';
			*out++ = hex[byte >> 4];
			*out++ = hex[byte & 15];
			length = 1;
		}
		i += length;
	}
	return (size_t)(out - start);
}
