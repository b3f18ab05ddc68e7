/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_ERROR_H
#define TCPCONNECT_ERROR_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * What went wrong, in the user's words: one line without a newline. Set where the
 * cause is known, carried up, printed once by main().
 */
struct error {
	char line[1024];
	bool final; /* no other way of attaching can do better: start_any() ends here */
};

__attribute__((format(printf, 2, 3))) static inline void error_set(struct error *error,
								   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->line, sizeof(error->line), format, args);
	va_end(args);
	error->final = false;
}

/*
 * Set the line, as printf() does; the value is -1, so that a caller can `return fail(...)`. A
 * macro, because analyzers follow no function with a variable list of arguments.
 */
#define fail(error, ...)                                                                           \
	({                                                                                         \
		error_set(error, __VA_ARGS__);                                                     \
		-1;                                                                                \
	})

/* What would help against an error number that says only what ran out; "" where that is enough. */
static inline const char *error_remedy(int cause)
{
	switch (cause) {
	case EMFILE:
		return "; raise the limit of open files (ulimit -n)";
	case EFBIG:
		return "; raise the limit of file sizes (ulimit -f)";
	case EAGAIN:
		return "; raise the limit of processes (ulimit -u, or pids.max of the control "
		       "group)";
	default:
		return "";
	}
}

#endif
