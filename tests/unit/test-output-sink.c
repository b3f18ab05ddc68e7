/* SPDX-License-Identifier: Apache-2.0 */
/* The sink against readers that are slow, stuck or gone, and disks that are full. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "output/sink.h"

#define TOTAL (5 * sizeof(((struct sink *)0)->buffer) + 12345)

static struct sink sink;

/* Byte number i of the stream that the tests write; its period is no power of two. */
static char expected_byte(size_t i)
{
	return (char)(i % 251);
}

/* What a reader does with its end: reads slowly, checks every byte, counts them. */
struct reader {
	int fd;
	size_t chunk;   /* bytes taken at once */
	useconds_t nap; /* microseconds before each */
	size_t taken;
	bool wrong;
};

static void *read_all(void *argument)
{
	struct reader *reader = argument;
	char bytes[65536];
	ssize_t size;

	while (usleep(reader->nap), (size = read(reader->fd, bytes, reader->chunk)) > 0) {
		for (ssize_t i = 0; i < size; i++)
			reader->wrong |= bytes[i] != expected_byte(reader->taken + (size_t)i);
		reader->taken += (size_t)size;
	}
	return NULL;
}

/* Put the stream in pieces of every size up to 1,000 and some large ones. */
static void put_stream(size_t total)
{
	static char stream[TOTAL];
	size_t done = 0, piece = 0;

	for (size_t i = 0; i < total; i++)
		stream[i] = expected_byte(i);
	while (done < total) {
		size_t size = ++piece % 300 ? piece % 1000 : 3 * sizeof(sink.buffer) / 2;

		if (size > total - done)
			size = total - done;
		if (piece % 2) {
			sink_put(&sink, stream + done, size);
		} else {
			size = size > sizeof(sink.buffer) ? sizeof(sink.buffer) : size;
			memcpy(sink_reserve(&sink, size), stream + done, size);
			sink_commit(&sink, size);
		}
		done += size;
	}
}

/* Send the stream through fds[1], with a reader at fds[0]; both are closed. */
static void send_stream(int fds[2], size_t chunk, useconds_t nap)
{
	struct reader reader = {.fd = fds[0], .chunk = chunk, .nap = nap};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
	sink_init(&sink, fds[1]);
	put_stream(TOTAL);
	assert_int_equal(sink_flush(&sink), 0);
	assert_int_equal(sink.used, 0);
	close(fds[1]);
	pthread_join(thread, NULL);
	close(fds[0]);
	assert_int_equal(reader.taken, TOTAL);
	assert_false(reader.wrong);
}

static void whole_stream(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	send_stream(fds, 65536, 0);
}

/* A non-blocking pipe of one page: most writes are short, the others EAGAIN. */
static void nonblocking_pipe(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096);
	/* The descriptor's flags are the open file's: block on the reader's side alone. */
	assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
	send_stream(fds, 1500, 200);
}

static void nonblocking_socket(void **state)
{
	int fds[2], size = 4096;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	send_stream(fds, 4000, 200);
}

static volatile sig_atomic_t signals_seen;

static void count_signal(int number)
{
	(void)number;
	signals_seen++;
}

/* A timer that interrupts all the time: blocking writes, then the waiting of others. */
static void interrupted(void **state)
{
	struct sigaction action = {.sa_handler = count_signal}; /* no SA_RESTART */
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	struct itimerspec period = {{0, 300000}, {0, 300000}};
	timer_t timer;
	int fds[2];

	(void)state;
	event._sigev_un._tid = gettid();
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	assert_int_equal(timer_settime(timer, 0, &period, NULL), 0);
	for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
		signals_seen = 0;
		assert_int_equal(pipe2(fds, flags), 0);
		assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
		assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096);
		send_stream(fds, 3000, 500);
		assert_true(signals_seen > 10);
	}
	timer_delete(timer);
}

