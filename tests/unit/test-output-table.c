/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table and the counts, byte for byte. Lines in quotes were made by Python 3.11
 * with the format strings of Debian's tcpconnect-bpfcc 0.26.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/resource.h>
#include <cmocka.h>
#include "output/printer.h"

static struct sink sink;

static int new_sink(void **state)
{
	(void)state;
	sink_init(&sink, -1);
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

static struct connect_record make_record(int family, const char *saddr, const char *daddr)
{
	struct connect_record record = {.family = (__u8)family};
	int domain = family == 6 ? AF_INET6 : AF_INET;

	assert_int_equal(inet_pton(domain, saddr, record.saddr), 1);
	assert_int_equal(inet_pton(domain, daddr, record.daddr), 1);
	return record;
}

static struct connect_record telnet(void)
{
	struct connect_record record = make_record(4, "127.0.0.1", "127.0.0.1");

	record.head.ts_ns = 5000000999;
	record.head.tgid = 1479;
	record.lport = 49332;
	record.dport = 23;
	strcpy(record.comm, "telnet");
	return record;
}

/* The widest of everything in IPv4. */
static struct connect_record resolver(void)
{
	struct connect_record record = make_record(4, "255.255.255.255", "203.0.113.249");

	record.head.ts_ns = 5012345678000;
	record.head.tgid = 4194304;
	record.uid = 4294967294;
	record.lport = 65535;
	record.dport = 65535;
	strcpy(record.comm, "systemd-resolve");
	return record;
}

static struct connect_record ipv6(void)
{
	struct connect_record record =
		make_record(6, "::", "2001:db8:1234:5678:9abc:def0:1234:5678");

	record.head.ts_ns = 5000500000;
	record.head.tgid = 7;
	record.uid = 1000;
	record.dport = 443;
	strcpy(record.comm, "x");
	return record;
}

static void banner(void **state)
{
	(void)state;
	banner_print(&sink);
	assert_string_equal(printed(), "Tracing connect ... Hit Ctrl-C to end\n");
}

static void headers(void **state)
{
	struct table_printer table = {.sink = &sink};

	(void)state;
	table_header(&table);
	assert_string_equal(printed(),
			    "PID     COMM         IP SADDR            DADDR            DPORT \n");
	table.columns.lport = true;
	table_header(&table);
	assert_string_equal(printed(), "PID     COMM         IP SADDR            LPORT  "
				       "DADDR            DPORT \n");
	table.columns = (struct columns){.dns = true};
	table_header(&table);
	assert_string_equal(printed(), "PID     COMM         IP SADDR            "
				       "DADDR            DPORT  QUERY\n");
	table.columns = (struct columns){true, true, true, true, false, false};
	table_header(&table);
	assert_string_equal(printed(), "TIME(s)  UID   PID     COMM         IP SADDR            "
				       "LPORT  DADDR            DPORT  QUERY\n");
}

static void plain_lines(void **state)
{
	struct table_printer table = {.sink = &sink};
	struct connect_record record = telnet();

	(void)state;
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), "1479    telnet       4  127.0.0.1        127.0.0.1        "
				       "23     \n");
	record = resolver();
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), "4194304 systemd-reso 4  255.255.255.255  203.0.113.249    "
				       "65535  \n");
	record = ipv6();
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), "7       x            6  ::               "
				       "2001:db8:1234:5678:9abc:def0:1234:5678 443    \n");
}

static void all_columns(void **state)
{
	struct table_printer table = {.sink = &sink,
				      .columns = {true, true, true, true, false, false}};
	struct connect_record record = telnet();

	(void)state;
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(),
			    "0.000    0     1479    telnet       4  127.0.0.1        49332  "
			    "127.0.0.1        23     localhost\n");
	record = ipv6();
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), "0.001    1000  7       x            6  ::               "
				       "0      2001:db8:1234:5678:9abc:def0:1234:5678 443    "
				       "No DNS Query\n");
	record = resolver();
	table_connect(&table, &record, NULL);
	assert_string_equal(printed(), "5007.346 42949672944194304 systemd-reso 4  "
				       "255.255.255.255  65535  203.0.113.249    65535  "
				       "No DNS Query\n");
}

