/* SPDX-License-Identifier: Apache-2.0 */
/* Writers of the cache: several at once, killed, and on file systems without O_TMPFILE. */
#include "cache-place.h"
#include "cache-system.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

static void test_leftovers(void **state)
{
	struct place *place = *state;
	char dead[128], alive[128], target[128], link[128], path[128];
	int lock;

	snprintf(dead, sizeof(dead), "%s/unfinished-00000000deadbeef", place->directory);
	snprintf(alive, sizeof(alive), "%s/unfinished-00000000cafebabe", place->directory);
	snprintf(target, sizeof(target), "%s/target", place->root);
	snprintf(link, sizeof(link), "%s/unfinished-00000000feedface", place->directory);
	put_text(dead, "half an ent");
	put_text(alive, "half an ent");
	put_text(target, "not ours");
	assert_int_equal(symlink(target, link), 0);
	lock = open(alive, O_RDWR | O_CLOEXEC);
	assert_true(lock >= 0);
	assert_int_equal(flock(lock, LOCK_EX), 0);

	store(place, "program", 1);
	assert_int_equal(access(dead, F_OK), -1);
	assert_int_equal(access(alive, F_OK), 0);
	assert_int_equal(access(target, F_OK), 0);
	assert_int_equal(readlink(link, path, sizeof(path)), strlen(target)); /* none of ours */
	close(lock);
	store(place, "program", 1);
	assert_int_equal(access(alive, F_OK), -1);
	assert_true(hit(place, "program", 1));
}

/* Where a child stops, to let another run come between: before its first call of one of these. */
enum { NOWHERE, BEFORE_LOCK, BEFORE_SYNC };
static int stop_at;
static int stopped_fd, go_fd;

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

static void stop_once(int place)
{
	char byte = 0;

	if (stop_at != place)
		return;
	stop_at = NOWHERE;
	if (write(stopped_fd, &byte, 1) != 1 || read(go_fd, &byte, 1) != 1)
		_exit(2);
}

int __wrap_flock(int fd, int operation)
{
	stop_once(BEFORE_LOCK);
	return __real_flock(fd, operation);
}

/* What was synced, and how many entries had their names by then. */
static struct {
	int fd_kind;
	size_t entries;
} synced[8];
static size_t synced_count;
static const char *watched;

int __wrap_fsync(int fd)
{
	struct stat st;

	stop_once(BEFORE_SYNC);
	if (watched && synced_count < 8 && fstat(fd, &st) == 0) {
		synced[synced_count].fd_kind = st.st_mode & S_IFMT;
		synced[synced_count++].entries = count_files(watched, ENTRY_SUFFIX);
	}
	return __real_fsync(fd);
}

/* The file is on the disk before it has its name, the name before the call returns. */
static void test_synced(void **state)
{
	struct place *place = *state;

	watched = place->directory;
	synced_count = 0;
	store(place, "program", 1);
	watched = NULL;
	assert_int_equal(synced_count, 2);
	assert_int_equal(synced[0].fd_kind, S_IFREG);
	assert_int_equal(synced[0].entries, 0);
	assert_int_equal(synced[1].fd_kind, S_IFDIR);
	assert_int_equal(synced[1].entries, 1);
}

