/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cache.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>
#include "compiler/cache_entry.h"

/* What the user, the service manager or the distribution calls the directory. */
static int choose(char path[PATH_MAX], const char *option, struct error *why)
{
	const char *chosen = option, *environment = getenv("CACHE_DIRECTORY");
	size_t length;

	if (!chosen && environment && environment[0] == '/')
		chosen = environment;
	if (!chosen)
		chosen = CACHE_DEFAULT_DIRECTORY;
	/* systemd separates several by ':'; a user's own path may contain one. */
	length = chosen == environment ? strcspn(chosen, ":") : strlen(chosen);
	/* open() would follow a symbolic link for the sake of a slash behind it. */
	while (length > 1 && chosen[length - 1] == '/')
		length--;
	if (!length || length >= PATH_MAX)
		return fail(why, "the cache's path is %s", length ? "too long" : "empty");
	memcpy(path, chosen, length);
	path[length] = '\0';
	return 0;
}

static int open_directory(const char *path, bool make, struct error *why)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(path, flags);
	struct stat st;

	if (fd < 0 && errno == ENOENT && make && (mkdir(path, 0700) == 0 || errno == EEXIST))
		fd = open(path, flags);
	if (fd < 0 && errno == ENOENT && !make)
		return fail(why, "%s is not there; a start makes it, if it may", path);
	if (fd < 0) {
		/* Linux says ENOTDIR of a symbolic link, too. */
		fail(why, "cannot use %s: %s%s", path, strerror(errno),
		     errno == ENOTDIR ? " (a symbolic link is none)" : "");
		return -1;
	}
	if (fstat(fd, &st))
		fail(why, "cannot look at %s: %s", path, strerror(errno));
	else if (st.st_uid != geteuid())
		fail(why, "%s belongs to user %u", path, st.st_uid);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		fail(why, "%s may be written to by others", path);
	else
		return fd;
	close(fd);
	return -1;
}

static int find(struct cache *cache, const char *option, bool make, struct error *why)
{
	cache->directory = -1;
	if (getauxval(AT_SECURE))
		return fail(why, "this program has more rights than its caller");
	if (choose(cache->path, option, why))
		return -1;
	cache->directory = open_directory(cache->path, make, why);
	return cache->directory < 0 ? -1 : 0;
}

int cache_open(struct cache *cache, const char *option, struct error *why)
{
	return find(cache, option, true, why);
}

int cache_look(struct cache *cache, const char *option, struct error *why)
{
	return find(cache, option, false, why);
}

void cache_close(struct cache *cache)
{
	if (cache->directory >= 0)
		close(cache->directory);
	cache->directory = -1;
}

static void *read_entry(int fd, size_t *size, struct error *why)
{
	struct stat st;
	char *block;
	ssize_t got;

	if (fstat(fd, &st)) {
		fail(why, "cannot be looked at: %s", strerror(errno));
		return NULL;
	}
	if (entry_check_owner(&st, why))
		return NULL;
	block = malloc(st.st_size);
	if (!block) {
		fail(why, "out of memory");
		return NULL;
	}
	got = pread(fd, block, st.st_size, 0);
	if (got < 0) {
		fail(why, "cannot be read: %s", strerror(errno));
		free(block);
		return NULL;
	}
	*size = got;
	return block;
}

static int toolchain_check(const struct library libraries[LIBRARIES], struct error *why)
{
	for (int i = 0; i < LIBRARIES; i++) {
		const struct library *library = &libraries[i];
		struct stat st;

		if (!library->path[0])
			continue;
		if (stat(library->path, &st)) {
			if (i == 0) /* no libbcc: nothing else could be compiled */
				return 0;
			continue;
		}
		if (st.st_size != library->size || st.st_ino != library->inode ||
		    st.st_dev != library->device ||
		    st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec != library->mtime_ns)
			return fail(why, "compiled by another %s", library->path);
	}
	return 0;
}

static int open_entry(const struct cache *cache, const char *name, struct error *why)
{
	/* O_NONBLOCK: no pipe of this name holds the tool up. */
	int fd = openat(cache->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return fail(why, "%s has nothing compiled for this", cache->path);
	if (errno == ELOOP)
		return fail(why, "%s/%s is a symbolic link", cache->path, name);
	return fail(why, "cannot open %s/%s: %s", cache->path, name, strerror(errno));
}

void *cache_load_bytes(const struct cache *cache, const struct cache_key *key, size_t *size,
		       struct error *why)
{
	struct library libraries[LIBRARIES];
	char name[ENTRY_NAME_SIZE];
	const void *content = NULL;
	size_t block_size = 0;
	struct error what;
	void *block;
	int fd;

	if (cache->directory < 0) {
		fail(why, "there is no cache");
		return NULL;
	}
	entry_name(name, key);
	fd = open_entry(cache, name, why);
	if (fd < 0)
		return NULL;
	block = read_entry(fd, &block_size, &what);
	close(fd);
	if (block)
		content = entry_decode(block, block_size, key, libraries, size, &what);
	if (!content || toolchain_check(libraries, &what)) {
		fail(why, "%s/%s: %.512s", cache->path, name, what.line);
		free(block);
		return NULL;
	}
	memmove(block, content, *size);
	return block;
}

struct object *cache_load(const struct cache *cache, const struct cache_key *key, struct error *why)
{
	size_t size;
	void *bytes = cache_load_bytes(cache, key, &size, why);
	struct object *object = NULL;
	char name[ENTRY_NAME_SIZE];
	struct error what;

	if (bytes) {
		object = object_decode(bytes, size, &what);
		if (!object) {
			entry_name(name, key);
			fail(why, "%s/%s: %.512s", cache->path, name, what.line);
		}
	}
	free(bytes);
	return object;
}
