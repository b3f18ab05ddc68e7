/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_ASK_CHILD_H
#define TCPCONNECT_ASK_CHILD_H

#include <stddef.h>
#include "error.h"

/*
 * Have a child process find something out that is to leave no trace in this one. The child runs
 * work(context, out), which writes the answer to out, in one piece of at most PIPE_BUF bytes, and
 * does not return. Returns 0 with size bytes in answer; 1 with *error set where no process could
 * be started; -1 where it gave no such answer, *status then being what waitpid() told of its end.
 */
int ask_child(void (*work)(void *context, int out), void *context, void *answer, size_t size,
	      int *status, struct error *error);

#endif