/* 5,000,000,999 ns is 5,000,000 us, as bcc cuts it: what follows counts from there. */
static void time_counts_cut_microseconds(void **state)
{
	struct table_printer table = {.sink = &sink, .columns = {.timestamp = true}};
	struct connect_record record = telnet();

	(void)state;
	table_connect(&table, &record, NULL);
	assert_memory_equal(printed(), "0.000    1479", 13);
	/* 501 us after the cut start, but 500.002 us after the start itself */
	record.head.ts_ns = 5000501001;
	table_connect(&table, &record, NULL);
	assert_memory_equal(printed(), "0.001    1479", 13);
	/* 1,499 us after the cut start */
	record.head.ts_ns = 5001499999;
	table_connect(&table, &record, NULL);
	assert_memory_equal(printed(), "0.001    1479", 13);
	/* one that comes late is before the first */
	record.head.ts_ns = 4000000000;
	table_connect(&table, &record, NULL);
	assert_memory_equal(printed(), "-1.000   1479", 13);
}

static void check_query(const char *expected, const struct connect_record *record,
			const struct dns_label *label)
{
	struct table_printer table = {.sink = &sink, .columns = {.dns = true}};
	const char *text, *query;

	table_connect(&table, record, label);
	text = printed();
	query = strstr(text, " 23     ");
	assert_non_null(query);
	assert_string_equal(query + 8, expected);
}

static void queries(void **state)
{
	struct connect_record there = make_record(4, "192.0.2.1", "192.0.2.2");
	struct connect_record local = telnet();
	struct connect_record local6 = make_record(6, "::1", "::1");
	struct connect_record other = make_record(4, "192.0.2.1", "127.0.0.2");
	struct connect_record not_local6 = make_record(6, "::1", "7f00:1::1");
	struct dns_label none = {.query = NULL, .age_ns = 200000000};
	struct dns_label name = {.query = "www.example.com"};

	(void)state;
	there.dport = local6.dport = other.dport = not_local6.dport = 23;
	check_query("No DNS Query\n", &there, NULL);
	check_query("No DNS Query\n", &there, &none);
	check_query("localhost\n", &local, NULL);
	check_query("localhost\n", &local, &none);
	check_query("localhost\n", &local6, NULL);
	check_query("No DNS Query\n", &other, NULL);
	check_query("No DNS Query\n", &not_local6, NULL);
	check_query("www.example.com\n", &there, &name);
	check_query("www.example.com\n", &local, &name);
	name.age_ns = 100000000;
	check_query("www.example.com\n", &there, &name);
	/* bcc's clock has microseconds */
	name.age_ns = 100000999;
	check_query("www.example.com\n", &there, &name);
	name.age_ns = 100001000;
	check_query("www.example.com (100.001ms)\n", &there, &name);
	name.age_ns = 123456789;
	check_query("www.example.com (123.456ms)\n", &there, &name);
	name.age_ns = 86400000000000 * 3 + 5000;
	check_query("www.example.com (259200000.005ms)\n", &there, &name);
	name.age_ns = UINT64_MAX;
	check_query("www.example.com (18446744073709.551ms)\n", &there, &name);
}

static void no_query_unless_asked(void **state)
{
	struct table_printer table = {.sink = &sink};
	struct dns_label name = {.query = "www.example.com"};
	struct connect_record record = telnet();

	(void)state;
	table_connect(&table, &record, &name);
	assert_null(strstr(printed(), "www"));
}

static void check_comm(const char *expected, const char *comm, size_t size)
{
	struct table_printer table = {.sink = &sink};
	struct connect_record record = telnet();
	const char *text;

	memset(record.comm, 0, sizeof(record.comm));
	memcpy(record.comm, comm, size);
	table_connect(&table, &record, NULL);
	text = printed();
	assert_memory_equal(text, "1479    ", 8);
	assert_memory_equal(text + 8, expected, strlen(expected));
	assert_string_equal(text + 8 + strlen(expected),
			    " 4  127.0.0.1        127.0.0.1        23     \n");
}

