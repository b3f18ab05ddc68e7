/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream over buffers that are not the kernel's: what happens where it refuses them, and what
 * is counted. libbpf's functions are replaced; `kernel` says what they answer.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include "events/stream.h"
#include "kernel/perf.h"

#define CPUS 3

static struct {
	bool refuses_events, refuses_ring, no_memory;
	size_t pages_most; /* that locked memory allows; beyond: pages_error */
	int pages_error;
	int poll, consume; /* what libbpf's two return */
	/* What was asked. */
	size_t pages, freed;
	uint32_t wakeup;
	ring_buffer_sample_fn take_spare;
	void *arg;
	const void *record; /* for the next consume of the ring buffer */
	size_t record_size;
} kernel;

static char buffers, ring;

int __wrap_perf_events_check(struct error *error);
struct perf_buffer *__wrap_perf_buffer__new_raw(int map, size_t pages, struct perf_event_attr *attr,
						perf_buffer_event_fn take, void *arg,
						const struct perf_buffer_raw_opts *opts);
int __wrap_perf_buffer__poll(struct perf_buffer *buffer, int timeout_ms);
int __wrap_perf_buffer__consume(struct perf_buffer *buffer);
void __wrap_perf_buffer__free(struct perf_buffer *buffer);
size_t __wrap_perf_buffer__buffer_cnt(const struct perf_buffer *buffer);
int __wrap_perf_buffer__epoll_fd(const struct perf_buffer *buffer);
int __wrap_perf_buffer__buffer_fd(const struct perf_buffer *buffer, size_t index);
struct ring_buffer *__wrap_ring_buffer__new(int map, ring_buffer_sample_fn take, void *arg,
					    const struct ring_buffer_opts *opts);
int __wrap_ring_buffer__consume(struct ring_buffer *buffer);
void __wrap_ring_buffer__free(struct ring_buffer *buffer);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

int __wrap_perf_events_check(struct error *error)
{
	return kernel.refuses_events ? fail(error, "refused") : 0;
}

#undef fail /* cmocka has one of its own */
#include <cmocka.h>

struct perf_buffer *__wrap_perf_buffer__new_raw(int map, size_t pages, struct perf_event_attr *attr,
						perf_buffer_event_fn take, void *arg,
						const struct perf_buffer_raw_opts *opts)
{
	assert_int_equal(map, 77);
	assert_non_null(take);
	assert_non_null(arg);
	assert_null(opts);
	kernel.pages = pages;
	kernel.wakeup = attr->wakeup_watermark;
	errno = kernel.pages_error;
	return pages > kernel.pages_most ? NULL : (void *)&buffers;
}

int __wrap_perf_buffer__poll(struct perf_buffer *buffer, int timeout_ms)
{
	assert_ptr_equal(buffer, &buffers);
	assert_int_equal(timeout_ms, STREAM_TICK_MS);
	return kernel.poll;
}

int __wrap_perf_buffer__consume(struct perf_buffer *buffer)
{
	assert_ptr_equal(buffer, &buffers);
	return kernel.consume;
}

void __wrap_perf_buffer__free(struct perf_buffer *buffer)
{
	assert_ptr_equal(buffer, &buffers);
	kernel.freed++;
}

size_t __wrap_perf_buffer__buffer_cnt(const struct perf_buffer *buffer)
{
	assert_ptr_equal(buffer, &buffers);
	return CPUS;
}

int __wrap_perf_buffer__epoll_fd(const struct perf_buffer *buffer)
{
	assert_ptr_equal(buffer, &buffers);
	return 50;
}

/* The second CPU is offline. */
int __wrap_perf_buffer__buffer_fd(const struct perf_buffer *buffer, size_t index)
{
	assert_ptr_equal(buffer, &buffers);
	return index == 1 ? -ENOENT : 51 + (int)index;
}

struct ring_buffer *__wrap_ring_buffer__new(int map, ring_buffer_sample_fn take, void *arg,
					    const struct ring_buffer_opts *opts)
{
	assert_int_equal(map, 78);
	assert_null(opts);
	kernel.take_spare = take;
	kernel.arg = arg;
	errno = ENOMEM;
	return kernel.refuses_ring ? NULL : (void *)&ring;
}

int __wrap_ring_buffer__consume(struct ring_buffer *buffer)
{
	assert_ptr_equal(buffer, &ring);
	if (kernel.record)
		kernel.take_spare(kernel.arg, (void *)kernel.record, kernel.record_size);
	kernel.record = NULL;
	return 0;
}

void __wrap_ring_buffer__free(struct ring_buffer *buffer)
{
	assert_ptr_equal(buffer, &ring);
	kernel.freed++;
}

void *__wrap_realloc(void *old, size_t size)
{
	return kernel.no_memory ? NULL : __real_realloc(old, size);
}

static struct error error;

static int reset(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	memset(&error, 0, sizeof(error));
	kernel.pages_most = SIZE_MAX;
	return 0;
}

static void count(void *arg, const struct record_head *record)
{
	assert_int_equal(record->kind, RECORD_CONNECT);
	++*(unsigned int *)arg;
}

