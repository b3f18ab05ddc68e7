/* SPDX-License-Identifier: Apache-2.0 */
/* The cache's directory: which one, which are refused, and file systems that take nothing. */
#include "cache-place.h"
#include "cache-system.h"

#include <sys/statvfs.h>

#define NOBODY 65534

/* The test's own path, for the run with more rights than its caller. */
static const char *self;

static int opens(struct place *place, const char *option)
{
	int result;

	cache_close(&place->cache);
	memset(&place->why, 0, sizeof(place->why));
	result = cache_open(&place->cache, option, &place->why);
	if (result) {
		assert_int_equal(place->cache.directory, -1);
		assert_true(place->why.line[0] && !strchr(place->why.line, '\n'));
		assert_false(hit(place, "program", 1));
		assert_why(place, "no cache");
		assert_int_equal(cache_open(&place->cache, option, &place->why), -1);
	}
	return result;
}

static void test_chosen(void **state)
{
	struct place *place = *state;
	char first[128], second[128], both[300], slashes[160];
	struct stat st;

	umask(0);
	snprintf(first, sizeof(first), "%s/first", place->root);
	snprintf(second, sizeof(second), "%s/with:colon", place->root);
	snprintf(both, sizeof(both), "%s:%s", first, second);
	assert_int_equal(setenv("CACHE_DIRECTORY", both, 1), 0);
	assert_int_equal(opens(place, NULL), 0);
	assert_string_equal(place->cache.path, first);
	assert_int_equal(stat(first, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);

	/* The user's word goes first, and is one path. */
	assert_int_equal(opens(place, second), 0);
	assert_string_equal(place->cache.path, second);
	assert_int_equal(access(second, F_OK), 0);
	assert_int_equal(rmdir(second), 0);

	snprintf(slashes, sizeof(slashes), "%s///", second);
	assert_int_equal(opens(place, slashes), 0);
	assert_string_equal(place->cache.path, second);
	unsetenv("CACHE_DIRECTORY");
}

/* cache_look() makes no directory, and is else the same. */
static void test_looked_at(void **state)
{
	struct place *place = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/absent", place->root);
	cache_close(&place->cache);
	assert_int_equal(cache_look(&place->cache, path, &place->why), -1);
	assert_why(place, "is not there");
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(cache_look(&place->cache, place->directory, &place->why), 0);
	store(place, "program", 1);
	assert_true(hit(place, "program", 1));
	cache_close(&place->cache);
	assert_int_equal(chmod(place->directory, 0777), 0);
	assert_int_equal(cache_look(&place->cache, place->directory, &place->why), -1);
	assert_why(place, "written to by others");
}

static int use_default(void *arg)
{
	struct place *place = arg;
	static const char *const without[] = {NULL, "", "relative/path"};

	if (mount("tmpfs", "/var/cache", "tmpfs", 0, "size=1m"))
		return 99;
	for (int i = 0; i < 3; i++) {
		struct stat st;

		if (without[i])
			setenv("CACHE_DIRECTORY", without[i], 1);
		else
			unsetenv("CACHE_DIRECTORY");
		if (cache_open(&place->cache, NULL, &place->why) ||
		    strcmp(place->cache.path, "/var/cache/tcpconnect") != 0 ||
		    stat("/var/cache/tcpconnect", &st) || st.st_mode != (S_IFDIR | 0700))
			return i + 1;
		cache_close(&place->cache);
	}
	return 0;
}

/* Skips the test where this process may not mount. */
static void check_with_own_mounts(int (*body)(void *arg), struct place *place)
{
	int result = with_own_mounts(body, place);

	if (result < 0) {
		print_message("skipped: no right to mount file systems here\n");
		skip();
	}
	assert_int_equal(result, 0);
}

static void test_default(void **state)
{
	check_with_own_mounts(use_default, *state);
}

static void test_refused(void **state)
{
	struct place *place = *state;
	char path[160], slash[170], *longest;

	snprintf(path, sizeof(path), "%s/link", place->root);
	assert_int_equal(symlink(place->directory, path), 0);
	assert_int_equal(opens(place, path), -1);
	assert_why(place, "symbolic link");
	snprintf(slash, sizeof(slash), "%s/", path);
	assert_int_equal(opens(place, slash), -1);
	assert_why(place, "symbolic link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/nonexistent/cache", path), 0);
	assert_int_equal(opens(place, path), -1);

	assert_int_equal(opens(place, place->toolchain.libbcc), -1);
	assert_why(place, "Not a directory");
	snprintf(path, sizeof(path), "%s/one/two", place->root); /* made one level deep only */
	assert_int_equal(opens(place, path), -1);
	assert_why(place, "No such file");
	assert_int_equal(opens(place, ""), -1);
	assert_why(place, "empty");
	longest = malloc(PATH_MAX + 2);
	assert_non_null(longest);
	memset(longest, '/', PATH_MAX + 1);
	longest[PATH_MAX] = 'x';
	longest[PATH_MAX + 1] = '\0';
	assert_int_equal(opens(place, longest), -1);
	assert_why(place, "too long");
	free(longest);

	assert_int_equal(chmod(place->directory, 0770), 0);
	assert_int_equal(opens(place, place->directory), -1);
	assert_why(place, "written to by others");
	assert_int_equal(chmod(place->directory, 01702), 0);
	assert_int_equal(opens(place, place->directory), -1);
	assert_int_equal(chmod(place->directory, 0755), 0);
	assert_int_equal(opens(place, place->directory), 0);
	store(place, "program", 1);
	assert_true(hit(place, "program", 1));
}

