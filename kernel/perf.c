/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/perf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/perf_event.h>

#define PARANOID_PATH "/proc/sys/kernel/perf_event_paranoid"

/* 2 is the highest that the kernel itself knows; 3 is Debian's and Android's. */
static int paranoid_level(void)
{
	char text[16];
	int fd = open(PARANOID_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (got <= 0)
		return -1;
	text[got] = '\0';
	return (int)strtol(text, NULL, 10);
}

int perf_events_check(struct error *error)
{
	/* What a perf buffer is opened on, though for no CPU's sake. */
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	int cause = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	/* Any other error number is no refusal, and shows again where the event is needed. */
	if (cause != EPERM && cause != EACCES && cause != ENOSYS)
		return 0;
	if (cause == EACCES && paranoid_level() > 2)
		return fail(error,
			    "the kernel refuses perf events to all but root: "
			    "kernel.perf_event_paranoid is %d, 2 would do",
			    paranoid_level());
	return fail(error,
		    "the kernel refuses perf_event_open() (%s): a seccomp filter or a security "
		    "module is in the way; run outside the container",
		    strerror(cause));
}
