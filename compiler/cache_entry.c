/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cache_entry.h"

#include <stdlib.h>
#include <unistd.h>

#define ENTRY_MAGIC   0x74637063u
#define ENTRY_VERSION 1u /* of this layout, and of all that the key cannot say */

/* Host byte order: an entry serves only the machine that made it. Key and content follow. */
struct entry_header {
	uint32_t magic, version;
	uint64_t checksum; /* of everything behind it */
	uint32_t key_size, content_size;
	struct library libraries[LIBRARIES];
};

#define CHECKED_FROM (offsetof(struct entry_header, checksum) + sizeof(uint64_t))

static uint64_t checksum_of(const char *block, size_t size)
{
	return cache_hash(block + CHECKED_FROM, size - CHECKED_FROM);
}

void *entry_encode(const struct cache_key *key, const struct library libraries[LIBRARIES],
		   const void *content, size_t content_size, size_t *size, struct error *why)
{
	struct entry_header header = {
		.magic = ENTRY_MAGIC,
		.version = ENTRY_VERSION,
		.key_size = key->size,
		.content_size = content_size,
	};
	char *block;

	*size = sizeof(header) + key->size + content_size;
	if (*size > ENTRY_SIZE_MAX) {
		fail(why, "too large");
		return NULL;
	}
	block = malloc(*size);
	if (!block) {
		fail(why, "out of memory");
		return NULL;
	}
	memcpy(header.libraries, libraries, sizeof(header.libraries));
	memcpy(block, &header, sizeof(header));
	memcpy(block + sizeof(header), key->data, key->size);
	memcpy(block + sizeof(header) + key->size, content, content_size);
	header.checksum = checksum_of(block, *size);
	memcpy(block, &header, sizeof(header));
	return block;
}

const void *entry_decode(const void *block, size_t size, const struct cache_key *key,
			 struct library libraries[LIBRARIES], size_t *content_size,
			 struct error *why)
{
	struct entry_header header;
	const char *at = block;

	if (size < sizeof(header)) {
		fail(why, "cut short");
		return NULL;
	}
	memcpy(&header, at, sizeof(header));
	if (header.magic != ENTRY_MAGIC || header.version != ENTRY_VERSION) {
		fail(why, "of another format");
		return NULL;
	}
	if ((uint64_t)header.key_size + header.content_size != size - sizeof(header) ||
	    header.checksum != checksum_of(at, size)) {
		fail(why, "damaged");
		return NULL;
	}
	for (int i = 0; i < LIBRARIES; i++)
		if (!memchr(header.libraries[i].path, '\0', sizeof(header.libraries[i].path))) {
			fail(why, "damaged");
			return NULL;
		}
	at += sizeof(header);
	if (header.key_size != key->size || memcmp(at, key->data, key->size)) {
		fail(why, "the entry of something else with the same hash");
		return NULL;
	}
	memcpy(libraries, header.libraries, sizeof(header.libraries));
	*content_size = header.content_size;
	return at + key->size;
}

int entry_check_owner(const struct stat *st, struct error *why)
{
	if (!S_ISREG(st->st_mode))
		return fail(why, "no regular file");
	if (st->st_uid != geteuid())
		return fail(why, "belongs to user %u", st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return fail(why, "may be written to by others");
	if (st->st_nlink > 1) /* 0: just replaced */
		return fail(why, "has more than one name");
	if (st->st_size <= 0 || st->st_size > (off_t)ENTRY_SIZE_MAX)
		return fail(why, "has an impossible size");
	return 0;
}
