/* SPDX-License-Identifier: Apache-2.0 */
/* Records of all CPUs into one order of time: against a plain sort, and with little memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "events/order.h"

/* Where perf puts a record into its buffer: 4 bytes behind a multiple of 8. */
static union {
	uint64_t align;
	unsigned char bytes[8192];
} buffer;
#define RECORD (buffer.bytes + 4)

/* What realloc() may give in all, and the most that it was asked for at once. */
static int allocations_left = -1;
static size_t largest;

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_realloc(void *old, size_t size)
{
	if (allocations_left == 0)
		return NULL;
	if (allocations_left > 0)
		allocations_left--;
	if (size > largest)
		largest = size;
	return __real_realloc(old, size);
}

/* A connect that tells its number by its port of destination and netns. */
static int push(struct order *order, unsigned int cpu, uint64_t ts_ns, uint32_t number)
{
	struct connect_record record = {
		.head = {.ts_ns = ts_ns, .kind = RECORD_CONNECT, .tgid = cpu},
		.netns = number,
	};

	memcpy(RECORD, &record, sizeof(record));
	return order_push(order, cpu, RECORD, sizeof(record));
}

static int push_answer(struct order *order, uint64_t ts_ns, uint32_t captured, uint32_t skip,
		       size_t size)
{
	struct answer_record record = {
		.head = {.ts_ns = ts_ns, .kind = RECORD_ANSWER, .tgid = 0},
		.captured = captured,
		.skip = skip,
	};

	memcpy(RECORD, &record, sizeof(record));
	for (size_t i = sizeof(record); i < size && i < sizeof(buffer) - 4; i++)
		RECORD[i] = (unsigned char)i;
	return order_push(order, 0, RECORD, size);
}

/* What came out. */
struct output {
	size_t count;
	uint32_t numbers[4096];
	uint64_t times[4096];
};

static void note(void *arg, const struct record_head *head)
{
	struct output *output = arg;
	const struct connect_record *record = (const void *)head;

	assert_int_equal((uintptr_t)head % 8, 0);
	assert_int_equal(head->kind, RECORD_CONNECT);
	assert_true(output->count < 4096);
	output->times[output->count] = head->ts_ns;
	output->numbers[output->count++] = record->netns;
}

static struct output output;

static size_t release(struct order *order, uint64_t until_ns)
{
	output.count = 0;
	order_release(order, until_ns, note, &output);
	return output.count;
}

static void test_in_order(void **state)
{
	struct order *order = order_new(3);

	(void)state;
	assert_int_equal(order_waiting(order), 0);
	assert_int_equal(release(order, UINT64_MAX), 0);
	assert_int_equal(push(order, 2, 300, 3), 0);
	assert_int_equal(push(order, 0, 100, 1), 0);
	assert_int_equal(push(order, 1, 200, 2), 0);
	assert_int_equal(push(order, 0, 400, 4), 0);
	assert_int_equal(order_waiting(order), 4);
	assert_int_equal(release(order, 99), 0);
	assert_int_equal(release(order, 200), 2); /* up to and with */
	assert_int_equal(output.numbers[0], 1);
	assert_int_equal(output.numbers[1], 2);
	assert_int_equal(order_waiting(order), 2);
	assert_int_equal(release(order, UINT64_MAX), 2);
	assert_int_equal(output.numbers[0], 3);
	assert_int_equal(output.numbers[1], 4);
	assert_int_equal(order_waiting(order), 0);
	order_free(order);
}

static void test_equal_times(void **state)
{
	struct order *order = order_new(4);
	static const uint32_t expected[] = {10, 11, 20, 30, 31};

	(void)state;
	push(order, 3, 7, 30);
	push(order, 3, 7, 31);
	push(order, 2, 7, 20);
	push(order, 1, 7, 10);
	push(order, 1, 7, 11);
	assert_int_equal(release(order, 7), 5);
	assert_memory_equal(output.numbers, expected, sizeof(expected));
	order_free(order);
}

/* An interrupt's record lies in front of the earlier one that it interrupted. */
static void test_interrupted_record(void **state)
{
	struct order *order = order_new(1);
	static const uint32_t expected[] = {1, 2, 3, 4, 5};

	(void)state;
	push(order, 0, 20, 2);
	push(order, 0, 10, 1);
	push(order, 0, 40, 4);
	push(order, 0, 30, 3);
	push(order, 0, 50, 5);
	assert_int_equal(release(order, 50), 5);
	assert_memory_equal(output.numbers, expected, sizeof(expected));
	order_free(order);
}