static void as_many_pages_as_fit(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct stream *stream = stream_open(77, -1, 1, 0, &error);

	(void)state;
	assert_non_null(stream);
	assert_int_equal(stream_pages(stream) * page, STREAM_BYTES_PER_CPU);
	assert_int_equal(kernel.wakeup, STREAM_BYTES_PER_CPU / 4);
	stream_close(stream);
	assert_int_equal(kernel.freed, 1);

	/* Many CPUs share what all may have, but none has less than 64 KiB. */
	stream = stream_open(77, -1, 100000, 0, &error);
	assert_non_null(stream);
	assert_int_equal(stream_pages(stream) * page, 65536);
	stream_close(stream);

	kernel.pages_most = 5;
	kernel.pages_error = EPERM;
	stream = stream_open(77, -1, 1, 0, &error);
	assert_non_null(stream);
	assert_int_equal(stream_pages(stream), 4);
	assert_int_equal(kernel.wakeup, page);
	stream_close(stream);
}

static void refused_pages_say_what_helps(void **state)
{
	(void)state;
	kernel.pages_most = 32;
	kernel.pages_error = EPERM;
	assert_null(stream_open(77, -1, 1, 64, &error)); /* asked for: not made fewer */
	assert_non_null(strstr(error.line, "64 pages"));
	assert_non_null(strstr(error.line, "--pages"));

	kernel.pages_most = 0;
	assert_null(stream_open(77, -1, 1, 0, &error));
	assert_non_null(strstr(error.line, "of 1 pages"));

	kernel.pages_error = EMFILE;
	assert_null(stream_open(77, -1, 1, 0, &error));
	assert_non_null(strstr(error.line, "ulimit -n"));
	assert_int_equal(kernel.freed, 0);
}

static void without_perf_events(void **state)
{
	const struct connect_record record = {.head = {.ts_ns = 1, .kind = RECORD_CONNECT}};
	struct stream_losses losses;
	struct stream *stream;
	unsigned int came = 0;
	int fds[8];

	(void)state;
	kernel.refuses_events = true;
	assert_null(stream_open(77, -1, CPUS, 0, &error));
	assert_string_equal(error.line, "refused");

	stream = stream_open(77, 78, CPUS, 0, &error);
	assert_non_null(stream);
	assert_int_equal(kernel.pages, 0);
	assert_int_equal(stream_pages(stream), 0);
	assert_int_equal(stream_fds(stream, fds, 8), 0);

	kernel.record = &record;
	kernel.record_size = sizeof(record);
	assert_int_equal(stream_poll(stream, count, &came), 0);
	assert_int_equal(came, 1);

	kernel.record = &record;
	kernel.record_size = sizeof(record) - 1;
	assert_int_equal(stream_poll(stream, count, &came), 0);
	kernel.record = &record;
	kernel.record_size = sizeof(record);
	stream_drain(stream, count, &came);
	assert_int_equal(came, 2);
	stream_losses(stream, &losses);
	assert_int_equal(losses.invalid, 1);
	assert_int_equal(losses.no_memory, 0);
	stream_close(stream);
	assert_int_equal(kernel.freed, 1);
}

static void no_memory_is_counted(void **state)
{
	const struct connect_record record = {.head = {.ts_ns = 1, .kind = RECORD_CONNECT}};
	struct stream *stream = stream_open(77, 78, CPUS, 1, &error);
	struct stream_losses losses;
	unsigned int came = 0;

	(void)state;
	assert_non_null(stream);
	kernel.no_memory = true;
	kernel.record = &record;
	kernel.record_size = sizeof(record);
	assert_int_equal(stream_poll(stream, count, &came), 0);
	kernel.no_memory = false;
	stream_losses(stream, &losses);
	assert_int_equal(losses.no_memory, 1);
	assert_int_equal(came, 0);
	stream_close(stream);
	assert_int_equal(kernel.freed, 2);
}

static void no_spare_buffer(void **state)
{
	(void)state;
	kernel.refuses_ring = true;
	assert_null(stream_open(77, 78, CPUS, 0, &error));
	assert_non_null(strstr(error.line, "cannot map the spare buffer: Cannot allocate memory"));
	assert_int_equal(kernel.freed, 1);
}

static void errors_of_polling(void **state)
{
	struct stream *stream = stream_open(77, -1, CPUS, 1, &error);
	unsigned int came = 0;

	(void)state;
	assert_non_null(stream);
	kernel.poll = -EINTR;
	assert_int_equal(stream_poll(stream, count, &came), -EINTR);
	kernel.poll = 5; /* records */
	assert_int_equal(stream_poll(stream, count, &came), 0);
	kernel.consume = -EIO;
	assert_int_equal(stream_poll(stream, count, &came), -EIO);
	stream_close(stream);
}

static void descriptors(void **state)
{
	struct stream *stream = stream_open(77, -1, CPUS, 1, &error);
	int fds[4] = {0};

	(void)state;
	assert_non_null(stream);
	assert_int_equal(stream_fds(stream, fds, 0), 0);
	assert_int_equal(stream_fds(stream, fds, 2), 2);
	assert_int_equal(fds[2], 0);
	assert_int_equal(stream_fds(stream, fds, 4), 3);
	assert_int_equal(fds[0], 50);
	assert_int_equal(fds[1], 51);
	assert_int_equal(fds[2], 53);
	stream_close(stream);
	stream_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(as_many_pages_as_fit, reset),
		cmocka_unit_test_setup(refused_pages_say_what_helps, reset),
		cmocka_unit_test_setup(without_perf_events, reset),
		cmocka_unit_test_setup(no_memory_is_counted, reset),
		cmocka_unit_test_setup(no_spare_buffer, reset),
		cmocka_unit_test_setup(errors_of_polling, reset),
		cmocka_unit_test_setup(descriptors, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
