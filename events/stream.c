/* SPDX-License-Identifier: Apache-2.0 */
#include "events/stream.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include "kernel/perf.h"

/* perf puts the size of a raw sample in front of it. */
struct raw_sample {
	struct perf_event_header header;
	uint32_t size;
	char data[];
};

struct lost_sample {
	struct perf_event_header header;
	uint64_t id;
	uint64_t lost;
};

struct stream {
	struct perf_buffer *buffers; /* NULL: none are to be had, all goes through spare */
	struct ring_buffer *spare;   /* NULL: none */
	unsigned int spare_queue;    /* the order's queue behind those of the CPUs */
	struct order *order;
	struct stream_losses losses;
	unsigned int pages;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void push(struct stream *stream, unsigned int queue, const void *data, size_t size)
{
	int result = order_push(stream->order, queue, data, size);

	if (result == -EINVAL)
		stream->losses.invalid++;
	else if (result)
		stream->losses.no_memory++;
}

static int take_spare(void *arg, void *data, size_t size)
{
	struct stream *stream = arg;

	push(stream, stream->spare_queue, data, size);
	return 0;
}

static enum bpf_perf_event_ret take(void *arg, int cpu, struct perf_event_header *header)
{
	struct stream *stream = arg;
	const struct raw_sample *sample = (const void *)header;

	if (header->type == PERF_RECORD_LOST && header->size >= sizeof(struct lost_sample)) {
		stream->losses.dropped += ((const struct lost_sample *)(const void *)header)->lost;
		return LIBBPF_PERF_EVENT_CONT;
	}
	if (header->type != PERF_RECORD_SAMPLE)
		return LIBBPF_PERF_EVENT_CONT;
	if (header->size < sizeof(*sample) || sample->size > header->size - sizeof(*sample))
		stream->losses.invalid++;
	else
		push(stream, (unsigned int)cpu, sample->data, sample->size);
	return LIBBPF_PERF_EVENT_CONT;
}

static unsigned int default_pages(unsigned int cpus)
{
	size_t bytes = STREAM_BYTES_PER_CPU;

	while (bytes * cpus > STREAM_BYTES_ALL && bytes > 65536)
		bytes /= 2;
	return bytes / (size_t)sysconf(_SC_PAGESIZE);
}

static int open_buffers(struct stream *stream, int events, unsigned int pages, struct error *error)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);

	for (;;) {
		struct perf_event_attr attr = {
			.type = PERF_TYPE_SOFTWARE,
			.size = sizeof(attr),
			.config = PERF_COUNT_SW_BPF_OUTPUT,
			.sample_type = PERF_SAMPLE_RAW,
			.sample_period = 1,
			/* Waking the reader for each record would cost the connect more than
			   tracing it. */
			.watermark = 1,
			.wakeup_watermark = stream->pages * page_size / 4,
		};

		stream->buffers =
			perf_buffer__new_raw(events, stream->pages, &attr, take, stream, NULL);
		if (stream->buffers)
			return 0;
		if (errno != EPERM || pages || stream->pages == 1)
			break;
		stream->pages /= 2; /* locked memory is limited here */
	}
	return fail(error, "cannot open perf buffers of %u pages for each CPU: %s%s", stream->pages,
		    strerror(errno),
		    errno == EPERM ? "; fewer (--pages), CAP_IPC_LOCK or a higher limit of locked "
				     "memory (ulimit -l) would help"
				   : error_remedy(errno));
}

static int open_all(struct stream *stream, int events, int spare, unsigned int pages,
		    struct error *error)
{
	if (perf_events_check(error) == 0) {
		if (open_buffers(stream, events, pages, error))
			return -1;
	} else if (spare < 0) {
		return -1;
	} else {
		stream->pages = 0; /* the programs turn to the spare buffer by themselves */
	}
	if (spare < 0)
		return 0;
	stream->spare = ring_buffer__new(spare, take_spare, stream, NULL);
	if (stream->spare)
		return 0;
	return fail(error, "cannot map the spare buffer: %s%s", strerror(errno),
		    error_remedy(errno));
}

struct stream *stream_open(int events, int spare, unsigned int cpus, unsigned int pages,
			   struct error *error)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (stream)
		stream->order = order_new(cpus + 1);
	if (!stream || !stream->order) {
		free(stream);
		fail(error, "out of memory");
		return NULL;
	}
	stream->spare_queue = cpus;
	stream->pages = pages ? pages : default_pages(cpus);
	if (open_all(stream, events, spare, pages, error) == 0)
		return stream;
	stream_close(stream);
	return NULL;
}

static int consume(struct stream *stream)
{
	if (stream->spare)
		ring_buffer__consume(stream->spare);
	return stream->buffers ? perf_buffer__consume(stream->buffers) : 0;
}

static int wait_for_records(struct stream *stream)
{
	if (stream->buffers)
		return perf_buffer__poll(stream->buffers, STREAM_TICK_MS);
	return poll(NULL, 0, STREAM_TICK_MS) < 0 ? -errno : 0; /* the spare one wakes nobody */
}

int stream_poll(struct stream *stream, order_fn *fn, void *arg)
{
	int result = wait_for_records(stream);
	uint64_t now;

	if (result < 0)
		return result;
	/*
	 * Every record older than this reading of the clock is in its buffer, but for the slack;
	 * what the buffers hold below the watermark woke nobody and is taken too.
	 */
	now = now_ns();
	result = consume(stream);
	order_release(stream->order, now - STREAM_SLACK_NS, fn, arg);
	return result < 0 ? result : 0;
}

void stream_drain(struct stream *stream, order_fn *fn, void *arg)
{
	consume(stream);
	order_release(stream->order, UINT64_MAX, fn, arg);
}

void stream_losses(const struct stream *stream, struct stream_losses *losses)
{
	*losses = stream->losses;
}

unsigned int stream_pages(const struct stream *stream)
{
	return stream->pages;
}

size_t stream_fds(const struct stream *stream, int *fds, size_t room)
{
	size_t buffers, count = 0;

	if (!stream->buffers)
		return 0;
	buffers = perf_buffer__buffer_cnt(stream->buffers);
	if (count < room)
		fds[count++] = perf_buffer__epoll_fd(stream->buffers);
	for (size_t i = 0; i < buffers && count < room; i++) {
		int fd = perf_buffer__buffer_fd(stream->buffers, i);

		if (fd >= 0)
			fds[count++] = fd;
	}
	return count;
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->buffers)
		perf_buffer__free(stream->buffers);
	if (stream->spare)
		ring_buffer__free(stream->spare);
	order_free(stream->order);
	free(stream);
}
