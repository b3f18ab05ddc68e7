/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines that are wrong: each is refused with its one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "cli/options.h"

static struct options options;

#define NOT_PID(value)  "--pid: '" value "' is not a process id (1 to 4194304); give PID[,PID...]"
#define NOT_PORT(value) "--port: '" value "' is not a port (1 to 65535); give PORT[,PORT...]"
#define NOT_UID(value)                                                                             \
	"--uid: '" value "' is not a numeric user id (0 to 4294967294); give UID[,UID...]"
#define HOLE(option, value, argument)                                                              \
	"--" option ": '" value "' has an empty element; give " argument
#define NOT_PAGES(value) "--pages: '" value "' is not a power of two (1 to 65536)"
#define NOT_CACHE(value) "--dns-cache: '" value "' is not a number of answers (1 to 10000000)"
#define NOT_TTL(value)   "--dns-ttl: '" value "' is not a number of seconds (1 to 31536000)"
#define STRAY(value)     "stray argument '" value "'; see --help"
#define UNKNOWN(value)   "unknown option '" value "'; see --help"
#define COUNT_AND_DNS    "Error: you may not specify -d/--dns with -c/--count."
#define BOTH_FAMILIES(first, second)                                                               \
	"--" first " and --" second " exclude each other; give one of them"
#define NOT_NET(value)                                                                             \
	"--daddr: '" value "' is no network such as 10.0.0.0/8 or ::1; give NET[,NET...]"
#define NOT_NETNS(value)                                                                           \
	"--netns: '" value "' is not a process id (1 to 4194304), nor a path; give PATH|PID"
#define NOT_SLOW(value)                                                                            \
	"--slow: '" value "' is not a number of milliseconds (0 to 86400000, up to six decimals)"
#define NOT_SECONDS(option, value)                                                                 \
	"--" option ": '" value "' is not a number of seconds (1 to 31536000)"
#define NOT_LINES(value) "--lines: '" value "' is not a number of connects (1 to 4294967295)"
#define TOO_LONG(value)                                                                            \
	"--comm: '" value "' is too long; the kernel keeps the first 15 bytes of a name, give "    \
	"those"
#define INTERVAL_ALONE  "--interval works with --count only; add -c, or give --duration to end"
#define CACHE_ALONE     "--dns-cache works with --dns only; add -d"
#define TTL_ALONE       "--dns-ttl works with --dns only; add -d"
#define LINES_AND_COUNT "--lines does not work with --count; give --duration"
#define PROBES          "auto, kprobe, fentry, tracepoint"

