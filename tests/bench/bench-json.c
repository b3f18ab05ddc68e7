/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many JSON lines a second one core writes: the tool's own writer, and the same
 * line built and printed by jansson. Or, with --lines, lines of all kinds for the
 * schema to be held against.
 *
 * Usage: bench-json [SECONDS]
 *        bench-json --lines COUNT
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <jansson.h>
#include "output/result.h"
#include "output/text.h"
#include "tests/unit/json-records.h"

#define RECORDS 4096
#define RUNS    5

struct sample {
	struct connect_record record;
	struct dns_label label;
	char name[256];
};

static struct sample samples[RECORDS];
static struct sink sink;
static struct wall_clock wall;

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What a host does: few processes, names that are plain, microseconds between events. */
static void make_usual_samples(void)
{
	static const char *const comms[] = {"curl", "nginx", "systemd-resolve", "node", "python3"};

	for (size_t i = 0; i < RECORDS; i++) {
		struct connect_record *record = &samples[i].record;

		random_record(record);
		random_label(&samples[i].label, samples[i].name);
		memset(record->comm, 0, sizeof(record->comm));
		strcpy(record->comm, comms[i % 5]);
		record->head.ts_ns = 5000000000000 + i * 7123;
		record->head.tgid %= 4194304;
		record->tid %= 4194304;
		record->ppid %= 4194304;
		record->uid %= 2000;
		record->gid %= 2000;
		record->netns = 4026531840;
		record->mntns = 4026531841;
		record->cgroup_id %= 100000;
		record->latency_ns %= 200000000;
		record->syn_retransmits = 0;
		samples[i].label.age_ns %= 60000000000;
	}
}

static void own_line(const struct sample *sample)
{
	static const struct json_printer json = {&sink, &wall, true, true};

	json_connect(&json, &sample->record, &sample->label);
}

static json_t *jansson_dns(const struct dns_label *label)
{
	static const char *const sources[] = {"latest", "latest", "namespace", "process"};

	if (!label->query)
		return json_null();
	return json_pack("{s:s, s:f, s:s}", "query", label->query, "age_ms",
			 (double)label->age_ns / 1e6, "source", sources[label->tie]);
}

