/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_SINK_H
#define TCPCONNECT_SINK_H

#include <signal.h>
#include <stddef.h>

/*
 * Where the lines go: a buffer in front of a file descriptor. Errors stick: after
 * the first one nothing more is written, what comes is counted, and sink_flush() goes on
 * returning it.
 * The caller ignores SIGPIPE.
 */
struct sink {
	int fd;    /* the caller's; never closed here */
	int error; /* 0, or the negative errno of the first write that failed */
	/*
	 * NULL, or the caller's; a signal handler may set it. Once it is not 0, a reader
	 * that takes nothing for a second is given up with -ETIMEDOUT, so that a stalled
	 * pipe cannot keep the program from ending. A write that already waits when the
	 * signal comes sees it only if the handler was installed without SA_RESTART.
	 */
	const volatile sig_atomic_t *stop;
	size_t lost_lines; /* that were not written, or not whole, because of the error */
	size_t used;
	char buffer[1 << 16];
};

void sink_init(struct sink *sink, int fd);
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
