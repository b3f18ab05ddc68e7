/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_DNS_NAME_H
#define TCPCONNECT_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX                                                                               \
	255 /* bytes of a name on the wire, length bytes and root included (RFC 1035 2.3.4) */
#define DNS_LABEL_MAX 63                     /* bytes of one label (RFC 1035 2.3.4) */
#define DNS_TEXT_SIZE (DNS_NAME_MAX * 4 + 1) /* no escaped name is longer, NUL included */

/*
 * A domain name as on the wire, uncompressed: labels, each behind its length
 * byte, and the root's zero byte at the end; spelled as it came, upper and lower
 * case kept. length counts all of it, 1 (the root alone) to DNS_NAME_MAX.
 */
struct dns_name {
	uint8_t length;
	uint8_t wire[DNS_NAME_MAX];
};

/*
 * Write a name as RFC 1035 master files do (section 5.1), with no last dot: letters,
 * digits, '-' and '_' as they are, a dot or backslash inside a label behind a
 * backslash, every other byte as \DDD (three decimal digits). The root is ".".
 *
 * wire, length: as in struct dns_name; must be well formed, as the parser and the
 * cache hand names out. out must hold DNS_TEXT_SIZE bytes; it is NUL terminated.
 * Returns the length of the text, NUL not counted.
 */
size_t dns_name_text(char *out, const uint8_t *wire, size_t length);

/*
 * Whether two names of the same length are one name: letters of ASCII compare
 * without regard to case (RFC 1035 2.3.3, RFC 4343), all other bytes as they are.
 */
bool dns_name_equal(const uint8_t *a, const uint8_t *b, size_t length);

#endif
