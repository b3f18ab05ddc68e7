/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines: byte for byte, and each one read back by jansson. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <jansson.h>
#include "json-records.h"

static struct sink sink;
static struct wall_clock wall;

static int new_sink(void **state)
{
	(void)state;
	sink_init(&sink, -1);
	wall = (struct wall_clock){.offset_ns = 1700000000000000000};
	return 0;
}

/* What was printed since the last time. All of it is still in the buffer. */
static const char *printed(void)
{
	static char text[sizeof(sink.buffer) + 1];

	memcpy(text, sink.buffer, sink.used);
	text[sink.used] = '\0';
	sink.used = 0;
	assert_int_equal(sink.error, 0);
	return text;
}

static struct connect_record curl(void)
{
	struct connect_record record = {
		.head = {.ts_ns = 5000123999, .tgid = 1479},
		.cgroup_id = 4242,
		.latency_ns = 12345678,
		.tid = 1480,
		.ppid = 1,
		.uid = 1000,
		.gid = 100,
		.netns = 4026531840,
		.mntns = 4026531841,
		.lport = 49332,
		.dport = 443,
		.error = 111,
		.family = 4,
		.outcome = OUTCOME_ERROR,
		.syn_retransmits = 2,
		.saddr = {192, 0, 2, 1},
		.daddr = {192, 0, 2, 2},
		.comm = "curl",
	};

	return record;
}

#define CURL                                                                                       \
	"{\"time\":\"2023-11-14T22:13:25.000123Z\",\"ts_us\":5000123,\"pid\":1479,\"tid\":1480,"   \
	"\"ppid\":1,\"uid\":1000,\"gid\":100,\"comm\":\"curl\",\"family\":4,"                      \
	"\"saddr\":\"192.0.2.1\",\"lport\":49332,\"daddr\":\"192.0.2.2\",\"dport\":443,"           \
	"\"netns\":4026531840,\"mntns\":4026531841,\"cgroup_id\":4242"

static void connects(void **state)
{
	struct json_printer json = {.sink = &sink, .clock = &wall};
	struct dns_label label = {"www.example.com", 100000001, false, DNS_TIE_PROCESS},
			 none = {.age_ns = 7};
	struct connect_record record = curl();

	(void)state;
	json_connect(&json, &record, &label);
	assert_string_equal(printed(), CURL "}\n");
	json.dns = true;
	json_connect(&json, &record, NULL);
	assert_string_equal(printed(), CURL ",\"dns\":null}\n");
	json_connect(&json, &record, &none);
	assert_string_equal(printed(), CURL ",\"dns\":null}\n");
	json_connect(&json, &record, &label);
	assert_string_equal(printed(), CURL ",\"dns\":{\"query\":\"www.example.com\","
					    "\"age_ms\":100.000001,\"source\":\"process\"}}\n");
	label = (struct dns_label){"a\\.b.\\255", 0, false, DNS_TIE_NAMESPACE};
	json_connect(&json, &record, &label);
	assert_string_equal(printed(), CURL ",\"dns\":{\"query\":\"a\\\\.b.\\\\255\","
					    "\"age_ms\":0.000000,\"source\":\"namespace\"}}\n");
	label.tie = DNS_TIE_LATEST;
	json_connect(&json, &record, &label);
	assert_non_null(strstr(printed(), ",\"source\":\"latest\"}}\n"));
	json = (struct json_printer){.sink = &sink, .clock = &wall, .result = true};
	json_connect(&json, &record, &label);
	assert_string_equal(printed(), CURL ",\"latency_ms\":12.345678,\"result\":\"ECONNREFUSED\","
					    "\"errno\":111,\"syn_retransmits\":2}\n");
	json.dns = true;
	record.outcome = OUTCOME_OK;
	record.error = 0;
	json_connect(&json, &record, NULL);
	assert_string_equal(printed(), CURL ",\"dns\":null,\"latency_ms\":12.345678,"
					    "\"result\":\"OK\",\"errno\":0,"
					    "\"syn_retransmits\":2}\n");
	record.outcome = OUTCOME_NONE;
	json_connect(&json, &record, NULL);
	assert_non_null(strstr(printed(), ",\"result\":null,\"errno\":0,"));
}

