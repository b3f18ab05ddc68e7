/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_CACHE_H
#define TCPCONNECT_CACHE_H

#include <limits.h>
#include <stddef.h>
#include "compiler/compile.h"
#include "compiler/object.h"
#include "error.h"
#include "kernel/headers.h"
#include "kernel/identity.h"

/*
 * Compiled objects, and what else a compiler was asked, kept from one run to the next: one file
 * each, in a directory that nobody else may write to. It only saves time. Whatever goes wrong with
 * it is a reason to compile, to be said with -v, and never an error of the run. Neither libbcc nor
 * LLVM is opened.
 */

#define CACHE_DEFAULT_DIRECTORY "/var/cache/tcpconnect"
#define CACHE_ENTRIES_MAX       64

/* What a compilation depends on, as far as it is known before it. */
struct cache_inputs {
	/*
	 * The program's whole text, or the question. The numbers of fields may be left out, where
	 * the kernel has a build id, or the headers are told: the same kernel has the same numbers.
	 */
	const char *text;
	const char *way; /* of attaching, as the object holds BTF ids for it; or what else it is */
	const struct kernel_identity *kernel;
	const struct kernel_headers *headers; /* NULL: types from BTF */
};

/* The inputs as bytes, compared whole. */
struct cache_key {
	unsigned char *data;
	size_t size;
};

/*
 * Adds by itself what the caller cannot know better: this executable (it brings the stub
 * headers and the compiler's flags), where libraries are looked for, the formats' versions.
 * Returns 0 with a key for cache_key_free(), or -1 when out of memory.
 */
int cache_key_make(struct cache_key *key, const struct cache_inputs *inputs);
void cache_key_free(struct cache_key *key);

struct cache {
	int directory; /* -1: there is no cache, and the calls below only say so */
	char path[PATH_MAX];
};

/*
 * Open the directory: option (NULL: not given), else the first of $CACHE_DIRECTORY, which
 * systemd sets, else CACHE_DEFAULT_DIRECTORY; made with mode 0700 where only it is missing.
 * Refused when it is a symbolic link, another user's, or open to writing by others; and
 * in a program that has more rights than its caller (setuid, file capabilities), since what
 * the caller may write to decides there what is loaded. Returns 0, or -1 with the reason.
 */
int cache_open(struct cache *cache, const char *option, struct error *why);
/* The same for one who only looks: a directory that is not there is not made. */
int cache_look(struct cache *cache, const char *option, struct error *why);
void cache_close(struct cache *cache);

/*
 * The object stored under the key, to be freed with object_free(). NULL with the reason when
 * there is none, when libbcc or LLVM is not the file any more that compiled it, or when the
 * entry is not to be trusted: damaged, another's, writable by others, a link.
 *
 * A libbcc that is gone altogether leaves the entry good: nothing else could be compiled.
 */
struct object *cache_load(const struct cache *cache, const struct cache_key *key,
			  struct error *why);

/*
 * Store an object in place of what is there under the key, and forget the oldest beyond
 * CACHE_ENTRIES_MAX. It appears whole or not at all, and is on the disk on return: that may
 * take some milliseconds, best spent once tracing has begun. Returns 0, or -1 with the reason.
 */
int cache_store(const struct cache *cache, const struct cache_key *key, const struct object *object,
		const struct toolchain *toolchain, struct error *why);

/* The same for *size bytes of any kind. Those loaded are to be freed, and checked like any input.
 */
void *cache_load_bytes(const struct cache *cache, const struct cache_key *key, size_t *size,
		       struct error *why);
int cache_store_bytes(const struct cache *cache, const struct cache_key *key, const void *bytes,
		      size_t size, const struct toolchain *toolchain, struct error *why);

#endif
