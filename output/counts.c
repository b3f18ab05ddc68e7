/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include "output/printer.h"
#include "output/result.h"
#include "output/text.h"

#define LINE_ROOM (2 * (ADDRESS_MAX + 1) + 21 + DECIMAL_MAX + 1 + RESULT_MAX + COLOR_ROOM + 1)

static int compare(const void *left, const void *right)
{
	const struct flow_count *a = *(const struct flow_count *const *)left;
	const struct flow_count *b = *(const struct flow_count *const *)right;

	if (a->key.family != b->key.family)
		return a->key.family < b->key.family ? -1 : 1;
	if (a->connects != b->connects)
		return a->connects > b->connects ? -1 : 1;
	/* qsort(3) promises nothing about ties; both point into one array. */
	return a < b ? -1 : a > b;
}

static char *text_flow_result(char *out, const struct flow_key *key, bool colored)
{
	const char *color = colored ? result_color(key->outcome) : NULL;

	if (color)
		out = text_string(out, color);
	out = text_result(out, key->outcome, key->error);
	return color ? text_string(out, COLOR_END) : out;
}

static void print_flow(const struct counts_printer *counts, const struct flow_count *flow)
{
	char *start = sink_reserve(counts->sink, LINE_ROOM);
	char *out = start;

	out = text_address_padded(out, flow->key.family, flow->key.saddr, 25);
	*out++ = ' ';
	out = text_address_padded(out, flow->key.family, flow->key.daddr, 25);
	*out++ = ' ';
	out = text_decimal_padded(out, flow->key.dport, 20);
	*out++ = ' ';
	out = text_decimal_padded(out, flow->connects, 10);
	if (counts->result) {
		*out++ = ' ';
		out = text_flow_result(out, &flow->key, counts->color);
	}
	*out++ = '\n';
	sink_commit(counts->sink, (size_t)(out - start));
}

static void put_time(const struct counts_printer *counts)
{
	char *start = sink_reserve(counts->sink, LOCAL_TIME_SIZE + 1);
	char *out = wall_clock_local(counts->clock, start, counts->ts_ns);

	*out++ = '\n';
	sink_commit(counts->sink, (size_t)(out - start));
}

int counts_print(const struct counts_printer *counts, const struct flow_count *flows, size_t count)
{
	static const char header[] = "LADDR                     RADDR                     "
				     "RPORT                CONNECTS  ";
	const struct flow_count **order = NULL;

	/* Pointers are sorted, not flows: a fifth of the bytes to move. */
	if (count) {
		order = calloc(count, sizeof(*order));
		if (!order)
			return -ENOMEM;
		for (size_t i = 0; i < count; i++)
			order[i] = &flows[i];
		qsort(order, count, sizeof(*order), compare);
	}
	sink_put(counts->sink, "\n", 1);
	if (counts->clock)
		put_time(counts);
	sink_put(counts->sink, header, sizeof(header) - 1);
	if (counts->result)
		sink_put(counts->sink, " RESULT", strlen(" RESULT"));
	sink_put(counts->sink, "\n", 1);
	for (size_t i = 0; i < count; i++)
		print_flow(counts, order[i]);
	free(order);
	return 0;
}
