/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "compiler/cache_entry.h"

/* Each part with its name and length in front, so that no two sets of parts look alike. */
static void put(FILE *out, const char *name, const void *data, size_t size)
{
	fprintf(out, "%s %zu\n", name, size);
	fwrite(data, 1, size, out);
	fputc('\n', out);
}

static void put_string(FILE *out, const char *name, const char *value)
{
	if (value)
		put(out, name, value, strlen(value));
}

static void put_executable(FILE *out)
{
	struct stat st;

	if (stat("/proc/self/exe", &st)) /* without /proc nothing tells two builds apart */
		return;
	fprintf(out, "executable %ju %ju %jd %jd.%09ld\n", (uintmax_t)st.st_dev,
		(uintmax_t)st.st_ino, (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec,
		st.st_mtim.tv_nsec);
}

static void put_headers(FILE *out, const struct kernel_headers *headers)
{
	if (!headers)
		return;
	put_string(out, "headers", headers->path);
	fprintf(out, "changed %" PRId64 "\n", headers->mtime_ns);
}

int cache_key_make(struct cache_key *key, const struct cache_inputs *inputs)
{
	char *data = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&data, &size);
	bool bad;

	*key = (struct cache_key){0};
	if (!out)
		return -1;
	put_executable(out);
	/* Read even where the dynamic linker ignores it: then it only makes a miss. */
	put_string(out, "LD_LIBRARY_PATH", getenv("LD_LIBRARY_PATH"));
	put_string(out, "release", inputs->kernel->name.release);
	put_string(out, "version", inputs->kernel->name.version);
	put_string(out, "machine", inputs->kernel->name.machine);
	put_string(out, "build", inputs->kernel->build_id);
	put_headers(out, inputs->headers);
	put_string(out, "way", inputs->way);
	put_string(out, "text", inputs->text);
	bad = ferror(out);
	if (fclose(out) || bad) {
		free(data);
		return -1;
	}
	key->data = (unsigned char *)data;
	key->size = size;
	return 0;
}

void cache_key_free(struct cache_key *key)
{
	free(key->data);
	*key = (struct cache_key){0};
}

uint64_t cache_hash(const void *data, size_t size)
{
	const unsigned char *at = data;
	uint64_t hash = 0xcbf29ce484222325ull ^ size;

	/*
	 * FNV-1a's step over 8 bytes at once, with a shift that brings the high bits down. Each
	 * step maps the states one to one.
	 */
	while (size) {
		size_t take = size < 8 ? size : 8;
		uint64_t word = 0;

		memcpy(&word, at, take);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
		at += take;
		size -= take;
	}
	return hash;
}

void entry_name(char name[ENTRY_NAME_SIZE], const struct cache_key *key)
{
	snprintf(name, ENTRY_NAME_SIZE, "%016" PRIx64 ENTRY_SUFFIX,
		 cache_hash(key->data, key->size));
}
