/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables show beyond bcc's: time of day, outcome, color. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "output/printer.h"
#include "output/result.h"
#include "output/text.h"

#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define END    "\033[0m"

#define LINE   "1479    telnet       4  127.0.0.1        127.0.0.1        23     "

static struct sink sink;
static struct wall_clock wall;

static int new_sink(void **state)
{
	(void)state;
	sink_init(&sink, -1);
	setenv("TZ", "UTC", 1);
	wall_clock_start(&wall);
	wall.offset_ns = 1700000000000000000;
	return 0;
}

static const char *printed(void)
{
	static char text[sizeof(sink.buffer) + 1];

	memcpy(text, sink.buffer, sink.used);
	text[sink.used] = '\0';
	sink.used = 0;
	assert_int_equal(sink.error, 0);
	return text;
}

static struct connect_record telnet(unsigned int outcome, int error, uint64_t latency_ns)
{
	struct connect_record record = {
		.head = {.ts_ns = 5000000999, .tgid = 1479},
		.family = 4,
		.outcome = (__u8)outcome,
		.error = (__s16)error,
		.latency_ns = latency_ns,
		.dport = 23,
		.saddr = {127, 0, 0, 1},
		.daddr = {127, 0, 0, 1},
		.comm = "telnet",
	};

	return record;
}

static void words(void **state)
{
	static const struct {
		unsigned int outcome;
		int error;
		const char *word;
	} known[] = {
		{OUTCOME_NONE, 0, "-"},
		{OUTCOME_OK, 0, "OK"},
		{OUTCOME_ABORTED, 0, "ABORTED"},
		{OUTCOME_PENDING, 0, "PENDING"},
		{5, 111, "-"},
		{255, 0, "-"},
		{OUTCOME_ERROR, EPERM, "EPERM"},
		{OUTCOME_ERROR, ECONNREFUSED, "ECONNREFUSED"},
		{OUTCOME_ERROR, ETIMEDOUT, "ETIMEDOUT"},
		{OUTCOME_ERROR, EHOSTUNREACH, "EHOSTUNREACH"},
		{OUTCOME_ERROR, ENETUNREACH, "ENETUNREACH"},
		{OUTCOME_ERROR, EADDRNOTAVAIL, "EADDRNOTAVAIL"},
		{OUTCOME_ERROR, ENOTRECOVERABLE, "ENOTRECOVERABLE"},
		/* ERESTARTSYS and other numbers that no program should see */
		{OUTCOME_ERROR, 512, "ERRNO512"},
		{OUTCOME_ERROR, 0, "ERRNO0"},
		{OUTCOME_ERROR, -1, "ERRNO65535"},
		{OUTCOME_ERROR, 32767, "ERRNO32767"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char text[RESULT_MAX + 1];

		*text_result(text, known[i].outcome, known[i].error) = '\0';
		assert_string_equal(text, known[i].word);
	}
	for (int error = -32768; error < 32768; error++) {
		char text[RESULT_MAX];
		char *end = text_result(text, OUTCOME_ERROR, error);

		assert_in_range(end - text, 2, RESULT_MAX);
	}
}

static void check_millis(uint64_t ns)
{
	char expected[64], text[MILLIS_MAX + 1];

	*text_millis_exact(text, ns) = '\0';
	sprintf(expected, "%lu.%06lu", ns / 1000000, ns % 1000000);
	assert_string_equal(text, expected);
	*text_millis(text, ns) = '\0';
	ns = ns > UINT64_MAX - 500 ? UINT64_MAX : ns + 500;
	sprintf(expected, "%lu.%03lu", ns / 1000000, ns % 1000000 / 1000);
	/* so near to the end, adding the half would wrap */
	if (ns < UINT64_MAX)
		assert_string_equal(text, expected);
}

static void millis(void **state)
{
	static const uint64_t edges[] = {0,       1,         499,       500,       501,
					 999499,  999500,    999999,    1000000,   1000499,
					 1000500, 999999499, 999999500, UINT64_MAX};
	char text[MILLIS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		check_millis(edges[i]);
	for (uint64_t ns = 1; ns < UINT64_MAX / 3; ns = ns * 3 + 1)
		check_millis(ns);
	*text_millis(text, UINT64_MAX) = '\0';
	assert_string_equal(text, "18446744073709.552");
	*text_millis(text, 1234567) = '\0';
	assert_string_equal(text, "1.235");
}

static void headers(void **state)
{
	struct table_printer table = {.sink = &sink, .columns = {.result = true}};

	(void)state;
	table_header(&table);
	assert_string_equal(printed(), "PID     COMM         IP SADDR            DADDR            "
				       "DPORT  LAT(ms)    RESULT\n");
	table.columns.dns = true;
	table_header(&table);
	assert_string_equal(printed(), "PID     COMM         IP SADDR            DADDR            "
				       "DPORT  LAT(ms)    RESULT        QUERY\n");
	table.columns = (struct columns){true, true, true, true, true, true};
	table_header(&table);
	assert_string_equal(printed(),
			    "TIME     TIME(s)  UID   PID     COMM         IP SADDR            "
			    "LPORT  DADDR            DPORT  LAT(ms)    RESULT        QUERY\n");
}

static void outcomes(void **state)
{
	struct table_printer table = {.sink = &sink, .columns = {.result = true}};
	struct dns_label label = {"www.example.com", 123456789, false, DNS_TIE_PROCESS};
	struct connect_record record = telnet(OUTCOME_OK, 0, 1234567);

	(void)state;
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), LINE "1.235      OK\n");
	record = telnet(OUTCOME_ERROR, EADDRNOTAVAIL, 999);
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), LINE "0.001      EADDRNOTAVAIL\n");
	record = telnet(OUTCOME_ERROR, ETIMEDOUT, UINT64_C(133123456789));
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), LINE "133123.457 ETIMEDOUT\n");
	record = telnet(OUTCOME_PENDING, 0, UINT64_MAX);
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), LINE "18446744073709.552 PENDING\n");
	record = telnet(OUTCOME_NONE, 0, 77);
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), LINE "-          -\n");
	/* the columns stand under their names */
	table.columns.dns = true;
	record = telnet(OUTCOME_OK, 0, 1234567);
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), LINE "1.235      OK            localhost\n");
	record = telnet(OUTCOME_ERROR, EADDRNOTAVAIL, 0);
	table_connect(&table, &record, &label);
	assert_string_equal(printed(),
			    LINE "0.000      EADDRNOTAVAIL www.example.com (123.456ms)\n");
	record = telnet(OUTCOME_ERROR, ENOTRECOVERABLE, 0);
	table_connect(&table, &record, &label);
	assert_string_equal(printed(),
			    LINE "0.000      ENOTRECOVERABLE www.example.com (123.456ms)\n");
}

