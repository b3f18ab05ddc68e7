/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Written straight into the sink. A library that builds the object first (jansson) and
 * then prints it takes several times as long; tests/bench/bench-json has the figures.
 */
#include "output/json.h"
#include "output/result.h"
#include "output/text.h"
#include "output/utf8.h"

#define QUERY_SHOWN 4096

static const char hex[] = "0123456789abcdef";

/* The name of a member and what stands before it. The literal's length is a constant. */
#define NEXT(out, name)                text_string(out, ",\"" name "\":")
#define NEXT_NUMBER(out, name, number) text_decimal(NEXT(out, name), number)

static char *text_unit(char *out, unsigned int unit)
{
	*out++ = '\\';
	*out++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*out++ = hex[unit >> shift & 15];
	return out;
}

/* RFC 8259, section 7: above U+FFFF as a surrogate pair. */
static char *text_escaped(char *out, uint32_t character)
{
	if (character < 0x10000)
		return text_unit(out, character);
	character -= 0x10000;
	out = text_unit(out, 0xd800 | character >> 10);
	return text_unit(out, 0xdc00 | (character & 0x3ff));
}

/* A character that is not plain ASCII, at the start of text. Returns how many bytes it took. */
static size_t put_special(char **out, const char *text, size_t size, bool *valid)
{
	unsigned char byte = (unsigned char)text[0];
	uint32_t character;
	size_t length;

	if (byte == '"' || byte == '\\') {
		*(*out)++ = '\\';
		*(*out)++ = text[0];
		return 1;
	}
	if (byte < 0x80) {
		*out = text_unit(*out, byte);
		return 1;
	}
	length = utf8_read(text, size, &character);
	if (!length) {
		*valid = false;
		*out = text_unit(*out, 0xfffd);
		return 1;
	}
	if (utf8_printable(character)) {
		memcpy(*out, text, length);
		*out += length;
	} else {
		*out = text_escaped(*out, character);
	}
	return length;
}

/*
 * Up to size bytes, or to the first NUL, in quotes: at most 6 * size + 2 bytes. *valid
 * becomes false when some are not UTF-8.
 */
static char *text_quoted(char *out, const char *text, size_t size, bool *valid)
{
	size_t i = 0;

	*out++ = '"';
	while (i < size && text[i]) {
		unsigned char byte = (unsigned char)text[i];

		if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
			*out++ = text[i++];
			continue;
		}
		i += put_special(&out, text + i, size - i, valid);
	}
	*out++ = '"';
	return out;
}

static char *text_comm(char *out, const char *comm)
{
	bool valid = true;

	out = text_quoted(NEXT(out, "comm"), comm, COMM_SIZE, &valid);
	if (valid)
		return out;
	out = text_string(NEXT(out, "comm_hex"), "\"");
	for (size_t i = 0; i < COMM_SIZE && comm[i]; i++) {
		*out++ = hex[(unsigned char)comm[i] >> 4];
		*out++ = hex[comm[i] & 15];
	}
	*out++ = '"';
	return out;
}

static char *text_quoted_address(char *out, unsigned int family, const uint8_t *address)
{
	*out++ = '"';
	out = text_address(out, family, address);
	*out++ = '"';
	return out;
}

/* "time":"..." at the start of an object. */
static char *text_start(const struct json_printer *json, char *out, uint64_t ts_ns)
{
	out = text_string(out, "{\"time\":\"");
	out = wall_clock_utc(json->clock, out, ts_ns);
	*out++ = '"';
	return out;
}

static char *text_outcome(char *out, unsigned int outcome, int error)
{
	out = NEXT(out, "result");
	if (outcome == OUTCOME_NONE) {
		out = text_string(out, "null");
	} else {
		*out++ = '"';
		out = text_result(out, outcome, error);
		*out++ = '"';
	}
	return NEXT_NUMBER(out, "errno", error > 0 ? (unsigned int)error : 0);
}

static const char *source_of(enum dns_tie tie)
{
	switch (tie) {
	case DNS_TIE_PROCESS:
		return ",\"source\":\"process\"}";
	case DNS_TIE_NAMESPACE:
		return ",\"source\":\"namespace\"}";
	default: /* the weakest; DNS_TIE_NONE names nothing */
		return ",\"source\":\"latest\"}";
	}
}

static char *text_dns(char *out, const struct dns_label *label, size_t query_length)
{
	bool valid = true;

	out = NEXT(out, "dns");
	if (!label || !label->query)
		return text_string(out, "null");
	out = text_string(out, "{\"query\":");
	out = text_quoted(out, label->query, query_length, &valid);
	out = NEXT(out, "age_ms");
	out = label->age_unknown ? text_string(out, "null") : text_millis_exact(out, label->age_ns);
	return text_string(out, source_of(label->tie));
}

