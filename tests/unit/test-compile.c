/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that compiles, gone wrong in every way: killed, hanging, talking nonsense, out of
 * memory. One clear error each, in time, and no process left.
 */
#include "cache-place.h"

#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include "compiler/helper.h"

static struct compile_request request = {.text = "as the helper likes", .seconds = 20};
static struct error error;
static struct toolchain toolchain;
static char *words;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int count_fds(void)
{
	DIR *fds = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(fds);
	while (readdir(fds))
		count++;
	closedir(fds);
	return count;
}

/* Run a helper. Whatever it does, no descriptor and no process stays. */
static struct object *run(helper_fn *helper)
{
	int fds = count_fds();
	struct object *object;

	memset(&error, 0, sizeof(error));
	memset(&toolchain, 0xee, sizeof(toolchain));
	object = compile_by(helper, &request, &toolchain, &words, &error);
	assert_int_equal(count_fds(), fds);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	if (!object)
		assert_true(error.line[0] && !strchr(error.line, '\n'));
	return object;
}

static void expect_error(helper_fn *helper, const char *said)
{
	assert_null(run(helper));
	if (!strstr(error.line, said))
		fail_msg("\"%s\" does not say \"%s\"", error.line, said);
	free(words);
}

/* What a good helper sends, in pieces of the given size, up to the given end. */
static int send_sample(int fd, size_t piece, size_t end)
{
	const struct toolchain found = {"/usr/lib/libbcc.so.0", "/usr/lib/libLLVM.so.1"};
	size_t size, total;
	char *object = object_encode(sample_object(6), &size), *all;

	total = 1 + sizeof(found) + size;
	all = malloc(total);
	if (!object || !all)
		return 1;
	all[0] = ANSWER_OBJECT;
	memcpy(all + 1, &found, sizeof(found));
	memcpy(all + 1 + sizeof(found), object, size);
	if (end > total)
		end = total;
	for (size_t at = 0; at < end; at += piece)
		if (write(fd, all + at, end - at < piece ? end - at : piece) < 0)
			return 1;
	return 0;
}

static int good(const struct compile_request *asked, int fd)
{
	return strcmp(asked->text, request.text) != 0 || send_sample(fd, SIZE_MAX, SIZE_MAX);
}

static int slow(const struct compile_request *asked, int fd)
{
	(void)asked;
	return send_sample(fd, 1, SIZE_MAX);
}

static int talkative(const struct compile_request *asked, int fd)
{
	(void)asked;
	for (int i = 0; i < 1000; i++)
		printf("warning %d\n", i);
	fflush(stdout);
	fputs("last words\n", stderr);
	return send_sample(fd, SIZE_MAX, SIZE_MAX);
}

static void test_good(void **state)
{
	static helper_fn *const helpers[] = {good, slow, talkative};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct object *object = run(helpers[i]);

		assert_same_object(object, sample_object(6));
		object_free(object);
		assert_string_equal(toolchain.libbcc, "/usr/lib/libbcc.so.0");
		assert_string_equal(toolchain.llvm, "/usr/lib/libLLVM.so.1");
		if (helpers[i] == talkative) {
			assert_memory_equal(words, "warning 0\nwarning 1\n", 20);
			assert_string_equal(words + strlen(words) - 11, "last words\n");
		} else {
			assert_null(words);
		}
		free(words);
	}
}

/* What was said on standard error is for -v, also when it failed; 1 MiB of it is enough. */
static int shouting(const struct compile_request *asked, int fd)
{
	char line[4096];

	(void)asked;
	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 1000; i++)
		if (write(STDERR_FILENO, line, sizeof(line)) != sizeof(line))
			return 1;
	return write(fd, "Eno", 3) != 3;
}

static void test_words_of_a_failure(void **state)
{
	(void)state;
	assert_null(run(shouting));
	assert_string_equal(error.line, "no");
	assert_int_equal(strlen(words), 1 << 20);
	free(words);
}

