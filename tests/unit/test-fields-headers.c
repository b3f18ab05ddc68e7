/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets from what clang says of the kernel's headers, and from what was kept of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/fields.h"
/* After error.h: both have a fail(). */
#include <cmocka.h>

/* How clang names a field in what it says of the question. */
static char *said_of(const struct field *field, uint32_t byte)
{
	char *line;

	assert_true(asprintf(&line,
			     "/virtual/main.c:15:60: error: initializing 'struct OFFSET_%s (*)[%u]'"
			     " with an expression of incompatible type 'double'\n"
			     "struct OFFSET_%s { char byte; } (*OFFSET_%s)[1 + 0] = 1.5;\n",
			     field->macro, byte + 1, field->macro, field->macro) > 0);
	return line;
}

/* The whole answer, the field at index told byte, what is before and behind it; to be freed. */
static char *answer(size_t index, uint32_t byte, const char *before, const char *behind)
{
	char *words = strdup(before);

	for (size_t i = 0; fields_all()[i].macro; i++) {
		char *more, *line;

		if (fields_all()[i].optional)
			continue;
		line = said_of(&fields_all()[i], i == index ? byte : (uint32_t)(8 * i));
		assert_true(asprintf(&more, "%s%s", words, line) > 0);
		free(line);
		free(words);
		words = more;
	}
	words = realloc(words, strlen(words) + strlen(behind) + 1);
	strcat(words, behind);
	return words;
}

static int taken(char *words, struct field_offsets *offsets)
{
	const char *strange = "";
	int result = fields_answer(words, offsets, &strange);

	/* What was not understood is told, unless it is that a field is missing. */
	assert_true(!strange || (result && strstr(strange, "error: ")));
	free(words);
	return result;
}

static void test_question(void **state)
{
	char *text = fields_question(), line[256];

	(void)state;
	assert_non_null(text);
	assert_non_null(strstr(text, "#include <net/sock.h>\n"));
	for (const struct field *field = fields_all(); field->macro; field++) {
		snprintf(line, sizeof(line), "offsetof(struct %s, %s)", field->type, field->path);
		assert_int_equal(strstr(text, line) != NULL, !field->optional);
	}
	/* Before what has structures to be shuffled. */
	assert_true(strstr(text, "CONFIG_RANDSTRUCT") < strstr(text, "#include"));
	free(text);
}

static void test_answer(void **state)
{
	static const char warning[] = "include/x.h:1:2: warning: declaration of 'struct y'\n";
	static const char summary[] = "48 errors generated.\n";
	struct field_offsets offsets;

	(void)state;
	assert_int_equal(taken(answer(0, 0, warning, summary), &offsets), 0);
	for (size_t i = 0; fields_all()[i].macro; i++)
		assert_int_equal(offsets.offset[i],
				 fields_all()[i].optional ? FIELD_ABSENT : 8 * i);
	assert_true(fields_complete(&offsets));
	assert_int_equal(taken(answer(2, FIELD_OFFSET_MAX, "", ""), &offsets), 0);
	assert_int_equal(offsets.offset[2], FIELD_OFFSET_MAX);
	/* Where libbcc has the same text compiled once more. */
	char *again = answer(0, 0, "", "");

	assert_int_equal(taken(answer(0, 0, again, ""), &offsets), 0);
	free(again);
}

