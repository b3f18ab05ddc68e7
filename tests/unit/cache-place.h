/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of the cache: a place of its own, an object, libraries and keys to play with. */
#ifndef TCPCONNECT_CACHE_PLACE_H
#define TCPCONNECT_CACHE_PLACE_H

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/bpf.h>
#include "compiler/cache.h"
#include "compiler/cache_entry.h"
/* After error.h: both have a fail(). */
#include <cmocka.h>

#define PLACED(test)       cmocka_unit_test_setup_teardown(test, place_make, place_remove)
#define PLACED_QUICK(test) cmocka_unit_test_setup_teardown(test, place_make_quick, place_remove)

/* A temporary directory, in it the cache's and two files that stand for the libraries. */
struct place {
	char root[64], directory[96];
	struct toolchain toolchain;
	struct cache cache;
	struct error why;
};

static inline void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static inline int place_make_in(void **state, const char *parent)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	snprintf(place->root, sizeof(place->root), "%s/test-cache-XXXXXX", parent);
	assert_non_null(mkdtemp(place->root));
	snprintf(place->directory, sizeof(place->directory), "%s/cache", place->root);
	snprintf(place->toolchain.libbcc, sizeof(place->toolchain.libbcc), "%s/libbcc.so",
		 place->root);
	snprintf(place->toolchain.llvm, sizeof(place->toolchain.llvm), "%s/libLLVM.so",
		 place->root);
	put_text(place->toolchain.libbcc, "a libbcc");
	put_text(place->toolchain.llvm, "an LLVM");
	assert_int_equal(cache_open(&place->cache, place->directory, &place->why), 0);
	*state = place;
	return 0;
}

static inline int place_make(void **state)
{
	return place_make_in(state, "/tmp");
}

/* In memory, where it is to be had: a disk takes its time to sync each of a thousand entries. */
static inline int place_make_quick(void **state)
{
	return place_make_in(state, access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
}

static inline void remove_files(const char *directory)
{
	DIR *files = opendir(directory);
	struct dirent *file;

	while (files && (file = readdir(files)))
		if (unlinkat(dirfd(files), file->d_name, 0))
			unlinkat(dirfd(files), file->d_name, AT_REMOVEDIR);
	if (files)
		closedir(files);
	rmdir(directory);
}

static inline int place_remove(void **state)
{
	struct place *place = *state;

	cache_close(&place->cache);
	remove_files(place->directory);
	remove_files(place->root);
	free(place);
	return 0;
}

/* An object with one of everything; mark makes two of them unequal. */
static inline const struct object *sample_object(uint32_t mark)
{
	static struct object_map maps[] = {{.name = "losses",
					    .type = 2,
					    .key_size = 4,
					    .value_size = 64,
					    .max_entries = 1024}};
	static struct object_program programs[] = {
		{.name = "enter", .insn_count = 3, .first_insn = 0},
		{.name = "leave", .insn_count = 2, .first_insn = 3},
	};
	static struct bpf_insn insns[] = {
		{.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1},
		{.code = 0},
		{.code = BPF_JMP | BPF_EXIT},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	static struct object_reference references[] = {{0, REFERENCE_MAP, 0}};
	static struct object_target targets[] = {{.name = "netif_receive_skb", .btf_id = 77}};
	static struct object object = {
		.map_count = 1,
		.program_count = 2,
		.insn_count = 5,
		.reference_count = 1,
		.target_count = 1,
		.maps = maps,
		.programs = programs,
		.insns = insns,
		.references = references,
		.targets = targets,
	};

	insns[3].imm = (int32_t)mark;
	return &object;
}

static inline void assert_same_object(const struct object *object, const struct object *expected)
{
	size_t size, expected_size;
	void *block, *expected_block;

	assert_non_null(object);
	block = object_encode(object, &size);
	expected_block = object_encode(expected, &expected_size);
	assert_int_equal(size, expected_size);
	assert_memory_equal(block, expected_block, size);
	free(block);
	free(expected_block);
}

/* A key of plain text, in the caller's own memory. */
static inline struct cache_key key_of(const char *text)
{
	return (struct cache_key){(unsigned char *)(uintptr_t)text, strlen(text)};
}

static inline void store(struct place *place, const char *text, uint32_t mark)
{
	struct cache_key key = key_of(text);

	if (cache_store(&place->cache, &key, sample_object(mark), &place->toolchain, &place->why))
		fail_msg("%s", place->why.line);
}

/* Whether there is an entry under the key; it must then be the object of that mark. */
static inline bool hit(struct place *place, const char *text, uint32_t mark)
{
	struct cache_key key = key_of(text);
	struct object *object;

	memset(&place->why, 0, sizeof(place->why));
	object = cache_load(&place->cache, &key, &place->why);
	if (!object) {
		assert_true(place->why.line[0] && !strchr(place->why.line, '\n'));
		return false;
	}
	assert_same_object(object, sample_object(mark));
	object_free(object);
	return true;
}

static inline void entry_path(const struct place *place, const char *text, char path[128])
{
	struct cache_key key = key_of(text);
	char name[ENTRY_NAME_SIZE];

	entry_name(name, &key);
	snprintf(path, 128, "%s/%s", place->directory, name);
}

/* All files of the directory whose names have the ending; "" counts all. */
static inline size_t count_files(const char *directory, const char *ending)
{
	DIR *files = opendir(directory);
	struct dirent *file;
	size_t count = 0;

	assert_non_null(files);
	while ((file = readdir(files))) {
		size_t length = strlen(file->d_name);

		count += file->d_name[0] != '.' && length >= strlen(ending) &&
			 strcmp(file->d_name + length - strlen(ending), ending) == 0;
	}
	closedir(files);
	return count;
}

#define assert_why(place, text)                                                                    \
	do {                                                                                       \
		if (!strstr((place)->why.line, text))                                              \
			fail_msg("\"%s\" does not say \"%s\"", (place)->why.line, text);           \
	} while (0)

#endif
