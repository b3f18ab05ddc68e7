/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sandbox on kernels that offer less than this one: calls that a kernel lacks are made to
 * fail by a filter around the whole; what a kernel's bpf(2) asks for is put in front of it.
 */
#include "sandbox-child.h"

#include <seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <linux/bpf.h>
#include <linux/seccomp.h>

/* The capability without which this "kernel" refuses bpf(2): a number, or -1. */
static int bpf_needs = -1;
static bool knows_cap_bpf = true;

long __real_syscall(long number, ...);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);

static bool effective(int capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (__real_syscall(SYS_capget, &header, sets))
		_exit(98);
	return sets[capability / 32].effective & 1u << capability % 32;
}

long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	bool refused;

	if (number != SYS_bpf)
		return __real_syscall(number, a, b, c, d, e, f);
	refused = bpf_needs >= 0 && !effective(bpf_needs) && !effective(CAP_SYS_ADMIN);
	errno = refused ? EPERM : ENOENT; /* the map is empty */
	return -1;
}

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 8, .max_entries = 8};
	int map = (int)__real_syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	if (map < 0)
		_exit(96);
	return map;
}

static void go_in_with_map(void *arg)
{
	int map = make_map();
	struct sandbox_plan plan = {
		.fds = &map, .fd_count = 1, .maps = SANDBOX_MAPS_READ, .map = map};
	struct sandbox_report report;
	struct error error;

	(void)arg;
	if (!knows_cap_bpf)
		lose_capability(CAP_BPF);
	if (sandbox_find_user(NULL, &plan.user, &error) || sandbox_enter(&plan, &report, &error)) {
		say(error.line);
		_exit(1);
	}
	for (int i = 0; i < SANDBOX_MEASURES; i++)
		if (report.without[i])
			say(report.without[i]);
	say(report.kept ? report.kept : "none");
	poll(NULL, 0, -1);
}

static void expect_kept(const char *name, const char *set, const char *uid)
{
	struct child child;

	child_start(&child, go_in_with_map, NULL);
	assert_string_equal(child_hear(&child), name);
	assert_string_equal(status_line(child.pid, "CapEff"), set);
	assert_string_equal(status_line(child.pid, "CapPrm"), set);
	assert_string_equal(status_line(child.pid, "CapInh"), "0000000000000000");
	assert_string_equal(status_line(child.pid, "CapBnd"), "0000000000000000");
	assert_string_equal(status_line(child.pid, "CapAmb"), "0000000000000000");
	assert_memory_equal(status_line(child.pid, "Uid"), uid, strlen(uid));
	child_kill(&child);
}

static void nothing_stays_where_nothing_is_needed(void **state)
{
	(void)state;
	bpf_needs = -1;
	expect_kept("none", "0000000000000000", "65534\t");
}

static void cap_bpf_stays_where_it_is_enough(void **state)
{
	(void)state;
	bpf_needs = CAP_BPF;
	expect_kept("CAP_BPF", "0000008000000000", "65534\t");
	bpf_needs = -1;
}

/* Before 5.8 there is no CAP_BPF; a process can then not have it. */
static void cap_sys_admin_stays_where_it_must(void **state)
{
	(void)state;
	bpf_needs = CAP_SYS_ADMIN;
	expect_kept("CAP_SYS_ADMIN", "0000000000200000", "65534\t");
	knows_cap_bpf = false;
	expect_kept("CAP_SYS_ADMIN", "0000000000200000", "65534\t");
	knows_cap_bpf = true;
	bpf_needs = -1;
}

static void go_in_without_admin(void *arg)
{
	bpf_needs = CAP_SYS_ADMIN;
	knows_cap_bpf = true;
	lose_capability(CAP_SYS_ADMIN);
	/* The map is made with CAP_BPF. */
	go_in_with_map(arg);
}