static char *text_process(char *out, const struct connect_record *record)
{
	out = NEXT_NUMBER(out, "pid", record->head.tgid);
	out = NEXT_NUMBER(out, "tid", record->tid);
	out = NEXT_NUMBER(out, "ppid", record->ppid);
	out = NEXT_NUMBER(out, "uid", record->uid);
	out = NEXT_NUMBER(out, "gid", record->gid);
	return text_comm(out, record->comm);
}

static char *text_socket(char *out, const struct connect_record *record)
{
	out = NEXT_NUMBER(out, "family", record->family);
	out = text_quoted_address(NEXT(out, "saddr"), record->family, record->saddr);
	out = NEXT_NUMBER(out, "lport", record->lport);
	out = text_quoted_address(NEXT(out, "daddr"), record->family, record->daddr);
	return NEXT_NUMBER(out, "dport", record->dport);
}

static char *text_place(char *out, const struct connect_record *record)
{
	out = NEXT_NUMBER(out, "netns", record->netns);
	out = NEXT_NUMBER(out, "mntns", record->mntns);
	return NEXT_NUMBER(out, "cgroup_id", record->cgroup_id);
}

void json_connect(const struct json_printer *json, const struct connect_record *record,
		  const struct dns_label *label)
{
	size_t query = 0;
	char *start, *out;

	if (json->dns && label && label->query)
		query = strnlen(label->query, QUERY_SHOWN);
	start = sink_reserve(json->sink, JSON_LINE_MAX + 6 * query);
	out = text_start(json, start, record->head.ts_ns);
	out = NEXT_NUMBER(out, "ts_us", record->head.ts_ns / 1000);
	out = text_process(out, record);
	out = text_socket(out, record);
	out = text_place(out, record);
	if (json->dns)
		out = text_dns(out, label, query);
	if (json->result) {
		out = text_millis_exact(NEXT(out, "latency_ms"), record->latency_ns);
		out = text_outcome(out, record->outcome, record->error);
		if (record->outcome == OUTCOME_PENDING) /* the socket is not asked any more */
			out = text_string(NEXT(out, "syn_retransmits"), "null");
		else
			out = NEXT_NUMBER(out, "syn_retransmits", record->syn_retransmits);
	}
	out = text_string(out, "}\n");
	sink_commit(json->sink, (size_t)(out - start));
}

void json_lost(const struct json_printer *json, uint64_t ts_ns, const struct json_losses *losses,
	       bool total)
{
	char *start = sink_reserve(json->sink, JSON_LINE_MAX);
	char *out = text_start(json, start, ts_ns);

	out = text_string(NEXT(out, "lost"), "{\"total\":");
	out = text_string(out, total ? "true" : "false");
	out = NEXT_NUMBER(out, "buffer_full", losses->buffer_full);
	out = NEXT_NUMBER(out, "table_full", losses->table_full);
	out = NEXT_NUMBER(out, "return_missed", losses->return_missed);
	out = NEXT_NUMBER(out, "counts_full", losses->counts_full);
	out = NEXT_NUMBER(out, "answers_buffer_full", losses->answers_buffer_full);
	out = NEXT_NUMBER(out, "answers_unreadable", losses->answers_unreadable);
	out = NEXT_NUMBER(out, "answers_no_memory", losses->answers_no_memory);
	out = NEXT_NUMBER(out, "records_invalid", losses->records_invalid);
	out = NEXT_NUMBER(out, "records_no_memory", losses->records_no_memory);
	out = NEXT_NUMBER(out, "probes_skipped", losses->probes_skipped);
	out = text_string(out, "}}\n");
	sink_commit(json->sink, (size_t)(out - start));
}

static void put_flow(const struct json_printer *json, uint64_t ts_ns, uint64_t interval_ns,
		     const struct flow_count *flow)
{
	const struct flow_key *key = &flow->key;
	char *start = sink_reserve(json->sink, JSON_LINE_MAX);
	char *out = text_start(json, start, ts_ns);

	out = text_millis_exact(NEXT(out, "interval_ms"), interval_ns);
	out = NEXT_NUMBER(out, "family", key->family);
	out = text_quoted_address(NEXT(out, "saddr"), key->family, key->saddr);
	out = text_quoted_address(NEXT(out, "daddr"), key->family, key->daddr);
	out = NEXT_NUMBER(out, "dport", key->dport);
	if (json->result)
		out = text_outcome(out, key->outcome, key->error);
	out = NEXT_NUMBER(out, "connects", flow->connects);
	out = text_string(out, "}\n");
	sink_commit(json->sink, (size_t)(out - start));
}

void json_counts(const struct json_printer *json, uint64_t ts_ns, uint64_t interval_ns,
		 const struct flow_count *flows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_flow(json, ts_ns, interval_ns, &flows[i]);
}
