/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines that are right, and what --help says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cli/table.h"
#include "options-parse.h"

static void defaults(void **state)
{
	(void)state;
	PARSE();
	assert_int_equal(options.action, ACTION_TRACE);
	assert_false(options.timestamp || options.lport || options.print_uid || options.count);
	assert_false(options.dns || options.verbose || options.json || options.no_cache);
	assert_false(options.time || options.result || options.failed || options.no_sandbox);
	assert_int_equal(options.slow_ns, 0);
	assert_int_equal(options.interval_sec + options.duration_sec + options.lines, 0);
	assert_int_equal(options.daddrs.count, 0);
	assert_string_equal(options.comm, "");
	assert_null(options.netns.path);
	assert_int_equal(options.netns.pid, 0);
	assert_null(options.cgroup);
	assert_null(options.user);
	assert_int_equal(options.color, COLOR_AUTO);
	assert_int_equal(options.family, 0);
	assert_int_equal(options.pids.count + options.ports.count + options.uids.count, 0);
	assert_null(options.cgroupmap);
	assert_null(options.mntnsmap);
	assert_null(options.cache_dir);
	assert_int_equal(options.probe, PROBE_AUTO);
	assert_int_equal(options.types, TYPES_AUTO);
	assert_int_equal(options.pages, 0);
	assert_int_equal(options.dns_cache, 10240);
	assert_int_equal(options.dns_ttl_sec, 86400);
}

static void no_argv_at_all(void **state)
{
	char *nothing[] = {NULL};

	(void)state;
	assert_int_equal(options_parse(&options, 0, nothing, message, sizeof(message)), 0);
	assert_int_equal(options.action, ACTION_TRACE);
}

static void flags(void **state)
{
	(void)state;
	PARSE("-t");
	assert_true(options.timestamp && !options.lport && !options.print_uid);
	PARSE("-L");
	assert_true(options.lport && !options.timestamp && !options.print_uid);
	PARSE("-U");
	assert_true(options.print_uid && !options.timestamp && !options.lport);
	PARSE("--timestamp", "--lport", "--print-uid", "--verbose", "--no-cache");
	assert_true(options.timestamp && options.lport && options.print_uid);
	assert_true(options.verbose && options.no_cache);
	PARSE("-c");
	assert_true(options.count && !options.dns);
	PARSE("--dns", "-v");
	assert_true(options.dns && options.verbose && !options.count);
	PARSE("-4");
	assert_int_equal(options.family, 4);
	PARSE("--ipv6", "-6");
	assert_int_equal(options.family, 6);
}

static void bundles(void **state)
{
	(void)state;
	PARSE("-tLU6");
	assert_true(options.timestamp && options.lport && options.print_uid);
	assert_int_equal(options.family, 6);
	PARSE("-Uu1000");
	assert_true(options.print_uid);
	assert_list(options.uids, 1000);
	PARSE("-tp", "12", "-P80");
	assert_true(options.timestamp);
	assert_list(options.pids, 12);
	assert_list(options.ports, 80);
}

static void abbreviations(void **state)
{
	(void)state;
	PARSE("--timest", "--pi", "1", "--po=2", "--ui", "3", "--prin", "--mnt=/m", "--cg", "/c");
	assert_true(options.timestamp && options.print_uid);
	assert_list(options.pids, 1);
	assert_list(options.ports, 2);
	assert_list(options.uids, 3);
	assert_string_equal(options.mntnsmap, "/m");
	assert_string_equal(options.cgroupmap, "/c");
	/* A whole name counts even where longer ones start with it. */
	PARSE("--dns");
	assert_true(options.dns);
	PARSE("--dns-c=5", "--dns");
	assert_int_equal(options.dns_cache, 5);
	assert_true(options.dns);
	PARSE("--time");
	assert_true(options.time && !options.timestamp);
	PARSE("--cgroup=/c");
	assert_string_equal(options.cgroup, "/c");
	assert_null(options.cgroupmap);
	PARSE("--li", "7", "--dur=8", "--sl=9", "--fa", "--re", "--js", "--us=x", "--no-s");
	assert_int_equal(options.lines, 7);
	assert_int_equal(options.duration_sec, 8);
	assert_int_equal(options.slow_ns, 9000000);
	assert_true(options.failed && options.result && options.json && options.no_sandbox);
}