static void unreadable_maps_are_an_error(void **state)
{
	struct child child;

	(void)state;
	child_start(&child, go_in_without_admin, NULL);
	assert_string_equal(child_hear(&child),
			    "the BPF maps cannot be read: Operation not permitted");
	assert_int_equal(child_end(&child), 1 << 8);
}

/* Make the named calls fail as if the kernel had none; *filters: seccomp, too. */
static void lack(const char *const *calls, bool filters)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int failed = 0;

	for (; *calls; calls++)
		failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
					   seccomp_syscall_resolve_name(*calls), 0);
	if (!filters) {
		failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
					   SCMP_A0_32(SCMP_CMP_EQ, PR_SET_SECCOMP));
		failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0);
	}
	/* Privileges must still be gained afterwards as on such a kernel. */
	failed |= seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (failed || seccomp_load(filter))
		_exit(95);
	seccomp_release(filter);
}

static void say_report(const struct sandbox_report *report)
{
	bool all = true;

	for (int i = 0; i < SANDBOX_MEASURES; i++) {
		if (!report->without[i])
			continue;
		say(sandbox_measure_name(i));
		say(": ");
		say(report->without[i]);
		all = false;
	}
	say(all ? "holds" : ";");
	for (;;)
		poll(NULL, 0, -1);
}

static void go_in_lacking_filters(void *arg)
{
	static const char *const none[] = {NULL};
	struct sandbox_report report;
	struct error error;

	(void)arg;
	lack(none, false);
	if (enter_plain(&report, &error))
		_exit(1);
	say_report(&report);
}

static void wait_for(struct child *child, const char *words)
{
	char heard[2 * sizeof(child->text)] = "";

	while (!strstr(heard, ";") && !strstr(heard, "holds")) {
		if (!*child_hear(child))
			break;
		snprintf(heard + strlen(heard), sizeof(heard) - strlen(heard), "%s", child->text);
	}
	assert_string_equal(heard, words);
}

static void without_filters_it_says_so_and_goes_on(void **state)
{
	struct child child;

	(void)state;
	child_start(&child, go_in_lacking_filters, NULL);
	wait_for(&child, "few system calls: the kernel does not filter system calls "
			 "(CONFIG_SECCOMP_FILTER);");
	assert_string_equal(status_line(child.pid, "CapEff"), "0000000000000000");
	assert_string_equal(status_line(child.pid, "NoNewPrivs"), "1");
	assert_memory_equal(status_line(child.pid, "Uid"), "65534\t", 6);
	assert_string_equal(status_line(child.pid, "Seccomp_filters"), "1"); /* the test's own */
	child_kill(&child);
}

static void go_in_on_an_old_kernel(void *arg)
{
	static const char *const young[] = {"close_range", "fsopen", "fsmount", "fsconfig", NULL};
	struct sandbox_report report;
	struct error error;

	(void)arg;
	dup2(STDERR_FILENO, 40);
	lack(young, true);
	if (enter_plain(&report, &error))
		_exit(1);
	say_report(&report);
}

/* Before 5.2 and 5.9 the same is had by older means. */
static void old_kernels_have_other_means(void **state)
{
	struct child child;
	char path[64];

	(void)state;
	child_start(&child, go_in_on_an_old_kernel, NULL);
	wait_for(&child, "holds");
	snprintf(path, sizeof(path), "/proc/%d/fd/40", child.pid);
	assert_int_equal(readlink(path, (char[8]){0}, 8), -1);
	snprintf(path, sizeof(path), "/proc/%d/root/etc", child.pid);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(errno, ENOENT);
	child_kill(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_stays_where_nothing_is_needed),
		cmocka_unit_test(cap_bpf_stays_where_it_is_enough),
		cmocka_unit_test(cap_sys_admin_stays_where_it_must),
		cmocka_unit_test(unreadable_maps_are_an_error),
		cmocka_unit_test(without_filters_it_says_so_and_goes_on),
		cmocka_unit_test(old_kernels_have_other_means),
	};

	if (need_root(NULL))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
