/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of compiled objects: what is a hit, what is none, how many stay. */
#include "cache-place.h"

#include <fcntl.h>
#include <time.h>

static void test_hit_and_miss(void **state)
{
	struct place *place = *state;

	assert_false(hit(place, "one program", 1));
	assert_why(place, "nothing compiled");
	store(place, "one program", 1);
	assert_true(hit(place, "one program", 1));
	assert_true(hit(place, "one program", 1));
	assert_false(hit(place, "one program ", 1));
	assert_false(hit(place, "One program", 1));

	store(place, "another", 2);
	store(place, "one program", 3); /* takes the place of the first */
	assert_true(hit(place, "one program", 3));
	assert_true(hit(place, "another", 2));
	assert_int_equal(count_files(place->directory, ""), 2);
}

/* Two keys, one name: the stored key is compared whole. */
static void test_same_hash(void **state)
{
	struct place *place = *state;
	char one[128], other[128];

	store(place, "one", 1);
	entry_path(place, "one", one);
	entry_path(place, "two", other);
	assert_int_equal(rename(one, other), 0);
	assert_false(hit(place, "two", 1));
	assert_why(place, "something else");
	store(place, "two", 2);
	assert_true(hit(place, "two", 2));
}

static void test_survives_reopening(void **state)
{
	struct place *place = *state;

	store(place, "kept", 9);
	cache_close(&place->cache);
	assert_false(hit(place, "kept", 9));
	assert_why(place, "no cache");
	assert_int_equal(cache_open(&place->cache, place->directory, &place->why), 0);
	assert_true(hit(place, "kept", 9));
}

/* The inputs of one compilation, to be changed one at a time. */
struct inputs {
	struct kernel_identity kernel;
	struct kernel_headers headers;
	struct cache_inputs inputs;
};

static void fill_inputs(struct inputs *all)
{
	memset(all, 0, sizeof(*all));
	strcpy(all->kernel.name.sysname, "Linux");
	strcpy(all->kernel.name.nodename, "host");
	strcpy(all->kernel.name.release, "6.1.0-13-amd64");
	strcpy(all->kernel.name.version, "#1 SMP Debian 6.1.55-1");
	strcpy(all->kernel.name.machine, "x86_64");
	strcpy(all->kernel.build_id, "0123456789abcdef");
	strcpy(all->headers.path, "/lib/modules/6.1.0-13-amd64/build");
	all->headers.mtime_ns = 1700000000123456789;
	all->inputs =
		(struct cache_inputs){"int probe(void)", "kprobe", &all->kernel, &all->headers};
}

static bool key_hits(struct place *place, const struct inputs *all)
{
	struct cache_key key;
	struct object *object;

	assert_int_equal(cache_key_make(&key, &all->inputs), 0);
	object = cache_load(&place->cache, &key, &place->why);
	cache_key_free(&key);
	object_free(object);
	return object != NULL;
}

/* Each part of the key changed: a miss; changed back: a hit. */
#define MISSES(change)                                                                             \
	do {                                                                                       \
		fill_inputs(&all);                                                                 \
		change;                                                                            \
		assert_false(key_hits(place, &all));                                               \
		fill_inputs(&all);                                                                 \
		assert_true(key_hits(place, &all));                                                \
	} while (0)

static void test_each_part_of_the_key(void **state)
{
	struct place *place = *state;
	struct cache_key key;
	struct inputs all;

	unsetenv("LD_LIBRARY_PATH");
	fill_inputs(&all);
	assert_int_equal(cache_key_make(&key, &all.inputs), 0);
	assert_int_equal(
		cache_store(&place->cache, &key, sample_object(1), &place->toolchain, &place->why),
		0);
	cache_key_free(&key);
	assert_null(key.data);

	MISSES(all.inputs.text = "int probe(int)");
	MISSES(all.inputs.text = "int probe(void) ");
	MISSES(all.inputs.text = "");
	MISSES(all.inputs.way = "tracepoint");
	MISSES(strcpy(all.kernel.name.release, "6.1.0-14-amd64"));
	MISSES(strcpy(all.kernel.name.version, "#2 SMP Debian 6.1.55-1"));
	MISSES(strcpy(all.kernel.name.machine, "aarch64"));
	MISSES(strcpy(all.kernel.build_id, "0123456789abcdee"));
	MISSES(all.kernel.build_id[0] = '\0');
	MISSES(strcpy(all.headers.path, "/lib/modules/6.1.0-13-amd64/source"));
	MISSES(all.headers.mtime_ns++);
	MISSES(all.inputs.headers = NULL);

	assert_int_equal(setenv("LD_LIBRARY_PATH", "/opt/lib", 1), 0);
	assert_false(key_hits(place, &all));
	assert_int_equal(setenv("LD_LIBRARY_PATH", "", 1), 0);
	assert_false(key_hits(place, &all));
	unsetenv("LD_LIBRARY_PATH");
	assert_true(key_hits(place, &all));

	/* What the result does not depend on. */
	strcpy(all.kernel.name.nodename, "renamed");
	assert_true(key_hits(place, &all));
}

