/* SPDX-License-Identifier: Apache-2.0 */
/* --check: what is printed of its lines, and where file systems are mounted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>
#include "check_report.h"

static struct check_report report;

static int new_report(void **state)
{
	(void)state;
	memset(&report, 0, sizeof(report));
	return 0;
}

static char *printed(void (*print)(const struct check_report *, FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	print(&report, out);
	fclose(out);
	return text;
}

static void has_table(const char *wanted)
{
	char *text = printed(check_print_table);

	assert_string_equal(text, wanted);
	free(text);
}

static void fill_start(void)
{
	report.start = (struct check_start){
		.works = true,
		.probe = "tracepoint",
		.types = "btf",
		.pages = 8,
		.compiled_before = true,
		.without = {"this is not seen", "nor is that"},
		.without_count = 2,
	};
}

static void prints_each_line(void **state)
{
	(void)state;
	assert_true(check_add(&report, "BTF", CHECK_YES, "%d types", 12));
	assert_false(check_add(&report, "headers", CHECK_NO, "none"));
	assert_false(check_add(&report, "lockdown", CHECK_UNKNOWN, "not shown"));
	snprintf(report.start.reason, sizeof(report.start.reason), "no way");
	has_table("BTF                  yes  12 types\n"
		  "headers              no   none\n"
		  "lockdown             ?    not shown\n"
		  "tracing              no   no way\n");
}

static void prints_what_a_start_uses(void **state)
{
	(void)state;
	fill_start();
	has_table("tracing              yes  --probe tracepoint --types btf --pages 8, compiled "
		  "before; this is not seen; nor is that\n");
	report.start.pages = 0;
	report.start.without_count = 0;
	report.start.compiled_before = false;
	has_table("tracing              yes  --probe tracepoint --types btf, compiled now\n");
}

static void escapes_what_strangers_wrote(void **state)
{
	(void)state;
	check_add(&report, "cache", CHECK_NO, "cannot use /a\nb\033[31m\xff");
	snprintf(report.start.reason, sizeof(report.start.reason), "x\ty");
	has_table("cache                no   cannot use /a\\x0ab\\x1b[31m\\xff\n"
		  "tracing              no   x\\x09y\n");
}

static json_t *printed_json(void)
{
	char *text = printed(check_print_json);
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		fail_msg("%s in %s", error.text, text);
	/* One line. */
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	free(text);
	return json;
}

static void json_is_read_back(void **state)
{
	const char *key, *reason;
	int yes;
	json_t *json, *without;

	(void)state;
	check_add(&report, "names by kprobe", CHECK_YES, "say \"yes\" \\ \n \xff \xc3\xa4");
	check_add(&report, "BTF", CHECK_NO, "none");
	check_add(&report, "lockdown", CHECK_UNKNOWN, "not shown");
	fill_start();
	json = printed_json();
	assert_int_equal(json_unpack(json, "{s:{s:{s:b,s:s}}}", "checks", "names_by_kprobe", "yes",
				     &yes, "reason", &reason),
			 0);
	assert_true(yes);
	assert_string_equal(reason, "say \"yes\" \\\\ \\x0a \\xff \xc3\xa4");
	assert_int_equal(json_unpack(json, "{s:{s:{s:b}}}", "checks", "btf", "yes", &yes), 0);
	assert_false(yes);
	assert_int_equal(json_unpack(json, "{s:{s:{s:n}}}", "checks", "lockdown", "yes"), 0);
	assert_int_equal(json_unpack(json, "{s:b,s:{s:s,s:o},s:n}", "works", &yes, "start",
				     "compiled", &key, "without", &without, "reason"),
			 0);
	assert_true(yes);
	assert_string_equal(key, "before");
	assert_int_equal(json_array_size(without), 2);
	json_decref(json);
}

static void json_of_a_failure(void **state)
{
	const char *reason;
	json_t *json;
	int works;

	(void)state;
	snprintf(report.start.reason, sizeof(report.start.reason), "no \"way\"");
	json = printed_json();
	assert_int_equal(json_unpack(json, "{s:{},s:b,s:n,s:s}", "checks", "works", &works, "start",
				     "reason", &reason),
			 0);
	assert_false(works);
	assert_string_equal(reason, "no \"way\"");
	json_decref(json);
}

static void too_many_and_too_long_are_cut(void **state)
{
	char *text, longest[3000];

	(void)state;
	memset(longest, '\001', sizeof(longest) - 1); /* each becomes four bytes */
	longest[sizeof(longest) - 1] = '\0';
	for (int i = 0; i < CHECK_ROWS_MAX + 3; i++)
		check_add(&report, "row", CHECK_YES, "%s", longest);
	assert_int_equal(report.count, CHECK_ROWS_MAX);
	text = printed(check_print_table);
	assert_int_equal(strcspn(text, "\n"), 26 + 4 * (sizeof(report.rows[0].reason) - 1));
	free(text);
}

static const char *mount_of(const char *mountinfo, const char *type, size_t size)
{
	static char path[256];
	FILE *file = fmemopen((void *)(uintptr_t)mountinfo, strlen(mountinfo), "r");
	bool found;

	assert_non_null(file);
	memset(path, 'x', sizeof(path));
	found = mounted_at(file, type, path, size);
	fclose(file);
	return found ? path : NULL;
}

#define MOUNTS                                                                                     \
	"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"                                  \
	"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"                   \
	"42 31 0:39 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"                              \
	"43 27 0:40 / /mnt/a\\040b\\134c rw shared:1 master:2 - bpf bpf rw\n"                      \
	"44 27 0:41 / /first rw - tracefs tracefs rw\n"                                            \
	"45 27 0:41 / /second rw - tracefs tracefs rw\n"

static void finds_mounts(void **state)
{
	(void)state;
	assert_string_equal(mount_of(MOUNTS, "cgroup2", 256), "/sys/fs/cgroup/unified");
	assert_string_equal(mount_of(MOUNTS, "cgroup", 256), "/sys/fs/cgroup/cpu");
	assert_string_equal(mount_of(MOUNTS, "bpf", 256), "/mnt/a b\\c");
	assert_string_equal(mount_of(MOUNTS, "tracefs", 256), "/second");
	assert_null(mount_of(MOUNTS, "cgroup2x", 256));
	assert_null(mount_of(MOUNTS, "cgrou", 256));
	assert_null(mount_of(MOUNTS, "ext4x", 256));
	assert_null(mount_of("\n", "ext4", 256));
	assert_null(mount_of("- \n - \n - ext4\n - ext4 \n", "ext4", 256));
}

static void a_path_too_long_is_none(void **state)
{
	(void)state;
	assert_string_equal(mount_of("1 2 3:4 / /abc rw - bpf bpf rw\n", "bpf", 5), "/abc");
	assert_null(mount_of("1 2 3:4 / /abc rw - bpf bpf rw\n", "bpf", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(prints_each_line, new_report),
		cmocka_unit_test_setup(prints_what_a_start_uses, new_report),
		cmocka_unit_test_setup(escapes_what_strangers_wrote, new_report),
		cmocka_unit_test_setup(json_is_read_back, new_report),
		cmocka_unit_test_setup(json_of_a_failure, new_report),
		cmocka_unit_test_setup(too_many_and_too_long_are_cut, new_report),
		cmocka_unit_test(finds_mounts),
		cmocka_unit_test(a_path_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
