/* SPDX-License-Identifier: Apache-2.0 */
#include "start.h"

#include <malloc.h>
#include <stdlib.h>
#include <bpf/btf.h>
#include "compiler/cache.h"
#include "compiler/compile.h"
#include "kernel/facts.h"
#include "kernel/perf.h"
#include "kernel/privilege.h"
#include "probes/text.h"
#include "say.h"
#include "types.h"

static char *text_of(const struct facts *facts, const struct options *options,
		     const struct places *places, enum probe_kind way, bool literal,
		     struct error *error)
{
	struct text_config config = {
		.options = options,
		.places = places,
		.probe = way,
		.offsets = facts->types_read ? &facts->offsets : NULL,
		.old_probe_read = facts->old_probe_read,
		.no_ringbuf = facts->no_ringbuf,
		.literal = literal,
	};
	char *text = program_text(&config);

	if (!text)
		fail(error, "out of memory");
	return text;
}

static void show_words(const struct options *options, char *words)
{
	if (words && options->verbose)
		fputs(words, stderr);
	free(words);
}

/* Note where the kernel's BTF has the places that the programs are loaded for. */
static int resolve_targets(struct object *object, const struct facts *facts,
			   const struct options *options, enum probe_kind way, struct error *error)
{
	struct btf *btf = facts->btf;
	int failed;

	if (!way_needs_btf(way, options))
		return 0;
	if (!btf)
		btf = kernel_btf(error);
	failed = !btf || object_resolve_targets(object, way, options, btf, error);
	if (btf != facts->btf)
		btf__free(btf);
	return failed ? -1 : 0;
}

static struct object *compile_way(struct facts *facts, const struct options *options,
				  const struct places *places, enum probe_kind way,
				  const struct cache *cache, struct toolchain *toolchain,
				  struct error *error)
{
	struct compile_request request = {
		.kernel_version = kernel_version_code(&facts->kernel),
		.seconds = COMPILE_SECONDS,
	};
	struct object *object;
	char *text, *words;

	if (types_read(facts, options, cache, error))
		return NULL;
	text = text_of(facts, options, places, way, options->no_cache, error);
	if (!text)
		return NULL;
	say(options, "compiling for %s with types from %s", way_name(way),
	    facts->types == TYPES_BTF ? "BTF" : facts->headers.path);
	request.text = text;
	object = compile(&request, toolchain, &words, error);
	free(text);
	show_words(options, words);
	if (object && resolve_targets(object, facts, options, way, error)) {
		object_free(object);
		return NULL;
	}
	return object;
}

/* Without a build id, the numbers from BTF tell two kernels apart; headers have a path and a time.
 */
static int make_key(struct cache_key *key, struct facts *facts, const struct options *options,
		    const struct places *places, enum probe_kind way)
{
	struct cache_inputs inputs = {
		.way = way_name(way),
		.kernel = &facts->kernel,
		.headers = facts->types == TYPES_HEADERS ? &facts->headers : NULL,
	};
	bool numbers = !facts->kernel.build_id[0] && facts->types == TYPES_BTF;
	struct error ignored;
	char *text;
	int failed;

	if (numbers && facts_read_types(facts, &ignored))
		return -1;

	/* As if the types had not been read, so that a cold start makes the key of a warm one. */
	struct facts quick = *facts;

	if (!numbers) {
		quick.types_read = false;
		quick.old_probe_read = quick.no_ringbuf = false;
	}
	text = text_of(&quick, options, places, way, false, &ignored);
	inputs.text = text;
	failed = !text || cache_key_make(key, &inputs);
	free(text);
	return failed ? -1 : 0;
}

static int load_object(struct tracing *tracing, const struct object *object,
		       const struct session_config *config, struct error *error)
{
	char *words;
	int result = session_load(&tracing->session, object, config, &words, error);

	show_words(config->options, words);
	return result;
}

/* What was compiled, to be kept once it traces: until then each connect would go unseen. */
struct fresh {
	struct object *object;
	struct toolchain toolchain;
	struct cache_key key;
	bool has_key;
};

static void fresh_keep(const struct fresh *fresh, const struct options *options,
		       const struct cache *cache)
{
	struct error why;

	if (fresh->object && fresh->has_key && options->action != ACTION_CHECK &&
	    cache_store(cache, &fresh->key, fresh->object, &fresh->toolchain, &why))
		say(options, "not kept: %s", why.line);
}

