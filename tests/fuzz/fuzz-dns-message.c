/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser under libFuzzer: the input's first two bytes are what the capture cut
 * off, the rest is the message. Beside what the sanitizers see, what dns/message.h
 * promises of any result is checked, and that the result depends on the bytes alone.
 */
#include <stdlib.h>
#include <string.h>
#include "dns/message.h"
#include "dns/wire.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A name on its own: labels, the root at the end and nowhere else. */
static void check_name(const struct dns_name *name)
{
	char text[DNS_TEXT_SIZE];
	unsigned at = 0;
	size_t length;

	require(name->length >= 1);
	while (name->wire[at]) {
		require(name->wire[at] <= DNS_LABEL_MAX);
		at += name->wire[at] + 1;
		require(at < name->length);
	}
	require(at + 1 == name->length);
	length = dns_name_text(text, name->wire, name->length);
	require(length && length < sizeof(text) && text[length] == '\0');
	for (size_t i = 0; i < length; i++)
		require(text[i] > ' ' && text[i] < 0x7f);
}

static void check_answer(enum dns_status status, const struct dns_answer *answer)
{
	static const uint8_t zeroes[12];

	require((status == DNS_OK) == (answer->why <= DNS_WHY_CUT));
	require((status == DNS_MALFORMED) == (answer->why >= DNS_WHY_SHORT));
	require(dns_why_text(answer->why)[0]);
	if (status != DNS_OK) {
		require(!answer->count);
		return;
	}
	check_name(&answer->question);
	require(answer->count <= DNS_ADDRESSES_MAX);
	for (unsigned i = 0; i < answer->count; i++) {
		const struct dns_address *address = &answer->addresses[i];

		require(address->family == 4 || address->family == 6);
		require(address->family == 6 || !memcmp(address->bytes + 4, zeroes, 12));
	}
}

static bool equal(const struct dns_answer *a, const struct dns_answer *b)
{
	return a->why == b->why && a->count == b->count &&
	       (a->why > DNS_WHY_CUT ||
		(a->question.length == b->question.length && a->question_type == b->question_type &&
		 !memcmp(a->question.wire, b->question.wire, a->question.length))) &&
	       !memcmp(a->addresses, b->addresses, a->count * sizeof(*a->addresses));
}

/* The long way must come to what the short one comes to. */
static void check_chain(const uint8_t *message, size_t size, const struct dns_answer *answer)
{
	struct dns_view view = {message, (unsigned)(size < 4096 ? size : 4096)};
	static struct dns_answer other;
	unsigned at = DNS_HEADER_SIZE + answer->question.length + 4;

	other.count = 0;
	dns_chain_follow(&view, at, dns_get16(message + 6), &other);
	require(other.count == answer->count);
	require(!memcmp(other.addresses, answer->addresses,
			answer->count * sizeof(*answer->addresses)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_answer first, second;
	enum dns_status status;
	size_t cut;
	uint8_t *message;

	if (size < 2)
		return 0;
	cut = (size_t)data[0] << 8 | data[1];
	size -= 2;
	/* Of exactly its size, on the heap, so that each byte read beyond is seen. */
	message = malloc(size ? size : 1);
	if (!message)
		return 0;
	memcpy(message, data + 2, size);
	memset(&first, 0x55, sizeof(first));
	memset(&second, 0xaa, sizeof(second));
	status = dns_parse(message, size, size + cut, &first);
	check_answer(status, &first);
	require(dns_parse(message, size, size + cut, &second) == status);
	require(equal(&first, &second));
	if (status == DNS_OK)
		check_chain(message, size, &first);
	free(message);
	return 0;
}