/* What bcc's tool (its argparse) takes for one of its options means that here, too. */
static void abbreviations_of_bcc(void **state)
{
	(void)state;
	PARSE("--ti", "--l", "--co");
	assert_true(options.timestamp && options.lport && options.count);
	assert_false(options.time);
	assert_int_equal(options.lines, 0);
	PARSE("--t", "--d", "--pr", "--u=3");
	assert_true(options.timestamp && options.dns && options.print_uid);
	assert_list(options.uids, 3);
	PARSE("--dn", "--mn", "/m", "--cg=/c");
	assert_true(options.dns);
	assert_string_equal(options.mntnsmap, "/m");
	assert_string_equal(options.cgroupmap, "/c");
	PARSE("--e");
	assert_int_equal(options.action, ACTION_EBPF);
	PARSE("--h");
	assert_int_equal(options.action, ACTION_HELP);
}

/* Nothing is refused that has a meaning, or merely none. */
static void together(void **state)
{
	(void)state;
	PARSE("-crF", "-i1", "-D", "60", "-j", "-T", "--slow=1");
	assert_true(options.count && options.result && options.failed && options.json);
	assert_int_equal(options.interval_sec, 1);
	assert_int_equal(options.duration_sec, 60);
	PARSE("-jTtULrdn4294967295", "--color=always");
	assert_true(options.json && options.time && options.timestamp && options.dns);
	assert_int_equal(options.lines, 4294967295);
	assert_int_equal(options.color, COLOR_ALWAYS);
	PARSE("-j", "--ebpf", "--color=never", "--color=auto");
	assert_int_equal(options.action, ACTION_EBPF);
	assert_true(options.json);
	assert_int_equal(options.color, COLOR_AUTO);
	PARSE("--no-sandbox", "--user", "daemon", "--color", "never");
	assert_true(options.no_sandbox);
	assert_string_equal(options.user, "daemon");
	assert_int_equal(options.color, COLOR_NEVER);
}

static void lists(void **state)
{
	(void)state;
	PARSE("-p", "1,4194304", "--port=1,65535", "-u", "4294967294,0");
	assert_list(options.pids, 1, 4194304);
	assert_list(options.ports, 1, 65535);
	assert_list(options.uids, 0, 4294967294);
	PARSE("-P", "443,80,443,80,8080,80");
	assert_list(options.ports, 80, 443, 8080);
	/* As bcc's tool takes them. */
	PARSE("-P", " 80, 443 ,8080  ");
	assert_list(options.ports, 80, 443, 8080);
	PARSE("-P=80,443");
	assert_list(options.ports, 80, 443);
	PARSE("-tp=1");
	assert_list(options.pids, 1);
	PARSE("-P", "00000000000000000000080");
	assert_list(options.ports, 80);
	PARSE("-p1,2,3", "-p", "9");
	assert_list(options.pids, 9);
}

/* FILTER_MAX different values, each given twice. */
static void longest_list(void **state)
{
	char list[FILTER_MAX * 8] = "";

	(void)state;
	for (int i = FILTER_MAX; i; i--)
		sprintf(list + strlen(list), "%d,%d,", i, i);
	list[strlen(list) - 1] = '\0';
	PARSE("-P", list);
	assert_int_equal(options.ports.count, FILTER_MAX);
	for (uint32_t i = 0; i < FILTER_MAX; i++)
		assert_int_equal(options.ports.value[i], i + 1);
}

static void values(void **state)
{
	char path[] = "-odd\npath";

	(void)state;
	PARSE("--probe", "kprobe", "--types=btf");
	assert_int_equal(options.probe, PROBE_KPROBE);
	assert_int_equal(options.types, TYPES_BTF);
	PARSE("--probe", "fentry", "--types=headers");
	assert_int_equal(options.probe, PROBE_FENTRY);
	assert_int_equal(options.types, TYPES_HEADERS);
	PARSE("--probe=tracepoint", "--types=auto");
	assert_int_equal(options.probe, PROBE_TRACEPOINT);
	assert_int_equal(options.types, TYPES_AUTO);
	PARSE("--probe=tracepoint", "--probe=auto");
	assert_int_equal(options.probe, PROBE_AUTO);
	PARSE("--cgroupmap", path);
	assert_ptr_equal(options.cgroupmap, path);
	PARSE("--cache-dir=/x=y");
	assert_string_equal(options.cache_dir, "/x=y");
	PARSE("--pages=1", "-d", "--dns-cache=1", "--dns-ttl=1");
	assert_int_equal(options.pages, 1);
	assert_int_equal(options.dns_cache, 1);
	assert_int_equal(options.dns_ttl_sec, 1);
	PARSE("--pages=65536", "-d", "--dns-cache=10000000", "--dns-ttl=31536000");
	assert_int_equal(options.pages, 65536);
	assert_int_equal(options.dns_cache, 10000000);
	assert_int_equal(options.dns_ttl_sec, 31536000);
}

