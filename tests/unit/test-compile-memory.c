/* SPDX-License-Identifier: Apache-2.0 */
/* The real helper, with libbcc, in less and less memory: an object, or one error. Never a hang. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "compiler/helper.h"
/* After error.h: both have a fail(). */
#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static rlim_t limit;

static int in_little_memory(const struct compile_request *request, int fd)
{
	const struct rlimit memory = {limit, limit};

	return setrlimit(RLIMIT_AS, &memory) ? 1 : helper_main(request, fd);
}

static const struct compile_request request = {
	.text = "int probe(void *ctx) { return 0; }",
	.kernel_version = 0x060100,
	.seconds = 60,
};

/* Whether it compiles within the limit; if not, there is one line that does not blame the user. */
static bool compiles(rlim_t bytes)
{
	struct toolchain toolchain;
	struct error error = {.line = ""};
	struct object *object;
	char *words;

	limit = bytes;
	object = compile_by(in_little_memory, &request, &toolchain, &words, &error);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	free(words);
	if (!object) {
		assert_true(error.line[0] && !strchr(error.line, '\n'));
		if (strstr(error.line, "install libbpfcc"))
			fail_msg("%ju bytes: %s", (uintmax_t)bytes, error.line);
	}
	object_free(object);
	return object != NULL;
}

static void test_little_memory(void **state)
{
	rlim_t too_little = 8 << 20, enough = 2048u << 20;
	struct toolchain toolchain;
	struct object *object;
	struct error error;
	char *words;

	(void)state;
	if (SANITIZED) {
		print_message("skipped: the sanitizers need more address space than the helper "
			      "allows itself\n");
		skip();
	}
	object = compile(&request, &toolchain, &words, &error);
	free(words);
	if (!object && strstr(error.line, "install libbpfcc")) {
		print_message("skipped: libbcc is not installed\n");
		skip();
	}
	if (!object)
		fail_msg("%s", error.line);
	object_free(object);

	assert_false(compiles(too_little));
	assert_true(compiles(enough));
	/* Down to where it just compiles: the libraries are mapped, and clang runs out of memory.
	 */
	while (enough - too_little > 128 << 10) {
		rlim_t middle = too_little + (enough - too_little) / 2;

		if (compiles(middle))
			enough = middle;
		else
			too_little = middle;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_little_memory),
	};

	alarm(300);
	return cmocka_run_group_tests_name("compile-memory", tests, NULL, NULL);
}