static void time_of_day(void **state)
{
	struct table_printer table = {.sink = &sink, .clock = &wall, .columns = {.time = true}};
	struct connect_record record = telnet(OUTCOME_NONE, 0, 0);

	(void)state;
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), "22:13:25 " LINE "\n");
	table.columns.timestamp = true;
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), "22:13:25 0.000    " LINE "\n");
	record.head.ts_ns += 1500000000;
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), "22:13:26 1.500    " LINE "\n");
}

static void colors(void **state)
{
	struct table_printer table = {.sink = &sink, .color = true, .columns = {.result = true}};
	struct dns_label label = {"www.example.com", 100000999, false, DNS_TIE_PROCESS};
	struct connect_record record = telnet(OUTCOME_OK, 0, 999999999);

	(void)state;
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), LINE "1000.000   OK\n");
	record = telnet(OUTCOME_ERROR, ECONNREFUSED, 1000000000);
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(),
			    LINE YELLOW "1000.000" END "   " RED "ECONNREFUSED" END "\n");
	record = telnet(OUTCOME_PENDING, 0, 0);
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), LINE "0.000      " YELLOW "PENDING" END "\n");
	table.columns.dns = true;
	record = telnet(OUTCOME_ABORTED, 0, 0);
	table_connect(&table, &record, &label);
	assert_string_equal(printed(),
			    LINE "0.000      " YELLOW "ABORTED" END "       www.example.com\n");
	label.age_ns = 100001000;
	table_connect(&table, &record, &label);
	assert_string_equal(printed(),
			    LINE "0.000      " YELLOW "ABORTED" END "       www.example.com " YELLOW
				 "(100.001ms)" END "\n");
	/* without outcomes asked for, none is colored */
	table.columns = (struct columns){.dns = true};
	table_connect(&table, &record, &label);
	assert_string_equal(printed(), LINE "www.example.com " YELLOW "(100.001ms)" END "\n");
}