static void test_owner(void **state)
{
	struct place *place = *state;

	if (geteuid() != 0) {
		print_message("skipped: only root can give a directory away\n");
		skip();
	}
	assert_int_equal(chown(place->directory, NOBODY, -1), 0);
	assert_int_equal(opens(place, place->directory), -1);
	assert_why(place, "belongs to user 65534");
}

/* setuid, file capabilities: the caller's directory must not decide what root loads. */
static void test_more_rights_than_the_caller(void **state)
{
	struct place *place = *state;
	char copy[128], command[600], said[1024] = "";
	struct statvfs fs;
	FILE *out;

	if (geteuid() != 0) {
		print_message("skipped: only root can make a setuid program of root's\n");
		skip();
	}
	assert_int_equal(statvfs(place->root, &fs), 0);
	if (fs.f_flag & ST_NOSUID) {
		print_message("skipped: /tmp is mounted without setuid programs\n");
		skip();
	}
	snprintf(copy, sizeof(copy), "%s/setuid", place->root);
	assert_int_equal(chmod(place->root, 0755), 0);
	snprintf(command, sizeof(command),
		 "cp '%s' '%s' && chmod 4755 '%s' && setpriv --reuid 65534 --clear-groups "
		 "'%s' '%s' 2>&1",
		 self, copy, copy, copy, place->directory);
	out = popen(command, "r");
	assert_non_null(out);
	assert_true(fread(said, 1, sizeof(said) - 1, out) > 0);
	assert_int_equal(pclose(out), 0);
	assert_non_null(strstr(said, "more rights"));
	/* The same without the setuid bit says so of the directory's owner. */
	snprintf(command, sizeof(command),
		 "chmod 0755 '%s' && chmod 0755 '%s' && setpriv --reuid 65534 --clear-groups '%s' "
		 "'%s' 2>&1",
		 copy, place->directory, copy, place->directory);
	out = popen(command, "r");
	assert_non_null(out);
	memset(said, 0, sizeof(said));
	assert_true(fread(said, 1, sizeof(said) - 1, out) > 0);
	assert_int_equal(pclose(out), 0);
	assert_non_null(strstr(said, "belongs to user 0"));
}

#define CHECK(holds)                                                                               \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			fprintf(stderr, "line %d: not so: %s (%s)\n", __LINE__, #holds,            \
				place->why.line);                                                  \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

/* A tmpfs in place of the cache's directory. */
static int mount_cache(struct place *place, const char *settings)
{
	cache_close(&place->cache);
	if (mount("tmpfs", place->directory, "tmpfs", 0, settings) ||
	    chmod(place->directory, 0700) ||
	    cache_open(&place->cache, place->directory, &place->why))
		return -1;
	return 0;
}

/* A library of the same inode number, size and time, on another file system. */
static int use_other_device(void *arg)
{
	struct place *place = arg;
	struct timespec times[2] = {{.tv_sec = 1600000000}, {.tv_sec = 1600000000}};
	char path[128];
	struct stat before, after;

	snprintf(path, sizeof(path), "%s/lib", place->root);
	CHECK(mkdir(path, 0755) == 0);
	snprintf(place->toolchain.libbcc, sizeof(place->toolchain.libbcc), "%s/libbcc.so", path);
	for (int i = 0; i < 2; i++) {
		if (mount("tmpfs", path, "tmpfs", 0, "size=64k"))
			return 99;
		put_text(place->toolchain.libbcc, "a libbcc");
		CHECK(utimensat(AT_FDCWD, place->toolchain.libbcc, times, 0) == 0);
		CHECK(stat(place->toolchain.libbcc, i ? &after : &before) == 0);
		if (i == 0)
			store(place, "program", 1);
		CHECK(hit(place, "program", 1) == (i == 0));
	}
	CHECK(before.st_ino == after.st_ino && before.st_dev != after.st_dev);
	return 0;
}

