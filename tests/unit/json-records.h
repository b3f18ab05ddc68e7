/* SPDX-License-Identifier: Apache-2.0 */
/* Records for the JSON printer, the same in every run, from plain to hostile. */
#ifndef TESTS_JSON_RECORDS_H
#define TESTS_JSON_RECORDS_H

#include <stdio.h>
#include <string.h>
#include "output/json.h"

/* xorshift64 */
static inline uint64_t next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Names as processes have them, then such as an attacker may give one. */
static inline void random_comm(char comm[COMM_SIZE])
{
	static const char *const names[] = {
		"curl",
		"systemd-resolve",
		"a b",
		"(sd-pam)",
		"\"\\\"",
		"\xc3\xa4\xe2\x82\xac",
		"\033[2J\a\r\n\t",
		"\xff\xfe",
		"x\xc3",
		"\xf0\x9f\x98\x80 smile",
		"\xe2\x80\xae"
		"evil",
		"\xed\xa0\x80",
		"\x7f\xc2\x9b",
		"",
		"\xef\xbf\xbd",
		"\xf3\xa0\x81\x81",
		"0123456789abcde",
	};
	size_t count = sizeof(names) / sizeof(names[0]), pick = next_random() % (count + 8);

	memset(comm, 0, COMM_SIZE);
	if (pick < count) {
		memcpy(comm, names[pick], strlen(names[pick]));
		return;
	}
	for (uint64_t i = next_random() % COMM_SIZE; i--;)
		comm[i] = (char)(next_random() % 255 + 1);
}

static inline void random_record(struct connect_record *record)
{
	uint64_t *words = (uint64_t *)record;

	for (size_t i = 0; i < sizeof(*record) / sizeof(*words); i++)
		words[i] = next_random() >> next_random() % 64;
	record->head.kind = RECORD_CONNECT;
	record->family = next_random() % 2 ? 4 : 6;
	record->outcome = (__u8)(1 + next_random() % 4);
	record->error = record->outcome == OUTCOME_ERROR ? (__s16)(1 + next_random() % 140) : 0;
	if (record->family == 4) {
		memset(record->saddr + 4, 0, 12);
		memset(record->daddr + 4, 0, 12);
	}
	random_comm(record->comm);
}

/* text: room for the name. */
static inline void random_label(struct dns_label *label, char text[256])
{
	static const char *const names[] = {"www.example.com", "a\\.b.example", "\\000\\255.x", ".",
					    "_ldap._tcp.example.net"};
	uint64_t pick = next_random() % 8;

	*label = (struct dns_label){.query = NULL};
	if (pick > 5)
		return;
	if (pick < 5)
		strcpy(text, names[pick]);
	else
		snprintf(text, 256, "%0200llu.example", (unsigned long long)next_random());
	label->query = text;
	label->age_ns = next_random() >> next_random() % 64;
	label->age_unknown = next_random() % 4 == 0;
	label->tie = (enum dns_tie)(DNS_TIE_LATEST + next_random() % 3);
}

#endif
