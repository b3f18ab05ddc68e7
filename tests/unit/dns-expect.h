/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DNS_EXPECT_H
#define TESTS_DNS_EXPECT_H

/* What the parser has to say of the messages that the tests build. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include "dns/message.h"
#include "tests/unit/dns-builder.h"

/* Parse from memory that ends where the capture ends, so that sanitizers see each step beyond. */
static inline enum dns_status parse(const struct builder *b, size_t captured, size_t wire_length,
				    struct dns_answer *out)
{
	uint8_t *copy = malloc(captured ? captured : 1);
	enum dns_status status;

	assert_non_null(copy);
	memcpy(copy, b->bytes, captured);
	memset(out, 0xee, sizeof(*out));
	status = dns_parse(captured ? copy : copy + 1, captured, wire_length, out);
	free(copy);
	return status;
}

/* All addresses, blanks between. out holds 64 KiB. */
static inline const char *addresses_text(const struct dns_answer *answer, char *out)
{
	static const uint8_t zeroes[12];
	char *at = out;

	*at = '\0';
	for (unsigned i = 0; i < answer->count; i++) {
		const struct dns_address *address = &answer->addresses[i];
		int family = address->family == 6 ? AF_INET6 : AF_INET;

		assert_true(address->family == 4 || address->family == 6);
		if (family == AF_INET)
			assert_memory_equal(address->bytes + 4, zeroes, 12);
		if (i)
			*at++ = ' ';
		assert_non_null(inet_ntop(family, address->bytes, at, INET6_ADDRSTRLEN));
		at += strlen(at);
	}
	return out;
}

/* The message is taken, with this question and these addresses (blanks between). */
static inline void expect_answer(const struct builder *b, const char *question,
				 const char *addresses)
{
	static struct dns_answer out;
	static char text[1 << 16];
	char name[DNS_TEXT_SIZE];

	assert_int_equal(parse(b, b->size, b->size, &out), DNS_OK);
	dns_name_text(name, out.question.wire, out.question.length);
	assert_string_equal(name, question);
	assert_string_equal(addresses_text(&out, text), addresses);
}

/* The message is not taken, for this reason, and holds nothing. */
static inline void expect_why(const struct builder *b, enum dns_why why)
{
	static struct dns_answer out;
	enum dns_status status = parse(b, b->size, b->size, &out);

	assert_int_equal(out.why, why);
	assert_int_equal(status, why >= DNS_WHY_SHORT ? DNS_MALFORMED : DNS_IGNORED);
	assert_int_equal(out.count, 0);
}

#endif
