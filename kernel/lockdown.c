/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/lockdown.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

int lockdown_mode(char *mode, size_t size)
{
	char text[128];
	int fd = open(LOCKDOWN_PATH, O_RDONLY | O_CLOEXEC);
	const char *from;
	struct statfs fs;
	ssize_t got;

	if (fd < 0) {
		if (errno == ENOENT && statfs("/sys/kernel/security", &fs) == 0 &&
		    fs.f_type == SECURITYFS_MAGIC)
			errno = ENOTSUP;
		return -1;
	}
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got < 0)
		return -1;
	text[got] = '\0';
	/* All modes stand there, the one in force in brackets: "none [integrity] ..." */
	from = strchr(text, '[');
	if (!from) {
		errno = EPROTO;
		return -1;
	}
	snprintf(mode, size, "%.*s", (int)strcspn(from + 1, "]\n"), from + 1);
	return 0;
}