/* Where one part ends is part of the key. */
static void test_parts_do_not_run_together(void **state)
{
	struct inputs all;
	struct cache_key one, other;

	(void)state;
	fill_inputs(&all);
	strcpy(all.kernel.name.release, "6.1");
	strcpy(all.kernel.name.version, "#1\nversion\n#2");
	assert_int_equal(cache_key_make(&one, &all.inputs), 0);
	strcpy(all.kernel.name.release, "6.1\nversion\n#1");
	strcpy(all.kernel.name.version, "#2");
	assert_int_equal(cache_key_make(&other, &all.inputs), 0);
	assert_true(one.size != other.size || memcmp(one.data, other.data, one.size));
	cache_key_free(&one);
	cache_key_free(&other);
}

/* The executable brings the stub headers: another build must not take its entries. */
static void test_executable_is_in_the_key(void **state)
{
	struct inputs all;
	struct cache_key key;
	char expected[256];
	struct stat st;

	(void)state;
	fill_inputs(&all);
	assert_int_equal(stat("/proc/self/exe", &st), 0);
	assert_int_equal(cache_key_make(&key, &all.inputs), 0);
	snprintf(expected, sizeof(expected), "executable %ju %ju %jd %jd.%09ld\n",
		 (uintmax_t)st.st_dev, (uintmax_t)st.st_ino, (intmax_t)st.st_size,
		 (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	assert_true(key.size > strlen(expected));
	assert_memory_equal(key.data, expected, strlen(expected));
	cache_key_free(&key);
}

static void test_changed_toolchain(void **state)
{
	struct place *place = *state;
	const char *const libraries[] = {place->toolchain.libbcc, place->toolchain.llvm};
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1600000000, .tv_nsec = 5}};
	char aside[128], fresh[128];

	snprintf(aside, sizeof(aside), "%s/aside", place->root);
	snprintf(fresh, sizeof(fresh), "%s/fresh", place->root);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(utimensat(AT_FDCWD, libraries[i], times, 0), 0);
		store(place, "program", 4);
		assert_true(hit(place, "program", 4));

		times[1].tv_nsec++; /* one nanosecond */
		assert_int_equal(utimensat(AT_FDCWD, libraries[i], times, 0), 0);
		assert_false(hit(place, "program", 4));
		assert_why(place, libraries[i]);
		times[1].tv_nsec--;
		assert_int_equal(utimensat(AT_FDCWD, libraries[i], times, 0), 0);
		assert_true(hit(place, "program", 4));

		put_text(libraries[i], "a longer one than it was"); /* same time, other size */
		assert_int_equal(utimensat(AT_FDCWD, libraries[i], times, 0), 0);
		assert_false(hit(place, "program", 4));
		store(place, "program", 4);

		put_text(fresh, "a longer one than it was"); /* same time and size, other file */
		assert_int_equal(utimensat(AT_FDCWD, fresh, times, 0), 0);
		assert_int_equal(rename(libraries[i], aside), 0);
		assert_int_equal(rename(fresh, libraries[i]), 0);
		assert_false(hit(place, "program", 4));
		assert_int_equal(rename(aside, libraries[i]), 0);
		assert_true(hit(place, "program", 4));
	}
}

static void test_missing_toolchain(void **state)
{
	struct place *place = *state;
	char aside[128];

	snprintf(aside, sizeof(aside), "%s/aside", place->root);
	store(place, "program", 4);
	assert_int_equal(rename(place->toolchain.llvm, aside), 0);
	assert_true(hit(place, "program", 4));
	assert_int_equal(unlink(place->toolchain.libbcc), 0);
	assert_true(hit(place, "program", 4));
	/* Without libbcc another LLVM makes no difference. */
	put_text(place->toolchain.llvm, "quite another LLVM");
	assert_true(hit(place, "program", 4));
	put_text(place->toolchain.libbcc, "quite another libbcc");
	assert_false(hit(place, "program", 4));
}

