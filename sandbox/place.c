/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/measures.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From <linux/mount.h>, which older systems lack and <sys/mount.h> clashes with. */
#define FSCONFIG_SET_STRING 1
#define FSCONFIG_CREATE     6
#define FSOPEN_CLOEXEC      1
#define FSMOUNT_CLOEXEC     1
#define ATTR_RDONLY         0x1
#define ATTR_NOSUID         0x2
#define ATTR_NODEV          0x4
#define ATTR_NOEXEC         0x8

/* A tmpfs mounted nowhere, empty for good, as a directory's descriptor; -1 before Linux 5.2. */
static int empty_mount(void)
{
	int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	int directory = -1;

	if (context < 0)
		return -1;
	if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "0555", 0) == 0 &&
	    syscall(SYS_fsconfig, context, FSCONFIG_CREATE, NULL, NULL, 0) == 0)
		directory = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
					 ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC);
	close(context);
	return directory;
}

/*
 * A directory that is removed while it is held: nothing can be made in it any more. Works on
 * any kernel, but needs a file system to write to for a moment.
 */
static int removed_directory(void)
{
	static const char *const places[] = {"/run/tcpconnect-XXXXXX", "/tmp/tcpconnect-XXXXXX",
					     "/dev/shm/tcpconnect-XXXXXX"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char path[64];
		int directory;

		snprintf(path, sizeof(path), "%s", places[i]);
		if (!mkdtemp(path))
			continue;
		directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		rmdir(path);
		if (directory >= 0)
			return directory;
	}
	return -1;
}

static int enter(int directory)
{
	int result, cause;

	result = directory < 0 || fchdir(directory) ? -1 : chroot(".");
	cause = errno;
	if (directory >= 0)
		close(directory);
	errno = cause;
	return result;
}

const char *give_up_root(void)
{
	if (enter(empty_mount()) == 0 || enter(removed_directory()) == 0)
		return NULL;
	return errno == EPERM ? "CAP_SYS_CHROOT is missing" : "no empty place could be made";
}

static int next_kept(const struct sandbox_plan *plan, int from)
{
	int next = INT_MAX;

	for (size_t i = 0; i < plan->fd_count; i++)
		if (plan->fds[i] >= from && plan->fds[i] < next)
			next = plan->fds[i];
	return next;
}

static int highest_descriptor(void)
{
	DIR *list = opendir("/proc/self/fd");
	const struct dirent *entry;
	struct rlimit limit;
	int highest = -1;

	while (list && (entry = readdir(list)) != NULL) {
		long fd = strtol(entry->d_name, NULL, 10); /* 0 of "." and "..", which is no harm */

		if (fd > highest)
			highest = (int)fd;
	}
	if (list)
		closedir(list);
	if (highest < 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0)
		highest = limit.rlim_cur < INT_MAX ? (int)limit.rlim_cur : INT_MAX - 1;
	return highest;
}

/* One call since Linux 5.9, unless an outer sandbox does not know it. */
static void close_between(int first, int last)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, last, 0) == 0)
		return;
#endif
	for (int fd = first, highest = highest_descriptor(); fd <= last && fd <= highest; fd++)
		close(fd);
}

const char *give_up_descriptors(const struct sandbox_plan *plan)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int from = STDERR_FILENO + 1;

	/* Not closed, if it can be helped: while 0 to 2 are open, a limit of 3 lets none come. */
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
		close(STDIN_FILENO);
	for (;;) {
		int kept = next_kept(plan, from);

		if (kept > from)
			close_between(from, kept == INT_MAX ? INT_MAX : kept - 1);
		if (kept == INT_MAX)
			break;
		from = kept + 1;
	}
	return NULL; /* closing cannot fail */
}

const char *give_up_dumps(void)
{
	const struct rlimit none = {0, 0};

	/* The second also where a program takes the dumps, which the limit does not hinder. */
	if (setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0)
		return NULL;
	return "the kernel refused";
}

/* Where system calls are filtered these say it again; where they are not, they must do. */
const char *give_up_limits(void)
{
	const struct rlimit none = {0, 0};
	/* poll(2) takes no more descriptors than this, and none above it can be opened. */
	const struct rlimit standard = {STDERR_FILENO + 1, STDERR_FILENO + 1};

	if (setrlimit(RLIMIT_NPROC, &none) == 0 && setrlimit(RLIMIT_NOFILE, &standard) == 0)
		return NULL;
	return "the kernel refused";
}
