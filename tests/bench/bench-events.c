/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many records a second one core takes from the perf buffers' side to the last byte of the
 * line: order_push(), order_release() in ticks as stream_poll() makes them, show_record(), the
 * sink, to /dev/null. The records are as the probes send them, two CPUs' in turn, some of them
 * late as after an interrupt. With -d, one answer comes for ten connects.
 *
 * Usage: bench-events SECONDS [OPTION...]
 *
 * The options are the tool's own (none: the plain table). Prints the median of five runs, each
 * of so many seconds of processor time, in records a second; "records a second, lines printed".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "show.h"

#define RUNS         5
#define CPUS         2
#define BATCH        16384      /* records of a tick: 2 CPUs, each woken at a quarter of 4 MB */
#define STEP_NS      5000       /* between records: 200,000 a second */
#define SLACK_NS     20000000ll /* as in events/stream.h */

#define ANSWER_EVERY 11
#define NAMES        4096

struct answer {
	struct answer_record record;
	uint8_t payload[128];
};

static struct connect_record connects[BATCH];
static struct answer answers[BATCH];
static struct show show;
static struct order *order;
static uint64_t now = 1000000000000;
static bool with_answers;

static double cpu_seconds(void)
{
	struct timespec at;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void address_of(uint8_t address[16], size_t name, bool six)
{
	memset(address, 0, 16);
	if (six)
		address[0] = 0xfd;
	else
		address[0] = 10;
	address[six ? 14 : 2] = (uint8_t)(name >> 8);
	address[six ? 15 : 3] = (uint8_t)name;
}

/* What a busy host does: a few programs, IPv4 mostly, some thousand destinations. */
static void make_connect(struct connect_record *record, size_t i)
{
	static const char *const comms[] = {"curl", "nginx", "systemd-resolve", "node", "python3"};
	static const uint16_t ports[] = {443, 80, 5432, 6379, 8080, 53};

	memset(record, 0, sizeof(*record));
	record->head.kind = RECORD_CONNECT;
	record->head.tgid = (uint32_t)(1000 + i % 977);
	record->tid = record->head.tgid;
	record->ppid = 1;
	record->uid = (uint32_t)(i % 5 * 1000);
	record->gid = record->uid;
	record->netns = 4026531840;
	record->mntns = 4026531841;
	record->cgroup_id = 4242;
	record->lport = (uint16_t)(32768 + i % 28000);
	record->dport = ports[i % 6];
	record->family = i % 8 ? 4 : 6;
	record->outcome = OUTCOME_OK;
	record->latency_ns = 1234567 + i;
	address_of(record->saddr, 1, record->family == 6);
	address_of(record->daddr, i * 31 % NAMES, record->family == 6);
	strcpy(record->comm, comms[i % 5]);
}

static void put_16(uint8_t **to, unsigned int value)
{
	*(*to)++ = (uint8_t)(value >> 8);
	*(*to)++ = (uint8_t)value;
}

/* An answer with one address, RFC 1035 4.1. */
static void make_answer(struct answer *answer, size_t i)
{
	uint8_t *at = answer->payload, address[16];
	size_t name = i * 31 % NAMES;
	char label[16];
	int length = snprintf(label, sizeof(label), "host-%zu", name);

	memset(answer, 0, sizeof(*answer));
	put_16(&at, (unsigned int)i & 0xffff);
	put_16(&at, 0x8180);
	put_16(&at, 1);
	put_16(&at, 1);
	put_16(&at, 0);
	put_16(&at, 0);
	*at++ = (uint8_t)length;
	memcpy(at, label, (size_t)length);
	at += length;
	memcpy(at, "\7example\3com", 13); /* with the zero at its end: the root */
	at += 13;
	put_16(&at, 1);
	put_16(&at, 1);
	put_16(&at, 0xc00c); /* a pointer to the question's name */
	put_16(&at, 1);
	put_16(&at, 1);
	put_16(&at, 0);
	put_16(&at, 60);
	put_16(&at, 4);
	address_of(address, name, false);
	memcpy(at, address, 4);
	at += 4;
	answer->record.head.kind = RECORD_ANSWER;
	answer->record.head.tgid = (uint32_t)(1000 + i % 977);
	answer->record.netns = 4026531840;
	answer->record.length = answer->record.captured = (uint32_t)(at - answer->payload);
}

static bool is_answer(size_t i)
{
	return with_answers && i % ANSWER_EVERY == 0;
}

static int push(size_t i)
{
	struct record_head *head = is_answer(i) ? &answers[i].record.head : &connects[i].head;
	size_t size = is_answer(i) ? sizeof(struct answer_record) + answers[i].record.captured
				   : sizeof(struct connect_record);

	now += STEP_NS;
	head->ts_ns = i % 64 ? now : now - 3 * STEP_NS; /* overtaken */
	return order_push(order, i % CPUS, head, size);
}

static int tick(void)
{
	for (size_t i = 0; i < BATCH; i++)
		if (push(i))
			return -1;
	order_release(order, now - SLACK_NS, show_record, &show);
	return sink_flush(&show.sink);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

/* Records a second, or 0 where something failed. */
static double one_run(double seconds)
{
	double start = cpu_seconds(), used;
	uint64_t records = 0;

	do {
		if (tick())
			return 0;
		records += BATCH;
		used = cpu_seconds() - start;
	} while (used < seconds);
	return (double)records / used;
}

/* Every record pushed became a line, but for the answers and for what waits for its turn. */
static bool all_shown(uint64_t connects_pushed)
{
	order_release(order, UINT64_MAX, show_record, &show);
	return show.lines == connects_pushed;
}

static uint64_t connects_in_a_batch(void)
{
	uint64_t count = 0;

	for (size_t i = 0; i < BATCH; i++)
		count += !is_answer(i);
	return count;
}

static int complain(const char *what)
{
	fprintf(stderr, "bench-events: %s\n", what);
	return 1;
}

/* show_init() prints to standard output; what is measured goes to /dev/null, the result not. */
static FILE *result_file(void)
{
	int kept = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY);

	if (kept < 0 || null < 0 || dup2(null, STDOUT_FILENO) < 0)
		return NULL;
	close(null);
	return fdopen(kept, "w");
}

int main(int argc, char *argv[])
{
	static struct options options;
	double seconds = argc > 1 ? atof(argv[1]) : 0, rates[RUNS];
	uint64_t batches;
	FILE *result = result_file();
	struct error error;
	char message[256];

	if (seconds <= 0 || !result)
		return complain("usage: bench-events SECONDS [OPTION...]");
	if (options_parse(&options, argc - 1, argv + 1, message, sizeof(message)))
		return complain(message);
	if (show_init(&show, &options, NULL, &error))
		return complain(error.line);
	order = order_new(CPUS);
	if (!order)
		return complain("out of memory");
	with_answers = options.dns;
	for (size_t i = 0; i < BATCH; i++) {
		make_connect(&connects[i], i);
		make_answer(&answers[i], i);
	}
	show_begin(&show);
	for (int run = 0; run < RUNS; run++) {
		rates[run] = one_run(seconds);
		if (rates[run] == 0)
			return complain("a record could not be taken or written");
	}
	batches = (now - 1000000000000) / STEP_NS / BATCH;
	if (!all_shown(batches * connects_in_a_batch()))
		return complain("not every connect became a line");
	qsort(rates, RUNS, sizeof(rates[0]), compare);
	fprintf(result, "%.0f %llu\n", rates[RUNS / 2], (unsigned long long)show.lines);
	order_free(order);
	show_free(&show);
	return fclose(result) != 0;
}
