/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of the cache that are not to be trusted: each refused, each replaced by the next store.
 */
#include "cache-place.h"

#include <sys/socket.h>
#include <sys/un.h>

#define NOBODY 65534

/* The entry's bytes as they were stored. */
struct entry {
	char path[128];
	unsigned char bytes[8192];
	size_t size;
};

static void read_entry(struct place *place, struct entry *entry)
{
	int fd;

	store(place, "program", 1);
	entry_path(place, "program", entry->path);
	fd = open(entry->path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	entry->size = read(fd, entry->bytes, sizeof(entry->bytes));
	assert_in_range(entry->size, 1000, sizeof(entry->bytes) - 1);
	close(fd);
}

/* As cache_load() does it. */
static struct object *decode(const void *block, size_t size, const struct cache_key *key,
			     struct library libraries[LIBRARIES], struct error *why)
{
	size_t content_size;
	const void *content = entry_decode(block, size, key, libraries, &content_size, why);

	return content ? object_decode(content, content_size, why) : NULL;
}

static void *encode(const struct cache_key *key, const struct library libraries[LIBRARIES],
		    const struct object *object, size_t *size, struct error *why)
{
	size_t content_size;
	void *content = object_encode(object, &content_size), *block;

	assert_non_null(content);
	block = entry_encode(key, libraries, content, content_size, size, why);
	free(content);
	return block;
}

static void test_damage_at_every_byte(void **state)
{
	static const unsigned char changes[] = {0x01, 0x80, 0xff, 0x20};
	struct place *place = *state;
	struct entry entry;
	int fd;

	read_entry(place, &entry);
	fd = open(entry.path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	for (size_t at = 0; at < entry.size; at++) {
		for (size_t i = 0; i < sizeof(changes); i++) {
			unsigned char byte = entry.bytes[at] ^ changes[i];

			assert_int_equal(pwrite(fd, &byte, 1, at), 1);
			if (hit(place, "program", 1))
				fail_msg("a hit with byte %zu changed by %#x", at, changes[i]);
		}
		assert_int_equal(pwrite(fd, &entry.bytes[at], 1, at), 1);
	}
	close(fd);
	assert_true(hit(place, "program", 1));
}

/* Two bytes, at any distance, as a disk that loses a sector's bits does. */
static void test_damage_of_two_bytes(void **state)
{
	struct place *place = *state;
	struct entry entry;
	unsigned int seed = 1;

	read_entry(place, &entry);
	for (int i = 0; i < 20000; i++) {
		unsigned char block[sizeof(entry.bytes)];
		struct library libraries[LIBRARIES];
		struct cache_key key = key_of("program");
		size_t one = rand_r(&seed) % entry.size, other = rand_r(&seed) % entry.size;
		unsigned char change = 1u << rand_r(&seed) % 8;

		if (one == other)
			continue;
		memcpy(block, entry.bytes, entry.size);
		block[one] ^= change;
		block[other] ^= change;
		if (decode(block, entry.size, &key, libraries, &place->why))
			fail_msg("decoded with bytes %zu and %zu changed by %#x", one, other,
				 change);
	}
}

static void test_truncation_at_every_length(void **state)
{
	struct place *place = *state;
	struct entry entry;

	read_entry(place, &entry);
	for (size_t size = entry.size; size-- > 0;) {
		assert_int_equal(truncate(entry.path, size), 0);
		if (hit(place, "program", 1))
			fail_msg("a hit with %zu bytes", size);
	}
	store(place, "program", 1);
	for (size_t more = 1; more <= 64; more++) { /* followed by zeros */
		assert_int_equal(truncate(entry.path, entry.size + more), 0);
		if (hit(place, "program", 1))
			fail_msg("a hit with %zu bytes more", more);
	}
	assert_int_equal(truncate(entry.path, entry.size), 0);
	assert_true(hit(place, "program", 1));
	assert_int_equal(truncate(entry.path, ENTRY_SIZE_MAX + 1), 0);
	assert_false(hit(place, "program", 1));
	assert_why(place, "impossible size");
	store(place, "program", 1);
	assert_true(hit(place, "program", 1));
}

static void test_mode(void **state)
{
	struct place *place = *state;
	struct stat st;
	char path[128];

	umask(0);
	store(place, "program", 1);
	entry_path(place, "program", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	for (unsigned int mode = 0; mode < 01000; mode++) {
		if (!(mode & 0400))
			continue;
		assert_int_equal(chmod(path, mode), 0);
		if (mode & 022) {
			assert_false(hit(place, "program", 1));
			assert_why(place, "written to by others");
		} else {
			assert_true(hit(place, "program", 1));
		}
	}
	assert_int_equal(chmod(path, 0666), 0);
	store(place, "program", 2);
	assert_true(hit(place, "program", 2));
}

static void test_owner(void **state)
{
	struct place *place = *state;
	char path[128];

	if (geteuid() != 0) {
		print_message("skipped: only root can give a file away\n");
		skip();
	}
	store(place, "program", 1);
	entry_path(place, "program", path);
	assert_int_equal(chown(path, NOBODY, -1), 0);
	assert_false(hit(place, "program", 1));
	assert_why(place, "belongs to user 65534");
	assert_int_equal(chown(path, 0, NOBODY),
			 0); /* a group that cannot write is none's matter */
	assert_true(hit(place, "program", 1));
	assert_int_equal(chown(path, NOBODY, -1), 0);
	store(place, "program", 2);
	assert_true(hit(place, "program", 2));
}

static void test_links(void **state)
{
	struct place *place = *state;
	char path[128], aside[128], content[16] = "";
	int fd;

	snprintf(aside, sizeof(aside), "%s/aside", place->root);
	store(place, "program", 1);
	entry_path(place, "program", path);

	assert_int_equal(link(path, aside), 0);
	assert_false(hit(place, "program", 1));
	assert_why(place, "more than one name");
	assert_int_equal(unlink(aside), 0);
	assert_true(hit(place, "program", 1));

	/* The same good entry, behind a symbolic link. */
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(symlink(aside, path), 0);
	assert_false(hit(place, "program", 1));
	assert_why(place, "symbolic link");
	/* Storing replaces the link and does not follow it. */
	put_text(aside, "precious");
	store(place, "program", 2);
	assert_true(hit(place, "program", 2));
	fd = open(aside, O_RDONLY | O_CLOEXEC);
	assert_true(read(fd, content, sizeof(content)) > 0);
	close(fd);
	assert_string_equal(content, "precious");
	/* So does a link to nowhere. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/nonexistent/entry", path), 0);
	assert_false(hit(place, "program", 2));
	store(place, "program", 3);
	assert_true(hit(place, "program", 3));
}

static void test_no_file_at_all(void **state)
{
	struct place *place = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct cache_key key = key_of("program");
	int fd;
	char path[128];

	entry_path(place, "program", path);
	assert_int_equal(mkfifo(path, 0600), 0); /* would hold up an open() that waits */
	assert_false(hit(place, "program", 1));
	assert_why(place, "no regular file");
	store(place, "program", 1);
	assert_true(hit(place, "program", 1));

	assert_int_equal(unlink(path), 0);
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_false(hit(place, "program", 1));
	assert_why(place, "cannot open");
	store(place, "program", 1);
	assert_true(hit(place, "program", 1));

	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(hit(place, "program", 1));
	assert_why(place, "no regular file");
	assert_int_equal(
		cache_store(&place->cache, &key, sample_object(1), &place->toolchain, &place->why),
		-1);
	assert_why(place, "directory");
	assert_int_equal(count_files(place->directory, ""), 1);
}

/* A key that is only the beginning of the stored one, and one that goes on. */
static void test_length_of_the_key(void **state)
{
	struct place *place = *state;
	struct library libraries[LIBRARIES];
	struct entry entry;

	read_entry(place, &entry);
	for (size_t size = 0; size < 20; size++) {
		struct cache_key key = {(unsigned char *)"program and another", size};
		struct object *object =
			decode(entry.bytes, entry.size, &key, libraries, &place->why);

		assert_int_equal(object != NULL, size == strlen("program"));
		if (!object)
			assert_why(place, "something else");
		object_free(object);
	}
}

/* What no honest writer makes, with a right checksum: checked all the same. */
static void test_forged(void **state)
{
	struct place *place = *state;
	struct library libraries[LIBRARIES] = {0};
	struct cache_key key = key_of("program");
	struct object object = *sample_object(1);
	struct object_reference reference = {4, REFERENCE_MAP, 0}; /* no such instruction pair */
	size_t size;
	void *block;

	memset(libraries[1].path, 'x', sizeof(libraries[1].path)); /* no end */
	block = encode(&key, libraries, &object, &size, &place->why);
	assert_non_null(block);
	assert_null(decode(block, size, &key, libraries, &place->why));
	assert_string_equal(place->why.line, "damaged");
	free(block);

	memset(libraries, 0, sizeof(libraries));
	object.references = &reference;
	block = encode(&key, libraries, &object, &size, &place->why);
	assert_non_null(block);
	assert_null(decode(block, size, &key, libraries, &place->why));
	assert_why(place, "damaged");
	free(block);
}

static void test_too_large(void **state)
{
	struct place *place = *state;
	struct cache_key key = {calloc(1, ENTRY_SIZE_MAX), ENTRY_SIZE_MAX};

	assert_non_null(key.data);
	assert_int_equal(
		cache_store(&place->cache, &key, sample_object(1), &place->toolchain, &place->why),
		-1);
	assert_why(place, "too large");
	key.size -= 4096;
	assert_int_equal(
		cache_store(&place->cache, &key, sample_object(1), &place->toolchain, &place->why),
		0);
	object_free(cache_load(&place->cache, &key, &place->why));
	cache_key_free(&key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(test_damage_at_every_byte),
		PLACED(test_damage_of_two_bytes),
		PLACED(test_truncation_at_every_length),
		PLACED(test_mode),
		PLACED(test_owner),
		PLACED(test_links),
		PLACED(test_no_file_at_all),
		PLACED(test_length_of_the_key),
		PLACED(test_forged),
		PLACED(test_too_large),
	};

	return cmocka_run_group_tests_name("cache-entry", tests, NULL, NULL);
}
