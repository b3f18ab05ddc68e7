/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int number_in(int directory, const char *path, const char *prefix)
{
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	const size_t skip = strlen(prefix);
	char text[64], *end;
	ssize_t got;
	long number;

	if (fd < 0)
		return -1;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return -1;
	text[got] = '\0';
	errno = EINVAL; /* for what is in the file */
	if (strncmp(text, prefix, skip) != 0)
		return -1;
	number = strtol(text + skip, &end, 10);
	return end == text + skip || number < 0 || number > INT_MAX ? -1 : (int)number;
}
