/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/headers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define IKHEADERS "/sys/kernel/kheaders.tar.xz"

static int64_t mtime_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* The release a tree was configured for, from include/generated/utsrelease.h; "" if it says none.
 */
static void tree_release(const char *tree, char *release, size_t size)
{
	char path[PATH_MAX], text[512];
	ssize_t got;
	int fd;

	release[0] = '\0';
	if ((size_t)snprintf(path, sizeof(path), "%s/include/generated/utsrelease.h", tree) >=
	    sizeof(path))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return;
	text[got] = '\0';

	char *from = strstr(text, "UTS_RELEASE");
	char *open_quote = from ? strchr(from, '"') : NULL;
	char *close_quote = open_quote ? strchr(open_quote + 1, '"') : NULL;

	if (!close_quote)
		return;
	*close_quote = '\0';
	snprintf(release, size, "%s", open_quote + 1);
}

static int use_tree(const char *tree, const struct kernel_identity *kernel,
		    struct kernel_headers *headers, struct error *error)
{
	char path[PATH_MAX], release[sizeof(kernel->name.release)];
	struct stat st;

	if ((size_t)snprintf(path, sizeof(path), "%s/include/generated/autoconf.h", tree) >=
		    sizeof(path) ||
	    stat(path, &st) != 0)
		return 1;
	tree_release(tree, release, sizeof(release));
	if (release[0] && strcmp(release, kernel->name.release) != 0)
		return fail(error,
			    "the kernel headers in %s are for %s, but %s runs: install the headers "
			    "of the running kernel",
			    tree, release, kernel->name.release);
	snprintf(headers->path, sizeof(headers->path), "%s", tree);
	headers->mtime_ns = mtime_ns(&st);
	return 0;
}

static bool has_file(const char *tree, const char *file)
{
	char path[PATH_MAX];

	return (size_t)snprintf(path, sizeof(path), "%s/%s", tree, file) < sizeof(path) &&
	       faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0;
}

int headers_find(const struct kernel_identity *kernel, struct kernel_headers *headers,
		 struct error *error)
{
	const char *chosen = secure_getenv("BCC_KERNEL_SOURCE");
	char tree[PATH_MAX];
	struct stat st;
	int found;

	memset(headers, 0, sizeof(*headers));
	if (chosen && *chosen) {
		/* The process that compiles has another working directory. */
		found = realpath(chosen, tree) ? use_tree(tree, kernel, headers, error) : 1;
		headers->chosen = true;
		if (found > 0)
			return fail(error,
				    "BCC_KERNEL_SOURCE=%s holds no configured kernel headers "
				    "(include/generated/autoconf.h)",
				    chosen);
		if (found == 0 && !has_file(tree, "include/linux/kconfig.h"))
			return fail(
				error,
				"BCC_KERNEL_SOURCE=%s is but a part of the kernel headers: it has "
				"no include/linux/kconfig.h, without which libbcc looks elsewhere",
				chosen);
		return found;
	}

	snprintf(tree, sizeof(tree), "/lib/modules/%s/build", kernel->name.release);
	found = use_tree(tree, kernel, headers, error);
	if (found <= 0)
		return found;

	if (stat(IKHEADERS, &st) == 0) {
		snprintf(headers->path, sizeof(headers->path), IKHEADERS);
		headers->archive = true; /* a part of the kernel; sysfs gives it no lasting time */
		return 0;
	}
	return fail(error,
		    "no headers of the running kernel (%s): install linux-headers-%s (Debian) or "
		    "kernel-devel-%s (Fedora), or load the kheaders module",
		    kernel->name.release, kernel->name.release, kernel->name.release);
}