static void fresh_forget(struct fresh *fresh)
{
	object_free(fresh->object);
	if (fresh->has_key)
		cache_key_free(&fresh->key);
}

static int load_fresh(struct tracing *tracing, struct facts *facts,
		      const struct session_config *config, const struct cache *cache,
		      struct fresh *fresh, struct error *error)
{
	fresh->object = compile_way(facts, config->options, config->places, config->way, cache,
				    &fresh->toolchain, error);
	return fresh->object ? load_object(tracing, fresh->object, config, error) : -1;
}

static int load_way(struct tracing *tracing, struct facts *facts,
		    const struct session_config *config, const struct cache *cache,
		    struct fresh *fresh, struct error *error)
{
	const struct options *options = config->options;
	struct object *object;
	struct error why;
	int result;

	fresh->has_key = cache->directory >= 0 &&
			 make_key(&fresh->key, facts, options, config->places, config->way) == 0;
	if (!fresh->has_key)
		return load_fresh(tracing, facts, config, cache, fresh, error);
	object = cache_load(cache, &fresh->key, &why);
	if (!object) {
		say(options, "not in the cache: %s", why.line);
		return load_fresh(tracing, facts, config, cache, fresh, error);
	}
	say(options, "compiled before, in %s", cache->path);
	result = load_object(tracing, object, config, error);
	object_free(object);
	tracing->compiled_before = result != SESSION_REFUSED;
	if (result != SESSION_REFUSED)
		return result;
	say(options, "what was compiled before is refused; once more");
	return load_fresh(tracing, facts, config, cache, fresh, error);
}

/* A whole packet goes nowhere but into a perf buffer. */
static int spare_of(const struct session *session, const struct session_config *config)
{
	struct error refused;

	if (config->way == PROBE_TRACEPOINT && config->options->dns && perf_events_check(&refused))
		return -1;
	return session->spare;
}

static int start_way(struct tracing *tracing, struct facts *facts, const struct options *options,
		     enum probe_kind way, const struct cache *cache, struct error *error)
{
	const struct session_config config = {
		.way = way,
		.options = options,
		.places = &tracing->places,
		.kernel_version = kernel_version_code(&facts->kernel),
	};
	struct session *session = &tracing->session;
	struct fresh fresh = {0};
	int result = -1;

	tracing->compiled_before = false;
	if (way_check(way, error) || load_way(tracing, facts, &config, cache, &fresh, error))
		goto out;
	tracing->stream = NULL;
	if (!options->count) {
		tracing->stream = stream_open(session->events, spare_of(session, &config),
					      session->cpus, options->pages, error);
		if (!tracing->stream) {
			session_close(session);
			goto out;
		}
		if (stream_pages(tracing->stream))
			say(options, "perf buffers of %u pages on each CPU",
			    stream_pages(tracing->stream));
		else
			say(options, "one ring buffer, the kernel refuses perf events");
	}
	if (session_attach(session, &config, error)) {
		stream_close(tracing->stream);
		session_close(session);
		goto out;
	}
	tracing->way = way;
	tracing->types = facts->types;
	say(options, "attached by %s, %zu points", way_name(way), session->link_count);
	fresh_keep(&fresh, options, cache);
	result = 0;
out:
	fresh_forget(&fresh);
	return result;
}

/* A way of attaching that did not work here, and why. */
struct way_tried {
	const char *way;
	struct error error;
};

static bool same_reason(const struct way_tried *one, const struct way_tried *other)
{
	return strcmp(one->error.line, other->error.line) == 0;
}

/* What every way failed for is said once; so is what ways that follow each other failed for. */
static int fail_all(const struct way_tried *tried, size_t count, struct error *error)
{
	char text[sizeof(error->line)] = "";
	size_t used = 0;
	bool differ = false;

	for (size_t i = 0; i < count && used < sizeof(text); i++) {
		bool again = i + 1 < count && same_reason(&tried[i], &tried[i + 1]);

		differ = differ || !same_reason(&tried[0], &tried[i]);
		used += snprintf(text + used, sizeof(text) - used, "%s%s", tried[i].way,
				 again ? ", " : ": ");
		if (!again && used < sizeof(text))
			used += snprintf(text + used, sizeof(text) - used, "%s%s",
					 tried[i].error.line, i + 1 < count ? "; " : "");
	}
	if (!differ)
		return fail(error, "%s", tried[0].error.line);
	return fail(error, "no way to attach works here: %.960s", text);
}

