/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include "output/result.h"

int show_init(struct show *show, const struct options *options, const volatile sig_atomic_t *stop,
	      struct error *error)
{
	bool color = options->color == COLOR_ALWAYS ||
		     (options->color == COLOR_AUTO && color_suits(STDOUT_FILENO));
	uint8_t seed[16];

	memset(show, 0, sizeof(*show));
	show->options = options;
	sink_init(&show->sink, STDOUT_FILENO);
	show->sink.stop = stop;
	wall_clock_start(&show->clock);
	show->table = (struct table_printer){
		.sink = &show->sink,
		.clock = &show->clock,
		.color = color,
		.columns = {.timestamp = options->timestamp,
			    .print_uid = options->print_uid,
			    .lport = options->lport,
			    .dns = options->dns,
			    .time = options->time,
			    .result = options->result},
	};
	show->json = (struct json_printer){
		.sink = &show->sink,
		.clock = &show->clock,
		.dns = options->dns,
		.result = options->result,
	};
	show->counts = (struct counts_printer){
		.sink = &show->sink,
		.result = options->result,
		.color = color,
		.clock = options->time ? &show->clock : NULL,
	};
	if (!options->dns)
		return 0;
	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return fail(error, "cannot get random bytes: %s", strerror(errno));
	show->names = dns_cache_new(options->dns_cache, options->dns_ttl_sec * 1000000000ull, seed);
	return show->names ? 0 : fail(error, "out of memory for the cache of names");
}

void show_free(struct show *show)
{
	dns_cache_free(show->names);
}

void show_begin(struct show *show)
{
	if (!show->options->json)
		banner_print(&show->sink);
	if (!show->options->json && !show->options->count)
		table_header(&show->table);
	sink_flush(&show->sink);
}

static void take_answer(struct show *show, const struct answer_record *record)
{
	struct dns_receiver receiver = {record->head.ts_ns, record->head.tgid, record->netns};
	size_t captured = record->captured - record->skip;
	struct dns_answer *answer = &show->answer;

	if (captured > record->length) /* a short packet is padded on Ethernet */
		captured = record->length;
	if (dns_parse(record->payload + record->skip, captured, record->length, answer) != DNS_OK)
		return;
	if (dns_cache_insert(show->names, answer->question.wire, answer->question.length,
			     answer->addresses, answer->count, &receiver))
		show->losses.names_no_memory++;
}

/* The answer that names a connect: what was known when the attempt began. */
static bool find_answer(struct show *show, const struct connect_record *record,
			struct dns_match *match)
{
	const struct dns_connector connector = {record->head.ts_ns - record->latency_ns,
						record->head.tgid, record->netns,
						record->process_ns};
	struct dns_address address = {.family = record->family};

	memcpy(address.bytes, record->daddr, sizeof(address.bytes));
	return dns_cache_lookup(show->names, &address, &connector, match);
}

/* The name that led to the connect, as text in the caller's room. */
static struct dns_label find_name(struct show *show, const struct connect_record *record,
				  char text[DNS_TEXT_SIZE])
{
	struct dns_match match;

	if (!show->names || !find_answer(show, record, &match))
		return (struct dns_label){.query = NULL};
	dns_name_text(text, match.wire, match.length);
	return (struct dns_label){text, match.age_ns, match.age_unknown, match.tie};
}

static void show_connect(struct show *show, const struct connect_record *record)
{
	char text[DNS_TEXT_SIZE];
	struct dns_label label;

	if (show->done)
		return;
	label = find_name(show, record, text);
	if (show->options->json)
		json_connect(&show->json, record, &label);
	else
		table_connect(&show->table, record, &label);
	show->lines++;
	show->done = show->options->lines && show->lines >= show->options->lines;
}

void show_record(void *arg, const struct record_head *head)
{
	struct show *show = arg;

	if (head->kind == RECORD_CONNECT)
		show_connect(show, (const void *)head);
	else if (show->names)
		take_answer(show, (const void *)head);
}

int show_counts(struct show *show, const struct flow_count *flows, size_t count, uint64_t ts_ns,
		uint64_t interval_ns, struct error *error)
{
	show->counts.ts_ns = ts_ns;
	if (show->options->json)
		json_counts(&show->json, ts_ns, interval_ns, flows, count);
	else if (counts_print(&show->counts, flows, count))
		return fail(error, "out of memory for the table of counts");
	sink_flush(&show->sink);
	return 0;
}

void show_losses(struct show *show, const struct tracing *tracing, uint64_t now_ns, bool total)
{
	losses_tell(&show->losses, tracing, show->options->json ? &show->json : NULL, now_ns,
		    total);
}
