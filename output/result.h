/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a connect, in a word, and in color. */
#ifndef TCPCONNECT_RESULT_H
#define TCPCONNECT_RESULT_H

#include <stdbool.h>

#define RESULT_MAX 24 /* bytes of the longest word */

/* From this latency on, in ns, a SYN has been sent twice (RFC 6298, 2.1): worth a color. */
#define SLOW_CONNECT_NS 1000000000u

#define COLOR_RED       "\x1b[31m"
#define COLOR_YELLOW    "\x1b[33m"
#define COLOR_END       "\x1b[0m"
/* Bytes that a colored text has more. */
#define COLOR_ROOM (sizeof(COLOR_RED) - 1 + sizeof(COLOR_END) - 1)

/*
 * outcome, error: of a record or a flow's key. "OK", "ABORTED", "PENDING", the errno's
 * name, or "ERRNO" and its number where it has none; "-" when there is no outcome.
 * No NUL; returns the end.
 */
char *text_result(char *out, unsigned int outcome, int error);

/* The color that shows the outcome: NULL for the one of all the others. */
const char *result_color(unsigned int outcome);

/*
 * Whether --color auto means color: fd is a terminal that is not dumb, and NO_COLOR
 * (no-color.org) is not set, or empty.
 */
bool color_suits(int fd);

#endif
