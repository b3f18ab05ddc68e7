/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "output/printer.h"
#include "output/result.h"
#include "output/text.h"

/* How many bytes of the process's name bcc shows; the kernel has up to 15. */
#define COMM_SHOWN 12

/* From this age of the answer on, in microseconds, QUERY says it. */
#define AGE_SHOWN 100000

/* As wide as a connect that the kernel gives up after the longest of its retries. */
#define LATENCY_WIDTH 10
/* As wide as EADDRNOTAVAIL. */
#define RESULT_WIDTH 13

/* Room for all of a line but QUERY: each column at its longest, and the blanks between. */
#define LINE_ROOM                                                                                  \
	(LOCAL_TIME_SIZE + 1 + SECONDS_MAX + 10 + 11 + 4 * COMM_SHOWN + 1 + 4 + ADDRESS_MAX + 1 +  \
	 7 + ADDRESS_MAX + 1 + 7 + MILLIS_MAX + 1 + RESULT_MAX + 1 + 2 * COLOR_ROOM)

static void put_string(struct sink *sink, const char *string)
{
	sink_put(sink, string, strlen(string));
}

void banner_print(struct sink *sink)
{
	put_string(sink, "Tracing connect ... Hit Ctrl-C to end\n");
}

void table_header(struct table_printer *table)
{
	const struct columns *columns = &table->columns;

	if (columns->time)
		put_string(table->sink, "TIME     ");
	if (columns->timestamp)
		put_string(table->sink, "TIME(s)  ");
	if (columns->print_uid)
		put_string(table->sink, "UID   ");
	put_string(table->sink, "PID     COMM         IP SADDR            ");
	if (columns->lport)
		put_string(table->sink, "LPORT  ");
	put_string(table->sink, "DADDR            DPORT ");
	if (columns->result)
		put_string(table->sink,
			   columns->dns ? " LAT(ms)    RESULT       " : " LAT(ms)    RESULT");
	put_string(table->sink, columns->dns ? " QUERY\n" : "\n");
}

/*
 * Seconds since the first event. bcc cuts each time to microseconds before it
 * subtracts, so that the same pair of events can differ by one.
 */
static char *text_time(struct table_printer *table, char *out, uint64_t ts_ns)
{
	char *start = out;

	if (!table->started) {
		table->started = true;
		table->start_ns = ts_ns;
	}
	out = text_seconds(out, (int64_t)(ts_ns / 1000) - (int64_t)(table->start_ns / 1000));
	return text_pad(start, out, 9);
}

static char *text_comm(char *out, const char *comm)
{
	size_t length = escape_untrusted(out, comm, COMM_SHOWN);

	return text_pad(out, out + length, COMM_SHOWN);
}

/* Color around what takes width, the blanks that fill the column behind it. */
static char *text_colored(char *out, const char *color, const char *text, size_t length,
			  size_t width)
{
	if (color)
		out = text_string(out, color);
	memcpy(out, text, length);
	out += length;
	if (color)
		out = text_string(out, COLOR_END);
	return length < width ? text_pad(out, out, width - length) : out;
}

/* LAT(ms) and RESULT, the latter without blanks behind it when it ends the line. */
static char *text_outcome(const struct table_printer *table, char *out,
			  const struct connect_record *record)
{
	bool slow = record->latency_ns >= SLOW_CONNECT_NS;
	char text[RESULT_MAX + MILLIS_MAX];
	size_t length = 1;

	if (record->outcome == OUTCOME_NONE)
		text[0] = '-';
	else
		length = (size_t)(text_millis(text, record->latency_ns) - text);
	out = text_colored(out, table->color && slow ? COLOR_YELLOW : NULL, text, length,
			   LATENCY_WIDTH);
	*out++ = ' ';
	length = (size_t)(text_result(text, record->outcome, record->error) - text);
	out = text_colored(out, table->color ? result_color(record->outcome) : NULL, text, length,
			   table->columns.dns ? RESULT_WIDTH : 0);
	if (table->columns.dns)
		*out++ = ' ';
	return out;
}

static bool is_loopback(const struct connect_record *record)
{
	static const __u8 ipv4[4] = {127, 0, 0, 1};
	static const __u8 ipv6[16] = {[15] = 1};

	return record->family == 6 ? memcmp(record->daddr, ipv6, sizeof(ipv6)) == 0
				   : memcmp(record->daddr, ipv4, sizeof(ipv4)) == 0;
}

static void put_query(const struct table_printer *table, const struct connect_record *record,
		      const struct dns_label *label)
{
	struct sink *sink = table->sink;
	uint64_t age_us;
	char *start, *out;

	if (!label || !label->query) {
		put_string(sink, is_loopback(record) ? "localhost" : "No DNS Query");
		return;
	}
	put_string(sink, label->query);
	age_us = label->age_ns / 1000;
	if (age_us <= AGE_SHOWN)
		return;
	start = sink_reserve(sink, DECIMAL_MAX + sizeof(" (.000ms)") + COLOR_ROOM);
	out = start;
	*out++ = ' ';
	if (table->color)
		out = text_string(out, COLOR_YELLOW);
	*out++ = '(';
	out = text_decimal(out, age_us / 1000);
	*out++ = '.';
	out = text_3_digits(out, age_us % 1000);
	out = text_string(out, "ms)");
	if (table->color)
		out = text_string(out, COLOR_END);
	sink_commit(sink, (size_t)(out - start));
}

void table_connect(struct table_printer *table, const struct connect_record *record,
		   const struct dns_label *label)
{
	const struct columns *columns = &table->columns;
	char *start = sink_reserve(table->sink, LINE_ROOM);
	char *out = start;

	if (columns->time) {
		out = wall_clock_local(table->clock, out, record->head.ts_ns);
		*out++ = ' ';
	}
	/* As in bcc's table, no blank parts TIME(s) and UID from what follows. */
	if (columns->timestamp)
		out = text_time(table, out, record->head.ts_ns);
	if (columns->print_uid)
		out = text_decimal_padded(out, record->uid, 6);
	out = text_decimal_padded(out, record->head.tgid, 7);
	*out++ = ' ';
	out = text_comm(out, record->comm);
	*out++ = ' ';
	out = text_decimal_padded(out, record->family, 2);
	*out++ = ' ';
	out = text_address_padded(out, record->family, record->saddr, 16);
	*out++ = ' ';
	if (columns->lport) {
		out = text_decimal_padded(out, record->lport, 6);
		*out++ = ' ';
	}
	out = text_address_padded(out, record->family, record->daddr, 16);
	*out++ = ' ';
	out = text_decimal_padded(out, record->dport, 6);
	*out++ = ' ';
	if (columns->result)
		out = text_outcome(table, out, record);
	sink_commit(table->sink, (size_t)(out - start));
	if (columns->dns)
		put_query(table, record, label);
	sink_put(table->sink, "\n", 1);
}
