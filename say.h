/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_SAY_H
#define TCPCONNECT_SAY_H

#include <stdarg.h>
#include <stdio.h>
#include "cli/options.h"

/* A step of the start, on standard error, with --verbose. */
__attribute__((format(printf, 2, 3))) static inline void say(const struct options *options,
							     const char *format, ...)
{
	va_list args;

	if (!options->verbose)
		return;
	va_start(args, format);
	fputs("tcpconnect: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

#endif