static int killed(const struct compile_request *asked, int fd)
{
	(void)asked;
	(void)fd;
	return raise(SIGKILL);
}

static int killed_after_half(const struct compile_request *asked, int fd)
{
	(void)asked;
	return send_sample(fd, SIZE_MAX, 1500) || raise(SIGKILL);
}

static int killed_after_all(const struct compile_request *asked, int fd)
{
	(void)asked;
	return send_sample(fd, SIZE_MAX, SIZE_MAX) || raise(SIGKILL);
}

/* As clang ends when it meets a fault of its own. */
static int aborted(const struct compile_request *asked, int fd)
{
	(void)asked;
	(void)fd;
	return raise(SIGABRT);
}

static void test_killed(void **state)
{
	(void)state;
	expect_error(killed, "killed by signal 9");
	expect_error(killed_after_half, "killed by signal 9");
	expect_error(killed_after_all, "killed by signal 9");
	expect_error(aborted, "killed by signal 6");
}

static int hanging(const struct compile_request *asked, int fd)
{
	(void)asked;
	(void)fd;
	while (pause())
		;
	return 1;
}

static int hanging_after_half(const struct compile_request *asked, int fd)
{
	return send_sample(fd, SIZE_MAX, 1500) || hanging(asked, fd);
}

static int dripping(const struct compile_request *asked, int fd)
{
	(void)asked;
	while (write(fd, "O", 1) == 1)
		usleep(10000);
	return 1;
}

static int spinning(const struct compile_request *asked, int fd)
{
	(void)asked;
	for (volatile unsigned int i = 0; fd >= 0; i++)
		;
	return 1;
}

/* Stopped, as by a debugger or a frozen cgroup: SIGKILL works all the same. */
static int stopped(const struct compile_request *asked, int fd)
{
	(void)asked;
	(void)fd;
	return raise(SIGSTOP);
}

static void test_hanging(void **state)
{
	static helper_fn *const helpers[] = {hanging, hanging_after_half, dripping, spinning,
					     stopped};

	(void)state;
	request.seconds = 1;
	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++) {
		double start = now();

		expect_error(helpers[i], "in 1 seconds");
		assert_true(now() - start >= 0.99 && now() - start < 5);
	}
	request.seconds = 20;
}

/* Says that it is done, and does not end. */
static int lingering(const struct compile_request *asked, int fd)
{
	int result = send_sample(fd, SIZE_MAX, SIZE_MAX);

	close(fd);
	return result || hanging(asked, fd);
}

static void test_lingering(void **state)
{
	double start = now();

	(void)state;
	expect_error(lingering, "killed by signal 9");
	assert_true(now() - start < 15);
}

static int silent(const struct compile_request *asked, int fd)
{
	(void)asked;
	(void)fd;
	return 3;
}

static int garbage(const struct compile_request *asked, int fd)
{
	unsigned char noise[5000];
	unsigned int seed = 1;

	(void)asked;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (unsigned char)rand_r(&seed);
	noise[0] = 'Z';
	return write(fd, noise, sizeof(noise)) != sizeof(noise);
}

static int garbage_object(const struct compile_request *asked, int fd)
{
	char noise[5000];

	(void)asked;
	memset(noise, 0x5a, sizeof(noise));
	noise[0] = ANSWER_OBJECT;
	return write(fd, noise, sizeof(noise)) != sizeof(noise);
}

static int endless(const struct compile_request *asked, int fd)
{
	static char noise[1 << 16] = {ANSWER_OBJECT};

	(void)asked;
	while (write(fd, noise, sizeof(noise)) > 0)
		;
	return 1;
}

static int error_without_words(const struct compile_request *asked, int fd)
{
	(void)asked;
	return write(fd, "E", 1) != 1;
}

static int long_error(const struct compile_request *asked, int fd)
{
	char text[5000];

	(void)asked;
	memset(text, 'n', sizeof(text));
	text[0] = ANSWER_ERROR;
	return write(fd, text, sizeof(text)) != sizeof(text);
}

