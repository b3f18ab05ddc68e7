/* SPDX-License-Identifier: Apache-2.0 */
/* The program's text: each filter as a #define on its top, used below, and only when asked for. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "compiler/object.h"
#include "probes/text.h"
#include "probes/ways.h"
/* After error.h: both have a fail(). */
#include <cmocka.h>

static const enum probe_kind ways[] = {PROBE_KPROBE, PROBE_FENTRY, PROBE_TRACEPOINT};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static struct options options;
static struct places places;
static struct field_offsets offsets;
static struct text_config config;

/* The options of a command line, and a text of them: by kprobes, with BTF, numbers as given. */
static void set(const char *arguments)
{
	static char words[4096];
	char *argv[32] = {"tcpconnect"}, message[256];
	int argc = 1;

	snprintf(words, sizeof(words), "%s", arguments);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	if (options_parse(&options, argc, argv, message, sizeof(message)))
		fail_msg("%s: %s", arguments, message);
	places = (struct places){.netns = options.netns.pid ? 7 : -1,
				 .netns_inum = 4026531840,
				 .cgroup = -1,
				 .cgroupmap = -1,
				 .mntnsmap = -1};
	for (offsets.count = 0; fields_all()[offsets.count].macro; offsets.count++)
		offsets.offset[offsets.count] = 5000 + offsets.count;
	config = (struct text_config){.options = &options,
				      .places = &places,
				      .probe = PROBE_KPROBE,
				      .offsets = &offsets,
				      .literal = true};
}

static char *make(void)
{
	char *text = program_text(&config);

	assert_non_null(text);
	return text;
}

static char *text_of(const char *arguments)
{
	set(arguments);
	return make();
}

/* Whether the text has this as a whole line. */
static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && (at[length] == '\n' || !at[length]))
			return true;
	return false;
}

static void expect_line(const char *arguments, const char *line)
{
	char *text = text_of(arguments), *plain;

	if (!has_line(text, line))
		fail_msg("with %s the text lacks the line %s", arguments, line);
	plain = text_of("");
	if (has_line(plain, line))
		fail_msg("the line %s is there without %s", line, arguments);
	free(text);
	free(plain);
}

static void test_filters(void **state)
{
	(void)state;
	expect_line("-p 1234", "#define FILTER_PID(value) ((value) == 1234ULL)");
	expect_line("-p 7,1", "#define FILTER_PID(value) ((value) == 1ULL || (value) == 7ULL)");
	expect_line("-P 65535", "#define FILTER_PORT(value) ((value) == 65535ULL)");
	expect_line("-P 80,443,8080", "#define FILTER_PORT(value) ((value) == 80ULL || (value) == "
				      "443ULL || (value) == 8080ULL)");
	expect_line("-u 0", "#define FILTER_UID(value) ((value) == 0ULL)");
	expect_line("-u 4294967294", "#define FILTER_UID(value) ((value) == 4294967294ULL)");
	expect_line("-4", "#define FILTER_FAMILY 4");
	expect_line("-6", "#define FILTER_FAMILY 6");
	expect_line("--cgroupmap /sys/fs/bpf/a",
		    "#define FILTER_CGROUPMAP 1 /* pinned at /sys/fs/bpf/a */");
	expect_line("--mntnsmap /sys/fs/bpf/b",
		    "#define FILTER_MNTNSMAP 1 /* pinned at /sys/fs/bpf/b */");
	expect_line("--cgroup /sys/fs/cgroup/c", "#define FILTER_CGROUP 1 /* /sys/fs/cgroup/c */");
	expect_line("--daddr 10.0.0.0/8",
		    "#define FILTER_DADDR 0 /* for an address in none of the nets */");
	expect_line("--daddr !10.0.0.0/8",
		    "#define FILTER_DADDR 1 /* for an address in none of the nets */");
	expect_line("--daddr !10.0.0.0/8,::1",
		    "#define FILTER_DADDR 0 /* for an address in none of the nets */");
	expect_line("--netns 1", "#define FILTER_NETNS(value) ((value) == 4026531840ULL)");
	expect_line("--slow 3", "#define SLOW_NS 3000000ULL");
	expect_line("-F", "#define ONLY_FAILED 1");
	expect_line("-c", "#define COUNT_FLOWS 1");
	expect_line("-L", "#define WANT_LPORT 1");
	expect_line("-r", "#define WANT_RESULT 1");
	expect_line("-F", "#define WANT_RESULT 1");
	expect_line("--slow 3", "#define WANT_RESULT 1");
	expect_line("-j", "#define WANT_DETAILS 1");
	expect_line("-j", "#define WANT_LPORT 1");
	expect_line("-j", "#define WANT_NETNS 1");
	expect_line("-d", "#define WANT_NETNS 1");
}

