/* SPDX-License-Identifier: Apache-2.0 */
#include "events/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * What all queues together keep when they run empty; more was for a burst, and goes back.
 * Getting and giving back the memory of each tick costs a busy tool more than printing does.
 */
#define KEEP_BYTES (2u << 20)

struct entry {
	uint64_t ts_ns;
	size_t at; /* of the record in bytes[] */
};

struct queue {
	struct entry *entries;
	size_t first, end, entry_room;
	char *bytes;
	size_t used, byte_room;
};

struct order {
	unsigned int cpus;
	size_t waiting;
	unsigned int heap_size;
	unsigned int *heap; /* CPUs whose queues are not empty, the earliest head on top */
	struct queue queues[];
};

struct order *order_new(unsigned int cpus)
{
	struct order *order = calloc(1, sizeof(*order) + cpus * sizeof(struct queue));

	if (!order)
		return NULL;
	order->cpus = cpus;
	order->heap = calloc(cpus ? cpus : 1, sizeof(*order->heap));
	if (!order->heap) {
		free(order);
		return NULL;
	}
	return order;
}

void order_free(struct order *order)
{
	if (!order)
		return;
	for (unsigned int cpu = 0; cpu < order->cpus; cpu++) {
		free(order->queues[cpu].entries);
		free(order->queues[cpu].bytes);
	}
	free(order->heap);
	free(order);
}

/* The size of the record at data, or 0 where it is none. */
static size_t record_size(const void *data, size_t size)
{
	struct record_head head;
	struct answer_record answer;

	/* perf puts a record 4 bytes behind a multiple of 8: copied out, not looked at there. */
	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	if (head.kind == RECORD_CONNECT)
		return size >= sizeof(struct connect_record) ? sizeof(struct connect_record) : 0;
	if (head.kind != RECORD_ANSWER || size < sizeof(answer))
		return 0;
	memcpy(&answer, data, sizeof(answer));
	if (answer.captured > size - sizeof(answer) || answer.skip > answer.captured)
		return 0;
	return sizeof(answer) + answer.captured;
}

static bool make_room(struct queue *queue, size_t size)
{
	if (queue->end == queue->entry_room) {
		size_t room = queue->entry_room ? 2 * queue->entry_room : 64;
		struct entry *more = realloc(queue->entries, room * sizeof(*more));

		if (!more)
			return false;
		queue->entries = more;
		queue->entry_room = room;
	}
	if (queue->byte_room - queue->used < size) {
		size_t room = queue->byte_room ? 2 * queue->byte_room : 16384;
		char *more;

		while (room - queue->used < size)
			room *= 2;
		more = realloc(queue->bytes, room);
		if (!more)
			return false;
		queue->bytes = more;
		queue->byte_room = room;
	}
	return true;
}

int order_push(struct order *order, unsigned int cpu, const void *data, size_t size)
{
	size_t length = record_size(data, size);
	struct queue *queue;
	uint64_t ts_ns;
	size_t place;

	if (cpu >= order->cpus || !length)
		return -EINVAL;
	queue = &order->queues[cpu];
	if (!make_room(queue, length + 8))
		return -ENOMEM;
	memcpy(&ts_ns, data, sizeof(ts_ns));
	memcpy(queue->bytes + queue->used, data, length);

	place = queue->end++;
	for (; place > queue->first && queue->entries[place - 1].ts_ns > ts_ns; place--)
		queue->entries[place] = queue->entries[place - 1];
	queue->entries[place] = (struct entry){ts_ns, queue->used};
	queue->used += (length + 7) & ~(size_t)7; /* so that each record is aligned */
	order->waiting++;
	return 0;
}

/* Move what waits to the start, once more has gone out than waits: so each moves once or so. */
static void move_down(struct queue *queue)
{
	size_t waiting = queue->end - queue->first, low = queue->used;

	memmove(queue->entries, queue->entries + queue->first, waiting * sizeof(*queue->entries));
	queue->first = 0;
	queue->end = waiting;
	for (size_t i = 0; i < waiting; i++)
		if (queue->entries[i].at < low)
			low = queue->entries[i].at;
	memmove(queue->bytes, queue->bytes + low, queue->used - low);
	queue->used -= low;
	for (size_t i = 0; i < waiting; i++)
		queue->entries[i].at -= low;
}

/* Drop what went out. Under a steady load some always waits: a queue need not be empty first. */
static void tidy(struct order *order, struct queue *queue)
{
	if (queue->first < queue->end) {
		if (queue->first > queue->end - queue->first)
			move_down(queue);
		return;
	}
	queue->first = queue->end = queue->used = 0;
	if (queue->byte_room > KEEP_BYTES / order->cpus) {
		free(queue->bytes);
		free(queue->entries);
		memset(queue, 0, sizeof(*queue));
	}
}

static uint64_t head_time(const struct order *order, unsigned int slot)
{
	const struct queue *queue = &order->queues[order->heap[slot]];

	return queue->entries[queue->first].ts_ns;
}

static bool before(const struct order *order, unsigned int a, unsigned int b)
{
	uint64_t ta = head_time(order, a), tb = head_time(order, b);

	return ta < tb || (ta == tb && order->heap[a] < order->heap[b]);
}

static void sift_down(struct order *order, unsigned int slot)
{
	for (;;) {
		unsigned int child = 2 * slot + 1, swap;

		if (child >= order->heap_size)
			return;
		if (child + 1 < order->heap_size && before(order, child + 1, child))
			child++;
		if (!before(order, child, slot))
			return;
		swap = order->heap[slot];
		order->heap[slot] = order->heap[child];
		order->heap[child] = swap;
		slot = child;
	}
}

void order_release(struct order *order, uint64_t until_ns, order_fn *fn, void *arg)
{
	order->heap_size = 0;
	for (unsigned int cpu = 0; cpu < order->cpus; cpu++)
		if (order->queues[cpu].first < order->queues[cpu].end)
			order->heap[order->heap_size++] = cpu;
	for (unsigned int slot = order->heap_size / 2; slot-- > 0;)
		sift_down(order, slot);

	while (order->heap_size && head_time(order, 0) <= until_ns) {
		struct queue *queue = &order->queues[order->heap[0]];
		const char *record = queue->bytes + queue->entries[queue->first].at;

		queue->first++;
		order->waiting--;
		fn(arg, (const struct record_head *)record);
		if (queue->first == queue->end) {
			tidy(order, queue);
			order->heap[0] = order->heap[--order->heap_size];
		}
		sift_down(order, 0);
	}
	for (unsigned int cpu = 0; cpu < order->cpus; cpu++)
		tidy(order, &order->queues[cpu]);
}

size_t order_waiting(const struct order *order)
{
	return order->waiting;
}