/* With the color taken out, a colored table is the plain one. */
static void color_takes_no_width(void **state)
{
	struct columns columns = {true, true, true, true, true, true};
	struct table_printer plain = {.sink = &sink, .clock = &wall, .columns = columns};
	struct table_printer colored = plain;

	(void)state;
	colored.color = true;
	for (unsigned int i = 0; i < 5000; i++) {
		static const int errors[] = {ECONNREFUSED, EADDRNOTAVAIL, ENOTRECOVERABLE, 512};
		struct dns_label label = {"www.example.com", i * 100000u, false, DNS_TIE_PROCESS};
		struct connect_record record =
			telnet(i % 5, i % 5 == OUTCOME_ERROR ? errors[i / 5 % 4] : 0,
			       UINT64_C(7919) * i * i * i);
		char expected[512], stripped[512], *out = stripped;

		record.head.ts_ns += i * 12345678u;
		table_connect(&plain, &record, &label);
		strcpy(expected, printed());
		table_connect(&colored, &record, &label);
		for (const char *text = printed(); *text; text++) {
			if (*text == '\033')
				text = strchr(text, 'm');
			else
				*out++ = *text;
		}
		*out = '\0';
		assert_string_equal(stripped, expected);
	}
}

#define COUNT_HEADER                                                                               \
	"\nLADDR                     RADDR                     RPORT                CONNECTS  "
#define FLOW "192.0.2.1                 192.0.2.3                 443                  "

static void counts(void **state)
{
	struct counts_printer printer = {.sink = &sink, .result = true};
	struct flow_count flows[] = {
		{{.saddr = {192, 0, 2, 1},
		  .daddr = {192, 0, 2, 3},
		  .dport = 443,
		  .family = 4,
		  .outcome = OUTCOME_ERROR,
		  .error = ETIMEDOUT},
		 3},
		{{.saddr = {192, 0, 2, 1},
		  .daddr = {192, 0, 2, 3},
		  .dport = 443,
		  .family = 4,
		  .outcome = OUTCOME_OK},
		 7},
		{{.saddr = {192, 0, 2, 1},
		  .daddr = {192, 0, 2, 3},
		  .dport = 443,
		  .family = 4,
		  .outcome = OUTCOME_ABORTED},
		 12345678901},
	};

	(void)state;
	assert_int_equal(counts_print(&printer, flows, 3), 0);
	assert_string_equal(printed(),
			    COUNT_HEADER " RESULT\n" FLOW "12345678901 ABORTED\n" FLOW
					 "7          OK\n" FLOW "3          ETIMEDOUT\n");
	printer.color = true;
	assert_int_equal(counts_print(&printer, flows, 2), 0);
	assert_string_equal(printed(), COUNT_HEADER " RESULT\n" FLOW "7          OK\n" FLOW
						    "3          " RED "ETIMEDOUT" END "\n");
	printer = (struct counts_printer){.sink = &sink, .color = true};
	assert_int_equal(counts_print(&printer, flows, 2), 0);
	assert_string_equal(printed(), COUNT_HEADER "\n" FLOW "7         \n" FLOW "3         \n");
}

static void counts_with_time(void **state)
{
	struct counts_printer printer = {.sink = &sink, .clock = &wall, .ts_ns = 5000000000};

	(void)state;
	assert_int_equal(counts_print(&printer, NULL, 0), 0);
	printer.ts_ns += 999999999;
	printer.result = true;
	assert_int_equal(counts_print(&printer, NULL, 0), 0);
	assert_string_equal(printed(), "\n22:13:25" COUNT_HEADER "\n"
				       "\n22:13:25" COUNT_HEADER " RESULT\n");
}

static void when_to_color(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	int null = open("/dev/null", O_WRONLY);

	(void)state;
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	assert_true(null >= 0);
	assert_false(color_suits(null));
	assert_false(color_suits(-1));
	assert_true(terminal >= 0);
	assert_true(color_suits(terminal));
	setenv("NO_COLOR", "", 1);
	assert_true(color_suits(terminal));
	setenv("NO_COLOR", "0", 1);
	assert_false(color_suits(terminal));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(color_suits(terminal));
	unsetenv("TERM");
	assert_false(color_suits(terminal));
	close(terminal);
	close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(millis),
		cmocka_unit_test_setup(headers, new_sink),
		cmocka_unit_test_setup(outcomes, new_sink),
		cmocka_unit_test_setup(time_of_day, new_sink),
		cmocka_unit_test_setup(colors, new_sink),
		cmocka_unit_test_setup(color_takes_no_width, new_sink),
		cmocka_unit_test_setup(counts, new_sink),
		cmocka_unit_test_setup(counts_with_time, new_sink),
		cmocka_unit_test(when_to_color),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