static const struct {
	char *argv[4];
	const char *message;
} wrong[] = {
	/* not a whole number */
	{{"-p", "x"}, NOT_PID("x")},
	{{"-p", "12x"}, NOT_PID("12x")},
	{{"-p", "+1"}, NOT_PID("+1")},
	{{"-p", "-1"}, NOT_PID("-1")},
	{{"-p", "0x10"}, NOT_PID("0x10")},
	{{"-p", "1e3"}, NOT_PID("1e3")},
	{{"-p", "1.0"}, NOT_PID("1.0")},
	{{"--pid=1;2"}, NOT_PID("1;2")},
	{{"--pid", "1,2,three,4"}, NOT_PID("three")},
	{{"-P", "http"}, NOT_PORT("http")},
	{{"-P", "80-90"}, NOT_PORT("80-90")},
	{{"-P", "80,8 1"}, NOT_PORT("8 1")},
	{{"-P", "80,\t81"}, NOT_PORT("\\x0981")},
	{{"-p==1"}, NOT_PID("=1")},
	{{"-P", "80, ,81"}, HOLE("port", "80, ,81", "PORT[,PORT...]")},
	{{"-u", "root"}, NOT_UID("root")},
	{{"-u", "-1"}, NOT_UID("-1")},
	/* out of range */
	{{"-p", "0"}, NOT_PID("0")},
	{{"-p", "4194305"}, NOT_PID("4194305")},
	{{"-p", "4294967297"}, NOT_PID("4294967297")},
	{{"-p", "18446744073709551617"}, NOT_PID("18446744073709551617")},
	{{"-P", "0"}, NOT_PORT("0")},
	{{"-P", "65536"}, NOT_PORT("65536")},
	{{"-P", "65616"}, NOT_PORT("65616")},
	{{"-u", "4294967295"}, NOT_UID("4294967295")},
	{{"-u", "4294967296"}, NOT_UID("4294967296")},
	/* lists with nothing in them */
	{{"-p", ""}, "--pid: the list is empty; give PID[,PID...]"},
	{{"--port="}, "--port: the list is empty; give PORT[,PORT...]"},
	{{"--uid", ""}, "--uid: the list is empty; give UID[,UID...]"},
	{{"-p", ","}, HOLE("pid", ",", "PID[,PID...]")},
	{{"-p1,"}, HOLE("pid", "1,", "PID[,PID...]")},
	{{"-P", ",1"}, HOLE("port", ",1", "PORT[,PORT...]")},
	{{"-u", "1,,2"}, HOLE("uid", "1,,2", "UID[,UID...]")},
	/* contradictions */
	{{"-4", "-6"}, BOTH_FAMILIES("ipv4", "ipv6")},
	{{"-64"}, BOTH_FAMILIES("ipv6", "ipv4")},
	{{"--ipv4", "-t", "--ipv6"}, BOTH_FAMILIES("ipv4", "ipv6")},
	{{"-c", "-d"}, COUNT_AND_DNS},
	{{"-dc"}, COUNT_AND_DNS},
	{{"--dns", "--count"}, COUNT_AND_DNS},
	{{"--ebpf", "-c", "-d"}, COUNT_AND_DNS},
	{{"--ebpf", "--check"}, BOTH_FAMILIES("ebpf", "check")},
	{{"--check", "--ebpf"}, BOTH_FAMILIES("check", "ebpf")},
	{{"-i5"}, INTERVAL_ALONE},
	{{"--interval=5", "-D", "9"}, INTERVAL_ALONE},
	{{"--dns-cache=5"}, CACHE_ALONE},
	{{"--dns-cache", "10240", "--check"}, CACHE_ALONE},
	{{"-r", "--dns-ttl=60"}, TTL_ALONE},
	{{"--dns-ttl", "86400", "-c"}, TTL_ALONE},
	{{"-cn1"}, LINES_AND_COUNT},
	{{"-n1", "--count", "--json"}, LINES_AND_COUNT},
	/* no such option */
	{{"--foo"}, UNKNOWN("--foo")},
	{{"--foo=bar"}, UNKNOWN("--foo")},
	{{"--pidx=1"}, UNKNOWN("--pidx")},
	{{"--=1"}, UNKNOWN("--")},
	{{"---t"}, UNKNOWN("---t")},
	{{"-x"}, UNKNOWN("-x")},
	{{"-tx"}, UNKNOWN("-x")},
	{{"-t-"}, UNKNOWN("--")},
	{{"-pid", "1"}, NOT_PID("id")},
	{{"-\xff"}, UNKNOWN("-\\xff")},
	/* ambiguous */
	{{"--p", "1"}, "option '--p' is ambiguous: --pid, --port, --print-uid, --probe, --pages"},
	{{"--c"},
	 "option '--c' is ambiguous: --comm, --cgroup, --cgroupmap, --count, --color, "
	 "--cache-dir, --check"},
	{{"--no"}, "option '--no' is ambiguous: --no-cache, --no-sandbox"},
	{{"--dns-=1"}, "option '--dns-' is ambiguous: --dns-cache, --dns-ttl"},
	{{"--ip"}, "option '--ip' is ambiguous: --ipv4, --ipv6"},
	/* value missing, or one too many */
	{{"-p"}, "--pid needs a value; give PID[,PID...]"},
	{{"-tUP"}, "--port needs a value; give PORT[,PORT...]"},
	{{"--uid"}, "--uid needs a value; give UID[,UID...]"},
	{{"-t", "--mntnsmap"}, "--mntnsmap needs a value; give PATH"},
	{{"--probe"}, "--probe needs a value; give WAY"},
	{{"--count=3"}, "--count takes no value"},
	{{"--ver="}, "option '--ver' is ambiguous: --verbose, --version"},
	{{"--vers="}, "--version takes no value"},
	{{"--help=x"}, "--help takes no value"},
	/* stray */
	{{"80"}, STRAY("80")},
	{{"-t", "80"}, STRAY("80")},
	{{"-P", "80", "81"}, STRAY("81")},
	{{""}, STRAY("")},
	{{"-"}, STRAY("-")},
	{{"--", "-t"}, STRAY("-t")},
	{{"--", "--"}, STRAY("--")},
	{{"stray", "-h"}, STRAY("stray")},
	/* help does not excuse what stands before it */
	{{"-Zh"}, UNKNOWN("-Z")},
	{{"-p0", "-h"}, NOT_PID("0")},
	/* other values */
	{{"--probe", "kprobes"}, "--probe: 'kprobes' is none of " PROBES},
	{{"--probe", "KPROBE"}, "--probe: 'KPROBE' is none of " PROBES},
	{{"--probe=k"}, "--probe: 'k' is none of " PROBES},
	{{"--probe="}, "--probe: '' is none of " PROBES},
	{{"--types", "dwarf"}, "--types: 'dwarf' is none of auto, btf, headers"},
	{{"--cgroupmap="}, "--cgroupmap: the path is empty; give PATH"},
	{{"--mntnsmap", ""}, "--mntnsmap: the path is empty; give PATH"},
	{{"--cache-dir="}, "--cache-dir: the path is empty; give DIR"},
	{{"--pages=0"}, NOT_PAGES("0")},
	{{"--pages=3"}, NOT_PAGES("3")},
	{{"--pages=131072"}, NOT_PAGES("131072")},
	{{"--pages=8k"}, NOT_PAGES("8k")},
	{{"--pages="}, NOT_PAGES("")},
	{{"--dns-cache=0"}, NOT_CACHE("0")},
	{{"--dns-cache=10000001"}, NOT_CACHE("10000001")},
	{{"--dns-cache=1,2"}, NOT_CACHE("1,2")},
	{{"--dns-ttl=0"}, NOT_TTL("0")},
	{{"--dns-ttl=31536001"}, NOT_TTL("31536001")},
	{{"--dns-ttl=1h"}, NOT_TTL("1h")},
	{{"--slow="}, NOT_SLOW("")},
	{{"--slow=-1"}, NOT_SLOW("-1")},
	{{"--slow=."}, NOT_SLOW(".")},
	{{"--slow=.5"}, NOT_SLOW(".5")},
	{{"--slow=5."}, NOT_SLOW("5.")},
	{{"--slow=1.2.3"}, NOT_SLOW("1.2.3")},
	{{"--slow=1.0000001"}, NOT_SLOW("1.0000001")},
	{{"--slow=1,5"}, NOT_SLOW("1,5")},
	{{"--slow=1e3"}, NOT_SLOW("1e3")},
	{{"--slow=inf"}, NOT_SLOW("inf")},
	{{"--slow=86400000.000001"}, NOT_SLOW("86400000.000001")},
	{{"--slow=86400001"}, NOT_SLOW("86400001")},
	{{"--slow=4294967296"}, NOT_SLOW("4294967296")},
	{{"-ci0"}, NOT_SECONDS("interval", "0")},
	{{"-c", "--interval=1s"}, NOT_SECONDS("interval", "1s")},
	{{"-D", "0"}, NOT_SECONDS("duration", "0")},
	{{"-D", "0.5"}, NOT_SECONDS("duration", "0.5")},
	{{"-D31536001"}, NOT_SECONDS("duration", "31536001")},
	{{"-n0"}, NOT_LINES("0")},
	{{"-n", "4294967296"}, NOT_LINES("4294967296")},
	{{"--comm="}, "--comm: the name is empty; give NAME"},
	{{"--comm=sixteen-bytes-x0"}, TOO_LONG("sixteen-bytes-x0")},
	{{"--comm", "systemd-resolved\n"}, TOO_LONG("systemd-resolved\\x0a")},
	{{"--user="}, "--user: the name is empty; give NAME"},
	{{"--cgroup="}, "--cgroup: the path is empty; give PATH"},
	{{"--netns="}, NOT_NETNS("")},
	{{"--netns=0"}, NOT_NETNS("0")},
	{{"--netns=4194305"}, NOT_NETNS("4194305")},
	{{"--color=yes"}, "--color: 'yes' is none of auto, always, never"},
	{{"--color"}, "--color needs a value; give WHEN"},
	/* networks */
	{{"--daddr="}, NOT_NET("")},
	{{"--daddr=,"}, NOT_NET("")},
	{{"--daddr=10.0.0.1,"}, NOT_NET("")},
	{{"--daddr=!"}, NOT_NET("!")},
	{{"--daddr=!!10.0.0.1"}, NOT_NET("!!10.0.0.1")},
	{{"--daddr=! 10.0.0.1"}, NOT_NET("! 10.0.0.1")},
	{{"--daddr=10.0.0.1, ::1"}, NOT_NET(" ::1")},
	{{"--daddr=10"}, NOT_NET("10")},
	{{"--daddr=10/8"}, NOT_NET("10/8")},
	{{"--daddr=10.0.0/8"}, NOT_NET("10.0.0/8")},
	{{"--daddr=10.0.0.256"}, NOT_NET("10.0.0.256")},
	{{"--daddr=10.0.0.01"}, NOT_NET("10.0.0.01")},
	{{"--daddr=0x0a.0.0.1"}, NOT_NET("0x0a.0.0.1")},
	{{"--daddr=10.0.0.0/"}, NOT_NET("10.0.0.0/")},
	{{"--daddr=/8"}, NOT_NET("/8")},
	{{"--daddr=10.0.0.0/33"}, NOT_NET("10.0.0.0/33")},
	{{"--daddr=10.0.0.0/-1"}, NOT_NET("10.0.0.0/-1")},
	{{"--daddr=10.0.0.0/+8"}, NOT_NET("10.0.0.0/+8")},
	{{"--daddr=10.0.0.0/8/8"}, NOT_NET("10.0.0.0/8/8")},
	{{"--daddr=10.0.0.0/255.0.0.0"}, NOT_NET("10.0.0.0/255.0.0.0")},
	{{"--daddr=10.0.0.0/0008"}, NOT_NET("10.0.0.0/0008")},
	{{"--daddr=::/129"}, NOT_NET("::/129")},
	{{"--daddr=::/256"}, NOT_NET("::/256")},
	{{"--daddr=:::"}, NOT_NET(":::")},
	{{"--daddr=1::2::3"}, NOT_NET("1::2::3")},
	{{"--daddr=[::1]"}, NOT_NET("[::1]")},
	{{"--daddr=fe80::1%lo"}, NOT_NET("fe80::1%lo")},
	{{"--daddr=::ffff:1.2.3.4/129"}, NOT_NET("::ffff:1.2.3.4/129")},
	{{"--daddr=localhost"}, NOT_NET("localhost")},
	{{"--daddr", "10.0.0.1\n"}, NOT_NET("10.0.0.1\\x0a")},
	/* 46 bytes, one more than the longest address */
	{{"--daddr=ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555"},
	 NOT_NET("ffff:ffff:ffff:ffff:ffff:ffff:25...")},
	/* what must not reach a terminal as it is */
	{{"-p", "1\n2"}, NOT_PID("1\\x0a2")},
	{{"-p", "\033]0;x\a"}, NOT_PID("\\x1b]0;x\\x07")},
	{{"-P", "8\\0"}, NOT_PORT("8\\\\0")},
	{{"-u", "\xc3\xa4\x7f"}, NOT_UID("\\xc3\\xa4\\x7f")},
	{{"--\x9b\x33m"}, UNKNOWN("--\\x9b3m")},
	{{"\r"}, STRAY("\\x0d")},
	/* 32 bytes are shown whole, of 33 the first 32 */
	{{"01234567890123456789012345678901"}, STRAY("01234567890123456789012345678901")},
	{{"012345678901234567890123456789012"}, STRAY("01234567890123456789012345678901...")},
};

