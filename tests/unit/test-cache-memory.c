/* SPDX-License-Identifier: Apache-2.0 */
/* The cache and the object's bytes when memory runs out, at each allocation in turn. */
#include "cache-place.h"

/* Allocations of the code under test that still succeed; negative: all do. */
static int left = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
FILE *__real_open_memstream(char **data, size_t *size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
FILE *__wrap_open_memstream(char **data, size_t *size);

static bool allowed(void)
{
	return left < 0 || left-- > 0;
}

void *__wrap_malloc(size_t size)
{
	return allowed() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return allowed() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
	return allowed() ? __real_realloc(old, size) : NULL;
}

FILE *__wrap_open_memstream(char **data, size_t *size)
{
	return allowed() ? __real_open_memstream(data, size) : NULL;
}

static void test_load(void **state)
{
	struct place *place = *state;
	struct cache_key key = key_of("program");
	struct object *object = NULL;
	int allocations;

	store(place, "program", 1);
	for (allocations = 0; !object; allocations++) {
		memset(&place->why, 0, sizeof(place->why));
		left = allocations;
		object = cache_load(&place->cache, &key, &place->why);
		left = -1;
		if (!object)
			assert_why(place, "out of memory");
	}
	assert_in_range(allocations, 6, 20);
	assert_same_object(object, sample_object(1));
	object_free(object);
}

static void test_store(void **state)
{
	struct place *place = *state;
	struct cache_key key = key_of("program");
	int allocations, result = -1;

	for (allocations = 0; result; allocations++) {
		left = allocations;
		result = cache_store(&place->cache, &key, sample_object(1), &place->toolchain,
				     &place->why);
		left = -1;
		if (result)
			assert_why(place, "out of memory");
		assert_int_equal(count_files(place->directory, ""), result == 0);
	}
	assert_in_range(allocations, 3, 20);
	assert_true(hit(place, "program", 1));

	/* One more, with none for the look at the others: stored all the same. */
	key = key_of("another");
	left = 2;
	result = cache_store(&place->cache, &key, sample_object(2), &place->toolchain, &place->why);
	left = -1;
	assert_int_equal(result, 0);
	assert_true(hit(place, "another", 2));
}

static void test_key(void **state)
{
	struct kernel_identity kernel = {.build_id = "00"};
	const struct cache_inputs inputs = {"text", "kprobe", &kernel, NULL};
	struct cache_key key = {(unsigned char *)&kernel, 1};

	(void)state;
	left = 0;
	assert_int_equal(cache_key_make(&key, &inputs), -1);
	left = -1;
	assert_null(key.data);
	cache_key_free(&key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(test_load),
		PLACED(test_store),
		PLACED(test_key),
	};

	return cmocka_run_group_tests_name("cache-memory", tests, NULL, NULL);
}