/* One that comes after its time goes out next, and is not lost. */
static void test_late_record(void **state)
{
	struct order *order = order_new(2);

	(void)state;
	push(order, 0, 100, 1);
	push(order, 0, 200, 2);
	assert_int_equal(release(order, 100), 1);
	push(order, 1, 50, 3);
	push(order, 0, 60, 4);
	assert_int_equal(release(order, 150), 2);
	assert_int_equal(output.numbers[0], 3);
	assert_int_equal(output.numbers[1], 4);
	assert_int_equal(release(order, 200), 1);
	order_free(order);
}

static void test_extreme_times(void **state)
{
	struct order *order = order_new(2);

	(void)state;
	push(order, 0, UINT64_MAX, 3);
	push(order, 1, 0, 1);
	push(order, 1, UINT64_MAX - 1, 2);
	assert_int_equal(release(order, 0), 1);
	assert_int_equal(output.numbers[0], 1);
	assert_int_equal(release(order, UINT64_MAX - 1), 1);
	assert_int_equal(output.numbers[0], 2);
	assert_int_equal(release(order, UINT64_MAX), 1);
	order_free(order);
}

struct expected {
	uint64_t ts_ns;
	unsigned int cpu;
	uint32_t number;
};

static int compare(const void *a, const void *b)
{
	const struct expected *left = a, *right = b;

	if (left->ts_ns != right->ts_ns)
		return left->ts_ns < right->ts_ns ? -1 : 1;
	if (left->cpu != right->cpu)
		return left->cpu < right->cpu ? -1 : 1;
	return left->number < right->number ? -1 : 1;
}

/* Random pushes and releases against sorting what waits. */
static void run_against_sort(unsigned int cpus, unsigned int seed)
{
	static struct expected waiting[4096];
	struct order *order = order_new(cpus);
	uint64_t clock = 1000;
	uint32_t number = 0;
	size_t count = 0;

	for (int round = 0; round < 300; round++) {
		int pushes = rand_r(&seed) % 40;
		uint64_t until;
		size_t out = 0;

		for (int i = 0; i < pushes; i++) {
			struct expected *next = &waiting[count++];

			clock += rand_r(&seed) % 4;
			*next = (struct expected){clock - rand_r(&seed) % 8, rand_r(&seed) % cpus,
						  number++};
			assert_int_equal(push(order, next->cpu, next->ts_ns, next->number), 0);
		}
		until = clock - rand_r(&seed) % 64;
		qsort(waiting, count, sizeof(*waiting), compare);
		while (out < count && waiting[out].ts_ns <= until)
			out++;
		assert_int_equal(release(order, until), out);
		for (size_t i = 0; i < out; i++) {
			assert_int_equal(output.numbers[i], waiting[i].number);
			assert_int_equal(output.times[i], waiting[i].ts_ns);
		}
		count -= out;
		memmove(waiting, waiting + out, count * sizeof(*waiting));
		assert_int_equal(order_waiting(order), count);
	}
	order_free(order);
}

static void test_against_sort(void **state)
{
	static const unsigned int cpus[] = {1, 2, 3, 7, 64, 1000};

	(void)state;
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++)
		for (unsigned int seed = 1; seed <= 20; seed++)
			run_against_sort(cpus[i], seed);
}

static void test_invalid(void **state)
{
	struct order *order = order_new(2), *none = order_new(0);
	const size_t answer = sizeof(struct answer_record);

	(void)state;
	assert_int_equal(push(order, 2, 1, 1), -EINVAL);
	assert_int_equal(push(order, UINT32_MAX, 1, 1), -EINVAL);
	assert_int_equal(push(none, 0, 1, 1), -EINVAL);
	for (size_t size = 0; size < sizeof(struct connect_record); size++) {
		push(order, 2, 1, 1); /* refused, but fills RECORD */
		assert_int_equal(order_push(order, 0, RECORD, size), -EINVAL);
	}
	for (size_t size = 0; size < answer + 10; size++)
		assert_int_equal(push_answer(order, 1, 10, 0, size), -EINVAL);
	assert_int_equal(push_answer(order, 1, 11, 0, answer + 10), -EINVAL);
	assert_int_equal(push_answer(order, 1, UINT32_MAX, 0, answer + 10), -EINVAL);
	assert_int_equal(push_answer(order, 1, 10, 11, answer + 10), -EINVAL);
	assert_int_equal(push_answer(order, 1, 10, UINT32_MAX, answer + 10), -EINVAL);
	for (uint32_t kind = 0; kind < 300; kind++) {
		if (kind == RECORD_CONNECT || kind == RECORD_ANSWER)
			continue;
		memset(RECORD, 0, 4096);
		memcpy(RECORD + offsetof(struct record_head, kind), &kind, sizeof(kind));
		assert_int_equal(order_push(order, 0, RECORD, 4096), -EINVAL);
	}
	assert_int_equal(order_waiting(order), 0);
	order_free(order);
	order_free(none);
	order_free(NULL);
}

