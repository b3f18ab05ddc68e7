/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder of perf records and the merge of the CPUs, against a list that is searched for its
 * earliest each time. The input is a sequence of operations, each a byte that tells which:
 * a connect or an answer of one CPU, any bytes as a perf record, or a release up to a time.
 */
#include "events/stream.c" /* for its reader of perf records */
#include "require.h"

#include <stdbool.h>
#include <string.h>

#define QUEUES      6
#define RECORDS_MAX 60 /* so that the list stays quick to search */
#define RECORD_MAX  2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at, *end;
};

/* One record that was taken, as the list knows it. */
struct kept {
	uint64_t ts_ns;
	unsigned int cpu;
	size_t size;
	bool out;
};

static struct kept list[RECORDS_MAX];
static uint8_t list_bytes[RECORDS_MAX][RECORD_MAX];
static size_t listed;

static uint64_t take_number(struct input *input, size_t bytes)
{
	uint64_t number = 0;

	for (; bytes && input->at < input->end; bytes--)
		number = number << 8 | *input->at++;
	return number;
}

/* What events/order.h says of a record: its size, 0 where it is none. */
static size_t valid_size(const uint8_t *bytes, size_t size)
{
	struct answer_record answer;

	if (size < sizeof(struct record_head))
		return 0;
	memset(&answer, 0, sizeof(answer));
	memcpy(&answer, bytes, size < sizeof(answer) ? size : sizeof(answer));
	if (answer.head.kind == RECORD_CONNECT)
		return size < sizeof(struct connect_record) ? 0 : sizeof(struct connect_record);
	if (answer.head.kind != RECORD_ANSWER || size < sizeof(answer))
		return 0;
	if ((uint64_t)answer.captured + sizeof(answer) > size || answer.skip > answer.captured)
		return 0;
	return sizeof(answer) + answer.captured;
}

static void remember(unsigned int cpu, const uint8_t *bytes, size_t size)
{
	struct kept *kept = &list[listed];

	require(size <= RECORD_MAX);
	memcpy(list_bytes[listed++], bytes, size);
	*kept = (struct kept){.cpu = cpu, .size = size};
	memcpy(&kept->ts_ns, bytes, sizeof(kept->ts_ns));
}

/* Give the reader a record as it lies in a perf buffer: whole, 8-aligned, nothing behind it. */
static void feed(struct stream *stream, unsigned int cpu, uint32_t type, const uint8_t *body,
		 uint16_t size)
{
	struct perf_event_header header = {.type = type, .size = sizeof(header) + size};
	struct stream_losses before = stream->losses;
	size_t waiting = order_waiting(stream->order), valid = 0;
	uint32_t raw = 0;
	uint64_t lost;
	uint8_t *record = malloc(header.size);

	require(record != NULL);
	memcpy(record, &header, sizeof(header));
	memcpy(record + sizeof(header), body, size);
	require(take(stream, (int)cpu, (void *)record) == LIBBPF_PERF_EVENT_CONT);
	free(record);

	if (type == PERF_RECORD_SAMPLE) {
		if (size >= sizeof(raw))
			memcpy(&raw, body, sizeof(raw));
		if (size >= sizeof(raw) && raw <= size - sizeof(raw) && cpu < QUEUES)
			valid = valid_size(body + sizeof(raw), raw);
		require(stream->losses.invalid == before.invalid + (valid == 0));
		require(order_waiting(stream->order) == waiting + (valid != 0));
		if (valid)
			remember(cpu, body + sizeof(raw), valid);
		return;
	}
	require(order_waiting(stream->order) == waiting);
	require(stream->losses.invalid == before.invalid);
	if (type == PERF_RECORD_LOST && size >= 2 * sizeof(lost)) {
		memcpy(&lost, body + sizeof(lost), sizeof(lost));
		require(stream->losses.dropped == before.dropped + lost);
	} else {
		require(stream->losses.dropped == before.dropped);
	}
}

/* A record that is valid, its time near the others', from a few bytes of input. */
static void feed_valid(struct stream *stream, struct input *input, bool answer)
{
	union {
		uint8_t bytes[4 + 600];
		uint32_t size;
	} sample = {{0}};
	unsigned int cpu = take_number(input, 1) % QUEUES;
	uint16_t fill = take_number(input, 1);
	struct answer_record head = {
		.head = {.ts_ns = take_number(input, 1), .kind = RECORD_CONNECT},
	};

	if (answer) {
		head.head.kind = RECORD_ANSWER;
		head.captured = 2 * fill;
		head.skip = fill;
		sample.size = sizeof(head) + 2 * fill + fill % 8; /* perf's padding */
	} else {
		sample.size = sizeof(struct connect_record) + fill % 8;
	}
	memset(sample.bytes + 4, fill, sizeof(sample.bytes) - 4);
	memcpy(sample.bytes + 4, &head, answer ? sizeof(head) : sizeof(head.head));
	feed(stream, cpu, PERF_RECORD_SAMPLE, sample.bytes, 4 + sample.size);
}

static void feed_any(struct stream *stream, struct input *input)
{
	unsigned int cpu = take_number(input, 1) % (QUEUES + 1);
	uint8_t kind = take_number(input, 1);
	size_t size = take_number(input, 2) % RECORD_MAX;

	if (size > (size_t)(input->end - input->at))
		size = input->end - input->at;
	feed(stream, cpu,
	     kind < 192   ? PERF_RECORD_SAMPLE
	     : kind < 224 ? PERF_RECORD_LOST
			  : kind - 224,
	     input->at, size);
	input->at += size;
}

/* Is it the one that the list has next? */
static void expect(void *arg, const struct record_head *record)
{
	const uint64_t *until_ns = arg;
	struct kept *next = NULL;

	for (size_t i = 0; i < listed; i++)
		if (!list[i].out && list[i].ts_ns <= *until_ns &&
		    (!next || list[i].ts_ns < next->ts_ns ||
		     (list[i].ts_ns == next->ts_ns && list[i].cpu < next->cpu)))
			next = &list[i];
	require(next && (uintptr_t)record % 8 == 0);
	require(memcmp(record, list_bytes[next - list], next->size) == 0);
	next->out = true;
}

static void release(struct stream *stream, uint64_t until_ns)
{
	size_t left = 0;

	order_release(stream->order, until_ns, expect, &until_ns);
	for (size_t i = 0; i < listed; i++) {
		require(list[i].out || list[i].ts_ns > until_ns);
		left += !list[i].out;
	}
	require(order_waiting(stream->order) == left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, data + size};
	struct stream stream = {.order = order_new(QUEUES)};

	require(stream.order != NULL);
	listed = 0;
	while (input.at < input.end && listed < RECORDS_MAX) {
		uint8_t what = take_number(&input, 1);

		if (what < 128)
			feed_valid(&stream, &input, what % 4 == 0);
		else if (what < 192)
			feed_any(&stream, &input);
		else
			release(&stream,
				what == 255 ? take_number(&input, 8) : take_number(&input, 1));
	}
	release(&stream, UINT64_MAX);
	require(order_waiting(stream.order) == 0);
	order_free(stream.order);
	return 0;
}
