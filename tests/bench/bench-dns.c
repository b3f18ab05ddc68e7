/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-dns [--short]
 *
 * How many DNS messages a second this parser takes apart, and libknot, ldns and
 * Python's dnslib, on the same messages and to the same point; then what the cache
 * costs. Each figure is the median of several runs, in processor time, so that others
 * on the machine disturb less; all on one core. Those in C take turns, and each ratio is the
 * median of theirs; Python's has its runs before. --short takes
 * a second or two, for a look whether it works, and leaves out the cache with
 * 1,000,000 answers.
 *
 * Exit status: 0; 1 when a parser gets something else out of a message than the
 * others (nothing is then worth measuring); 2 for wrong usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tests/bench/bench-dns.h"

/* Who takes turns, in this order, and how many turns a run of the pace is cut into. */
enum { OURS, OURS_WIRE, KNOT, LDNS, PARSERS };
#define TURNS 5

double bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* Ours, with the question as text, so that all hand out the same. */
static bool take_ours(const uint8_t *bytes, size_t size, struct taken *out)
{
	static struct dns_answer answer;

	if (dns_parse(bytes, size, size, &answer) != DNS_OK)
		return false;
	dns_name_text(out->question, answer.question.wire, answer.question.length);
	out->count = answer.count;
	memcpy(out->addresses, answer.addresses, answer.count * sizeof(*answer.addresses));
	return true;
}

/* Ours as the tool uses it: the question stays in wire form until it is printed. */
static bool take_ours_wire(const uint8_t *bytes, size_t size, struct taken *out)
{
	static struct dns_answer answer;

	out->count = 0;
	return dns_parse(bytes, size, size, &answer) == DNS_OK;
}

/* Messages a second, from one turn of a parser. */
static double one_turn(take_fn *take, const struct message *message, double seconds)
{
	static struct taken taken;
	double start = bench_now(), elapsed;
	unsigned long count = 0;

	do {
		for (unsigned i = 0; i < 128; i++)
			take(message->bytes, message->size, &taken);
		count += 128;
		elapsed = bench_now() - start;
	} while (elapsed < seconds);
	return (double)count / elapsed;
}

/*
 * The parsers take turns, short ones, and OURS is held against each in the same round: a shared
 * processor has half its speed from one second to the next. rates: messages a second; ratios: how
 * many times as fast ours is; 0 for a parser that is not there.
 */
static void measure(take_fn *const *take, const struct message *message, const struct pace *pace,
		    double *rates, double *ratios)
{
	unsigned rounds = pace->runs * TURNS;
	double rate[PARSERS][RUNS_MAX * TURNS] = {{0}}, ratio[PARSERS][RUNS_MAX * TURNS] = {{0}};

	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < PARSERS; i++) {
			if (!take[i])
				continue;
			rate[i][round] = one_turn(take[i], message, pace->seconds / TURNS);
			ratio[i][round] = rate[OURS][round] / rate[i][round];
		}
	}
	for (unsigned i = 0; i < PARSERS; i++) {
		rates[i] = bench_median(rate[i], rounds);
		ratios[i] = bench_median(ratio[i], rounds);
	}
}

static bool same(const struct taken *a, const struct taken *b)
{
	return !strcmp(a->question, b->question) && a->count == b->count &&
	       !memcmp(a->addresses, b->addresses, a->count * sizeof(*a->addresses));
}

/* All parsers must agree on every message. */
static int check(const struct message *messages)
{
	static struct taken ours, theirs;
	take_fn *const peers[] = {bench_knot, bench_ldns};
	static const char *const names[] = {"libknot", "ldns"};
	int error = 0;

	for (unsigned i = 0; i < MESSAGES; i++) {
		const struct message *message = &messages[i];

		if (!take_ours(message->bytes, message->size, &ours) || !ours.count) {
			fprintf(stderr, "bench-dns: %s: not taken\n", message->title);
			return 1;
		}
		for (unsigned peer = 0; peer < 2; peer++) {
			if (!peers[peer])
				continue;
			memset(&theirs, 0, sizeof(theirs));
			if (!peers[peer](message->bytes, message->size, &theirs) ||
			    !same(&ours, &theirs)) {
				fprintf(stderr, "bench-dns: %s: %s gets something else\n",
					message->title, names[peer]);
				error = 1;
			}
		}
	}
	return error;
}

static void print_rate(double rate, double ratio)
{
	if (rate > 0)
		printf(" %11.0f %6.1fx", rate, ratio);
	else
		printf(" %11s %7s", "-", "");
}

int main(int argc, char *argv[])
{
	const struct message *messages = bench_messages();
	struct pace pace = {5, 0.2};
	take_fn *const parsers[PARSERS] = {take_ours, take_ours_wire, bench_knot, bench_ldns};
	double dnslib[MESSAGES] = {0};
	const char *missing_dnslib;
	bool large = true;

	if (argc == 2 && !strcmp(argv[1], "--short")) {
		pace = (struct pace){3, 0.01};
		large = false;
	} else if (argc != 1) {
		fputs("usage: bench-dns [--short]\n", stderr);
		return 2;
	}
	if (check(messages))
		return 1;
	missing_dnslib = bench_dnslib(messages, &pace, dnslib);

	printf("messages a second on one core, median of %u turns; Nx: ours is N times as fast\n",
	       pace.runs * TURNS);
	printf("%-32s %5s %11s %11s %11s %7s %11s %7s %11s %7s\n", "message", "bytes", "as used",
	       "ours", "libknot", "", "ldns", "", "dnslib", "");
	for (unsigned i = 0; i < MESSAGES; i++) {
		double rates[PARSERS], ratios[PARSERS];

		measure(parsers, &messages[i], &pace, rates, ratios);
		printf("%-32s %5zu %11.0f %11.0f", messages[i].title, messages[i].size,
		       rates[OURS_WIRE], rates[OURS]);
		print_rate(rates[KNOT], ratios[KNOT]);
		print_rate(rates[LDNS], ratios[LDNS]);
		print_rate(dnslib[i], dnslib[i] > 0 ? rates[OURS] / dnslib[i] : 0);
		putchar('\n');
	}
	puts("as used: the question in wire form, as the tool keeps it; ours: as text, as the "
	     "others");
	if (!bench_knot)
		printf("left out: libknot (%s)\n", bench_missing_knot);
	if (!bench_ldns)
		printf("left out: ldns (%s)\n", bench_missing_ldns);
	if (missing_dnslib)
		printf("left out: dnslib (%s)\n", missing_dnslib);
	printf("the most expensive message known, %zu bytes: %.0f us\n", bench_hostile()->size,
	       1e6 / one_turn(take_ours_wire, bench_hostile(), pace.seconds));
	return bench_cache(&pace, large);
}