/* Whatever else clang has to say of the headers, its numbers are not to be relied on. */
static void test_answer_refused(void **state)
{
	static const char *const more[] = {
		"include/net/sock.h:9:9: error: no member named 'slock' in 'socket_lock_t'\n",
		"include/linux/x.h:1:10: fatal error: 'asm/x.h' file not found\n",
		"m.c:1:1: error: initializing 'struct OFFSET_SKB_LEN (*)[9]' with\n", /* twice */
		"m.c:1:1: error: initializing 'struct OFFSET_NO_SUCH (*)[9]' with\n",
		"m.c:1:1: error: initializing 'struct OFFSET_ (*)[9]' with\n",
		"m.c:1:1: error: initializing 'struct OFFSET_SKB_LEN *' with\n",
		"m.c:1:1: error: 'struct OFFSET_\n",
		"error: \n",
	};
	struct field_offsets offsets;
	const char *last, *next;
	char *words;

	(void)state;
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		assert_int_equal(taken(answer(0, 0, "", more[i]), &offsets), -1);
		assert_int_equal(taken(answer(0, 0, more[i], ""), &offsets), -1);
	}
	assert_int_equal(taken(answer(2, FIELD_OFFSET_MAX + 1, "", ""), &offsets), -1);
	assert_int_equal(taken(answer(2, UINT32_MAX, "", ""), &offsets), -1); /* "[0]" */
	assert_int_equal(taken(strdup(""), &offsets), -1);

	/* Cut anywhere, it lacks a field, until that of the last one is told. */
	words = answer(0, 0, "", "");
	for (last = next = words; next; next = strstr(last + 1, "'struct OFFSET_"))
		last = next;
	for (size_t size = 0; size < (size_t)(last - words) + 15; size += 7)
		assert_int_equal(taken(strndup(words, size), &offsets), -1);
	free(words);
}

/* One byte changed: nothing but the number in which it is can change with it. */
static void test_answer_mutated(void **state)
{
	struct field_offsets offsets;
	unsigned int seed = 7, taken_whole = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char *words = answer(0, 0, "", "");
		size_t at = rand_r(&seed) % strlen(words), wrong = 0;

		words[at] = (char)(rand_r(&seed) % 256);
		if (taken(words, &offsets))
			continue;
		taken_whole++;
		for (size_t k = 0; k < offsets.count; k++)
			wrong += !fields_all()[k].optional && offsets.offset[k] != 8 * k;
		assert_in_range(wrong, 0, 1);
	}
	assert_in_range(taken_whole, 1, 19999);
}

static void test_complete(void **state)
{
	struct field_offsets offsets;

	(void)state;
	assert_int_equal(taken(answer(0, 0, "", ""), &offsets), 0);
	offsets.count--;
	assert_false(fields_complete(&offsets));
	offsets.count += 2;
	assert_false(fields_complete(&offsets));
	offsets.count--;
	for (size_t i = 0; i < offsets.count; i++) {
		uint32_t right = offsets.offset[i];

		offsets.offset[i] = FIELD_ABSENT;
		assert_int_equal(fields_complete(&offsets), fields_all()[i].optional);
		offsets.offset[i] = FIELD_OFFSET_MAX + 1;
		assert_false(fields_complete(&offsets));
		offsets.offset[i] = right;
	}
	assert_true(fields_complete(&offsets));
}

/* What was kept, and what may stand in its place. */
static void test_take(void **state)
{
	struct field_offsets right, offsets;
	uint32_t bytes[FIELDS_MAX + 1] = {0};
	size_t size;

	(void)state;
	assert_int_equal(taken(answer(0, 0, "", ""), &right), 0);
	size = right.count * sizeof(right.offset[0]);
	assert_int_equal(fields_take(right.offset, size, &offsets), 0);
	assert_memory_equal(offsets.offset, right.offset, size);
	for (size_t other = 0; other <= sizeof(bytes); other++) {
		if (other == size)
			continue;
		assert_int_equal(fields_take(bytes, other, &offsets), -1);
		assert_int_equal(offsets.count, 0);
	}
	memcpy(bytes, right.offset, size);
	bytes[1] = FIELD_OFFSET_MAX + 1;
	assert_int_equal(fields_take(bytes, size, &offsets), -1);
	assert_int_equal(offsets.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question),       cmocka_unit_test(test_answer),
		cmocka_unit_test(test_answer_refused), cmocka_unit_test(test_answer_mutated),
		cmocka_unit_test(test_complete),       cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests_name("fields-headers", tests, NULL, NULL);
}