/* The 16 bytes of the name as the two words that the probe compares, in host byte order. */
static void test_comm(void **state)
{
	uint64_t words[2] = {0};
	char line[256];

	(void)state;
	memcpy(words, "curl", 4);
	snprintf(line, sizeof(line),
		 "#define FILTER_COMM(value) ((value)[0] == %lluULL && (value)[1] == 0ULL) "
		 "/* curl */",
		 (unsigned long long)words[0]);
	expect_line("--comm curl", line);
	memcpy(words, "fifteen-letters", 16);
	snprintf(line, sizeof(line),
		 "#define FILTER_COMM(value) ((value)[0] == %lluULL && (value)[1] == %lluULL) "
		 "/* fifteen-letters */",
		 (unsigned long long)words[0], (unsigned long long)words[1]);
	expect_line("--comm fifteen-letters", line);
}

/* The macro's name, where a line of the text is a #define. */
static bool defined_name(const char *line, char name[64])
{
	return sscanf(line, "#define %63[A-Z0-9_a-z]", name) == 1;
}

static bool mentions(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = text; (at = strstr(at, name)); at++)
		if ((at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_')) &&
		    !isalnum((unsigned char)at[length]) && at[length] != '_')
			return true;
	return false;
}

/* What stands on the top, before the first empty line; the rest is what every run has. */
static const char *body_of(const char *text)
{
	const char *body = strstr(text, "\n\n");

	assert_non_null(body);
	return body + 1;
}

#define EVERY_FILTER                                                                               \
	"-p 1,2 -P 3,4 -u 5,6 -4 --comm x --daddr !1.2.3.4 --netns 1 --slow 5 -F "                 \
	"--cgroup /c --cgroupmap /a --mntnsmap /b"

/* Nothing is on top that the probes do not look at; no other filter than those asked for. */
static void test_top_is_used(void **state)
{
	static const char *const arguments[] = {EVERY_FILTER, EVERY_FILTER " -c", "-d -L", "-j -d",
						""};

	(void)state;
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		for (size_t way = 0; way < WAYS; way++) {
			char name[64], *text, *line, *rest;
			const char *body;
			size_t filters = 0;

			set(arguments[i]);
			config.probe = ways[way];
			text = make();
			body = body_of(text);
			for (line = text; line < body; line = rest + 1) {
				rest = strchr(line, '\n');
				assert_true(defined_name(line, name));
				filters += strncmp(name, "FILTER_", 7) == 0;
				/* Only the tables of a way need those. */
				if (strcmp(name, "ATTEMPTS_MAX") == 0 ||
				    strcmp(name, "WANT_LPORT") == 0)
					continue;
				if (!mentions(body, name))
					fail_msg("%s: %s is not used by %s", arguments[i], name,
						 way_name(ways[way]));
			}
			assert_int_equal(filters, i < 2 ? 10 : 0);
			free(text);
		}
	}
}