static int parse(char *const given[], char *message, size_t size)
{
	char *argv[8] = {"tcpconnect"};
	int argc = 1;

	for (int i = 0; i < 4 && given[i]; i++)
		argv[argc++] = given[i];
	return options_parse(&options, argc, argv, message, size);
}

static void every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char message[256];
		int status = parse(wrong[i].argv, message, sizeof(message));

		if (status != 2)
			fail_msg("row %zu, '%s': status %d", i, wrong[i].argv[0], status);
		if (strcmp(message, wrong[i].message) != 0)
			fail_msg("row %zu: '%s' instead of '%s'", i, message, wrong[i].message);
		assert_null(strchr(message, '\n'));
	}
}

static void too_long_list(void **state)
{
	char list[(FILTER_MAX + 1) * 4 + 1] = "", message[256];

	(void)state;
	for (int i = 1; i <= FILTER_MAX + 1; i++)
		sprintf(list + strlen(list), "%s%d", i > 1 ? "," : "", i);
	assert_int_equal(parse((char *[4]){"-P", list}, message, sizeof(message)), 2);
	assert_string_equal(message, "--port: the list has more than 256 different values; "
				     "that is the most");
}

static void too_many_nets(void **state)
{
	char list[(NETS_MAX + 1) * 16] = "", message[256];

	(void)state;
	for (int i = 0; i <= NETS_MAX; i++)
		sprintf(list + strlen(list), "%s10.0.0.%d", i ? "," : "", i);
	assert_int_equal(parse((char *[4]){"--daddr", list}, message, sizeof(message)), 2);
	assert_string_equal(message, "--daddr: the list has more than 64 different networks; "
				     "that is the most");
}

