/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled object as bytes: what comes back, and what is refused. */
#include "cache-place.h"

/* The header's fields, in the order in which object.c writes them. */
enum { MAGIC, VERSION, MAPS, PROGRAMS, INSNS, REFERENCES, TARGETS, HEADER_FIELDS };

/* A deep copy of the sample, to be spoilt. */
struct copy {
	struct object object;
	struct object_map maps[1];
	struct object_program programs[2];
	struct bpf_insn insns[5];
	struct object_reference references[1];
	struct object_target targets[1];
};

static void copy_sample(struct copy *copy)
{
	const struct object *sample = sample_object(1);

	copy->object = *sample;
	memcpy(copy->maps, sample->maps, sizeof(copy->maps));
	memcpy(copy->programs, sample->programs, sizeof(copy->programs));
	memcpy(copy->insns, sample->insns, sizeof(copy->insns));
	memcpy(copy->references, sample->references, sizeof(copy->references));
	memcpy(copy->targets, sample->targets, sizeof(copy->targets));
	copy->object.maps = copy->maps;
	copy->object.programs = copy->programs;
	copy->object.insns = copy->insns;
	copy->object.references = copy->references;
	copy->object.targets = copy->targets;
}

/* Whether the block is taken. It lies at the end of its allocation, for the sanitizers. */
static bool taken(const void *block, size_t size, struct error *why)
{
	char *exact = malloc(size ? size : 1);
	struct object *object;

	assert_non_null(exact);
	memcpy(exact, block, size);
	memset(why, 0, sizeof(*why));
	object = object_decode(exact, size, why);
	free(exact);
	if (!object)
		assert_true(why->line[0] && !strchr(why->line, '\n'));
	object_free(object);
	return object != NULL;
}

static bool object_taken(const struct object *object)
{
	struct error why;
	size_t size;
	void *block = object_encode(object, &size);
	bool result;

	assert_non_null(block);
	result = taken(block, size, &why);
	free(block);
	return result;
}

static void test_there_and_back(void **state)
{
	struct object *object;
	struct error why;
	size_t size;
	void *block = object_encode(sample_object(5), &size);

	(void)state;
	object = object_decode(block, size, &why);
	assert_same_object(object, sample_object(5));
	assert_string_equal(object->maps[0].name, "losses");
	assert_int_equal(object->maps[0].max_entries, 1024);
	assert_string_equal(object->programs[1].name, "leave");
	assert_int_equal(object->programs[1].first_insn, 3);
	assert_int_equal(object->insns[3].imm, 5);
	assert_int_equal(object->references[0].kind, REFERENCE_MAP);
	assert_int_equal(object->targets[0].btf_id, 77);
	object_free(object);
	free(block);
	object_free(NULL);
}

static void test_empty_object(void **state)
{
	struct copy copy;

	(void)state;
	copy_sample(&copy);
	copy.object.map_count = copy.object.program_count = copy.object.insn_count = 0;
	copy.object.reference_count = copy.object.target_count = 0;
	assert_true(object_taken(&copy.object));
}

static void test_every_length(void **state)
{
	struct error why;
	size_t size;
	char *block = object_encode(sample_object(1), &size), *longer = calloc(1, size + 64);

	(void)state;
	memcpy(longer, block, size);
	for (size_t length = 0; length < size + 64; length++)
		assert_int_equal(taken(longer, length, &why), length == size);
	free(longer);
	free(block);
}

static void test_header(void **state)
{
	static const uint32_t extremes[] = {0,      1,          2,          6,          31,
					    33,     65,         65537,      0x7fffffff, 0x80000000,
					    0xffff, 0xfffffffe, 0xffffffff, 0x0aaaaaab, 0x20000000};
	struct error why;
	size_t size;
	uint32_t *block = object_encode(sample_object(1), &size), before;

	(void)state;
	assert_true(taken(block, size, &why));
	for (int field = 0; field < HEADER_FIELDS; field++) {
		before = block[field];
		for (size_t i = 0; i < sizeof(extremes) / sizeof(extremes[0]); i++) {
			block[field] = extremes[i];
			if (extremes[i] != before && taken(block, size, &why))
				fail_msg("taken with header field %d = %u", field, extremes[i]);
		}
		block[field] = before ^ 1;
		assert_false(taken(block, size, &why));
		if (field == MAGIC || field == VERSION)
			assert_non_null(strstr(why.line, "another format"));
		block[field] = before;
	}
	assert_true(taken(block, size, &why));
	free(block);
}

