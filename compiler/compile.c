/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/compile.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "compiler/helper.h"

/* More than any object can have; what sends more is broken. */
#define ANSWER_SIZE_MAX (8u << 20)
#define WORDS_SIZE_MAX  (1u << 20)

struct answer {
	char *data;
	size_t size;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* Read all that comes until the end, or the deadline. */
static int read_answer(int fd, unsigned int seconds, struct answer *answer, struct error *error)
{
	int64_t deadline = now_ms() + seconds * 1000ll;
	size_t room = 0;

	for (;;) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		ssize_t got;

		if (left <= 0)
			return fail(error, "libbcc's compiler did not end in %u seconds", seconds);
		switch (poll(&poll_fd, 1, (int)left)) {
		case 0:
			continue;
		case -1:
			return fail(error,
				    errno == EINTR ? "interrupted while compiling"
						   : "cannot wait for the compiler: %s",
				    strerror(errno));
		}
		if (room - answer->size < 65536) {
			char *more = room < ANSWER_SIZE_MAX
					     ? realloc(answer->data, room + (1 << 18))
					     : NULL;

			if (!more)
				return fail(error, "the compiler's answer is too long");
			answer->data = more;
			room += 1 << 18;
		}
		got = read(fd, answer->data + answer->size, room - answer->size);
		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return fail(error, "cannot read the compiler's answer: %s",
				    strerror(errno));
		if (got > 0)
			answer->size += got;
	}
}

/* LLVM aborts where it gets no memory. */
static const char *memory_remedy(void)
{
	struct rlimit space;

	return getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY
		       ? "; raise the limit of address space (ulimit -v)"
		       : "";
}

/* What is behind the toolchain, with its size; or NULL. */
static const char *take_answer(const struct answer *answer, char kind, int status,
			       struct toolchain *toolchain, size_t *size, struct error *error)
{
	const char *data = answer->data;

	if (WIFSIGNALED(status)) {
		fail(error, "the process that compiles was killed by signal %d (%s)%s",
		     WTERMSIG(status), strsignal(WTERMSIG(status)), memory_remedy());
		return NULL;
	}
	if (answer->size > 1 && (data[0] == ANSWER_ERROR || data[0] == ANSWER_FINAL)) {
		fail(error, "%.*s", (int)(answer->size - 1), data + 1);
		error->final = data[0] == ANSWER_FINAL;
		return NULL;
	}
	if (answer->size < 1 + sizeof(*toolchain) || data[0] != kind) {
		fail(error, "the process that compiles ended with status %d and no answer",
		     WEXITSTATUS(status));
		return NULL;
	}
	memcpy(toolchain, data + 1, sizeof(*toolchain));
	toolchain->libbcc[sizeof(toolchain->libbcc) - 1] = '\0';
	toolchain->llvm[sizeof(toolchain->llvm) - 1] = '\0';
	*size = answer->size - 1 - sizeof(*toolchain);
	return data + 1 + sizeof(*toolchain);
}

static char *take_words(int fd)
{
	struct stat st;
	char *words;
	ssize_t got;
	size_t size;

	if (fstat(fd, &st) || st.st_size == 0)
		return NULL;
	size = st.st_size < (off_t)WORDS_SIZE_MAX ? (size_t)st.st_size : WORDS_SIZE_MAX;
	words = malloc(size + 1);
	if (!words)
		return NULL;
	got = pread(fd, words, size, 0);
	words[got > 0 ? got : 0] = '\0';
	return words;
}

static void __attribute__((noreturn))
child(helper_fn *helper, const struct compile_request *request, int answer, int words, pid_t parent)
{
	int status;

	/* Should the tool be killed, nothing of it goes on. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	dup2(words, STDOUT_FILENO);
	dup2(words, STDERR_FILENO);
	status = helper(request, answer);
	fflush(NULL); /* libbcc's words, too */
	_exit(status);
}

/* To wait for, and to clean up behind, a helper, however it ends. */
static void end(pid_t pid, int *status, const char *made)
{
	/* Nothing more can come. One that ends by itself keeps its own status. */
	kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	if (made[0])
		stubs_remove(made);
}

/* Run a helper to its end. Returns 0 with all that it sent, to be freed, and its status; or -1. */
static int run(helper_fn *helper, const struct compile_request *request, struct answer *answer,
	       int *status, char **words, struct error *error)
{
	struct compile_request shared = *request;
	pid_t parent = getpid(), pid;
	int said, ends[2], failed = -1;

	*words = NULL;
	shared.made =
		mmap(NULL, PATH_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	said = shared.made == MAP_FAILED ? -1 : memfd_create("compiler-words", MFD_CLOEXEC);
	if (said < 0 || pipe2(ends, O_CLOEXEC)) {
		fail(error, "cannot start the compiler: %s%s", strerror(errno),
		     error_remedy(errno));
		if (said >= 0)
			close(said);
		if (shared.made != MAP_FAILED)
			munmap(shared.made, PATH_MAX);
		return -1;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(helper, &shared, ends[1], said, parent);
	close(ends[1]);
	if (pid < 0) {
		fail(error, "cannot start the compiler: %s%s", strerror(errno),
		     error_remedy(errno));
	} else {
		failed = read_answer(ends[0], request->seconds, answer, error);
		end(pid, status, shared.made);
		if (failed)
			error->final = true;
		*words = take_words(said);
	}
	close(ends[0]);
	close(said);
	munmap(shared.made, PATH_MAX);
	return failed;
}

struct object *compile_by(helper_fn *helper, const struct compile_request *request,
			  struct toolchain *toolchain, char **words, struct error *error)
{
	struct object *object = NULL;
	struct answer answer = {0};
	const char *encoded;
	int status = 0;
	size_t size;

	if (run(helper, request, &answer, &status, words, error) == 0) {
		encoded = take_answer(&answer, ANSWER_OBJECT, status, toolchain, &size, error);
		if (encoded)
			object = object_decode(encoded, size, error);
	}
	free(answer.data);
	return object;
}

int compile_question_by(helper_fn *helper, const struct compile_request *request,
			struct toolchain *toolchain, char **words, struct error *error)
{
	struct answer answer = {0};
	int status = 0, failed;
	size_t size;

	failed = run(helper, request, &answer, &status, words, error) ||
		 !take_answer(&answer, ANSWER_WORDS, status, toolchain, &size, error);
	free(answer.data);
	if (!failed && !*words)
		return fail(error, "the process that compiles said nothing");
	return failed ? -1 : 0;
}

struct object *compile(const struct compile_request *request, struct toolchain *toolchain,
		       char **words, struct error *error)
{
	return compile_by(helper_main, request, toolchain, words, error);
}

int compile_question(const struct compile_request *request, struct toolchain *toolchain,
		     char **words, struct error *error)
{
	return compile_question_by(helper_main, request, toolchain, words, error);
}

bool compile_few_files(void)
{
	struct rlimit files;

	return getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 64;
}