/* 256 bytes hold any message: the longest value, all of it escaped, cuts nothing off. */
static void longest_messages(void **state)
{
	static const char *const options_with_value[] = {
		"--pid",   "--port", "--uid",       "--probe",    "--types",
		"--pages", "--nope", "--dns-cache", "--dns-ttl",  "--daddr",
		"--comm",  "--slow", "--color",     "--duration", "--lines"};
	char value[5000], message[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(options_with_value) / sizeof(options_with_value[0]); i++) {
		char argument[6000];

		memset(value, '\x01', sizeof(value) - 1);
		value[sizeof(value) - 1] = '\0';
		snprintf(argument, sizeof(argument), "%s=%s", options_with_value[i], value);
		assert_int_equal(parse((char *[4]){argument}, message, sizeof(message)), 2);
		assert_true(strlen(message) < 256);
		snprintf(argument, sizeof(argument), "%s%s=", options_with_value[i], value);
		assert_int_equal(parse((char *[4]){argument}, message, sizeof(message)), 2);
		assert_true(strlen(message) < 256);
		value[sizeof(value) - 2] = ',';
		snprintf(argument, sizeof(argument), "%s=%s", options_with_value[i], value);
		assert_int_equal(parse((char *[4]){argument}, message, sizeof(message)), 2);
		assert_true(strlen(message) < 256);
	}
}

