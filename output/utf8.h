/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_UTF8_H
#define TCPCONNECT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The character of two to four bytes at the start of text, of which size bytes (one or
 * more) may be read. Returns its length; 0 when it is not whole, not in its shortest
 * form, a surrogate, above U+10FFFF (RFC 3629, section 3), or ASCII. Never reads past
 * a NUL, which is no continuation byte.
 */
size_t utf8_read(const char *text, size_t size, uint32_t *character);

/*
 * Whether a character above ASCII shows as itself on a terminal: no control, no
 * bidirectional or other format control, no line separator, not private use, not
 * what is no character.
 */
bool utf8_printable(uint32_t character);

#endif
