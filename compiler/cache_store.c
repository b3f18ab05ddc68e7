/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "compiler/cache_entry.h"
#include "compiler/write_all.h"

struct found {
	char name[ENTRY_NAME_SIZE];
	struct timespec changed;
};

struct listing {
	struct found *entries;
	size_t count, room;
};

static int measure(struct library *library, const char *path)
{
	size_t length = strlen(path);
	struct stat st;

	/* A path relative to this working directory says nothing to the next run. */
	if (path[0] != '/' || length >= sizeof(library->path) || stat(path, &st))
		return -1;
	memset(library, 0, sizeof(*library));
	memcpy(library->path, path, length);
	library->size = st.st_size;
	library->mtime_ns = st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec;
	library->inode = st.st_ino;
	library->device = st.st_dev;
	return 0;
}

/* Onto the disk, before the file gets its name. */
static int fill(int fd, const char *block, size_t size)
{
	return write_all(fd, block, size) ? -1 : fsync(fd);
}

/* Give a file without a name its name. */
static int name_file(int directory, int fd, const char *name)
{
	char path[32];

	if (linkat(fd, "", directory, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno == EEXIST)
		return -1;
	/* That needs CAP_DAC_READ_SEARCH (before Linux 6.10); this needs /proc. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW);
}

/* The same where the name is taken: no call replaces in this way, so there is no entry a moment. */
static int name_file_anew(int directory, int fd, const char *name)
{
	if (name_file(directory, fd, name) == 0)
		return 0;
	if (errno != EEXIST || (unlinkat(directory, name, 0) && errno != ENOENT))
		return -1;
	if (name_file(directory, fd, name) == 0 || errno == EEXIST)
		return 0; /* EEXIST: another run was faster, with the same */
	return -1;
}

/*
 * A file that has no name until it is complete: nothing of it stays when the tool is killed.
 * Fails with EOPNOTSUPP or the like where there is no such thing.
 */
static int put_unnamed(int directory, const char *name, const void *block, size_t size)
{
	int fd = openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	int error = 0;

	if (fd < 0)
		return -1;
	if (fill(fd, block, size) || name_file_anew(directory, fd, name))
		error = errno;
	close(fd);
	errno = error;
	return error ? -1 : 0;
}

/* A file under another name first. Its lock says that its writer lives. */
static int put_renamed_once(int directory, const char *name, const void *block, size_t size)
{
	char unfinished[sizeof(UNFINISHED_PREFIX) + 16];
	uint64_t number = 0;
	int fd, error = 0;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
		number = (uint64_t)getpid();
	snprintf(unfinished, sizeof(unfinished), UNFINISHED_PREFIX "%016llx",
		 (unsigned long long)number);
	fd = openat(directory, unfinished, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) || fill(fd, block, size) ||
	    renameat(directory, unfinished, directory, name)) {
		error = errno;
		unlinkat(directory, unfinished, 0);
	}
	close(fd);
	errno = error;
	return error ? -1 : 0;
}

/* Another run that clears up may come between the making of the file and its lock. */
static int put_renamed(int directory, const char *name, const void *block, size_t size)
{
	for (int tries = 0; tries < 10; tries++) {
		if (put_renamed_once(directory, name, block, size) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != ENOENT)
			break;
	}
	return -1;
}

static bool is_entry(const char *name)
{
	return strlen(name) == ENTRY_NAME_SIZE - 1 && strspn(name, "0123456789abcdef") == 16 &&
	       strcmp(name + 16, ENTRY_SUFFIX) == 0;
}

/* What a killed writer left: a lock on it is to be had. */
static void remove_if_dead(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlinkat(directory, name, 0);
	close(fd);
}

static int add(struct listing *listing, int directory, const char *name)
{
	struct found *found;
	struct stat st;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0; /* another run removed it */
	if (listing->count == listing->room) {
		size_t room = listing->room ? 2 * listing->room : 2 * CACHE_ENTRIES_MAX;

		found = realloc(listing->entries, room * sizeof(*found));
		if (!found)
			return -1;
		listing->entries = found;
		listing->room = room;
	}
	found = &listing->entries[listing->count++];
	memcpy(found->name, name, sizeof(found->name));
	found->changed = st.st_mtim;
	return 0;
}

static int by_age(const void *a, const void *b)
{
	const struct found *left = a, *right = b;

	if (left->changed.tv_sec != right->changed.tv_sec)
		return left->changed.tv_sec < right->changed.tv_sec ? -1 : 1;
	if (left->changed.tv_nsec != right->changed.tv_nsec)
		return left->changed.tv_nsec < right->changed.tv_nsec ? -1 : 1;
	return strcmp(left->name, right->name);
}

/*
 * Remove the oldest entries beyond the limit, and what dead writers left. Never the one just
 * stored, which looks old where the clock was set back. Other files stay untouched.
 */
static void tidy(int directory, const char *stored)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = fd < 0 ? NULL : fdopendir(fd);
	struct listing listing = {0};
	struct dirent *file;
	size_t others;

	if (!files) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((file = readdir(files))) {
		if (strncmp(file->d_name, UNFINISHED_PREFIX, strlen(UNFINISHED_PREFIX)) == 0)
			remove_if_dead(directory, file->d_name);
		else if (is_entry(file->d_name) && strcmp(file->d_name, stored) != 0 &&
			 add(&listing, directory, file->d_name))
			break;
	}
	closedir(files);
	others = listing.count;
	if (others)
		qsort(listing.entries, others, sizeof(*listing.entries), by_age);
	for (size_t i = 0; others - i > CACHE_ENTRIES_MAX - 1; i++)
		unlinkat(directory, listing.entries[i].name, 0);
	free(listing.entries);
}

int cache_store_bytes(const struct cache *cache, const struct cache_key *key, const void *bytes,
		      size_t bytes_size, const struct toolchain *toolchain, struct error *why)
{
	struct library libraries[LIBRARIES] = {0};
	char name[ENTRY_NAME_SIZE];
	struct error what;
	size_t size;
	void *block;
	int bad;

	if (cache->directory < 0)
		return fail(why, "there is no cache");
	if (measure(&libraries[0], toolchain->libbcc) ||
	    (toolchain->llvm[0] && measure(&libraries[1], toolchain->llvm)))
		return fail(why, "%s: the library that compiled is not to be found", cache->path);
	block = entry_encode(key, libraries, bytes, bytes_size, &size, &what);
	if (!block)
		return fail(why, "%s: %.512s", cache->path, what.line);
	entry_name(name, key);
	bad = put_unnamed(cache->directory, name, block, size);
	/* The second way repeats what has another reason, and fails for it again. */
	if (bad)
		bad = put_renamed(cache->directory, name, block, size);
	free(block);
	if (bad)
		return fail(why, "%s: %s", cache->path, strerror(errno));
	tidy(cache->directory, name);
	fsync(cache->directory);
	return 0;
}

int cache_store(const struct cache *cache, const struct cache_key *key, const struct object *object,
		const struct toolchain *toolchain, struct error *why)
{
	size_t size;
	void *bytes = object_encode(object, &size);
	int failed;

	if (!bytes)
		return fail(why, "out of memory");
	failed = cache_store_bytes(cache, key, bytes, size, toolchain, why);
	free(bytes);
	return failed;
}
