/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
#include "tests/bench/bench-dns.h"

/* The messages in a file without a name, each behind its length. Returns the descriptor or -1. */
static int write_messages(const struct message *messages)
{
	char path[] = "/tmp/bench-dns-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0)
		return -1;
	unlink(path);
	for (unsigned i = 0; i < MESSAGES; i++) {
		const uint8_t prefix[2] = {(uint8_t)(messages[i].size >> 8),
					   (uint8_t)messages[i].size};

		if (write(fd, prefix, 2) != 2 ||
		    write(fd, messages[i].bytes, messages[i].size) != (ssize_t)messages[i].size) {
			close(fd);
			return -1;
		}
	}
	if (lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void run_child(int input, int output, const struct pace *pace)
{
	char runs[16], seconds[16];

	snprintf(runs, sizeof(runs), "%u", pace->runs);
	snprintf(seconds, sizeof(seconds), "%.3f", pace->seconds);
	if (dup2(input, 0) < 0 || dup2(output, 1) < 0)
		_exit(127);
	execl(BENCH_PYTHON, BENCH_PYTHON, BENCH_SCRIPT, runs, seconds, (char *)NULL);
	_exit(127);
}

const char *bench_dnslib(const struct message *messages, const struct pace *pace, double *rates)
{
	const char *missing = NULL;
	int input, output[2], status;
	FILE *answers;
	pid_t child;

	input = write_messages(messages);
	if (input < 0)
		return "no temporary file";
	if (pipe(output)) {
		close(input);
		return "no pipe";
	}
	child = fork();
	if (!child)
		run_child(input, output[1], pace);
	close(input);
	close(output[1]);
	answers = fdopen(output[0], "r");
	for (unsigned i = 0; answers && i < MESSAGES; i++) {
		if (fscanf(answers, "%lf", &rates[i]) != 1) {
			rates[i] = 0;
			missing = "python3-dnslib does not run under " BENCH_PYTHON;
		}
	}
	if (answers)
		fclose(answers);
	else
		close(output[0]);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return "no child";
	return missing;
}