/* A writer without O_TMPFILE stops in the middle; another run stores, and clears up. */
static void store_in_between(struct place *place, int where, size_t expected_files)
{
	int stopped[2], go[2], status;
	char byte = 0;
	pid_t child;

	assert_int_equal(pipe(stopped), 0);
	assert_int_equal(pipe(go), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct cache_key key = key_of("slow");

		stop_at = where;
		stopped_fd = stopped[1];
		go_fd = go[0];
		_exit(refuse_tmpfile() || cache_store(&place->cache, &key, sample_object(1),
						      &place->toolchain, &place->why));
	}
	assert_int_equal(read(stopped[0], &byte, 1), 1);
	assert_int_equal(count_files(place->directory, ""), 1);
	store(place, "quick", 2);
	assert_int_equal(count_files(place->directory, ""), expected_files);
	assert_int_equal(write(go[1], &byte, 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(hit(place, "slow", 1));
	assert_true(hit(place, "quick", 2));
	assert_int_equal(count_files(place->directory, ""), 2);
	for (int i = 0; i < 2; i++) {
		close(stopped[i]);
		close(go[i]);
	}
}

static void test_cleared_before_the_lock(void **state)
{
	store_in_between(*state, BEFORE_LOCK, 1); /* taken for dead; it begins anew */
}

static void test_spared_with_the_lock(void **state)
{
	store_in_between(*state, BEFORE_SYNC, 2);
}

/*
 * One of two writers: its own mark under the shared key, and entries of its own. The other may
 * be just replacing the shared one, but nothing half done is ever seen. Returns the faults.
 */
static int write_many(struct place *place, int writer)
{
	int faults = 0;

	for (int i = 0; i < 100; i++) {
		struct cache_key shared = key_of("shared"), key = shared;
		struct object *object;
		char text[32];

		snprintf(text, sizeof(text), "%d of %d", i % 40, writer);
		if (i % 2)
			key = key_of(text);
		faults += cache_store(&place->cache, &key, sample_object(writer), &place->toolchain,
				      &place->why) != 0;
		object = cache_load(&place->cache, &shared, &place->why);
		if (object)
			faults += object->insns[3].imm != 1 && object->insns[3].imm != 2;
		else
			faults += !strstr(place->why.line, "nothing compiled");
		object_free(object);
	}
	return faults;
}

static void run_two_writers(struct place *place, bool without_tmpfile)
{
	pid_t children[2];

	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			_exit((without_tmpfile && refuse_tmpfile()) || write_many(place, i + 1));
	}
	for (int i = 0; i < 2; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	/* 20 keys each writer, and the shared one. */
	assert_int_equal(count_files(place->directory, ""), 41);
	store(place, "shared", 3);
	assert_true(hit(place, "shared", 3));
	assert_int_equal(count_files(place->directory, ""), 41);
}

static void test_two_writers(void **state)
{
	run_two_writers(*state, false);
}

static void test_two_writers_without_tmpfile(void **state)
{
	run_two_writers(*state, true);
}

/* A writer killed at any moment leaves whole entries, and at most what the next one clears. */
static void kill_writers(struct place *place, bool without_tmpfile, size_t *leftovers)
{
	*leftovers = 0;
	for (int i = 0; i < 60; i++) {
		struct timespec wait = {.tv_nsec = 300000 + 137000 * i % 3000000};
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			if (without_tmpfile && refuse_tmpfile())
				_exit(1);
			for (;;)
				write_many(place, 1);
		}
		nanosleep(&wait, NULL);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		*leftovers += count_files(place->directory, "") -
			      count_files(place->directory, ENTRY_SUFFIX);
		if (!hit(place, "shared", 1))
			assert_why(place, "nothing compiled");
		store(place, "after", 1);
		assert_int_equal(count_files(place->directory, ""),
				 count_files(place->directory, ENTRY_SUFFIX));
	}
}

static void test_killed_writers(void **state)
{
	size_t leftovers;

	kill_writers(*state, false, &leftovers);
	assert_int_equal(leftovers, 0);
}

static void test_killed_writers_without_tmpfile(void **state)
{
	size_t leftovers;

	kill_writers(*state, true, &leftovers);
	print_message("%zu of 60 killed writers left an unfinished file, all cleared\n", leftovers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(test_leftovers),
		PLACED(test_synced),
		PLACED(test_cleared_before_the_lock),
		PLACED(test_spared_with_the_lock),
		PLACED_QUICK(test_two_writers),
		PLACED_QUICK(test_two_writers_without_tmpfile),
		PLACED_QUICK(test_killed_writers),
		PLACED_QUICK(test_killed_writers_without_tmpfile),
	};

	/* A test that hangs is a failure, too. */
	alarm(300);
	return cmocka_run_group_tests_name("cache-writers", tests, NULL, NULL);
}
