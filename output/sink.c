/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "output/sink.h"

static bool has_reader(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

void sink_init(struct sink *sink, int fd)
{
	sink->fd = fd;
	sink->may_stall = has_reader(fd) || isatty(fd);
	sink->error = 0;
	sink->stop = NULL;
	sink->end_ns = UINT64_MAX;
	sink->used = 0;
	sink->lost_lines = 0;
}

static bool stopping(const struct sink *sink)
{
	struct timespec now;

	if (sink->stop && *sink->stop)
		return true;
	if (sink->end_ns == UINT64_MAX)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec >= sink->end_ns;
}

int sink_await(int fd, int patience_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	int ready = poll(&wait, 1, patience_ms);

	if (ready == 0)
		return -ETIMEDOUT;
	/* POLLERR and POLLHUP are left to write(2), which has the right errno. */
	return ready < 0 ? -errno : 0;
}

/* Wait until the descriptor takes bytes. Returns 0 or the negative errno. */
static int wait_writable(const struct sink *sink)
{
	for (;;) {
		bool last = stopping(sink);
		int error = sink_await(sink->fd, SINK_PATIENCE_MS);

		if (!error || (error == -ETIMEDOUT && last) ||
		    (error != -ETIMEDOUT && error != -EINTR))
			return error;
	}
}

/* Write some of what is there. Returns the bytes written, which may be 0, or the negative errno. */
static ssize_t write_some(const struct sink *sink, const char *data, size_t size)
{
	ssize_t written;

	/* Not in write(2), which sees neither the end nor a signal that comes just before it. */
	if (sink->may_stall) {
		int error = wait_writable(sink);

		if (error)
			return error;
		/* A writable pipe takes this much without blocking, pipe(7). */
		if (size > PIPE_BUF)
			size = PIPE_BUF;
	}
	written = write(sink->fd, data, size);
	if (written > 0)
		return written;
	if (written == 0)
		return -EIO; /* of no file that is written to; trying again could last forever */
	if (errno == EINTR)
		return 0;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return wait_writable(sink);
	return -errno;
}

static size_t count_lines(const char *at, const char *end)
{
	size_t lines = 0;

	while ((at = memchr(at, '\n', (size_t)(end - at)))) {
		lines++;
		at++;
	}
	return lines;
}

int sink_flush(struct sink *sink)
{
	size_t done = 0;

	while (!sink->error && done < sink->used) {
		ssize_t written = write_some(sink, sink->buffer + done, sink->used - done);

		if (written < 0)
			sink->error = (int)written;
		else
			done += (size_t)written;
	}
	if (sink->error)
		sink->lost_lines += count_lines(sink->buffer + done, sink->buffer + sink->used);
	sink->used = 0;
	return sink->error;
}

char *sink_reserve(struct sink *sink, size_t size)
{
	if (sizeof(sink->buffer) - sink->used < size)
		sink_flush(sink);
	return sink->buffer + sink->used;
}

void sink_commit(struct sink *sink, size_t size)
{
	sink->used += size;
}

void sink_put(struct sink *sink, const void *data, size_t size)
{
	const char *bytes = data;

	while (size) {
		size_t room = sizeof(sink->buffer) - sink->used;
		size_t part = size < room ? size : room;

		memcpy(sink->buffer + sink->used, bytes, part);
		sink->used += part;
		bytes += part;
		size -= part;
		if (sink->used == sizeof(sink->buffer))
			sink_flush(sink);
	}
}
