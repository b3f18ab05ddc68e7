/* SPDX-License-Identifier: Apache-2.0 */
/*
 * until-line COMMAND...: start it, wait for its first line on standard output, kill it, end at
 * once: what hyperfine then measures is the time to that line, and not how long the kernel takes
 * to clear up. Exit status 1 where the command ends without a line.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char *argv[])
{
	posix_spawn_file_actions_t actions;
	char text[4096];
	int out[2];
	pid_t pid;

	if (argc < 2 || pipe2(out, O_CLOEXEC) || posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO) ||
	    posix_spawnp(&pid, argv[1], &actions, NULL, argv + 1, environ)) {
		fprintf(stderr, "until-line: cannot start the command\n");
		return 1;
	}
	close(out[1]);
	for (;;) {
		ssize_t got = read(out[0], text, sizeof(text));

		if (got <= 0)
			return 1;
		if (memchr(text, '\n', (size_t)got))
			break;
	}
	kill(pid, SIGKILL);
	return 0;
}
