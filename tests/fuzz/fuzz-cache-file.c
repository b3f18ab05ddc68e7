/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader of the cache's files. The first byte tells what is put right before, so that the
 * fuzzer gets behind the checksum; the rest is the file.
 */
#include "compiler/cache_entry.h"
#include "object-check.h"

#define MEND_CHECKSUM 1
#define MEND_SIZES    2

/* Where compiler/cache_entry.c keeps them. */
#define CHECKSUM_AT     8
#define CHECKED_FROM    16
#define CONTENT_SIZE_AT 20
#define HEADER_SIZE     (24 + LIBRARIES * sizeof(struct library))

static unsigned char key_bytes[] = "a key";
static const struct cache_key key = {key_bytes, sizeof(key_bytes) - 1};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(uint8_t *file, size_t size, uint8_t how)
{
	uint32_t content_size = size - HEADER_SIZE - key.size;
	uint64_t checksum;

	if (how & MEND_SIZES)
		memcpy(file + CONTENT_SIZE_AT, &content_size, sizeof(content_size));
	if (how & MEND_CHECKSUM) {
		checksum = cache_hash(file + CHECKED_FROM, size - CHECKED_FROM);
		memcpy(file + CHECKSUM_AT, &checksum, sizeof(checksum));
	}
}

static void check_same(const struct library *libraries, const struct object *object,
		       const uint8_t *file, size_t size)
{
	struct error error;
	size_t content_size, again_size;
	void *content = object_encode(object, &content_size);
	void *again =
		content ? entry_encode(&key, libraries, content, content_size, &again_size, &error)
			: NULL;

	require(again && again_size == size && memcmp(again, file, size) == 0);
	free(again);
	free(content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct library libraries[LIBRARIES];
	struct error error = {.line = ""};
	struct object *object = NULL;
	const void *content;
	size_t content_size;
	uint8_t *file;

	if (!size)
		return 0;
	file = malloc(size); /* at least one byte; the file's size is one less */
	require(file != NULL);
	memcpy(file, data + 1, size - 1);
	if (size - 1 >= HEADER_SIZE + key.size)
		mend(file, size - 1, data[0]);
	content = entry_decode(file, size - 1, &key, libraries, &content_size, &error);
	if (content)
		object = object_decode(content, content_size, &error);
	if (object) {
		check_object(object);
		for (int i = 0; i < LIBRARIES; i++)
			require(memchr(libraries[i].path, '\0', sizeof(libraries[i].path)));
		check_same(libraries, object, file, size - 1);
	} else {
		require(error.line[0]);
	}
	object_free(object);
	free(file);
	return 0;
}
