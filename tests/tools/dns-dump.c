/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns-dump [--why] FILE...
 * dns-dump [--why] --stdin
 *
 * Feed DNS messages (no IP or UDP header) to the parser and print what it makes of
 * each, one JSON object a line:
 *
 *   {"file": "a.bin", "status": "ok", "question": "www.example.com", "addresses": ["192.0.2.1"]}
 *
 * status is "ok", "ignored" or "malformed"; without "ok" the question is "" and
 * there are no addresses. A FILE holds one message. --stdin reads messages that
 * each follow their length in two bytes, high byte first, as in DNS over TCP; they
 * are called "stdin:1" and so on. --why adds a field "why" with the parser's
 * reason. Bytes of a file's name that are no UTF-8 become U+FFFD.
 *
 * Exit status: 0; 1 when a file cannot be read or the stream ends inside a message
 * (said on standard error); 2 for wrong usage.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "dns/message.h"

#define LENGTH_MAX 65535 /* of a DNS message: UDP and DNS over TCP have 16 bits for it */

/* Bytes of the valid UTF-8 sequence at text (RFC 3629), or 0. */
static unsigned utf8_sequence(const unsigned char *text)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned length, code;

	if (*text < 0x80)
		return 1;
	length = *text >= 0xf0 && *text < 0xf8   ? 4
		 : *text >= 0xe0 && *text < 0xf0 ? 3
		 : *text >= 0xc0 && *text < 0xe0 ? 2
						 : 0;
	if (!length)
		return 0;
	code = *text & (0xffu >> (length + 1));
	for (unsigned i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return length;
}

static void print_string(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	putchar('"');
	while (*at) {
		unsigned length = utf8_sequence(at);

		if (!length) {
			fputs("\\ufffd", stdout);
			length = 1;
		} else if (*at < 0x20 || *at == 0x7f) {
			printf("\\u%04x", *at);
		} else if (*at == '"' || *at == '\\') {
			printf("\\%c", *at);
		} else {
			fwrite(at, 1, length, stdout);
		}
		at += length;
	}
	putchar('"');
}

static void print_addresses(const struct dns_answer *answer)
{
	char text[INET6_ADDRSTRLEN];

	for (unsigned i = 0; i < answer->count; i++) {
		const struct dns_address *address = &answer->addresses[i];

		inet_ntop(address->family == 6 ? AF_INET6 : AF_INET, address->bytes, text,
			  sizeof(text));
		printf("%s\"%s\"", i ? ", " : "", text);
	}
}

static void dump(const char *file, const uint8_t *msg, size_t length, bool why)
{
	static const char *const words[] = {
		[DNS_OK] = "ok", [DNS_IGNORED] = "ignored", [DNS_MALFORMED] = "malformed"};
	static struct dns_answer answer;
	enum dns_status status = dns_parse(msg, length, length, &answer);
	char question[DNS_TEXT_SIZE] = "";

	if (status == DNS_OK)
		dns_name_text(question, answer.question.wire, answer.question.length);
	fputs("{\"file\": ", stdout);
	print_string(file);
	printf(", \"status\": \"%s\"", words[status]);
	if (why) {
		fputs(", \"why\": ", stdout);
		print_string(dns_why_text(answer.why));
	}
	fputs(", \"question\": ", stdout);
	print_string(question);
	fputs(", \"addresses\": [", stdout);
	print_addresses(&answer);
	puts("]}");
}

static int dump_file(const char *path, bool why)
{
	static uint8_t msg[LENGTH_MAX + 1];
	FILE *file = fopen(path, "rb");
	size_t length;
	int error = 0;

	if (!file) {
		fprintf(stderr, "dns-dump: %s: %s\n", path, strerror(errno));
		return 1;
	}
	length = fread(msg, 1, sizeof(msg), file);
	if (ferror(file)) {
		fprintf(stderr, "dns-dump: %s: %s\n", path, strerror(errno));
		error = 1;
	} else if (length > LENGTH_MAX) {
		fprintf(stderr, "dns-dump: %s: longer than a DNS message can be\n", path);
		error = 1;
	} else {
		dump(path, msg, length, why);
	}
	fclose(file);
	return error;
}

static int dump_stream(bool why)
{
	static uint8_t msg[LENGTH_MAX];
	unsigned long number = 0;
	uint8_t prefix[2];
	char name[32];

	for (;;) {
		size_t length, got = fread(prefix, 1, 2, stdin);

		if (!got && !ferror(stdin))
			return 0;
		length = (size_t)prefix[0] << 8 | prefix[1];
		number++;
		if (got < 2 || fread(msg, 1, length, stdin) < length) {
			fprintf(stderr, "dns-dump: the stream ends inside message %lu\n", number);
			return 1;
		}
		snprintf(name, sizeof(name), "stdin:%lu", number);
		dump(name, msg, length, why);
	}
}

static int usage(void)
{
	fputs("usage: dns-dump [--why] FILE...\n       dns-dump [--why] --stdin\n", stderr);
	return 2;
}

int main(int argc, char *argv[])
{
	bool why = false, stream = false;
	int arg, error = 0;

	for (arg = 1; arg < argc && !strncmp(argv[arg], "--", 2); arg++) {
		if (!strcmp(argv[arg], "--why")) {
			why = true;
		} else if (!strcmp(argv[arg], "--stdin")) {
			stream = true;
		} else if (!argv[arg][2]) {
			arg++;
			break;
		} else {
			return usage();
		}
	}
	if (stream ? arg < argc : arg == argc)
		return usage();
	if (stream)
		error = dump_stream(why);
	for (; arg < argc; arg++)
		error |= dump_file(argv[arg], why);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "dns-dump: cannot write: %s\n", strerror(errno));
		return 1;
	}
	return error;
}
