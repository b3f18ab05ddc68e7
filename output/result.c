/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>
#include "output/result.h"
#include "output/text.h"
#include "probes/record.h"

/* glibc 2.32 and later has the names in memory: no file, no locale. */
static char *text_errno(char *out, int error)
{
	const char *name = error > 0 ? strerrorname_np(error) : NULL;

	if (name && strlen(name) <= RESULT_MAX)
		return text_string(out, name);
	return text_decimal(text_string(out, "ERRNO"), (uint16_t)error);
}

char *text_result(char *out, unsigned int outcome, int error)
{
	switch (outcome) {
	case OUTCOME_OK:
		return text_string(out, "OK");
	case OUTCOME_ERROR:
		return text_errno(out, error);
	case OUTCOME_ABORTED:
		return text_string(out, "ABORTED");
	case OUTCOME_PENDING:
		return text_string(out, "PENDING");
	default:
		return text_string(out, "-");
	}
}

const char *result_color(unsigned int outcome)
{
	switch (outcome) {
	case OUTCOME_ERROR:
		return COLOR_RED;
	case OUTCOME_ABORTED:
	case OUTCOME_PENDING:
		return COLOR_YELLOW;
	default:
		return NULL;
	}
}

bool color_suits(int fd)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return !(no && *no) && terminal && strcmp(terminal, "dumb") != 0 && isatty(fd);
}