/* More than any answer has; the words themselves would do. */
static int very_long_error(const struct compile_request *asked, int fd)
{
	char text[1 << 16];

	(void)asked;
	memset(text, ANSWER_ERROR, sizeof(text));
	for (int i = 0; i < 9 << 4; i++)
		if (write(fd, text, sizeof(text)) <= 0)
			return 1;
	return 0;
}

static void test_garbage(void **state)
{
	(void)state;
	expect_error(silent, "ended with status 3 and no answer");
	expect_error(garbage, "no answer");
	expect_error(garbage_object, "another format");
	expect_error(endless, "too long");
	expect_error(error_without_words, "no answer");
	expect_error(very_long_error, "too long");
	expect_error(long_error, "nnnnnnnnnnnnnnnn");
	assert_int_equal(strlen(error.line), sizeof(error.line) - 1);
}

static size_t cut_at;

static int cut(const struct compile_request *asked, int fd)
{
	(void)asked;
	return send_sample(fd, SIZE_MAX, cut_at);
}

static void test_answer_cut_anywhere(void **state)
{
	size_t total;

	(void)state;
	free(object_encode(sample_object(6), &total));
	total += 1 + sizeof(toolchain);
	for (cut_at = 0; cut_at < total; cut_at += cut_at < 1020 || cut_at > 1040 ? 17 : 1)
		expect_error(cut, cut_at <= sizeof(toolchain) ? "no answer" : "compiled object");
	cut_at = total;
	object_free(run(cut));
	assert_string_equal(error.line, "");
	free(words);
}

/* A path without an end in the answer. */
static int endless_path(const struct compile_request *asked, int fd)
{
	struct toolchain found;
	size_t size;
	char *object = object_encode(sample_object(6), &size);

	(void)asked;
	memset(&found, 'p', sizeof(found));
	return !object || write(fd, "O", 1) != 1 ||
	       write(fd, &found, sizeof(found)) != sizeof(found) ||
	       write(fd, object, size) != (ssize_t)size;
}

static void test_path_without_end(void **state)
{
	(void)state;
	object_free(run(endless_path));
	assert_int_equal(strlen(toolchain.libbcc), sizeof(toolchain.libbcc) - 1);
	assert_int_equal(strlen(toolchain.llvm), sizeof(toolchain.llvm) - 1);
	free(words);
}

static void on_signal(int number)
{
	(void)number;
}

/* Ctrl-C while it compiles. */
static int interrupting(const struct compile_request *asked, int fd)
{
	usleep(50000);
	kill(getppid(), SIGUSR1);
	return hanging(asked, fd);
}

static void test_interrupted(void **state)
{
	struct sigaction action = {.sa_handler = on_signal};
	double start = now();

	(void)state;
	sigaction(SIGUSR1, &action, NULL);
	expect_error(interrupting, "interrupted");
	assert_true(now() - start < 10);
}

/* The tool killed while it compiles: the helper goes with it. */
static void test_tool_killed(void **state)
{
	pid_t tool, first, second;
	int status;

	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* the orphan comes to this process */
	tool = fork();
	assert_true(tool >= 0);
	if (tool == 0) {
		compile_by(hanging, &request, &toolchain, &words, &error);
		_exit(1);
	}
	usleep(300000); /* the helper runs by now */
	assert_int_equal(kill(tool, SIGKILL), 0);
	first = wait(&status);
	assert_int_equal(first, tool);
	second = wait(&status);
	assert_true(second > 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void test_no_process_to_be_had(void **state)
{
	struct rlimit before, none = {0, 0};

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_null(compile_by(good, &request, &toolchain, &words, &error));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_non_null(strstr(error.line, "cannot start the compiler"));
	assert_null(words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_words_of_a_failure),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_hanging),
		cmocka_unit_test(test_lingering),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_answer_cut_anywhere),
		cmocka_unit_test(test_path_without_end),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_tool_killed),
		cmocka_unit_test(test_no_process_to_be_had),
	};

	/* A test that hangs is a failure, too. */
	alarm(120);
	return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