static void comms(void **state)
{
	(void)state;
	check_comm("            ", "", 0);
	check_comm("(sd-pam)    ", "(sd-pam)", 8);
	check_comm("a b  c      ", "a b  c", 6);
	check_comm("123456789012", "123456789012", 12);
	check_comm("123456789012", "1234567890123456", 16);
	check_comm("a           ", "a\0hidden", 8);
	check_comm("\\x1b[2J     ", "\033[2J", 4);
	check_comm("a\\x0ab      ", "a\nb", 3);
	check_comm("\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01",
		   "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", 16);
	/* padded by bytes, as bcc does; a character cut by the 12th byte is not whole */
	check_comm("\xc3\xa4          ", "\xc3\xa4", 2);
	check_comm("12345678901\\xc3", "12345678901\xc3\xa4", 13);
}

/* Many records against printf with bcc's formats. */
static void like_printf(void **state)
{
	(void)state;
	srandom(1);
	for (int i = 0; i < 50000; i++) {
		struct table_printer table = {.sink = &sink,
					      .columns.print_uid = i & 1,
					      .columns.lport = i & 2,
					      .columns.timestamp = i & 4};
		struct connect_record record = {.family = i & 8 ? 6 : 4};
		char saddr[INET6_ADDRSTRLEN], daddr[INET6_ADDRSTRLEN], expected[256];
		int domain = record.family == 6 ? AF_INET6 : AF_INET;
		size_t used = 0;

		for (int byte = 0; byte < (record.family == 6 ? 16 : 4); byte++) {
			record.saddr[byte] = (__u8)(random() & random());
			record.daddr[byte] = random() % 3 ? (__u8)random() : 0;
		}
		record.head.tgid = (__u32)random() >> random() % 31;
		record.uid = (__u32)random() >> random() % 31;
		record.lport = (__u16)random();
		record.dport = (__u16)(random() >> random() % 15);
		record.head.ts_ns = (__u64)random() << random() % 20;
		for (long byte = random() % COMM_SIZE; byte--;)
			record.comm[byte] = (char)('A' + random() % 26);
		table.started = true;
		inet_ntop(domain, record.saddr, saddr, sizeof(saddr));
		inet_ntop(domain, record.daddr, daddr, sizeof(daddr));
		if (table.columns.timestamp)
			used += (size_t)sprintf(expected, "%-9.3f",
						(double)(record.head.ts_ns / 1000) / 1000000);
		if (table.columns.print_uid)
			used += (size_t)sprintf(expected + used, "%-6u", record.uid);
		used += (size_t)sprintf(expected + used, "%-7u %-12.12s %-2d %-16s ",
					record.head.tgid, record.comm, record.family, saddr);
		if (table.columns.lport)
			used += (size_t)sprintf(expected + used, "%-6d ", record.lport);
		sprintf(expected + used, "%-16s %-6d \n", daddr, record.dport);
		table_connect(&table, &record, NULL);
		assert_string_equal(printed(), expected);
	}
}

/* A record that no kernel sends: still one line, nothing read or written beyond. */
static void hostile_record(void **state)
{
	struct table_printer table = {.sink = &sink,
				      .columns = {true, true, true, true, false, false}};
	struct connect_record record;
	const char *text;

	(void)state;
	memset(&record, 0xff, sizeof(record));
	table_connect(&table, &record, NULL);
	text = printed();
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_non_null(strstr(text, "\\xff 255 255.255.255.255  65535  255.255.255.255  65535  "));
}

static struct flow_count make_flow(int family, const char *saddr, const char *daddr, __u16 dport,
				   uint64_t connects)
{
	struct connect_record record = make_record(family, saddr, daddr);
	struct flow_count flow = {.connects = connects};

	flow.key.family = (__u8)family;
	flow.key.dport = dport;
	memcpy(flow.key.saddr, record.saddr, sizeof(flow.key.saddr));
	memcpy(flow.key.daddr, record.daddr, sizeof(flow.key.daddr));
	return flow;
}

#define COUNT_HEADER                                                                               \
	"\nLADDR                     RADDR                     RPORT                CONNECTS  \n"

static const struct counts_printer plain = {.sink = &sink};

