/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>
#include "output/clock.h"
#include "output/text.h"

#define SECOND_NS 1000000000u

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

void wall_clock_update(struct wall_clock *clock)
{
	uint64_t before = read_clock(CLOCK_MONOTONIC);
	uint64_t real = read_clock(CLOCK_REALTIME);
	uint64_t after = read_clock(CLOCK_MONOTONIC);

	clock->offset_ns = (int64_t)(real - (before + (after - before) / 2));
}

void wall_clock_start(struct wall_clock *clock)
{
	tzset();
	*clock = (struct wall_clock){.offset_ns = 0};
	wall_clock_update(clock);
}

/* A time stamp that no kernel sends wraps around; the year stays below 2555. */
static uint64_t wall_ns(const struct wall_clock *clock, uint64_t ts_ns)
{
	return ts_ns + (uint64_t)clock->offset_ns;
}

static char *text_clock(char *out, const struct tm *tm)
{
	out = text_2_digits(out, (unsigned int)tm->tm_hour);
	*out++ = ':';
	out = text_2_digits(out, (unsigned int)tm->tm_min);
	*out++ = ':';
	return text_2_digits(out, (unsigned int)tm->tm_sec);
}

char *wall_clock_local(struct wall_clock *clock, char *out, uint64_t ts_ns)
{
	uint64_t second = wall_ns(clock, ts_ns) / SECOND_NS;

	if (!clock->local[0] || second != clock->local_second) {
		time_t time = (time_t)second;
		struct tm tm;

		localtime_r(&time, &tm);
		text_clock(clock->local, &tm);
		clock->local_second = second;
	}
	memcpy(out, clock->local, LOCAL_TIME_SIZE);
	return out + LOCAL_TIME_SIZE;
}

static void utc_second(char *out, uint64_t second)
{
	time_t time = (time_t)second;
	unsigned int year;
	struct tm tm;

	gmtime_r(&time, &tm);
	year = (unsigned int)tm.tm_year + 1900;
	out = text_2_digits(out, year / 100);
	out = text_2_digits(out, year % 100);
	*out++ = '-';
	out = text_2_digits(out, (unsigned int)tm.tm_mon + 1);
	*out++ = '-';
	out = text_2_digits(out, (unsigned int)tm.tm_mday);
	*out++ = 'T';
	text_clock(out, &tm);
}

char *wall_clock_utc(struct wall_clock *clock, char *out, uint64_t ts_ns)
{
	uint64_t ns = wall_ns(clock, ts_ns);
	uint64_t second = ns / SECOND_NS;

	if (!clock->utc[0] || second != clock->utc_second) {
		utc_second(clock->utc, second);
		clock->utc_second = second;
	}
	memcpy(out, clock->utc, sizeof(clock->utc));
	out += sizeof(clock->utc);
	*out++ = '.';
	out = text_6_digits(out, (unsigned int)(ns % SECOND_NS / 1000));
	*out++ = 'Z';
	return out;
}