/* Counts whose sizes agree with the block's, but above what an object may have. */
static void test_limits(void **state)
{
	struct object object = {0};

	(void)state;
	object.insns = calloc(OBJECT_INSNS_MAX + 1, sizeof(*object.insns));
	object.references = calloc(OBJECT_INSNS_MAX + 1, sizeof(*object.references));
	object.maps = calloc(OBJECT_MAPS_MAX + 1, sizeof(*object.maps));
	object.targets = calloc(OBJECT_TARGETS_MAX + 1, sizeof(*object.targets));
	object.programs = calloc(OBJECT_PROGRAMS_MAX + 1, sizeof(*object.programs));
	assert_true(object.insns && object.references && object.maps && object.targets &&
		    object.programs);
	for (int i = 0; i <= OBJECT_MAPS_MAX; i++)
		strcpy(object.maps[i].name, "map");
	for (int i = 0; i <= OBJECT_PROGRAMS_MAX; i++) {
		strcpy(object.programs[i].name, "program");
		object.programs[i].first_insn = i;
		object.programs[i].insn_count = 1;
	}
	object.map_count = OBJECT_MAPS_MAX;
	assert_true(object_taken(&object));
	object.map_count++;
	assert_false(object_taken(&object));
	object.map_count = 0;
	object.target_count = OBJECT_TARGETS_MAX;
	assert_true(object_taken(&object));
	object.target_count++;
	assert_false(object_taken(&object));
	object.target_count = 0;

	object.program_count = object.insn_count = OBJECT_PROGRAMS_MAX;
	assert_true(object_taken(&object));
	object.program_count++;
	object.insn_count++;
	assert_false(object_taken(&object));

	object.program_count = 1;
	object.insn_count = object.programs[0].insn_count = OBJECT_INSNS_MAX;
	assert_true(object_taken(&object));
	object.insn_count = ++object.programs[0].insn_count;
	assert_false(object_taken(&object));

	object.insn_count = --object.programs[0].insn_count;
	object.insns[0].code = BPF_LD | BPF_DW | BPF_IMM;
	for (int i = 0; i <= OBJECT_INSNS_MAX; i++)
		object.references[i].kind = REFERENCE_PARAMETER;
	object.reference_count = OBJECT_INSNS_MAX;
	assert_true(object_taken(&object));
	object.reference_count++;
	assert_false(object_taken(&object));
	free(object.insns);
	free(object.references);
	free(object.maps);
	free(object.targets);
	free(object.programs);
}

/* One thing spoilt: refused. The sample before and after it: taken. */
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		copy_sample(&copy);                                                                \
		assert_true(object_taken(&copy.object));                                           \
		change;                                                                            \
		assert_false(object_taken(&copy.object));                                          \
	} while (0)

#define TAKEN(change)                                                                              \
	do {                                                                                       \
		copy_sample(&copy);                                                                \
		change;                                                                            \
		assert_true(object_taken(&copy.object));                                           \
	} while (0)

static void test_names(void **state)
{
	struct copy copy;

	(void)state;
	REFUSED(copy.maps[0].name[0] = '\0');
	REFUSED(memset(copy.maps[0].name, 'x', OBJECT_NAME_SIZE));
	TAKEN(memset(copy.maps[0].name, 'x', OBJECT_NAME_SIZE - 1));
	REFUSED(copy.programs[1].name[0] = '\0');
	REFUSED(memset(copy.programs[0].name, 'x', OBJECT_NAME_SIZE));
	TAKEN(memset(copy.programs[0].name, 'x', OBJECT_NAME_SIZE - 1));
	REFUSED(memset(copy.targets[0].name, 'x', OBJECT_TARGET_SIZE));
	TAKEN(memset(copy.targets[0].name, 'x', OBJECT_TARGET_SIZE - 1));
}