static void check_comm(const char *comm, size_t size, const char *expected)
{
	struct json_printer json = {.sink = &sink, .clock = &wall};
	struct connect_record record = curl();
	char member[256];

	memset(record.comm, 0, sizeof(record.comm));
	memcpy(record.comm, comm, size);
	json_connect(&json, &record, NULL);
	snprintf(member, sizeof(member), ",\"comm\":%s,\"family\":4,", expected);
	if (!strstr(printed(), member))
		fail_msg("not in the line: %s", member);
}

static void comms(void **state)
{
	(void)state;
	check_comm("", 0, "\"\"");
	check_comm("0123456789abcdef", 16, "\"0123456789abcdef\"");
	check_comm("a\0b", 3, "\"a\"");
	check_comm("\"\\/", 3, "\"\\\"\\\\/\"");
	check_comm("\1\t\n\r\x1b\x1f \x7f", 8,
		   "\"\\u0001\\u0009\\u000a\\u000d\\u001b\\u001f \\u007f\"");
	check_comm("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9,
		   "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
	/* UTF-8, but not for a terminal: C1, bidirectional override, tag, U+FFFD itself */
	check_comm("\xc2\x9b", 2, "\"\\u009b\"");
	check_comm("\xe2\x80\xae", 3, "\"\\u202e\"");
	check_comm("\xf3\xa0\x81\x81", 4, "\"\\udb40\\udc41\"");
	check_comm("\xf4\x8f\xbf\xbf", 4, "\"\\udbff\\udfff\"");
	check_comm("\xef\xbf\xbd", 3, "\"\\ufffd\"");
	/* not UTF-8: cut, overlong, surrogate, too large, stray continuation */
	check_comm("a\xc3", 2, "\"a\\ufffd\",\"comm_hex\":\"61c3\"");
	check_comm("\xc0\x80", 2, "\"\\ufffd\\ufffd\",\"comm_hex\":\"c080\"");
	check_comm("\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\",\"comm_hex\":\"eda080\"");
	check_comm("\xf4\x90\x80\x80", 4,
		   "\"\\ufffd\\ufffd\\ufffd\\ufffd\",\"comm_hex\":\"f4908080\"");
	check_comm("\x80\xc3\xa4", 3, "\"\\ufffd\xc3\xa4\",\"comm_hex\":\"80c3a4\"");
	/* the last byte that the kernel keeps is the first of a character */
	check_comm("0123456789abcde\xc3", 16,
		   "\"0123456789abcde\\ufffd\",\"comm_hex\":\"303132333435363738396162636465c3\"");
}

/* One line, no byte that moves a terminal's cursor, read by jansson. */
static json_t *read_line(const char *text)
{
	size_t length = strlen(text);
	json_error_t error;
	json_t *object;

	assert_true(length > 0 && length < JSON_LINE_MAX + 6 * 256);
	assert_ptr_equal(strchr(text, '\n'), text + length - 1);
	for (size_t i = 0; i + 1 < length; i++)
		assert_true((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
	object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		fail_msg("%s at %d: %s", error.text, error.position, text);
	return object;
}

static void assert_number(json_t *object, const char *name, uint64_t expected)
{
	json_t *number = json_object_get(object, name);

	if (!json_is_integer(number) || (uint64_t)json_integer_value(number) != expected)
		fail_msg("%s", name);
}

static void assert_string(json_t *object, const char *name, const char *expected)
{
	assert_true(json_is_string(json_object_get(object, name)));
	assert_string_equal(json_string_value(json_object_get(object, name)), expected);
}

static void assert_millis(json_t *object, const char *name, uint64_t ns)
{
	json_t *number = json_object_get(object, name);

	assert_true(json_is_real(number));
	/* as near as a double gets to it */
	if (fabs(json_real_value(number) - (double)ns / 1e6) > (double)ns / 1e6 * 1e-15)
		fail_msg("%s: %f from %lu", name, json_real_value(number), ns);
}

/* The name's bytes come back, whatever they were. */
static void assert_comm(json_t *object, const char *comm)
{
	const char *string = json_string_value(json_object_get(object, "comm"));
	const char *hex = json_string_value(json_object_get(object, "comm_hex"));
	size_t length = strnlen(comm, COMM_SIZE);

	assert_non_null(string);
	if (!hex) {
		assert_int_equal(strlen(string), length);
		assert_memory_equal(string, comm, length);
		return;
	}
	assert_int_equal(strlen(hex), 2 * length);
	assert_non_null(strstr(string, "\xef\xbf\xbd"));
	for (size_t i = 0; i < length; i++) {
		unsigned int byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		assert_int_equal(byte, (unsigned char)comm[i]);
	}
}

static void check_members(json_t *object, const struct connect_record *record)
{
	int domain = record->family == 6 ? AF_INET6 : AF_INET;
	char address[INET6_ADDRSTRLEN];

	assert_number(object, "ts_us", record->head.ts_ns / 1000);
	assert_number(object, "pid", record->head.tgid);
	assert_number(object, "tid", record->tid);
	assert_number(object, "ppid", record->ppid);
	assert_number(object, "uid", record->uid);
	assert_number(object, "gid", record->gid);
	assert_number(object, "family", record->family);
	assert_string(object, "saddr", inet_ntop(domain, record->saddr, address, sizeof(address)));
	assert_number(object, "lport", record->lport);
	assert_string(object, "daddr", inet_ntop(domain, record->daddr, address, sizeof(address)));
	assert_number(object, "dport", record->dport);
	assert_number(object, "netns", record->netns);
	assert_number(object, "mntns", record->mntns);
	assert_number(object, "cgroup_id", record->cgroup_id);
	assert_millis(object, "latency_ms", record->latency_ns);
	assert_number(object, "errno", (uint64_t)record->error);
	if (record->outcome == OUTCOME_PENDING)
		assert_true(json_is_null(json_object_get(object, "syn_retransmits")));
	else
		assert_number(object, "syn_retransmits", record->syn_retransmits);
	assert_comm(object, record->comm);
}

static void random_records(void **state)
{
	struct json_printer json = {.sink = &sink, .clock = &wall, .dns = true, .result = true};

	(void)state;
	for (int i = 0; i < 30000; i++) {
		struct connect_record record;
		struct dns_label label;
		json_t *object, *dns;
		char name[256];

		random_record(&record);
		random_label(&label, name);
		record.cgroup_id >>= 1; /* jansson's integers are signed */
		json_connect(&json, &record, &label);
		object = read_line(printed());
		check_members(object, &record);
		dns = json_object_get(object, "dns");
		if (label.query) {
			assert_string(dns, "query", label.query);
			if (label.age_unknown)
				assert_true(json_is_null(json_object_get(dns, "age_ms")));
			else
				assert_millis(dns, "age_ms", label.age_ns);
		} else {
			assert_true(json_is_null(dns));
		}
		json_decref(object);
	}
}

/* Every pair of bytes as a name. */
static void any_two_bytes(void **state)
{
	struct json_printer json = {.sink = &sink, .clock = &wall};
	struct connect_record record = curl();

	(void)state;
	for (int first = 1; first < 256; first++) {
		for (int second = 1; second < 256; second++) {
			json_t *object;

			record.comm[0] = (char)first;
			record.comm[1] = (char)second;
			record.comm[2] = '\0';
			json_connect(&json, &record, NULL);
			object = read_line(printed());
			assert_comm(object, record.comm);
			json_decref(object);
		}
	}
}

/* A record that no kernel sends still gives one line, and no longer one than there is room for. */
static void widest(void **state)
{
	struct json_printer json = {.sink = &sink, .clock = &wall, .dns = true, .result = true};
	struct dns_label label = {"", UINT64_MAX, false, DNS_TIE_NAMESPACE};
	struct connect_record record;
	struct flow_count flow;
	const char *text;

	(void)state;
	memset(&record, 0xff, sizeof(record));
	json_connect(&json, &record, &label);
	text = printed();
	assert_true(strlen(text) < JSON_LINE_MAX);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_non_null(strstr(text, ",\"cgroup_id\":18446744073709551615,"));
	assert_non_null(strstr(text, ",\"result\":\"-\",\"errno\":0,"));
	record.family = 6;
	memset(record.saddr, 0, sizeof(record.saddr));
	memset(record.saddr, 0x11, 12);
	record.outcome = OUTCOME_ERROR;
	json_connect(&json, &record, &label);
	text = printed();
	assert_true(strlen(text) < JSON_LINE_MAX);
	assert_non_null(strstr(text, ",\"result\":\"ERRNO65535\",\"errno\":0,"));
	memset(&flow, 0xff, sizeof(flow));
	json_counts(&json, UINT64_MAX, UINT64_MAX, &flow, 1);
	assert_true(strlen(printed()) < JSON_LINE_MAX);
	json_lost(&json, UINT64_MAX,
		  &(struct json_losses){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
					UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
		  false);
	assert_true(strlen(printed()) < JSON_LINE_MAX);
}

/* No name of the DNS room is so; if one were, it could not break the line. */
static void hostile_query(void **state)
{
	struct json_printer json = {.sink = &sink, .clock = &wall, .dns = true};
	struct dns_label label = {"\"}\n\xff\x1b[m", 0, false, DNS_TIE_LATEST};
	struct connect_record record = curl();
	static char name[5001];
	const char *text;
	json_t *object;

	(void)state;
	json_connect(&json, &record, &label);
	object = read_line(printed());
	assert_string(json_object_get(object, "dns"), "query", "\"}\n\xef\xbf\xbd\x1b[m");
	json_decref(object);
	memset(name, '\1', sizeof(name) - 1);
	label.query = name;
	for (int i = 0; i < 5; i++) {
		json_connect(&json, &record, &label);
		text = printed();
		object = json_loads(text, 0, NULL);
		assert_non_null(object);
		name[4096] = '\0';
		assert_string(json_object_get(object, "dns"), "query", name);
		name[4096] = '\1';
		json_decref(object);
	}
}

static void losses(void **state)
{
	struct json_printer json = {.sink = &sink, .clock = &wall, .result = true};
	struct json_losses lost = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

	(void)state;
	json_lost(&json, 5000000000, &lost, false);
	assert_string_equal(printed(),
			    "{\"time\":\"2023-11-14T22:13:25.000000Z\",\"lost\":{\"total\":false,"
			    "\"buffer_full\":1,\"table_full\":2,\"return_missed\":3,"
			    "\"counts_full\":4,\"answers_buffer_full\":5,\"answers_unreadable\":6,"
			    "\"answers_no_memory\":7,\"records_invalid\":8,"
			    "\"records_no_memory\":9,\"probes_skipped\":10}}\n");
	json_lost(&json, 5000000000, &lost, true);
	assert_non_null(strstr(printed(), "\"lost\":{\"total\":true,"));
}

static void counts(void **state)
{
	struct json_printer json = {.sink = &sink, .clock = &wall};
	struct flow_count flows[] = {
		{{.saddr = {192, 0, 2, 1}, .daddr = {192, 0, 2, 2}, .dport = 80, .family = 4}, 7},
		{{.saddr = {[15] = 1},
		  .daddr = {[15] = 1},
		  .dport = 65535,
		  .family = 6,
		  .outcome = OUTCOME_ERROR,
		  .error = 110},
		 UINT64_MAX},
	};
	json_t *object;

	(void)state;
	json_counts(&json, 5000000000, 1000000001, flows, 2);
	assert_string_equal(printed(),
			    "{\"time\":\"2023-11-14T22:13:25.000000Z\",\"interval_ms\":1000.000001,"
			    "\"family\":4,\"saddr\":\"192.0.2.1\",\"daddr\":\"192.0.2.2\","
			    "\"dport\":80,\"connects\":7}\n"
			    "{\"time\":\"2023-11-14T22:13:25.000000Z\",\"interval_ms\":1000.000001,"
			    "\"family\":6,\"saddr\":\"::1\",\"daddr\":\"::1\",\"dport\":65535,"
			    "\"connects\":18446744073709551615}\n");
	json_counts(&json, 5000000000, 1000000001, flows, 0);
	assert_string_equal(printed(), "");
	json.result = true;
	json_counts(&json, 5000000000, 1000000001, flows, 1);
	assert_non_null(
		strstr(printed(), "\"dport\":80,\"result\":null,\"errno\":0,\"connects\":7}\n"));
	flows[1].connects = 3;
	json_counts(&json, 5000000000, 1000000001, flows + 1, 1);
	object = read_line(printed());
	assert_string(object, "result", "ETIMEDOUT");
	assert_number(object, "errno", 110);
	assert_number(object, "connects", 3);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(connects, new_sink),
		cmocka_unit_test_setup(comms, new_sink),
		cmocka_unit_test_setup(random_records, new_sink),
		cmocka_unit_test_setup(any_two_bytes, new_sink),
		cmocka_unit_test_setup(widest, new_sink),
		cmocka_unit_test_setup(hostile_query, new_sink),
		cmocka_unit_test_setup(losses, new_sink),
		cmocka_unit_test_setup(counts, new_sink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