static void small_room_for_message(void **state)
{
	char message[8] = "1234567";

	(void)state;
	assert_int_equal(parse((char *[4]){"-p", "x"}, message, 4), 2);
	assert_string_equal(message, "--p");
	assert_string_equal(message + 4, "567");
	assert_int_equal(parse((char *[4]){"-p", "x"}, NULL, 0), 2);
}

/* Any byte in any place is answered, not crashed on; the sanitizers watch. */
static void any_bytes(void **state)
{
	(void)state;
	for (int first = 1; first < 256; first++) {
		for (int second = 1; second < 256; second++) {
			char bytes[] = {(char)first, (char)second, '\0'}, message[256];
			char dashed[] = {'-', (char)first, (char)second, '\0'};
			int status = parse((char *[4]){bytes, dashed}, message, sizeof(message));

			assert_true(status == 0 || status == 2);
			assert_int_equal(status != 0, message[0] != '\0');
			status = parse((char *[4]){dashed, bytes}, message, sizeof(message));
			assert_true(status == 0 || status == 2);
			for (const char *byte = message; *byte; byte++)
				assert_in_range(*byte, 0x20, 0x7e);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),        cmocka_unit_test(too_long_list),
		cmocka_unit_test(longest_messages), cmocka_unit_test(small_room_for_message),
		cmocka_unit_test(any_bytes),        cmocka_unit_test(too_many_nets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