/* Each instruction belongs to one program, in order. */
static void test_programs(void **state)
{
	struct copy copy;

	(void)state;
	REFUSED(copy.programs[0].insn_count = 0);
	REFUSED((copy.programs[0].insn_count = 0, copy.programs[1].first_insn = 0,
		 copy.programs[1].insn_count = 5));
	/* The sum of these is right, but for what 32 bits cannot hold. */
	REFUSED((copy.programs[0].insn_count = copy.programs[1].first_insn = UINT32_MAX,
		 copy.programs[1].insn_count = 6));
	REFUSED(copy.programs[0].insn_count = 2);
	REFUSED(copy.programs[0].insn_count = 4);
	REFUSED(copy.programs[0].insn_count = UINT32_MAX);
	REFUSED(copy.programs[0].first_insn = 1);
	REFUSED(copy.programs[1].first_insn = 2);
	REFUSED(copy.programs[1].first_insn = UINT32_MAX);
	REFUSED(copy.programs[1].insn_count = 1);
	REFUSED(copy.programs[1].insn_count = 3);
	REFUSED(copy.programs[1].insn_count = UINT32_MAX - 2);
	REFUSED(copy.object.program_count = 1);
	REFUSED(copy.object.program_count = 0);
}

static void test_references(void **state)
{
	struct copy copy;

	(void)state;
	REFUSED(copy.references[0].kind = 0);
	REFUSED(copy.references[0].kind = 3);
	REFUSED(copy.references[0].kind = UINT32_MAX);
	REFUSED(copy.references[0].index = 1); /* there is one map */
	REFUSED(copy.references[0].index = UINT32_MAX);
	TAKEN((copy.references[0].kind = REFERENCE_PARAMETER,
	       copy.references[0].index = OBJECT_PARAMETERS_MAX - 1));
	REFUSED((copy.references[0].kind = REFERENCE_PARAMETER,
		 copy.references[0].index = OBJECT_PARAMETERS_MAX));
	REFUSED(copy.references[0].insn = 1); /* no load of a constant */
	REFUSED(copy.references[0].insn = 5);
	REFUSED(copy.references[0].insn = UINT32_MAX);
	REFUSED(copy.references[0].insn = UINT32_MAX - 1);
	/* The constant's second half would lie behind the last instruction. */
	REFUSED((copy.references[0].insn = 4, copy.insns[4].code = BPF_LD | BPF_DW | BPF_IMM));
	TAKEN((copy.references[0].insn = 3, copy.insns[3].code = BPF_LD | BPF_DW | BPF_IMM));
	REFUSED(copy.insns[0].code = BPF_LD | BPF_W | BPF_IMM);
	REFUSED((copy.object.insn_count = copy.programs[0].insn_count = 1,
		 copy.object.program_count = 1));
}

/* Anything at all: what is taken keeps what object.h promises, and encodes to the same bytes. */
static void test_noise(void **state)
{
	unsigned int seed = 7, kept = 0;
	struct error why;
	size_t size;
	char *good = object_encode(sample_object(1), &size), *block = malloc(size);

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct object *object;

		memcpy(block, good, size);
		for (int k = rand_r(&seed) % 4; k >= 0; k--)
			block[rand_r(&seed) % size] = (char)rand_r(&seed);
		object = object_decode(block, size, &why);
		if (object) {
			size_t again_size;
			void *again = object_encode(object, &again_size);

			assert_int_equal(again_size, size);
			assert_memory_equal(again, block, size);
			free(again);
			kept++;
		}
		object_free(object);
	}
	assert_in_range(kept, 1000, 99000);
	free(block);
	free(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_empty_object),
		cmocka_unit_test(test_every_length),   cmocka_unit_test(test_header),
		cmocka_unit_test(test_limits),         cmocka_unit_test(test_names),
		cmocka_unit_test(test_programs),       cmocka_unit_test(test_references),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