static int start_any(struct tracing *tracing, struct facts *facts, const struct options *options,
		     const struct cache *cache, struct error *error)
{
	struct way_tried tried[PROBE_TRACEPOINT] = {0}; /* the last of the ways */
	size_t count = 0;

	if (options->probe != PROBE_AUTO) {
		struct error *why = &tried[0].error;

		if (start_way(tracing, facts, options, options->probe, cache, error) == 0)
			return 0;
		if (way_check(options->probe, why))
			fail(error, "%.960s; --probe auto tries other ways", why->line);
		return -1;
	}
	for (const enum probe_kind *way = way_order; *way != PROBE_AUTO; way++) {
		struct way_tried *this = &tried[count++];

		this->way = way_name(*way);
		if (start_way(tracing, facts, options, *way, cache, &this->error) == 0)
			return 0;
		say(options, "%s: %s", this->way, this->error.line);
		if (this->error.final) {
			*error = this->error;
			return -1;
		}
	}
	return fail_all(tried, count, error);
}

/* Asking changes nothing. */
static int find_cache(struct cache *cache, const struct options *options, struct error *why)
{
	if (options->action == ACTION_CHECK)
		return cache_look(cache, options->cache_dir, why);
	return cache_open(cache, options->cache_dir, why);
}

/* A user asked for that it cannot become ends it before anything is compiled, not once it traces.
 */
static int find_user(struct sandbox_user *user, const struct options *options, struct error *error)
{
	struct sandbox_report report;

	if (options->no_sandbox)
		return 0;
	return sandbox_find_user(options->user, user, error) ||
			       (user->asked && sandbox_describe(user, -1, &report, error))
		       ? -1
		       : 0;
}

int tracing_start(struct tracing *tracing, const struct options *options, struct error *error)
{
	struct cache cache = {.directory = -1};
	struct error no_cache;
	struct facts facts;
	int failed;

	session_raise_limits();
	if (privilege_check(error) || find_user(&tracing->user, options, error) ||
	    places_open(&tracing->places, options, error))
		return -1;
	if (!options->no_cache && find_cache(&cache, options, &no_cache))
		say(options, "nothing is kept: %s", no_cache.line);
	failed = facts_ask(&facts, options->types, error) ||
		 privilege_try(kernel_version_code(&facts.kernel), error) ||
		 start_any(tracing, &facts, options, &cache, error);
	facts_forget(&facts);
	cache_close(&cache);
	if (failed)
		places_close(&tracing->places);
#ifdef __GLIBC__
	/* Give back what compiling took; a start from the cache leaves nothing to give. */
	if (!failed && !tracing->compiled_before)
		malloc_trim(0);
#endif
	return failed ? -1 : 0;
}

void tracing_stop(struct tracing *tracing)
{
	stream_close(tracing->stream);
	tracing->stream = NULL;
	session_close(&tracing->session);
	places_close(&tracing->places);
}

char *tracing_text(const struct options *options, struct error *error)
{
	int (*way_usable)(enum probe_kind way, struct error * error);
	enum probe_kind way = options->probe;
	struct cache cache = {.directory = -1};
	struct places places;
	struct error ignored;
	struct facts facts;
	char *text;
	int failed;

	/* Neither map is needed for the text, nor the privilege to open it. */
	struct options without_maps = *options;

	without_maps.cgroupmap = without_maps.mntnsmap = NULL;
	if (places_open(&places, &without_maps, error))
		return NULL;
	if (!options->no_cache)
		(void)cache_look(&cache, options->cache_dir, &ignored);
	failed = facts_ask(&facts, options->types, error) ||
		 types_read(&facts, options, &cache, error);
	cache_close(&cache);
	if (failed) {
		facts_forget(&facts);
		places_close(&places);
		return NULL;
	}
	/* Who may not trace sees what one who may would use. */
	way_usable = privilege_check(&ignored) ? way_check_offered : way_check;
	for (const enum probe_kind *next = way_order; way == PROBE_AUTO; next++)
		if (next[1] == PROBE_AUTO || way_usable(*next, &ignored) == 0)
			way = *next;
	text = text_of(&facts, options, &places, way, true, error);
	places_close(&places);
	facts_forget(&facts);
	return text;
}
