/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_CACHE_ENTRY_H
#define TCPCONNECT_CACHE_ENTRY_H

#include <sys/stat.h>
#include "compiler/cache.h"

/*
 * Inside the room: what one file of the cache holds, and what the files of the cache's
 * directory are called.
 */

/* Far above what a key (60 kB) and an object (100 kB) take. */
#define ENTRY_SIZE_MAX (4u << 20)

/* "0123456789abcdef.bpf": the hash of the key. Equal names of unequal keys do no harm. */
#define ENTRY_SUFFIX    ".bpf"
#define ENTRY_NAME_SIZE (16 + sizeof(ENTRY_SUFFIX))
/* While it is written, where the file system knows no files without a name. */
#define UNFINISHED_PREFIX "unfinished-"

/* A library that took part in a compilation, as it was then. */
struct library {
	char path[512]; /* "": none */
	int64_t size;
	int64_t mtime_ns;
	uint64_t inode, device;
};

#define LIBRARIES 2 /* libbcc first, then LLVM */

/* No cryptographic hash: what it must withstand is accident. Any one changed word changes it. */
uint64_t cache_hash(const void *data, size_t size);

void entry_name(char name[ENTRY_NAME_SIZE], const struct cache_key *key);

/* One block of *size bytes, to be freed; NULL with the reason. */
void *entry_encode(const struct cache_key *key, const struct library libraries[LIBRARIES],
		   const void *content, size_t content_size, size_t *size, struct error *why);

/*
 * Where in an entry made for the key its content is, with its size, and the entry's libraries. The
 * block may hold anything. NULL with the reason.
 */
const void *entry_decode(const void *block, size_t size, const struct cache_key *key,
			 struct library libraries[LIBRARIES], size_t *content_size,
			 struct error *why);

/*
 * Check that what fstat() tells of an entry lets it be read: a regular file of this user with one
 * name, not to be written by others, of a fair size. Returns 0, or -1 with the reason.
 */
int entry_check_owner(const struct stat *st, struct error *why);

#endif