static void nothing_to_flush(void **state)
{
	(void)state;
	sink_init(&sink, -1);
	sink_put(&sink, "", 0);
	assert_int_equal(sink_flush(&sink), 0);
}

static void bad_descriptor(void **state)
{
	(void)state;
	sink_init(&sink, -1);
	sink_put(&sink, "x", 1);
	assert_int_equal(sink_flush(&sink), -EBADF);
}

/* A fault is told again and again, and nothing is written any more. */
static void fault_sticks(void **state)
{
	int fds[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	sink_init(&sink, fds[1]);
	put_stream(1000);
	assert_int_equal(sink.error, 0);
	assert_int_equal(sink_flush(&sink), -EPIPE);
	close(fds[1]);
	/* Another pipe in place of the first: it must stay empty. */
	assert_int_equal(pipe(fds), 0);
	sink.fd = fds[1];
	put_stream(TOTAL);
	assert_int_equal(sink_flush(&sink), -EPIPE);
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 0);
	close(fds[0]);
}

static void reader_goes(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	sink_init(&sink, fds[1]);
	put_stream(sizeof(sink.buffer) / 2);
	assert_int_equal(sink_flush(&sink), 0);
	close(fds[0]);
	put_stream(TOTAL);
	assert_int_equal(sink.error, -EPIPE);
	assert_int_equal(sink_flush(&sink), -EPIPE);
	close(fds[1]);
}

static void disk_full(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	sink_init(&sink, fd);
	sink_put(&sink, "x", 1);
	assert_int_equal(sink_flush(&sink), -ENOSPC);
	sink_init(&sink, fd);
	put_stream(TOTAL);
	assert_int_equal(sink.error, -ENOSPC);
	close(fd);
}

/* What was written and what was lost make all; a line cut in two is lost. */
static void lost_lines_are_counted(void **state)
{
	char taken[8192];
	size_t whole = 0;
	ssize_t got;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) == 4096);
	volatile sig_atomic_t stop = 1;
	sink_init(&sink, fds[1]);
	sink.stop = &stop;
	for (int i = 0; i < 1000; i++)
		sink_put(&sink, "1234567890\n", 11);
	assert_int_equal(sink.lost_lines, 0);
	assert_int_equal(sink_flush(&sink), -ETIMEDOUT);
	got = read(fds[0], taken, sizeof(taken));
	assert_true(got > 0 && got % 11);
	for (ssize_t i = 0; i < got; i++)
		whole += taken[i] == '\n';
	assert_int_equal(whole + sink.lost_lines, 1000);
	/* What comes afterwards is lost whole. */
	for (int i = 0; i < 10000; i++)
		sink_put(&sink, "1234567890\n", 11);
	assert_int_equal(sink_flush(&sink), -ETIMEDOUT);
	assert_int_equal(whole + sink.lost_lines, 11000);
	close(fds[0]);
	close(fds[1]);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Nobody reads, and the program is told to stop: a second of patience, blocking or not. */
static void stuck_reader_at_stop(void **state)
{
	(void)state;
	for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
		volatile sig_atomic_t stop = 1;
		double start = now();
		int fds[2];

		assert_int_equal(pipe2(fds, flags), 0);
		sink_init(&sink, fds[1]);
		sink.stop = &stop;
		put_stream(TOTAL);
		assert_int_equal(sink_flush(&sink), -ETIMEDOUT);
		assert_true(now() - start > 0.9 && now() - start < 5);
		close(fds[0]);
		close(fds[1]);
	}
}

/* Nobody reads, and the time at which the program is to end has come, or comes meanwhile. */
static void stuck_reader_at_its_end(void **state)
{
	(void)state;
	for (int later = 0; later <= 2; later += 2) {
		double start = now();
		int fds[2];

		assert_int_equal(pipe(fds), 0);
		sink_init(&sink, fds[1]);
		sink.end_ns = (uint64_t)((start + later) * 1e9);
		put_stream(TOTAL);
		assert_int_equal(sink_flush(&sink), -ETIMEDOUT);
		assert_true(now() - start > later + 0.9 && now() - start < later + 5);
		close(fds[0]);
		close(fds[1]);
	}
}