struct bytes {
	size_t count, size;
	unsigned char data[8192];
};

static void keep(void *arg, const struct record_head *head)
{
	struct bytes *bytes = arg;
	const struct answer_record *answer = (const void *)head;

	assert_int_equal((uintptr_t)head % 8, 0);
	bytes->count++;
	bytes->size = head->kind == RECORD_ANSWER ? sizeof(*answer) + answer->captured
						  : sizeof(struct connect_record);
	memcpy(bytes->data, head, bytes->size);
}

/* Every length and every padding of perf: the bytes come out as they went in. */
static void test_answers_whole(void **state)
{
	struct order *order = order_new(1);
	const size_t head = sizeof(struct answer_record);
	static struct bytes bytes;

	(void)state;
	for (uint32_t captured = 0; captured <= ANSWER_MAX; captured += captured < 64 ? 1 : 61) {
		for (size_t padding = 0; padding < 8; padding++) {
			bytes.count = 0;
			assert_int_equal(push_answer(order, 5, captured, captured / 2,
						     head + captured + padding),
					 0);
			order_release(order, 5, keep, &bytes);
			assert_int_equal(bytes.count, 1);
			assert_int_equal(bytes.size, head + captured);
			assert_memory_equal(bytes.data, RECORD, bytes.size);
		}
	}
	/* Several that wait: keep() sees each aligned, whatever the one before it was. */
	bytes.count = 0;
	for (uint32_t captured = 0; captured < 20; captured++)
		assert_int_equal(push_answer(order, 5, captured, 0, head + captured), 0);
	order_release(order, 5, keep, &bytes);
	assert_int_equal(bytes.count, 20);
	push(order, 0, 5, 77);
	assert_int_equal(order_push(order, 0, RECORD, sizeof(struct connect_record) + 4), 0);
	bytes.count = 0;
	order_release(order, 5, keep, &bytes);
	assert_int_equal(bytes.count, 2);
	assert_memory_equal(bytes.data, RECORD, sizeof(struct connect_record));
	order_free(order);
}

static void test_no_memory(void **state)
{
	struct order *order = order_new(2);
	size_t accepted = 0, refused = 0;

	(void)state;
	for (int round = 0; round < 6; round++) {
		allocations_left = round;
		for (uint32_t i = 0; i < 500; i++) {
			int result = push(order, i % 2, i, i);

			assert_true(result == 0 || result == -ENOMEM);
			accepted += result == 0;
			refused += result != 0;
		}
		allocations_left = -1;
		assert_int_equal(order_waiting(order), accepted);
		assert_int_equal(release(order, UINT64_MAX), accepted);
		for (size_t i = 1; i < output.count; i++)
			assert_true(output.times[i - 1] <= output.times[i]);
		accepted = 0;
	}
	assert_in_range(refused, 500, 3000);
	assert_int_equal(push(order, 0, 1, 1), 0);
	order_free(order);
}

/* A storm without a pause: some records always wait, and memory must not grow with time. */
static void test_steady_load(void **state)
{
	struct order *order = order_new(2);
	uint64_t out = 0;

	(void)state;
	largest = 0;
	for (uint64_t i = 1; i <= 500000; i++) {
		assert_int_equal(push(order, i % 2, i, i), 0);
		if (i % 50 == 0)
			out += release(order, i - 100);
	}
	assert_in_range(out, 499800, 499950);
	/* 150 records wait at most, of 136 bytes. */
	assert_in_range(largest, 1, 256 << 10);
	order_free(order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_equal_times),
		cmocka_unit_test(test_interrupted_record),
		cmocka_unit_test(test_late_record),
		cmocka_unit_test(test_extreme_times),
		cmocka_unit_test(test_against_sort),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_answers_whole),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_steady_load),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
