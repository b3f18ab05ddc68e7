/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_BENCH_DNS_H
#define TESTS_BENCH_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dns/message.h"

#define MESSAGES 8
#define RUNS_MAX 9

struct message {
	const char *title;
	size_t size;
	uint8_t bytes[DNS_MESSAGE_MAX];
};

/* To this point each parser has to get: the question as text, the addresses given for it. */
struct taken {
	char question[1100];
	size_t count;
	struct dns_address addresses[DNS_ADDRESSES_MAX];
};

struct pace {
	unsigned runs;  /* the median of so many counts */
	double seconds; /* each takes at least so long */
};

/* The messages measured. Returns the MESSAGES of them, static. */
const struct message *bench_messages(void);

/* The message that costs the parser most, as far as we know. Static. */
const struct message *bench_hostile(void);

/* One message; returns whether it was taken. */
typedef bool take_fn(const uint8_t *bytes, size_t size, struct taken *out);

/* Peers that the build found; else NULL. The reasons are in bench_missing_*. */
extern take_fn *const bench_knot, *const bench_ldns;
extern const char *const bench_missing_knot, *const bench_missing_ldns;

/*
 * dnslib under Python, in a child. rates: messages a second for each message.
 * Returns NULL, or why it is left out.
 */
const char *bench_dnslib(const struct message *messages, const struct pace *pace, double *rates);

/* Insert and look-up; prints its own lines. Returns 0, or 1 when memory is short. */
int bench_cache(const struct pace *pace, bool large);

double bench_now(void); /* seconds of processor time that this process has had */
double bench_median(double *values, unsigned count);

#endif
