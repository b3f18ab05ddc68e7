/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_STREAM_H
#define TCPCONNECT_STREAM_H

#include <stdint.h>
#include "error.h"
#include "events/order.h"

/*
 * How often the buffers are looked at when little happens. With the slack it bounds the
 * delay of a line on a quiet host: 60 ms.
 */
#define STREAM_TICK_MS 40
/*
 * How much older than the newest reading a record must be to go out. A CPU takes a record's
 * time a moment before it puts the record into the buffer; an interrupt, or a hypervisor that
 * takes the CPU away, may come between.
 */
#define STREAM_SLACK_NS 20000000ull

/*
 * One CPU's buffer, when nothing else is asked. A burst of 40,000 connects at 140,000 a second
 * is 5 MB on one CPU, of which the reader, woken at a quarter, takes its share while it lasts.
 * On machines with many CPUs, where no burst fills all, the sum is bounded.
 */
#define STREAM_BYTES_PER_CPU (4u << 20)
#define STREAM_BYTES_ALL     (128u << 20)

struct stream;

/*
 * Open a perf buffer for each CPU on the perf event array events, and the ring buffer spare (-1:
 * there is none) for CPUs that come later, and for all where the kernel refuses perf events.
 * pages: per CPU, a power of two, or 0 for the default.
 * Returns NULL with *error set.
 */
struct stream *stream_open(int events, int spare, unsigned int cpus, unsigned int pages,
			   struct error *error);

/*
 * Wait for records, at most a tick, and hand out those whose turn it is, in time order.
 * Returns 0, -EINTR when a signal came, or another negative errno.
 */
int stream_poll(struct stream *stream, order_fn *fn, void *arg);

/* Hand out everything that is left, for the end. */
void stream_drain(struct stream *stream, order_fn *fn, void *arg);

/*
 * Records that the kernel said it dropped; those that were no valid record; those that found
 * no memory here.
 */
struct stream_losses {
	uint64_t dropped, invalid, no_memory;
};

void stream_losses(const struct stream *stream, struct stream_losses *losses);

/*
 * Pages of one CPU's buffer as it was had: locked memory may allow less than was asked. 0: there
 * are no perf buffers.
 */
unsigned int stream_pages(const struct stream *stream);

/* The descriptors that polling needs: at most room of them into fds. Returns how many. */
size_t stream_fds(const struct stream *stream, int *fds, size_t room);

void stream_close(struct stream *stream);

#endif
