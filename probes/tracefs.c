/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "probes/number.h"

#define FSCONFIG_CREATE 6 /* enum fsconfig_command in <linux/mount.h>, which older systems lack */

/* A tracefs mounted nowhere, as a directory's descriptor. */
static int detached_tracefs(void)
{
	int context = syscall(SYS_fsopen, "tracefs", 1 /* FSOPEN_CLOEXEC */);
	int directory = -1;

	if (context < 0)
		return -1;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CREATE, NULL, NULL, 0) == 0)
		directory = syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, 0);
	close(context);
	return directory;
}

int tracefs_event_id(const char *group, const char *event)
{
	static const char *const mounts[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
	char path[PATH_MAX];
	int directory, id;

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		snprintf(path, sizeof(path), "%s/events/%s/%s/id", mounts[i], group, event);
		id = number_in(AT_FDCWD, path, "");
		if (id >= 0)
			return id;
	}
	directory = detached_tracefs();
	if (directory < 0)
		return -1;
	snprintf(path, sizeof(path), "events/%s/%s/id", group, event);
	id = number_in(directory, path, "");
	close(directory);
	return id;
}
