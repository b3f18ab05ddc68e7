/* SPDX-License-Identifier: Apache-2.0 */
/* Values that are more than a number or a word: times, names, namespaces, networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include "options-parse.h"

static void outcomes(void **state)
{
	(void)state;
	PARSE("-r");
	assert_true(options.result && !options.failed);
	assert_int_equal(options.slow_ns, 0);
	PARSE("-F");
	assert_true(options.result && options.failed);
	PARSE("--slow", "0");
	assert_true(options.result && !options.failed);
	assert_int_equal(options.slow_ns, 0);
	PARSE("--slow=250");
	assert_true(options.result);
	assert_int_equal(options.slow_ns, 250000000);
	PARSE("--slow=0.000001");
	assert_int_equal(options.slow_ns, 1);
	PARSE("--slow=1.5");
	assert_int_equal(options.slow_ns, 1500000);
	PARSE("--slow=007.050");
	assert_int_equal(options.slow_ns, 7050000);
	PARSE("--slow=86399999.999999");
	assert_true(options.slow_ns == UINT64_C(86399999999999));
	PARSE("--slow=86400000.0");
	assert_true(options.slow_ns == UINT64_C(86400000000000));
	PARSE("--slow=9", "--slow=0");
	assert_int_equal(options.slow_ns, 0);
}

static void places(void **state)
{
	char path[] = "./123";

	(void)state;
	PARSE("--comm", "fifteen-bytes-x", "--netns", "4194304", "--cgroup", "/sys/fs/cgroup/a");
	assert_memory_equal(options.comm, "fifteen-bytes-x", 16);
	assert_int_equal(options.netns.pid, 4194304);
	assert_null(options.netns.path);
	assert_string_equal(options.cgroup, "/sys/fs/cgroup/a");
	PARSE("--comm=fifteen-bytes-x", "--comm=a b\xff\n", "--netns", path);
	assert_memory_equal(options.comm, "a b\xff\n\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_ptr_equal(options.netns.path, path);
	assert_int_equal(options.netns.pid, 0);
	PARSE("--netns=./123", "--netns=1");
	assert_null(options.netns.path);
	assert_int_equal(options.netns.pid, 1);
	PARSE("--netns=1", "--netns=/run/netns/blue");
	assert_string_equal(options.netns.path, "/run/netns/blue");
	assert_int_equal(options.netns.pid, 0);
	PARSE("--netns=12a");
	assert_string_equal(options.netns.path, "12a");
}

static void check_net(const char *text, unsigned int family, unsigned int prefix, bool exclude,
		      const char *address)
{
	char argument[80];
	uint8_t bytes[16] = {0};
	const struct address_net *net = options.daddrs.net;

	snprintf(argument, sizeof(argument), "--daddr=%s", text);
	PARSE(argument);
	assert_int_equal(inet_pton(family == 4 ? AF_INET : AF_INET6, address, bytes), 1);
	assert_int_equal(options.daddrs.count, 1);
	if (net->family != family || net->prefix != prefix || net->exclude != exclude)
		fail_msg("%s: IPv%d /%d, %d", text, net->family, net->prefix, net->exclude);
	assert_memory_equal(net->address, bytes, sizeof(bytes));
}

static void nets(void **state)
{
	(void)state;
	check_net("192.0.2.1", 4, 32, false, "192.0.2.1");
	check_net("!192.0.2.1/32", 4, 32, true, "192.0.2.1");
	check_net("10.1.2.3/8", 4, 8, false, "10.0.0.0");
	check_net("10.255.255.255/9", 4, 9, false, "10.128.0.0");
	check_net("255.255.255.255/31", 4, 31, false, "255.255.255.254");
	check_net("255.255.255.255/0", 4, 0, false, "0.0.0.0");
	check_net("10.0.0.0/08", 4, 8, false, "10.0.0.0");
	check_net("::1", 6, 128, false, "::1");
	check_net("!::/0", 6, 0, true, "::");
	check_net("2001:db8:ffff::1/33", 6, 33, false, "2001:db8:8000::");
	check_net("FFFF:ffff:ffff:ffff:ffff:ffff:255.255.255.255/127", 6, 127, false,
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
	/* mapped ones are IPv4; a net that holds more than those is not */
	check_net("::ffff:192.0.2.1", 4, 32, false, "192.0.2.1");
	check_net("!::ffff:192.0.2.1/104", 4, 8, true, "192.0.0.0");
	check_net("::ffff:192.0.2.1/96", 4, 0, false, "0.0.0.0");
	check_net("::ffff:192.0.2.1/95", 6, 95, false, "::fffe:0:0");
	check_net("::192.0.2.1", 6, 128, false, "::192.0.2.1");
}

static void net_lists(void **state)
{
	char list[NETS_MAX * 24] = "";

	(void)state;
	/* order kept, the same net once, an excluded one is another */
	PARSE("--daddr", "!127.0.0.0/8,!::1,127.1.2.3/8,!127.9.9.9/8,::ffff:127.0.0.1/104");
	assert_int_equal(options.daddrs.count, 3);
	assert_true(options.daddrs.net[0].exclude && options.daddrs.net[1].exclude);
	assert_int_equal(options.daddrs.net[1].family, 6);
	assert_false(options.daddrs.net[2].exclude);
	PARSE("--daddr=::1,::2", "--daddr=::3");
	assert_int_equal(options.daddrs.count, 1);
	assert_int_equal(options.daddrs.net[0].address[15], 3);
	for (int i = 0; i < NETS_MAX; i++)
		sprintf(list + strlen(list), "%s10.0.0.%d,10.0.0.%d", i ? "," : "", i, i);
	PARSE("--daddr", list);
	assert_int_equal(options.daddrs.count, NETS_MAX);
	for (int i = 0; i < NETS_MAX; i++)
		assert_int_equal(options.daddrs.net[i].address[3], i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcomes),
		cmocka_unit_test(places),
		cmocka_unit_test(nets),
		cmocka_unit_test(net_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