static void actions(void **state)
{
	(void)state;
	PARSE("--ebpf", "-P", "80", "--eb");
	assert_int_equal(options.action, ACTION_EBPF);
	assert_list(options.ports, 80);
	PARSE("--check");
	assert_int_equal(options.action, ACTION_CHECK);
	assert_false(options.json);
	PARSE("-j", "--check");
	assert_int_equal(options.action, ACTION_CHECK);
	assert_true(options.json);
}

/* Who asks for help gets it, whatever stands behind it or contradicts before it. */
static void help_and_version_win(void **state)
{
	(void)state;
	PARSE("-h");
	assert_int_equal(options.action, ACTION_HELP);
	PARSE("--help", "--nonsense", "stray");
	assert_int_equal(options.action, ACTION_HELP);
	PARSE("-cdh");
	assert_int_equal(options.action, ACTION_HELP);
	PARSE("-hZ");
	assert_int_equal(options.action, ACTION_HELP);
	PARSE("-V", "-h");
	assert_int_equal(options.action, ACTION_VERSION);
	PARSE("--ebpf", "--version", "-p");
	assert_int_equal(options.action, ACTION_VERSION);
	PARSE("--check", "-h");
	assert_int_equal(options.action, ACTION_HELP);
}

static void end_of_options(void **state)
{
	(void)state;
	PARSE("-t", "--");
	assert_true(options.timestamp);
}

/* getopt_long(3) parses otherwise under POSIXLY_CORRECT; ours does not look at it. */
static void environment_does_not_matter(void **state)
{
	(void)state;
	setenv("POSIXLY_CORRECT", "1", 1);
	PARSE("-p", "1", "-t");
	assert_true(options.timestamp);
	unsetenv("POSIXLY_CORRECT");
}

/* Each row can be reached by its letter and its name, and by them alone. */
static void rows_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];

		assert_true(row->field < sizeof(struct options));
		assert_true(row->group < GROUP_COUNT);
		assert_null(strchr(row->name, '='));
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(row->name, option_rows[j].name);
			if (row->letter)
				assert_int_not_equal(row->letter, option_rows[j].letter);
		}
	}
}

static char *usage_text(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	options_usage(out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void usage_fits(void **state)
{
	char *text = usage_text();

	(void)state;
	assert_true(strlen(text) > 0 && text[strlen(text) - 1] == '\n');
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		size_t length = strlen(line);

		if (length > 80 || strchr(line, '\t') || line[length - 1] == ' ')
			fail_msg("line does not fit: '%s'", line);
	}
	free(text);
}

/* Each row stands in the usage with its letter, name and argument. */
static void usage_is_whole(void **state)
{
	char *text = usage_text();

	(void)state;
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		char entry[80], letter[] = "   ";

		if (row->letter)
			snprintf(letter, sizeof(letter), "-%c,", row->letter);
		snprintf(entry, sizeof(entry), "\n  %s --%s%s%s ", letter, row->name,
			 row->argument ? " " : "", row->argument ? row->argument : "");
		if (!strstr(text, entry))
			fail_msg("not in the usage: '%s'", entry + 1);
	}
	free(text);
}

/* What the usage shows as an example must be a right command line. */
static void usage_examples_work(void **state)
{
	char *text = usage_text();
	char *example = strstr(text, "\nExamples:\n");
	int count = 0;

	(void)state;
	assert_non_null(example);
	while ((example = strstr(example, "\n  tcpconnect"))) {
		char *argv[8] = {NULL}, line[81], *rest = NULL;
		int argc = 0;

		snprintf(line, sizeof(line), "%.*s", (int)strcspn(example + 3, "\n"), example + 3);
		/* Two blanks end the command. */
		if (strstr(line, "  "))
			*strstr(line, "  ") = '\0';
		for (char *word = strtok_r(line, " ", &rest); word && argc < 7;
		     word = strtok_r(NULL, " ", &rest))
			argv[argc++] = word;
		if (options_parse(&options, argc, argv, message, sizeof(message)))
			fail_msg("example '%s ...': %s", argv[0], message);
		example++;
		count++;
	}
	assert_true(count >= 5);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(no_argv_at_all),
		cmocka_unit_test(flags),
		cmocka_unit_test(bundles),
		cmocka_unit_test(abbreviations),
		cmocka_unit_test(lists),
		cmocka_unit_test(longest_list),
		cmocka_unit_test(values),
		cmocka_unit_test(actions),
		cmocka_unit_test(help_and_version_win),
		cmocka_unit_test(end_of_options),
		cmocka_unit_test(environment_does_not_matter),
		cmocka_unit_test(rows_are_unique),
		cmocka_unit_test(usage_fits),
		cmocka_unit_test(usage_is_whole),
		cmocka_unit_test(usage_examples_work),
		cmocka_unit_test(abbreviations_of_bcc),

		cmocka_unit_test(together),

	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