static void test_toolchain_that_cannot_be_named(void **state)
{
	struct place *place = *state;
	struct cache_key key = key_of("program");
	struct toolchain toolchain = place->toolchain;
	char entry[128];

	/* LLVM built into libbcc is no fault. */
	toolchain.llvm[0] = '\0';
	assert_int_equal(
		cache_store(&place->cache, &key, sample_object(1), &toolchain, &place->why), 0);
	assert_true(hit(place, "program", 1));
	entry_path(place, "program", entry);
	assert_int_equal(unlink(entry), 0);

	assert_int_equal(chdir(place->root), 0); /* where the relative path is a file */
	for (int i = 0; i < 3; i++) {
		static const char *const paths[] = {"", "libbcc.so", "/nonexistent/libbcc.so"};

		strcpy(toolchain.libbcc, paths[i]);
		assert_int_equal(
			cache_store(&place->cache, &key, sample_object(1), &toolchain, &place->why),
			-1);
		assert_why(place, "not to be found");
	}
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(count_files(place->directory, ""), 0);
}

static void set_age(const struct place *place, const char *text, time_t when, long nsec)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = when, .tv_nsec = nsec}};
	char path[128];

	entry_path(place, text, path);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_limit(void **state)
{
	struct place *place = *state;
	char text[16], path[128];

	snprintf(path, sizeof(path), "%s/README", place->directory);
	put_text(path, "not ours");
	snprintf(path, sizeof(path), "%s/0123456789abcdeX.bpf", place->directory);
	put_text(path, "not ours either");
	for (int i = 0; i < CACHE_ENTRIES_MAX + 10; i++) {
		snprintf(text, sizeof(text), "%d", i);
		store(place, text, i);
		/* The order of age is not that of names or of making: 7 is the oldest. */
		set_age(place, text, 1000000000 + (i + 1000 - 7) % 1000, 7 * i % 10);
	}
	assert_int_equal(count_files(place->directory, ""), CACHE_ENTRIES_MAX + 2);
	for (int i = 0; i < CACHE_ENTRIES_MAX + 10; i++) {
		snprintf(text, sizeof(text), "%d", i);
		assert_int_equal(hit(place, text, i), i < 7 || i >= 17);
	}
}

static void test_limit_by_nanoseconds(void **state)
{
	struct place *place = *state;
	char text[16];

	for (int i = 0; i < CACHE_ENTRIES_MAX; i++) {
		snprintf(text, sizeof(text), "%d", i);
		store(place, text, i);
		set_age(place, text, 1000000000, i == 33 ? 5 : 500 + i);
	}
	store(place, "new", 99);
	assert_false(hit(place, "33", 33));
	assert_int_equal(count_files(place->directory, ENTRY_SUFFIX), CACHE_ENTRIES_MAX);
	/* A clock set back makes the newest look oldest; it stays all the same. */
	for (int i = 0; i < CACHE_ENTRIES_MAX; i++) {
		snprintf(text, sizeof(text), "%d", i);
		if (i != 33)
			set_age(place, text, 4000000000, i);
	}
	store(place, "newer", 100);
	assert_true(hit(place, "newer", 100));
	assert_int_equal(count_files(place->directory, ENTRY_SUFFIX), CACHE_ENTRIES_MAX);
}

/* What an old limit or another tool left behind goes at once, not one at a time. */
static void test_limit_far_exceeded(void **state)
{
	struct place *place = *state;
	char path[128];

	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "%s/%016x.bpf", place->directory, i);
		put_text(path, "damaged");
	}
	store(place, "new", 1);
	assert_int_equal(count_files(place->directory, ""), CACHE_ENTRIES_MAX);
	assert_true(hit(place, "new", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(test_hit_and_miss),
		PLACED(test_same_hash),
		PLACED(test_survives_reopening),
		PLACED(test_each_part_of_the_key),
		PLACED(test_parts_do_not_run_together),
		PLACED(test_executable_is_in_the_key),
		PLACED(test_changed_toolchain),
		PLACED(test_missing_toolchain),
		PLACED(test_toolchain_that_cannot_be_named),
		PLACED_QUICK(test_limit),
		PLACED_QUICK(test_limit_by_nanoseconds),
		PLACED_QUICK(test_limit_far_exceeded),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
