/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_TEST_SANDBOX_CHILD_H
#define TCPCONNECT_TEST_SANDBOX_CHILD_H

/*
 * There is no way back from the sandbox, so a child process goes in. Its standard output is a
 * pipe to the test, which looks at it from outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/capability.h>
#include "sandbox/sandbox.h" /* before cmocka, which takes the name fail */
#include <cmocka.h>

struct child {
	pid_t pid;
	int out;         /* the pipe's end */
	char text[4096]; /* what it has written */
};

static inline void child_start(struct child *child, void (*go)(void *), void *arg)
{
	int ends[2];

	memset(child, 0, sizeof(*child));
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child->pid = fork();
	assert_true(child->pid >= 0);
	if (child->pid == 0) {
		alarm(20); /* a test that hangs fails */
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		go(arg);
		_exit(0);
	}
	close(ends[1]);
	child->out = ends[0];
}

/* Wait for its first words; returns them. An empty string: it died. */
static inline const char *child_hear(struct child *child)
{
	ssize_t got = read(child->out, child->text, sizeof(child->text) - 1);

	child->text[got > 0 ? got : 0] = '\0';
	return child->text;
}

/* Wait for its end; returns the status of waitpid(2). */
static inline int child_end(struct child *child)
{
	int status;

	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	close(child->out);
	return status;
}

static inline void child_kill(struct child *child)
{
	kill(child->pid, SIGKILL);
	child_end(child);
}

/* In the child: say something, without stdio's calls. */
static inline void say(const char *words)
{
	if (write(STDOUT_FILENO, words, strlen(words)) < 0)
		_exit(99);
}

/* In the child: go in with nothing asked for. */
static inline int enter_plain(struct sandbox_report *report, struct error *error)
{
	struct sandbox_plan plan = {.map = -1};

	if (sandbox_find_user(NULL, &plan.user, error))
		return -1;
	return sandbox_enter(&plan, report, error);
}

/* In the child: lose a capability before the sandbox is entered. */
static inline void lose_capability(int capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets))
		_exit(98);
	sets[capability / 32].effective &= ~(1u << capability % 32);
	sets[capability / 32].permitted &= ~(1u << capability % 32);
	if (syscall(SYS_capset, &header, sets))
		_exit(98);
}

/* A line of /proc/PID/status, behind its name and blanks. */
static inline const char *status_line(pid_t pid, const char *name)
{
	static char line[256];
	char path[64];
	size_t length = strlen(name);
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, length) != 0 || line[length] != ':')
			continue;
		fclose(file);
		line[strcspn(line, "\n")] = '\0';
		return line + length + 1 + strspn(line + length + 1, " \t");
	}
	fclose(file);
	fail_msg("/proc/%d/status has no %s", pid, name);
	return NULL;
}

static inline int need_root(void **state)
{
	(void)state;
	if (geteuid() == 0)
		return 0;
	print_message("SKIP: giving up privileges takes having them: run as root\n");
	return 1;
}

#endif