/* With parameters one text serves all values; the same number of them is the same text. */
static void test_parameters(void **state)
{
	static const char *const pairs[][2] = {
		{"-p 1", "-p 99999"},
		{"-P 1,2,3", "-P 4,5,6"},
		{"-u 0", "-u 1000"},
		{"--comm curl", "--comm wget"},
		{"--slow 1", "--slow 2000"},
		{"--cgroupmap /a", "--cgroupmap /b"},
		{"--mntnsmap /a", "--mntnsmap /b"},
		{"--cgroup /a", "--cgroup /b"},
		{"--daddr 1.2.3.4", "--daddr 10.0.0.0/8,::/3,!10.1.1.1"},
		{"-p 1 -P 2 -u 3", "-p 3 -P 2 -u 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *one, *other, *literal_one, *literal_other;

		literal_one = text_of(pairs[i][0]);
		config.literal = false;
		one = make();
		literal_other = text_of(pairs[i][1]);
		config.literal = false;
		other = make();
		assert_string_equal(one, other);
		if (strcmp(pairs[i][0], "--daddr 1.2.3.4") != 0) /* these lie in a map */
			assert_string_not_equal(literal_one, literal_other);
		/* What is compiled and what --ebpf shows differ in the filters alone. */
		assert_string_equal(body_of(one), body_of(literal_one));
		free(one);
		free(other);
		free(literal_one);
		free(literal_other);
	}
}

/* Each number of a parameter stands where the value of that number goes. */
static void test_parameters_in_order(void **state)
{
	uint64_t values[PARAMETERS_MAX];
	char *text, line[64];
	size_t count;

	(void)state;
	set(EVERY_FILTER);
	config.literal = false;
	text = make();
	count = program_parameters(&options, &places, values);
	assert_int_equal(count, 10);
	assert_true(has_line(text, "#define FILTER_PID(value) ((value) == PARAMETER(0) || (value) "
				   "== PARAMETER(1))"));
	assert_true(has_line(text, "#define FILTER_PORT(value) ((value) == PARAMETER(2) || (value) "
				   "== PARAMETER(3))"));
	assert_true(has_line(text, "#define FILTER_UID(value) ((value) == PARAMETER(4) || (value) "
				   "== PARAMETER(5))"));
	assert_true(has_line(text, "#define FILTER_COMM(value) ((value)[0] == PARAMETER(6) && "
				   "(value)[1] == PARAMETER(7))"));
	assert_true(has_line(text, "#define FILTER_NETNS(value) ((value) == PARAMETER(8))"));
	assert_true(has_line(text, "#define SLOW_NS PARAMETER(9)"));
	for (uint64_t i = 0; i < 6; i++)
		assert_int_equal(values[i], i + 1);
	assert_memory_equal(&values[6], "x\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(values[8], 4026531840);
	assert_int_equal(values[9], 5000000);
	snprintf(line, sizeof(line), "0x%llxULL", (unsigned long long)PARAMETER_MARK);
	assert_non_null(strstr(text, line));
	free(text);

	set("");
	assert_int_equal(program_parameters(&options, &places, values), 0);
	assert_true(PARAMETERS_MAX <= OBJECT_PARAMETERS_MAX);
}

/* As many values as the options take. */
static void test_full_lists(void **state)
{
	static const char *const filters[] = {"-p", "-P", "-u"};
	uint64_t values[PARAMETERS_MAX];
	char *argv[] = {"tcpconnect", "-p", NULL,      "-P", NULL,     "-u", NULL,
			"--comm",     "x",  "--netns", "1",  "--slow", "1",  NULL};
	char list[FILTER_MAX * 6] = "", message[256], *text;
	size_t used = 0;

	(void)state;
	for (int i = 1; i <= FILTER_MAX; i++)
		used += snprintf(list + used, sizeof(list) - used, "%s%d", i > 1 ? "," : "", i);
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		argv[2 + 2 * i] = list;
	set("--netns 1");
	assert_int_equal(options_parse(&options, 13, argv, message, sizeof(message)), 0);
	config.literal = false;
	text = make();
	assert_int_equal(program_parameters(&options, &places, values), PARAMETERS_MAX);
	assert_non_null(strstr(text, "(value) == PARAMETER(767))\n"));
	free(text);
}

/* A path or name that tries to end the comment, or the line, and add text of its own. */
static void test_hostile_comments(void **state)
{
	static const char *const wanted[] = {
		"#define FILTER_CGROUPMAP 1 /* pinned at /x?/ int evil;/? */",
		"#define FILTER_CGROUPMAP 1 /* pinned at /x?int evil; */",
		"#define FILTER_CGROUPMAP 1 /* pinned at /x??int evil; */",
		"#define FILTER_CGROUPMAP 1 /* pinned at ???? */",
	};
	static const char *const paths[] = {"/x*/ int evil;/*", "/x\nint evil;", "/x\\\nint evil;",
					    "\x01\x7f\xc3\x9f"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *text;

		set("--cgroupmap x");
		options.cgroupmap = paths[i];
		text = make();
		if (!has_line(text, wanted[i]))
			fail_msg("path %zu: %.200s", i, text);
		free(text);
	}

	char *text;

	set("--comm x");
	memcpy(options.comm, "*/x\n\\\"\xff evil;", 14);
	text = make();
	assert_non_null(strstr(text, ") /* ?/x??\"? evil; */\n"));
	free(text);
	/* Fifteen letters and no room for more than the NUL. */
	memset(options.comm, 'c', COMM_ROOM - 1);
	text = make();
	assert_non_null(strstr(text, ") /* ccccccccccccccc */\n"));
	free(text);
}

static void test_offsets(void **state)
{
	char *text = text_of(""), line[256];

	(void)state;
	for (size_t i = 0; fields_all()[i].macro; i++) {
		snprintf(line, sizeof(line), "#define OFFSET_%s %zu /* struct %s: %s */",
			 fields_all()[i].macro, 5000 + i, fields_all()[i].type,
			 fields_all()[i].path);
		assert_true(has_line(text, line));
	}
	assert_null(strstr(text, " offsetof(struct"));
	assert_null(strstr(text, "#include <net/"));
	free(text);

	/* The key of the cache does without the numbers. */
	set("");
	config.offsets = NULL;
	text = make();
	assert_null(strstr(text, "#define OFFSET_"));
	free(text);

	/* What headers do not tell is left out. */
	set("");
	offsets.offset[offsets.count - 1] = FIELD_ABSENT;
	config.offsets = &offsets;
	text = make();
	snprintf(line, sizeof(line), "#define OFFSET_%s ", fields_all()[offsets.count - 1].macro);
	assert_null(strstr(text, line));
	snprintf(line, sizeof(line), "#define OFFSET_%s ", fields_all()[0].macro);
	assert_non_null(strstr(text, line));
	free(text);
}

static void test_old_kernels(void **state)
{
	char *text = text_of("");

	(void)state;
	assert_false(has_line(text, "#define NO_PROBE_READ_KERNEL 1"));
	assert_true(has_line(text, "#define SPARE_BUFFER 1"));
	free(text);
	set("");
	config.old_probe_read = config.no_ringbuf = true;
	text = make();
	assert_true(has_line(text, "#define NO_PROBE_READ_KERNEL 1"));
	assert_false(has_line(text, "#define SPARE_BUFFER 1"));
	free(text);
}

/* Each program that a way attaches is in its text; each #if ends; each brace closes. */
static void check_way(const char *arguments, enum probe_kind way)
{
	char *text, function[64];
	int ifs = 0, braces = 0;

	set(arguments);
	config.probe = way;
	text = make();
	for (const struct point *point = way_points(way); point->program; point++) {
		if (point->wanted && !point->wanted(&options))
			continue;
		snprintf(function, sizeof(function), "\nint %s(", point->program);
		if (!strstr(text, function))
			fail_msg("%s: the text for %s lacks %s()", arguments, way_name(way),
				 point->program);
	}
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		ifs += strncmp(line, "#if", 3) == 0;
		ifs -= strncmp(line, "#endif", 6) == 0;
		assert_true(ifs >= 0);
	}
	for (const char *at = text; *at; at++)
		braces += (*at == '{') - (*at == '}');
	assert_int_equal(ifs, 0);
	assert_int_equal(braces, 0);
	/* Its names are the answers' alone. */
	assert_int_equal(strstr(text, "ANSWER_MAX)") != NULL, options.dns);
	free(text);
}

static void test_ways(void **state)
{
	static const char *const arguments[] = {"",     "-L", "-r",  "-d",        "-c",
						"-dLr", "-j", "-cr", EVERY_FILTER};

	(void)state;
	for (size_t way = 0; way < WAYS; way++)
		for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++)
			check_way(arguments[i], ways[way]);
}

/* The same options, the same text: the cache lives on it. */
static void test_stable(void **state)
{
	char *one = text_of(EVERY_FILTER " -j"), *other = text_of(EVERY_FILTER " -j");

	(void)state;
	assert_string_equal(one, other);
	free(one);
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_comm),
		cmocka_unit_test(test_top_is_used),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_parameters_in_order),
		cmocka_unit_test(test_full_lists),
		cmocka_unit_test(test_hostile_comments),
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_old_kernels),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_stable),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
