/* SPDX-License-Identifier: Apache-2.0 */
#include "types.h"

#include <stdlib.h>
#include "compiler/compile.h"
#include "kernel/fields.h"
#include "say.h"

/* Offsets that were kept, after the checks that all input gets. */
static int recall(const struct cache *cache, const struct cache_key *key,
		  struct field_offsets *offsets, struct error *why)
{
	size_t size;
	void *bytes = cache_load_bytes(cache, key, &size, why);

	if (!bytes)
		return -1;
	offsets->count = size / sizeof(offsets->offset[0]);
	if (size % sizeof(offsets->offset[0]) || offsets->count > FIELDS_MAX)
		offsets->count = 0;
	memcpy(offsets->offset, bytes, offsets->count * sizeof(offsets->offset[0]));
	free(bytes);
	if (fields_complete(offsets))
		return 0;
	offsets->count = 0;
	return fail(why, "%s: offsets that cannot be", cache->path);
}

static int ask(struct facts *facts, const struct options *options, const char *question,
	       struct toolchain *toolchain, struct error *error)
{
	const struct compile_request request = {
		.text = question,
		.flags = fields_question_flags,
		.headers = facts->headers.archive ? HEADERS_ARCHIVE : HEADERS_TREE,
		.kernel_version = kernel_version_code(&facts->kernel),
		.seconds = COMPILE_SECONDS,
	};
	static const char remedy[] = "perhaps they are newer than it; --types btf needs none";
	char *words;
	int failed;

	say(options, "asking clang where %s has the kernel's fields", facts->headers.path);
	failed = compile_question(&request, toolchain, &words, error);
	if (!failed && fields_answer(words, &facts->offsets)) {
		facts->offsets.count = 0;
		failed = fail(
			error,
			"libbcc's clang cannot read this kernel's headers (%s); see why with -v",
			compile_few_files() ? "perhaps for want of open files: raise ulimit -n"
					    : remedy);
		error->final = true;
	}
	if (failed && words && options->verbose)
		fputs(words, stderr);
	free(words);
	return failed;
}

static int read_headers(struct facts *facts, const struct options *options,
			const struct cache *cache, struct error *error)
{
	char *question = fields_question();
	const struct cache_inputs inputs = {
		.text = question,
		.way = "offsets",
		.kernel = &facts->kernel,
		.headers = &facts->headers,
	};
	struct toolchain toolchain;
	struct cache_key key = {0};
	struct error why;
	int failed = 0;

	if (!question || cache_key_make(&key, &inputs)) {
		free(question);
		return fail(error, "out of memory");
	}
	if (recall(cache, &key, &facts->offsets, &why)) {
		failed = ask(facts, options, question, &toolchain, error);
		if (!failed && cache->directory >= 0 && options->action == ACTION_TRACE &&
		    cache_store_bytes(cache, &key, facts->offsets.offset,
				      facts->offsets.count * sizeof(facts->offsets.offset[0]),
				      &toolchain, &why))
			say(options, "not kept: %s", why.line);
	}
	cache_key_free(&key);
	free(question);
	return failed;
}

int types_read(struct facts *facts, const struct options *options, const struct cache *cache,
	       struct error *error)
{
	if (facts->types == TYPES_HEADERS && !facts->offsets.count &&
	    read_headers(facts, options, cache, error))
		return -1;
	return facts_read_types(facts, error);
}
