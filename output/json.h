/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON lines (RFC 8259, one object a line), as examples/tcpconnect.schema.json has them.
 * For programs, but a line may end up on a terminal: what escape_untrusted() would
 * escape stands as \uXXXX here. Errors stay in the sink.
 *
 * The kernel's bytes need not be UTF-8: each that is not becomes U+FFFD in "comm", and
 * only then a further member, "comm_hex", has all the name's bytes. DNS names are ASCII
 * before they come here.
 */
#ifndef TCPCONNECT_JSON_H
#define TCPCONNECT_JSON_H

#include "output/printer.h"

/*
 * The longest line, its newline included, but for the DNS name: all numbers at their
 * widest, each byte of COMM escaped.
 */
#define JSON_LINE_MAX 1024

struct json_printer {
	struct sink *sink;
	struct wall_clock *clock; /* the caller's, who keeps it right */
	bool dns, result;         /* members to show */
};

/*
 * One connect. What is not known is 0; "dns" is null when there is no name. label as in
 * table_connect(); of a query the first 4,096 bytes are shown.
 */
void json_connect(const struct json_printer *json, const struct connect_record *record,
		  const struct dns_label *label);

/* What was lost, by cause, since the last line of this kind or in total. */
struct json_losses {
	uint64_t buffer_full;         /* connects: no room in the perf buffer */
	uint64_t table_full;          /* connects: no room among those under way */
	uint64_t return_missed;       /* connects: the kernel skipped the kretprobe */
	uint64_t counts_full;         /* connects not counted: no room for one more flow */
	uint64_t answers_buffer_full; /* DNS answers: no room in the perf buffer */
	uint64_t answers_unreadable;  /* DNS answers: the kernel could not read them */
	uint64_t answers_no_memory;   /* DNS answers */
	uint64_t records_invalid;     /* records not understood */
	uint64_t records_no_memory;
	uint64_t probes_skipped;
};

/* ts_ns: CLOCK_MONOTONIC now. */
void json_lost(const struct json_printer *json, uint64_t ts_ns, const struct json_losses *losses,
	       bool total);

/*
 * Count mode: one flow a line, in the order given. ts_ns: CLOCK_MONOTONIC at the end of
 * the time counted, which took interval_ns.
 */
void json_counts(const struct json_printer *json, uint64_t ts_ns, uint64_t interval_ns,
		 const struct flow_count *flows, size_t count);

#endif
