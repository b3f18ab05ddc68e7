/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What standard output shows: the bytes of bcc's tcpconnect. None of the printers
 * report errors; the sink keeps the first one, and sink_flush() tells it.
 */
#ifndef TCPCONNECT_PRINTER_H
#define TCPCONNECT_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include "dns/attribution.h"
#include "output/clock.h"
#include "output/sink.h"
#include "probes/flow_count.h"
#include "probes/record.h"

/* The first line of all output, with its newline; to be printed once the probes are attached. */
void banner_print(struct sink *sink);

/* What the printers show of the name that led to a connect. */
struct dns_label {
	const char *query; /* escaped, no last dot, NUL terminated; NULL: none known */
	uint64_t age_ns;   /* from the answer to the connect; meaningful when query is set */
	bool age_unknown;  /* the answer came again since the attempt; then age_ns is 0 */
	enum dns_tie tie;  /* how the name was attributed; the same */
};

struct columns {
	bool timestamp, print_uid, lport, dns;
	bool time;   /* the table's clock must be set */
	bool result; /* latency and outcome of the record */
};

/*
 * The table of bcc's tcpconnect: same bytes, but that COMM is escaped by
 * escape_untrusted(), and the columns that bcc's has not: the time of day in front,
 * as bcc's other tools have it, the outcome behind DPORT. One line a connect, no
 * allocation.
 */
struct table_printer {
	struct sink *sink;
	struct columns columns;
	bool color;               /* the bytes of color take no width */
	struct wall_clock *clock; /* the caller's, who keeps it right */
	bool started;
	uint64_t start_ns; /* of the first event, when started */
};

/* The line of column names, with its newline. */
void table_header(struct table_printer *table);
/* One connect. label is only looked at when columns.dns is set; it may be NULL then as well. */
void table_connect(struct table_printer *table, const struct connect_record *record,
		   const struct dns_label *label);

struct counts_printer {
	struct sink *sink;
	bool result; /* one column more: RESULT, by the outcome in the flow's key */
	bool color;
	struct wall_clock *clock; /* the caller's; NULL: no time of day above the table */
	uint64_t ts_ns;           /* CLOCK_MONOTONIC, for that */
};

/*
 * Count mode's table: blank line, the time of day, column names, IPv4 flows, then IPv6 flows, each
 * family with the most connects first; ties keep the order given.
 * Returns 0, or -ENOMEM with nothing printed.
 */
int counts_print(const struct counts_printer *counts, const struct flow_count *flows, size_t count);

/*
 * Escape the bytes of a string that strangers chose so that it cannot play with a
 * terminal or break a line: bytes below 0x20, 0x7f and 0x80-0xff become \xHH
 * (two lower-case hex digits), a backslash becomes \\. Reads up to size bytes or
 * to the first NUL. Valid UTF-8 multi-byte sequences that encode printable
 * characters (not C1 controls, not bidirectional or other format controls, not line
 * separators, not private use, not what is no character) pass as they are. Returns
 * the bytes written to out, which must hold 4 * size; no NUL among them.
 */
size_t escape_untrusted(char *out, const char *text, size_t size);

#endif