static void test_other_device(void **state)
{
	struct place *place = *state;
	char path[128];

	check_with_own_mounts(use_other_device, place);
	snprintf(path, sizeof(path), "%s/lib", place->root);
	rmdir(path);
}

static int use_read_only(void *arg)
{
	struct place *place = arg;
	struct cache_key key = key_of("program"), other = key_of("other");

	if (mount_cache(place, "size=1m"))
		return 99;
	store(place, "program", 1);
	/* Other entries keep this mount busy no more than the open directory does. */
	CHECK(mount(NULL, place->directory, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	CHECK(hit(place, "program", 1));
	CHECK(cache_store(&place->cache, &key, sample_object(2), &place->toolchain, &place->why));
	CHECK(strstr(place->why.line, "Read-only file system"));
	CHECK(cache_store(&place->cache, &other, sample_object(2), &place->toolchain, &place->why));
	CHECK(hit(place, "program", 1));
	CHECK(opens(place, place->directory) == 0);
	CHECK(hit(place, "program", 1));
	CHECK(count_files(place->directory, "") == 1);
	return 0;
}

static void test_read_only(void **state)
{
	check_with_own_mounts(use_read_only, *state);
}

/* Take all of the file system's room but some pages. */
static int leave_pages(struct place *place, size_t pages)
{
	char path[128], block[4096] = {1};
	size_t taken = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/ballast", place->directory);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	while (write(fd, block, sizeof(block)) == sizeof(block))
		taken++;
	if (taken < pages || ftruncate(fd, (taken - pages) * sizeof(block)))
		taken = 0;
	close(fd);
	return taken ? 0 : -1;
}

static int fill_up(struct place *place)
{
	static char text[20001];
	struct cache_key large = key_of(text);
	char entry[128];
	int stored = 0;

	if (mount_cache(place, "size=256k,nr_inodes=100"))
		return 99;
	store(place, "small", 1);
	for (size_t pages = 0; pages < 12; pages++) {
		memset(text, 'a' + pages, sizeof(text) - 1);
		large = key_of(text);
		CHECK(leave_pages(place, pages) == 0);
		if (cache_store(&place->cache, &large, sample_object(2), &place->toolchain,
				&place->why) == 0) {
			CHECK(hit(place, text, 2));
			entry_path(place, text, entry);
			CHECK(unlink(entry) == 0);
			stored++;
			continue;
		}
		CHECK(stored == 0);
		CHECK(strstr(place->why.line, "No space left"));
		CHECK(!hit(place, text, 2));
		CHECK(hit(place, "small", 1));
		CHECK(count_files(place->directory, "") == 2); /* the small one, the ballast */
	}
	CHECK(stored > 3 && stored < 10);
	return 0;
}

static int use_full(void *arg)
{
	return fill_up(arg);
}

static int use_full_without_tmpfile(void *arg)
{
	return refuse_tmpfile() ? 99 : fill_up(arg);
}

static void test_full(void **state)
{
	check_with_own_mounts(use_full, *state);
}

static void test_full_without_tmpfile(void **state)
{
	check_with_own_mounts(use_full_without_tmpfile, *state);
}

static int use_no_inodes(void *arg)
{
	struct place *place = arg;
	struct cache_key key = key_of("program");

	if (mount_cache(place, "size=1m,nr_inodes=3"))
		return 99;
	store(place, "small", 1);
	while (cache_store(&place->cache, &key, sample_object(2), &place->toolchain, &place->why) ==
	       0)
		key.size--;
	CHECK(key.size > 3);
	CHECK(strstr(place->why.line, "No space left"));
	CHECK(hit(place, "small", 1));
	return 0;
}

static void test_no_inodes(void **state)
{
	check_with_own_mounts(use_no_inodes, *state);
}

/* As the setuid program: say what cache_open() says. */
static int open_and_say(const char *directory)
{
	struct error why = {.line = ""};
	struct cache cache;

	if (cache_open(&cache, directory, &why) == 0)
		return 1;
	puts(why.line);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		PLACED(test_chosen),       PLACED(test_looked_at),
		PLACED(test_default),      PLACED(test_refused),
		PLACED(test_owner),        PLACED(test_more_rights_than_the_caller),
		PLACED(test_other_device), PLACED(test_read_only),
		PLACED(test_full),         PLACED(test_full_without_tmpfile),
		PLACED(test_no_inodes),
	};

	if (argc > 1)
		return open_and_say(argv[1]);
	self = argv[0];
	return cmocka_run_group_tests_name("cache-directory", tests, NULL, NULL);
}