static void counts(void **state)
{
	struct flow_count flows[] = {
		make_flow(6, "2001:db8::2", "2001:db8::1", 1, 3),
		make_flow(4, "192.0.2.1", "192.0.2.3", 443, 7),
		make_flow(4, "192.0.2.9", "192.0.2.3", 1, 7),
		make_flow(6, "2001:db8:1234:5678:9abc:def0:1234:5678", "2001:db8::1", 65535, 70),
		make_flow(4, "192.0.2.1", "192.0.2.2", 80, 12345678901),
		make_flow(4, "192.0.2.5", "192.0.2.3", 2, 7),
	};

	(void)state;
	assert_int_equal(counts_print(&plain, flows, 6), 0);
	assert_string_equal(printed(),
			    COUNT_HEADER "192.0.2.1                 192.0.2.2                 80   "
					 "                12345678901\n"
					 "192.0.2.1                 192.0.2.3                 443  "
					 "                7         \n"
					 "192.0.2.9                 192.0.2.3                 1    "
					 "                7         \n"
					 "192.0.2.5                 192.0.2.3                 2    "
					 "                7         \n"
					 "2001:db8:1234:5678:9abc:def0:1234:5678 2001:db8::1       "
					 "        65535                70        \n"
					 "2001:db8::2               2001:db8::1               1    "
					 "                3         \n");
}

static void no_counts(void **state)
{
	(void)state;
	assert_int_equal(counts_print(&plain, NULL, 0), 0);
	assert_string_equal(printed(), COUNT_HEADER);
}

#define MANY 100000

/* Order and ties hold for as many as a map can have; printed to a file and read back. */
static void many_counts(void **state)
{
	struct flow_count *flows = calloc(MANY, sizeof(*flows));
	char path[] = "/tmp/test-output-XXXXXX", line[256];
	int fd = mkstemp(path);
	uint64_t last_connects = UINT64_MAX;
	unsigned int last_index = 0, lines = 0;
	FILE *file;

	(void)state;
	assert_non_null(flows);
	assert_true(fd >= 0);
	unlink(path);
	/* The index goes into the source address, so that a tie's order shows. */
	for (unsigned int i = 0; i < MANY; i++) {
		flows[i].key.family = 4;
		flows[i].connects = i * 7919u % 1000;
		for (int byte = 0; byte < 4; byte++)
			flows[i].key.saddr[byte] = (__u8)(i >> (24 - 8 * byte));
	}
	sink_init(&sink, fd);
	assert_int_equal(counts_print(&plain, flows, MANY), 0);
	assert_int_equal(sink_flush(&sink), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	file = fdopen(fd, "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	assert_non_null(fgets(line, sizeof(line), file));
	while (fgets(line, sizeof(line), file)) {
		unsigned int byte[4], index;
		unsigned long connects;

		assert_int_equal(sscanf(line, "%u.%u.%u.%u 0.0.0.0 0 %lu", &byte[0], &byte[1],
					&byte[2], &byte[3], &connects),
				 5);
		index = byte[0] << 24 | byte[1] << 16 | byte[2] << 8 | byte[3];
		assert_int_equal(flows[index].connects, connects);
		assert_true(connects < last_connects ||
			    (connects == last_connects && index > last_index));
		last_connects = connects;
		last_index = index;
		lines++;
	}
	assert_int_equal(lines, MANY);
	fclose(file);
	free(flows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(banner, new_sink),
		cmocka_unit_test_setup(headers, new_sink),
		cmocka_unit_test_setup(plain_lines, new_sink),
		cmocka_unit_test_setup(all_columns, new_sink),
		cmocka_unit_test_setup(time_counts_cut_microseconds, new_sink),
		cmocka_unit_test_setup(queries, new_sink),
		cmocka_unit_test_setup(no_query_unless_asked, new_sink),
		cmocka_unit_test_setup(comms, new_sink),
		cmocka_unit_test_setup(like_printf, new_sink),
		cmocka_unit_test_setup(hostile_record, new_sink),
		cmocka_unit_test_setup(counts, new_sink),
		cmocka_unit_test_setup(no_counts, new_sink),
		cmocka_unit_test_setup(many_counts, new_sink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
