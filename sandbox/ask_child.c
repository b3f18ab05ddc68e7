/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/ask_child.h"

#include <unistd.h>
#include <sys/wait.h>

static int fail_to_ask(const char *what, struct error *error)
{
	error_set(error, "cannot %s: %s%s", what, strerror(errno), error_remedy(errno));
	return 1;
}

int ask_child(void (*work)(void *context, int out), void *context, void *answer, size_t size,
	      int *status, struct error *error)
{
	int ends[2], failed = 0;
	ssize_t got = -1;
	pid_t child;

	if (pipe(ends))
		return fail_to_ask("make a pipe", error);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		work(context, ends[1]);
		_exit(1);
	}
	if (child < 0)
		failed = fail_to_ask("start a process", error);
	close(ends[1]);
	if (child > 0) {
		do {
			got = read(ends[0], answer, size);
		} while (got < 0 && errno == EINTR);
		while (waitpid(child, status, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	return failed || got == (ssize_t)size ? failed : -1;
}