/* A reader that takes chunk bytes, naps, and so on gets all of total, though it is to stop. */
static void read_slowly_at_stop(size_t total, size_t chunk, useconds_t nap, int pipe_size)
{
	volatile sig_atomic_t stop = 1;
	struct reader reader = {.chunk = chunk, .nap = nap};
	pthread_t thread;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, pipe_size) > 0);
	reader.fd = fds[0];
	assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
	sink_init(&sink, fds[1]);
	sink.stop = &stop;
	put_stream(total);
	assert_int_equal(sink_flush(&sink), 0);
	close(fds[1]);
	pthread_join(thread, NULL);
	close(fds[0]);
	assert_int_equal(reader.taken, total);
	assert_false(reader.wrong);
}

static void slow_reader_at_stop(void **state)
{
	(void)state;
	read_slowly_at_stop(TOTAL, 3000, 1000, 65536);
}

/* So slowly that a page of the pipe takes longer than the patience with one who reads nothing. */
static void slower_than_a_page_at_stop(void **state)
{
	(void)state;
	read_slowly_at_stop(10000, 200, 100000, 4096);
}

/* A terminal that nobody reads: "writable" as long as a byte fits, and no write that waits. */
static void stuck_terminal_at_stop(void **state)
{
	volatile sig_atomic_t stop = 1;
	int near = posix_openpt(O_RDWR | O_NOCTTY), far, flags;
	double start = now();

	(void)state;
	assert_true(near >= 0 && grantpt(near) == 0 && unlockpt(near) == 0);
	far = open(ptsname(near), O_RDWR | O_NOCTTY);
	assert_true(far >= 0);
	flags = dup(far);
	sink_own_terminal(far);
	assert_true(fcntl(far, F_GETFL) & O_NONBLOCK);
	assert_false(fcntl(flags, F_GETFL) & O_NONBLOCK);
	sink_init(&sink, far);
	sink.stop = &stop;
	for (int i = 0; i < 10000; i++)
		sink_put(&sink, "1234567890\n", 11);
	assert_int_equal(sink_flush(&sink), -ETIMEDOUT);
	assert_true(now() - start > 0.9 && now() - start < 5);
	close(near);
	close(far);
	close(flags);
}

static volatile sig_atomic_t told_to_stop;

static void stop_on_signal(int number)
{
	(void)number;
	told_to_stop = 1;
}

/* The signal comes while a blocking write already waits for a reader that is stuck. */
static void stop_while_waiting(void **state)
{
	struct sigaction action = {.sa_handler = stop_on_signal}; /* no SA_RESTART */
	double start = now();
	int fds[2];

	(void)state;
	told_to_stop = 0;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(pipe(fds), 0);
	sink_init(&sink, fds[1]);
	sink.stop = &told_to_stop;
	alarm(1);
	put_stream(TOTAL);
	assert_int_equal(sink_flush(&sink), -ETIMEDOUT);
	assert_true(now() - start > 1.9 && now() - start < 6);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_stream),
		cmocka_unit_test(nonblocking_pipe),
		cmocka_unit_test(nonblocking_socket),
		cmocka_unit_test(interrupted),
		cmocka_unit_test(nothing_to_flush),
		cmocka_unit_test(bad_descriptor),
		cmocka_unit_test(fault_sticks),
		cmocka_unit_test(reader_goes),
		cmocka_unit_test(disk_full),
		cmocka_unit_test(lost_lines_are_counted),
		cmocka_unit_test(stuck_reader_at_stop),
		cmocka_unit_test(stuck_reader_at_its_end),
		cmocka_unit_test(slow_reader_at_stop),
		cmocka_unit_test(slower_than_a_page_at_stop),
		cmocka_unit_test(stuck_terminal_at_stop),
		cmocka_unit_test(stop_while_waiting),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
