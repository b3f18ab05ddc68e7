/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_SINK_H
#define TCPCONNECT_SINK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a reader may take nothing once the program is to stop. */
#define SINK_PATIENCE_MS 1000

/*
 * Where the lines go: a buffer in front of a file descriptor. Errors stick: after
 * the first one nothing more is written, what comes is counted, and sink_flush() goes on
 * returning it.
 * The caller ignores SIGPIPE.
 */
struct sink {
	int fd;         /* the caller's; never closed here */
	bool may_stall; /* somebody reads it, perhaps slowly: a pipe, a socket, a terminal */
	unsigned long queue_request; /* of ioctl(2): how many bytes the reader has not taken */
	int error;                   /* 0, or the negative errno of the first write that failed */
	/*
	 * stop: NULL, or the caller's; a signal handler may set it. end_ns: CLOCK_MONOTONIC,
	 * UINT64_MAX for none. Once stop is not 0 or that time has come, a reader that takes
	 * nothing for a second is given up with -ETIMEDOUT, so that a stalled pipe cannot keep
	 * the program from ending.
	 */
	const volatile sig_atomic_t *stop;
	uint64_t end_ns;
	size_t lost_lines; /* that were not written, or not whole, because of the error */
	size_t used;
	char buffer[1 << 16];
};

void sink_init(struct sink *sink, int fd);
/*
 * Where fd is a terminal, put an open file of our own in its place, one that does not block: a
 * terminal with little room says that it is writable, and keeps who writes more. The flags of the
 * one that the shell shares stay. Where it cannot be opened, fd stays as it is.
 */
void sink_own_terminal(int fd);
/*
 * Wait until fd takes bytes: a pipe then takes PIPE_BUF of them at once. Returns 0, -ETIMEDOUT, or
 * another negative errno of poll(2).
 */
int sink_await(int fd, int patience_ms);
/* Append size bytes; writes when the buffer is full. */
void sink_put(struct sink *sink, const void *data, size_t size);
/* At least size (at most sizeof(buffer)) bytes of room to write in place; then sink_commit(). */
char *sink_reserve(struct sink *sink, size_t size);
void sink_commit(struct sink *sink, size_t size);
/*
 * Write out all that is buffered; handles short writes, EINTR, and EAGAIN of a
 * non-blocking descriptor by waiting with poll(2). Returns 0 or the negative errno:
 * -EPIPE when the reader has gone, -ENOSPC when the disk is full, and so on.
 */
int sink_flush(struct sink *sink);

#endif
