/* SPDX-License-Identifier: Apache-2.0 */
/* A question to the compiler, which answers by what it says is wrong. */
#include "cache-place.h"

#include "compiler/helper.h"

static const struct compile_request request = {.text = "as the helper likes", .seconds = 20};
static struct error error;
static struct toolchain toolchain;
static char *words;

/* What a helper sends that was given a program. */
static int compiled(const struct compile_request *program, int fd)
{
	const struct toolchain found = {"", ""};
	size_t size;
	char *object = object_encode(sample_object(6), &size);

	(void)program;
	return !object || write(fd, (char[]){ANSWER_OBJECT}, 1) != 1 ||
	       write(fd, &found, sizeof(found)) != sizeof(found) ||
	       write(fd, object, size) != (ssize_t)size;
}

/* What a helper sends that was asked a question: the toolchain, and words beside it. */
static int asked(const struct compile_request *question, int fd)
{
	const struct toolchain found = {"/usr/lib/libbcc.so.0", "/usr/lib/libLLVM.so.1"};

	printf("what is wrong with \"%s\"\n", question->text);
	return write(fd, (char[]){ANSWER_WORDS}, 1) != 1 ||
	       write(fd, &found, sizeof(found)) != sizeof(found);
}

static int speechless(const struct compile_request *question, int fd)
{
	const struct toolchain found = {"", ""};

	(void)question;
	return write(fd, (char[]){ANSWER_WORDS}, 1) != 1 ||
	       write(fd, &found, sizeof(found)) != sizeof(found);
}

static int refusing(const struct compile_request *question, int fd)
{
	(void)question;
	return write(fd, "Ethere is no clang", 18) != 18;
}

static void test_question(void **state)
{
	static const struct {
		helper_fn *helper;
		const char *said;
	} wrong[] = {{compiled, "no answer"}, {speechless, "said nothing"}, {refusing, "no clang"}};

	(void)state;
	assert_int_equal(compile_question_by(asked, &request, &toolchain, &words, &error), 0);
	assert_string_equal(words, "what is wrong with \"as the helper likes\"\n");
	assert_string_equal(toolchain.libbcc, "/usr/lib/libbcc.so.0");
	free(words);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
			compile_question_by(wrong[i].helper, &request, &toolchain, &words, &error),
			-1);
		assert_non_null(strstr(error.line, wrong[i].said));
		free(words);
	}
	/* An answer to a question is no program. */
	assert_null(compile_by(asked, &request, &toolchain, &words, &error));
	assert_non_null(strstr(error.line, "no answer"));
	free(words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question),
	};

	return cmocka_run_group_tests_name("compile-question", tests, NULL, NULL);
}