/* The parts that jansson has nothing for are the tool's own, and so the same for both. */
static void jansson_line(const struct sample *sample)
{
	const struct connect_record *record = &sample->record;
	char time[UTC_TIME_SIZE + 1], saddr[ADDRESS_MAX + 1], daddr[ADDRESS_MAX + 1];
	char result[RESULT_MAX + 1], *room;
	json_t *object;
	size_t length;

	*wall_clock_utc(&wall, time, record->head.ts_ns) = '\0';
	*text_address(saddr, record->family, record->saddr) = '\0';
	*text_address(daddr, record->family, record->daddr) = '\0';
	*text_result(result, record->outcome, record->error) = '\0';
	object = json_pack(
		"{s:s,s:I,s:i,s:i,s:i,s:I,s:I,s:s,s:i,s:s,s:i,s:s,s:i,s:I,s:I,s:I,s:o,s:f,s:s,s:i,"
		"s:i}",
		"time", time, "ts_us", (json_int_t)(record->head.ts_ns / 1000), "pid",
		(int)record->head.tgid, "tid", (int)record->tid, "ppid", (int)record->ppid, "uid",
		(json_int_t)record->uid, "gid", (json_int_t)record->gid, "comm", record->comm,
		"family", (int)record->family, "saddr", saddr, "lport", (int)record->lport, "daddr",
		daddr, "dport", (int)record->dport, "netns", (json_int_t)record->netns, "mntns",
		(json_int_t)record->mntns, "cgroup_id", (json_int_t)record->cgroup_id, "dns",
		jansson_dns(&sample->label), "latency_ms", (double)record->latency_ns / 1e6,
		"result", result, "errno", (int)record->error, "syn_retransmits",
		(int)record->syn_retransmits);
	room = sink_reserve(&sink, 4096);
	length = object ? json_dumpb(object, room, 4096, JSON_COMPACT) : 0;
	if (!length || length >= 4096) {
		fprintf(stderr, "jansson made no line\n");
		exit(1);
	}
	room[length] = '\n';
	sink_commit(&sink, length + 1);
	json_decref(object);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

/* The median of RUNS, each of so many seconds of processor time, in lines a second. */
static double measure(void (*line)(const struct sample *), double seconds)
{
	double rates[RUNS];

	for (int run = 0; run < RUNS; run++) {
		double start = cpu_seconds(), used;
		size_t lines = 0;

		do {
			for (size_t i = 0; i < RECORDS; i++)
				line(&samples[i]);
			lines += RECORDS;
			used = cpu_seconds() - start;
		} while (used < seconds);
		rates[run] = (double)lines / used;
	}
	qsort(rates, RUNS, sizeof(rates[0]), compare);
	return rates[RUNS / 2];
}

static double bytes_of_a_line(void)
{
	for (size_t i = 0; i < 64; i++)
		own_line(&samples[i]);
	return (double)sink.used / 64;
}

static int bench(double seconds)
{
	int null = open("/dev/null", O_WRONLY);
	double bytes, own, jansson;

	if (null < 0) {
		fprintf(stderr, "/dev/null: %s\n", strerror(errno));
		return 1;
	}
	sink_init(&sink, null);
	make_usual_samples();
	bytes = bytes_of_a_line();
	own = measure(own_line, seconds);
	jansson = measure(jansson_line, seconds);
	printf("JSON lines with dns and result, %.0f bytes each, to /dev/null, one core:\n", bytes);
	printf("  tcpconnect  %10.0f lines/s\n", own);
	printf("  jansson %s %7.0f lines/s\n", JANSSON_VERSION, jansson);
	printf("  ratio       %10.2f\n", own / jansson);
	return sink_flush(&sink) != 0;
}

static void put_other_lines(const struct json_printer *json, const struct connect_record *record)
{
	struct flow_count flow = {.connects = 1 + next_random() / 2};
	struct json_losses losses;
	uint64_t *cause = (uint64_t *)&losses;

	for (size_t i = 0; i < sizeof(losses) / sizeof(*cause); i++)
		cause[i] = next_random() >> next_random() % 64;
	json_lost(json, record->head.ts_ns, &losses, next_random() % 2);
	flow.key.family = record->family;
	flow.key.dport = record->dport;
	flow.key.outcome = record->outcome;
	flow.key.error = record->error;
	memcpy(flow.key.saddr, record->saddr, sizeof(flow.key.saddr));
	memcpy(flow.key.daddr, record->daddr, sizeof(flow.key.daddr));
	json_counts(json, record->head.ts_ns, next_random(), &flow, 1);
}

/* Plain ones and hostile ones, with and without each of the options. */
static int put_lines(unsigned long count)
{
	sink_init(&sink, STDOUT_FILENO);
	for (unsigned long i = 0; i < count; i++) {
		struct json_printer json = {&sink, &wall, i & 1, i & 2};
		struct sample sample;

		random_record(&sample.record);
		random_label(&sample.label, sample.name);
		json_connect(&json, &sample.record, &sample.label);
		if (i % 8 < 4)
			put_other_lines(&json, &sample.record);
	}
	return sink_flush(&sink) != 0;
}

int main(int argc, char *argv[])
{
	double seconds = argc > 1 ? atof(argv[1]) : 1;

	wall_clock_start(&wall);
	if (argc == 3 && strcmp(argv[1], "--lines") == 0)
		return put_lines(strtoul(argv[2], NULL, 10));
	if (argc > 2 || seconds <= 0) {
		fprintf(stderr, "usage: bench-json [SECONDS] | --lines COUNT\n");
		return 2;
	}
	return bench(seconds);
}
