/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "output/sink.h"

#define SLICE_MS 200 /* how long a stop may go unseen while the reader stalls */
#define RETRY_MS 10  /* where there is room, but not for what is to be written */

/* While nothing can be written. */
struct wait {
	uint64_t until_ns; /* then the reader is given up; 0: never */
	int queued;        /* bytes that it had not taken; -1: not known */
};

void sink_init(struct sink *sink, int fd)
{
	struct stat st;
	bool known = fstat(fd, &st) == 0, pipe = known && S_ISFIFO(st.st_mode);

	sink->fd = fd;
	sink->may_stall = pipe || (known && S_ISSOCK(st.st_mode)) || isatty(fd);
	sink->queue_request = pipe ? FIONREAD : TIOCOUTQ;
	sink->error = 0;
	sink->stop = NULL;
	sink->end_ns = UINT64_MAX;
	sink->used = 0;
	sink->lost_lines = 0;
}

void sink_own_terminal(int fd)
{
	unsigned int number;
	char path[32];
	int own;

	/* To open a pseudo-terminal's other side is to make another one. */
	if (!isatty(fd) || ioctl(fd, TIOCGPTN, &number) == 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (own < 0)
		return;
	dup2(own, fd);
	close(own);
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

/* Wait a while for the descriptor to take bytes. Returns 0 or a negative errno: -EAGAIN, not yet.
 */
static int await_reader(const struct sink *sink, struct wait *wait)
{
	struct timespec time;
	int queued, error;
	uint64_t now;

	clock_gettime(CLOCK_MONOTONIC, &time);
	now = time.tv_sec * 1000000000ull + time.tv_nsec;
	/* A pipe takes no more until a page of it is free: a slow reader takes long for that. */
	if (ioctl(sink->fd, sink->queue_request, &queued))
		queued = -1;
	if (!(sink->stop && *sink->stop) && now < sink->end_ns)
		wait->until_ns = 0;
	else if (!wait->until_ns || queued < wait->queued)
		wait->until_ns = now + SINK_PATIENCE_MS * 1000000ull;
	wait->queued = queued;
	if (wait->until_ns && now >= wait->until_ns)
		return -ETIMEDOUT;
	error = sink_await(sink->fd, SLICE_MS);
	return error == -ETIMEDOUT || error == -EINTR ? -EAGAIN : error;
}

/* Write some of what is there. Returns the bytes written, or the negative errno: -EAGAIN, none. */
static ssize_t write_some(struct sink *sink, struct wait *wait, const char *data, size_t size)
{
	ssize_t written;

	/* Not in write(2), which sees neither the end nor a signal that comes just before it. */
	if (sink->may_stall) {
		int error = await_reader(sink, wait);

		if (error)
			return error;
		/* A writable pipe takes this much without blocking, pipe(7). */
		if (size > PIPE_BUF)
			size = PIPE_BUF;
	}
	written = write(sink->fd, data, size);
	if (written > 0) {
		wait->until_ns = 0;
		return written;
	}
	if (written == 0)
		return -EIO; /* of no file that is written to; trying again could last forever */
	if (errno == EINTR)
		return -EAGAIN;
	if (errno != EAGAIN)
		return -errno;
	sink->may_stall = true;
	poll(NULL, 0, RETRY_MS);
	return -EAGAIN;
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
	struct wait wait = {0};
	size_t done = 0;

	while (!sink->error && done < sink->used) {
		ssize_t written = write_some(sink, &wait, sink->buffer + done, sink->used - done);

		if (written > 0)
			done += (size_t)written;
		else if (written != -EAGAIN)
			sink->error = (int)written;
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
