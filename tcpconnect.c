/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcpconnect: which process opens a TCP connection, to where, under which name.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "check.h"
#include "cli/options.h"
#include "compiler/compile.h"
#include "output/sink.h"
#include "start.h"
#include "trace.h"

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* Whoever starts the tool may have left signals blocked or ignored. */
static void settle_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN); /* a reader that leaves is told by write(2) */
	signal(SIGXFSZ, SIG_IGN); /* so is a file's limit of size */
	signal(SIGCHLD, SIG_DFL); /* ignored, it would keep from us how a helper ended */
}

static void handle_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: waits must end */

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/*
 * A descriptor that the tool opens must never become one that it prints to; and what is printed
 * to one that was closed must fail, not vanish.
 */
static void fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static bool stdout_can_be_written(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

static int say_failure(const char *line)
{
	/* Standard error may be the pipe that nobody reads. */
	if (sink_await(STDERR_FILENO, SINK_PATIENCE_MS) == 0)
		fprintf(stderr, "tcpconnect: %s\n", line);
	return EXIT_FAILURE;
}

/* For output that is written in one go. */
static int finish_stdout(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	if (errno == EPIPE)
		return EXIT_SUCCESS;
	fprintf(stderr, "tcpconnect: cannot write to standard output: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

static int print_version(void)
{
	struct toolchain toolchain;
	struct error error;
	char version[64];

	if (libbcc_version(version, sizeof(version), &toolchain, &error))
		printf("tcpconnect %s, libbcc not found\n", TCPCONNECT_VERSION);
	else
		printf("tcpconnect %s, libbcc %s\n", TCPCONNECT_VERSION, version);
	return finish_stdout();
}

static int print_ebpf(const struct options *options)
{
	struct error error;
	char *text = tracing_text(options, &error);

	if (!text)
		return say_failure(error.line);
	fputs(text, stdout);
	free(text);
	return finish_stdout();
}

static int print_check(const struct options *options)
{
	struct error error;
	int works = check_print(options, stdout, &error);

	if (works < 0)
		return say_failure(error.line);
	return finish_stdout() || !works ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static void say_notes(const struct session *session)
{
	for (size_t i = 0; i < session->without_count; i++)
		fprintf(stderr, "tcpconnect: note: %s here\n", session->without[i]);
}

static int run(const struct options *options)
{
	struct tracing tracing;
	struct error error;
	int failed;

	handle_signals();
	failed = tracing_start(&tracing, options, &error);
	if (!failed) {
		say_notes(&tracing.session);
		failed = trace(&tracing, options, &stop, &error);
		/* In the sandbox the process may do no more than end; the kernel closes the rest.
		 */
		if (options->no_sandbox)
			tracing_stop(&tracing);
	} else if (stop) { /* Ctrl-C before it began */
		return EXIT_SUCCESS;
	}
	return failed ? say_failure(error.line) : EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	static struct options options;
	char message[256];
	int wrong;

	fill_standard_descriptors();
	settle_signals();
	libbpf_set_print(quiet); /* what libbpf would say, the error's one line says */
	wrong = options_parse(&options, argc, argv, message, sizeof(message));
	if (wrong) {
		say_failure(message);
		return wrong;
	}
	/* Not at the first event, which may come late. */
	if (!stdout_can_be_written())
		return say_failure("standard output is closed, or open for reading only; "
				   "redirect it to a file, a pipe or /dev/null");
	switch (options.action) {
	case ACTION_HELP:
		options_usage(stdout);
		return finish_stdout();
	case ACTION_VERSION:
		return print_version();
	case ACTION_EBPF:
		return print_ebpf(&options);
	case ACTION_CHECK:
		return print_check(&options);
	default:
		return run(&options);
	}
}
