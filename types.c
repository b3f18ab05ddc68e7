/* SPDX-License-Identifier: Apache-2.0 */
#include "types.h"

#include <stdlib.h>
#include "compiler/compile.h"
#include "kernel/fields.h"
#include "say.h"

static int recall(const struct cache *cache, const struct cache_key *key,
		  struct field_offsets *offsets, struct error *why)
{
	size_t size;
	void *bytes = cache_load_bytes(cache, key, &size, why);
	int failed;

	if (!bytes)
		return -1;
	failed = fields_take(bytes, size, offsets);
	free(bytes);
	return failed ? fail(why, "%s has some that cannot be", cache->path) : 0;
}

static int not_understood(const struct options *options, const struct kernel_headers *headers,
			  const char *strange, struct error *error)
{
	const char *cause = "perhaps they are newer than it";

	if (strange)
		say(options, "no answer but %.*s", (int)strcspn(strange, "\n"), strange);
	if (strange && strstr(strange, "CONFIG_RANDSTRUCT"))
		cause = "CONFIG_RANDSTRUCT shuffles its structures";
	else if (headers->archive && !strange)
		cause = "perhaps for want of tar and xz, by which libbcc unpacks them";
	else if (compile_few_files())
		cause = "perhaps for want of open files: raise ulimit -n";
	else if (kernel_has_btf())
		cause = "perhaps they are newer than it; --types btf needs none";
	return fail(error, "libbcc's clang cannot read this kernel's headers (%s); see why with -v",
		    cause);
}

static int ask(struct facts *facts, const struct options *options, const char *question,
	       struct toolchain *toolchain, struct error *error)
{
	const struct compile_request request = {
		.text = question,
		.flags = fields_question_flags,
		.headers = facts->headers.archive ? HEADERS_ARCHIVE : HEADERS_TREE,
		.tree = facts->headers.chosen ? facts->headers.path : NULL,
		.seconds = COMPILE_SECONDS,
	};
	const char *strange;
	char *words;
	int failed;

	say(options, "asking clang where %s has the kernel's fields", facts->headers.path);
	failed = compile_question(&request, toolchain, &words, error);
	if (failed || fields_answer(words, &facts->offsets, &strange)) {
		if (words && options->verbose)
			fputs(words, stderr);
		if (!failed) {
			facts->offsets.count = 0;
			failed = not_understood(options, &facts->headers, strange, error);
		}
		error->final = true; /* whatever the way to attach, the question is the same */
	}
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
		if (cache->directory >= 0)
			say(options, "offsets not in the cache: %s", why.line);
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
