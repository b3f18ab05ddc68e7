/* SPDX-License-Identifier: Apache-2.0 */
/* The time of day against what libc makes of it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "output/clock.h"

#define SECOND UINT64_C(1000000000)
#define BERLIN "/usr/share/zoneinfo/Europe/Berlin"

static void check(struct wall_clock *clock, uint64_t ts_ns)
{
	uint64_t ns = ts_ns + (uint64_t)clock->offset_ns;
	char expected[64], text[64];
	time_t second = (time_t)(ns / SECOND);
	struct tm tm;

	strftime(expected, sizeof(expected), "%H:%M:%S", localtime_r(&second, &tm));
	*wall_clock_local(clock, text, ts_ns) = '\0';
	assert_string_equal(text, expected);
	strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", gmtime_r(&second, &tm));
	sprintf(expected + strlen(expected), ".%06uZ", (unsigned int)(ns % SECOND / 1000));
	*wall_clock_utc(clock, text, ts_ns) = '\0';
	assert_int_equal(strlen(text), UTC_TIME_SIZE);
	assert_string_equal(text, expected);
}

static void like_strftime(void **state)
{
	static const char *const zones[] = {"UTC", "CET-1CEST,M3.5.0,M10.5.0/3", "<+0545>-5:45",
					    "NST3:30NDT,M3.2.0,M11.1.0"};

	(void)state;
	for (size_t zone = 0; zone < sizeof(zones) / sizeof(zones[0]); zone++) {
		struct wall_clock clock;

		setenv("TZ", zones[zone], 1);
		wall_clock_start(&clock);
		clock.offset_ns = 0;
		check(&clock, 0);
		check(&clock, SECOND - 1);
		check(&clock, SECOND);
		check(&clock, UINT64_MAX);
		/* the end of a leap February, and of the months when the clocks change */
		check(&clock, 1709164799 * SECOND);
		check(&clock, 1709251199 * SECOND);
		for (uint64_t i = 0; i < 40000; i++)
			check(&clock, 1700000000 * SECOND + i * 777777777777);
		for (int64_t offset = -3000; offset < 3000; offset++) {
			clock.offset_ns = 1700000000 * (int64_t)SECOND + offset * 999999999;
			check(&clock, 86400 * SECOND);
		}
	}
}

/* A clock that is set while the second of the event's own clock stays. */
static void clock_is_set(void **state)
{
	struct wall_clock clock;
	char text[64];

	(void)state;
	setenv("TZ", "UTC", 1);
	wall_clock_start(&clock);
	clock.offset_ns = 0;
	*wall_clock_local(&clock, text, 5 * SECOND) = '\0';
	assert_string_equal(text, "00:00:05");
	clock.offset_ns = 3600 * (int64_t)SECOND;
	*wall_clock_local(&clock, text, 5 * SECOND) = '\0';
	assert_string_equal(text, "01:00:05");
	clock.offset_ns = -2 * (int64_t)SECOND;
	*wall_clock_utc(&clock, text, 5 * SECOND) = '\0';
	assert_string_equal(text, "1970-01-01T00:00:03.000000Z");
}

static void offset_is_read(void **state)
{
	struct wall_clock clock;
	struct timespec real, mono;
	int64_t offset;

	(void)state;
	wall_clock_start(&clock);
	clock.offset_ns = 0;
	wall_clock_update(&clock);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &real);
	offset = (real.tv_sec - mono.tv_sec) * (int64_t)SECOND + (real.tv_nsec - mono.tv_nsec);
	/* This thread may have lost its CPU between the two. */
	assert_true(llabs(offset - clock.offset_ns) < (int64_t)SECOND);
}

/* In a child, so that the limit and the time zone end with it. */
static int berlin_without_files(void)
{
	struct rlimit none = {0, 0};
	struct wall_clock clock;
	char summer[LOCAL_TIME_SIZE], winter[LOCAL_TIME_SIZE], far[LOCAL_TIME_SIZE];

	setenv("TZ", ":" BERLIN, 1);
	wall_clock_start(&clock);
	clock.offset_ns = 0;
	if (setrlimit(RLIMIT_NOFILE, &none) || open("/", O_RDONLY) >= 0)
		return 1;
	wall_clock_local(&clock, summer, 1688212800 * SECOND); /* 2023-07-01 12:00 UTC */
	wall_clock_local(&clock, winter, 1701432000 * SECOND); /* 2023-12-01 12:00 UTC */
	wall_clock_local(&clock, far, 4087281600 * SECOND);    /* 2099-07-09 12:00 UTC */
	if (memcmp(summer, "14:00:00", 8) != 0 || memcmp(winter, "13:00:00", 8) != 0)
		return 2;
	return memcmp(far, "14:00:00", 8) != 0 ? 3 : 0;
}

/* What the sandbox rests on: once started, no file is opened. */
static void needs_no_file_later(void **state)
{
	int status;
	pid_t child;

	(void)state;
	if (access(BERLIN, R_OK) != 0) {
		print_message("skipped: no " BERLIN " (package tzdata)\n");
		skip();
	}
	child = fork();
	if (child == 0)
		_exit(berlin_without_files());
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(like_strftime),
		cmocka_unit_test(clock_is_set),
		cmocka_unit_test(offset_is_read),
		cmocka_unit_test(needs_no_file_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
