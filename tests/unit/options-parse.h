/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of right command lines: PARSE("-t", ...) fails the test when one is refused. */
#ifndef TESTS_OPTIONS_PARSE_H
#define TESTS_OPTIONS_PARSE_H

#include "cli/options.h"

static struct options options;
static char message[256];

#define PARSE(...) parse((char *[]){"tcpconnect", ##__VA_ARGS__, NULL})

static void parse(char *argv[])
{
	int argc = 0;

	while (argv[argc])
		argc++;
	memset(&options, 0xa5, sizeof(options));
	strcpy(message, "left over");
	if (options_parse(&options, argc, argv, message, sizeof(message)) != 0)
		fail_msg("refused: %s", message);
	assert_string_equal(message, "");
}

#define assert_list(list, ...)                                                                     \
	do {                                                                                       \
		uint32_t expected[] = {__VA_ARGS__};                                               \
		assert_int_equal((list).count, sizeof(expected) / sizeof(expected[0]));            \
		assert_memory_equal((list).value, expected, sizeof(expected));                     \
	} while (0)

#endif
