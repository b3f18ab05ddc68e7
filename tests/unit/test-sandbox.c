/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a process that went into the sandbox, seen from outside. */
#include "sandbox-child.h"

#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#define NO_FD (-1)

static const int all_sets = 5;
static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};

/* The reasons of all measures that do not hold, or "holds"; then wait to be looked at. */
static void say_report(int failed, const struct sandbox_report *report, const struct error *error)
{
	char line[2048] = "";
	size_t used = 0;

	if (failed) {
		say(error->line);
		_exit(1);
	}
	for (int i = 0; i < SANDBOX_MEASURES; i++)
		if (report->without[i])
			used += (size_t)snprintf(line + used, sizeof(line) - used, "%d: %s; ", i,
						 report->without[i]);
	say(used ? line : "holds");
	for (;;)
		poll(NULL, 0, -1);
}

static void go_in(void *arg)
{
	struct sandbox_report report;
	struct error error;

	(void)arg;
	say_report(enter_plain(&report, &error), &report, &error);
}

static void privileges_are_gone(void **state)
{
	struct child child;

	(void)state;
	child_start(&child, go_in, NULL);
	assert_string_equal(child_hear(&child), "holds");
	for (int i = 0; i < all_sets; i++)
		assert_string_equal(status_line(child.pid, sets[i]), "0000000000000000");
	assert_string_equal(status_line(child.pid, "NoNewPrivs"), "1");
	assert_string_equal(status_line(child.pid, "Seccomp"), "2");
	child_kill(&child);
}

static void with_groups(void *arg)
{
	const gid_t groups[] = {0, 4, 27};

	setgroups(3, groups);
	go_in(arg);
}

static void user_and_groups_are_nobodys(void **state)
{
	const struct passwd *nobody = getpwnam("nobody");
	struct child child;
	char wanted[128];

	(void)state;
	assert_non_null(nobody);
	child_start(&child, with_groups, NULL);
	assert_string_equal(child_hear(&child), "holds");
	snprintf(wanted, sizeof(wanted), "%u\t%u\t%u\t%u", nobody->pw_uid, nobody->pw_uid,
		 nobody->pw_uid, nobody->pw_uid);
	assert_string_equal(status_line(child.pid, "Uid"), wanted);
	snprintf(wanted, sizeof(wanted), "%u\t%u\t%u\t%u", nobody->pw_gid, nobody->pw_gid,
		 nobody->pw_gid, nobody->pw_gid);
	assert_string_equal(status_line(child.pid, "Gid"), wanted);
	assert_string_equal(status_line(child.pid, "Groups"), "");
	child_kill(&child);
}

static void user_by_name(void *arg)
{
	struct sandbox_plan plan = {.map = -1};
	struct sandbox_report report;
	struct error error;
	int failed =
		sandbox_find_user(arg, &plan.user, &error) || sandbox_enter(&plan, &report, &error);

	say_report(failed, &report, &error);
}

static void another_user_is_asked_for(void **state)
{
	const struct passwd *daemon = getpwnam("daemon");
	struct child child;
	char wanted[128];

	(void)state;
	assert_non_null(daemon);
	child_start(&child, user_by_name, "daemon");
	assert_string_equal(child_hear(&child), "holds");
	snprintf(wanted, sizeof(wanted), "%u\t%u\t%u\t%u", daemon->pw_uid, daemon->pw_uid,
		 daemon->pw_uid, daemon->pw_uid);
	assert_string_equal(status_line(child.pid, "Uid"), wanted);
	child_kill(&child);
}

static void no_such_user(void **state)
{
	struct sandbox_user user;
	struct error error;

	(void)state;
	assert_int_equal(sandbox_find_user("no-such-user", &user, &error), -1);
	assert_string_equal(error.line, "--user: there is no user 'no-such-user'");
	/* No prefix and no line of the file is taken for a name. */
	assert_int_equal(sandbox_find_user("", &user, &error), -1);
	assert_int_equal(sandbox_find_user("nobod", &user, &error), -1);
	assert_int_equal(sandbox_find_user("nobody:x", &user, &error), -1);
}

/* The numbers of the open descriptors, "0 1 2 7 ", in order. */
static const char *descriptors(pid_t pid)
{
	static char list[1024];
	char path[80], target[80];
	struct stat st;
	size_t used = 0;

	list[0] = '\0';
	for (int fd = 0; fd < 1100; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		if (lstat(path, &st) == 0)
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%d ", fd);
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	target[readlink(path, target, sizeof(target) - 1)] = '\0';
	assert_string_equal(target, "/dev/null");
	return list;
}

static void with_descriptors(void *arg)
{
	static const int kept[] = {900, 5, 6, 41};
	struct sandbox_plan plan = {.fds = kept, .fd_count = *(const size_t *)arg, .map = -1};
	struct sandbox_report report;
	struct error error;
	int failed;

	for (int fd = 3; fd < 60; fd++)
		dup2(STDERR_FILENO, fd);
	dup2(STDERR_FILENO, 900);
	dup2(STDERR_FILENO, 901);
	dup2(STDERR_FILENO, STDIN_FILENO);
	failed = sandbox_find_user(NULL, &plan.user, &error) ||
		 sandbox_enter(&plan, &report, &error);
	say_report(failed, &report, &error);
}

static void only_descriptors_in_use_stay(void **state)
{
	struct child child;

	(void)state;
	child_start(&child, with_descriptors, &(size_t){4});
	assert_string_equal(child_hear(&child), "holds");
	assert_string_equal(descriptors(child.pid), "0 1 2 5 6 41 900 ");
	child_kill(&child);
	child_start(&child, with_descriptors, &(size_t){0});
	assert_string_equal(child_hear(&child), "holds");
	assert_string_equal(descriptors(child.pid), "0 1 2 ");
	child_kill(&child);
}

static void assert_empty_place(pid_t pid, const char *which)
{
	char path[80];
	const struct dirent *entry;
	DIR *list;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s/.", pid, which);
	list = opendir(path);
	if (!list)
		fail_msg("%s: %s", path, strerror(errno));
	while ((entry = readdir(list)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			fail_msg("%s has %s", path, entry->d_name);
	closedir(list);
	/* Not even root can put anything there. */
	snprintf(path, sizeof(path), "/proc/%d/%s/file", pid, which);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(fd, -1);
	assert_true(errno == EROFS || errno == ENOENT);
}

static void root_is_an_empty_place(void **state)
{
	struct child child;

	(void)state;
	child_start(&child, go_in, NULL);
	assert_string_equal(child_hear(&child), "holds");
	assert_empty_place(child.pid, "root");
	assert_empty_place(child.pid, "cwd");
	child_kill(&child);
}

static int litter(void)
{
	static const char *const places[] = {"/run", "/tmp", "/dev/shm"};
	int found = 0;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		DIR *list = opendir(places[i]);
		const struct dirent *entry;

		while (list && (entry = readdir(list)) != NULL)
			if (strncmp(entry->d_name, "tcpconnect-", 11) == 0 &&
			    strlen(entry->d_name) == 17)
				found++;
		if (list)
			closedir(list);
	}
	return found;
}

static void without_capability(void *arg)
{
	lose_capability(*(const int *)arg);
	go_in(NULL);
}

/* What makes a mount may be missing; then a directory that was removed serves. */
static void root_without_mounting(void **state)
{
	struct child child;
	int before = litter();

	(void)state;
	child_start(&child, without_capability, &(int){CAP_SYS_ADMIN});
	assert_string_equal(child_hear(&child), "holds");
	assert_empty_place(child.pid, "root");
	assert_empty_place(child.pid, "cwd");
	child_kill(&child);
	assert_int_equal(litter(), before);
}

/* Started with less, it gives up the rest, and says what could not be. */
static void what_is_missing_is_said(void **state)
{
	static const struct {
		int capability;
		enum sandbox_measure measure;
		const char *why;
	} cases[] = {
		{CAP_SYS_CHROOT, SANDBOX_ROOT, "CAP_SYS_CHROOT is missing"},
		{CAP_SETPCAP, SANDBOX_BOUNDING, "CAP_SETPCAP is missing"},
		{CAP_SETUID, SANDBOX_IDENTITY, "CAP_SETUID is missing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int capability = cases[i].capability;
		struct child child;
		char wanted[128];

		child_start(&child, without_capability, &capability);
		snprintf(wanted, sizeof(wanted), "%d: %s; ", cases[i].measure, cases[i].why);
		assert_string_equal(child_hear(&child), wanted);
		assert_string_equal(status_line(child.pid, "CapPrm"), "0000000000000000");
		assert_string_equal(status_line(child.pid, "CapEff"), "0000000000000000");
		assert_string_equal(status_line(child.pid, "NoNewPrivs"), "1");
		assert_string_equal(status_line(child.pid, "Seccomp"), "2");
		child_kill(&child);
	}
}

static void asked_user_without_capability(void *arg)
{
	lose_capability(CAP_SETUID);
	user_by_name(arg);
}

static void user_asked_for_must_be_had(void **state)
{
	struct child child;

	(void)state;
	child_start(&child, asked_user_without_capability, "daemon");
	assert_string_equal(child_hear(&child),
			    "--user: cannot become that user: CAP_SETUID is missing");
	assert_int_equal(child_end(&child), 1 << 8);
}

static void seize(void *arg)
{
	const pid_t *victim = arg;

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		_exit(98);
	say(ptrace(PTRACE_SEIZE, *victim, NULL, NULL) == 0 ? "traced" : strerror(errno));
}

static void idle_nobody(void *arg)
{
	(void)arg;
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534) ||
	    prctl(PR_SET_DUMPABLE, 1))
		_exit(98);
	say("ready");
	poll(NULL, 0, -1);
}

/* Started by a user whose file capabilities were enough, or are used up. */
static void go_in_as_plain_user(void *arg)
{
	if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
	    setresuid(65534, 65534, 65534) || prctl(PR_SET_DUMPABLE, 1))
		_exit(98);
	go_in(arg);
}

static void expect_untraceable(pid_t pid)
{
	struct child other;

	child_start(&other, seize, &pid);
	assert_string_equal(child_hear(&other), "Operation not permitted");
	child_end(&other);
}

static void plain_users_give_up_what_they_have(void **state)
{
	struct child child;
	char wanted[128];

	(void)state;
	child_start(&child, go_in_as_plain_user, NULL);
	snprintf(wanted, sizeof(wanted),
		 "%d: CAP_SYS_CHROOT is missing; %d: CAP_SETPCAP is missing; ", SANDBOX_ROOT,
		 SANDBOX_BOUNDING);
	assert_string_equal(child_hear(&child), wanted);
	assert_string_equal(status_line(child.pid, "Seccomp"), "2");
	expect_untraceable(child.pid);
	child_kill(&child);
}

/* Others run as nobody, too; they must not get hold of it. */
static void others_of_the_same_user_cannot_trace(void **state)
{
	struct child child, other;

	(void)state;
	child_start(&child, idle_nobody, NULL);
	assert_string_equal(child_hear(&child), "ready");
	child_start(&other, seize, &child.pid);
	assert_string_equal(child_hear(&other), "traced");
	child_end(&other);
	child_kill(&child);

	child_start(&child, go_in, NULL);
	assert_string_equal(child_hear(&child), "holds");
	child_start(&other, seize, &child.pid);
	assert_string_equal(child_hear(&other), "Operation not permitted");
	child_end(&other);
	child_kill(&child);
}

static void go_in_by_a_parent(void *arg)
{
	int *ready = arg; /* the parent's pipe */

	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(20);
		go_in(NULL);
	}
	/* End when the test says so; the grandchild then has the only end of its pipe. */
	if (read(ready[0], &(char){0}, 1) < 0)
		_exit(1);
}

/* Whoever starts it with PR_SET_PDEATHSIG still gets that. */
static void ends_with_its_parent(void **state)
{
	struct child child;
	int ready[2];

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child_start(&child, go_in_by_a_parent, ready);
	assert_string_equal(child_hear(&child), "holds");
	assert_int_equal(write(ready[1], "x", 1), 1);
	assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
	/* The pipe ends once the grandchild is dead; at the alarm at the latest. */
	assert_int_equal(poll(&(struct pollfd){.fd = child.out, .events = POLLIN}, 1, 10000), 1);
	assert_string_equal(child_hear(&child), "");
	close(child.out);
	close(ready[0]);
	close(ready[1]);
}

static void limits_are_set(void **state)
{
	static const char *const limits[] = {
		"Max core file size        0                    0 ",
		"Max processes             0                    0 ",
		"Max open files            3                    3 ",
	};
	char path[64], text[4096];
	struct child child;
	ssize_t got;
	int fd;

	(void)state;
	child_start(&child, go_in, NULL);
	assert_string_equal(child_hear(&child), "holds");
	snprintf(path, sizeof(path), "/proc/%d/limits", child.pid);
	fd = open(path, O_RDONLY);
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	child_kill(&child);
	text[got > 0 ? got : 0] = '\0';
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (!strstr(text, limits[i]))
			fail_msg("no '%s' in %s", limits[i], text);
}

/* What --check says is what happens, and asking changes nothing here. */
static void describing_tries_it(void **state)
{
	struct sandbox_report report;
	struct sandbox_user user;
	struct error error;
	char before[1024];

	(void)state;
	assert_int_equal(sandbox_find_user(NULL, &user, &error), 0);
	snprintf(before, sizeof(before), "%s", status_line(getpid(), "CapEff"));
	assert_int_equal(sandbox_describe(&user, NO_FD, &report, &error), 0);
	for (int i = 0; i < SANDBOX_MEASURES; i++) {
		assert_null(report.without[i]);
		assert_non_null(sandbox_measure_name(i));
	}
	assert_null(report.kept);
	assert_string_equal(status_line(getpid(), "CapEff"), before);
	assert_string_equal(status_line(getpid(), "NoNewPrivs"), "0");
	assert_int_equal(geteuid(), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(privileges_are_gone),
		cmocka_unit_test(user_and_groups_are_nobodys),
		cmocka_unit_test(another_user_is_asked_for),
		cmocka_unit_test(no_such_user),
		cmocka_unit_test(only_descriptors_in_use_stay),
		cmocka_unit_test(root_is_an_empty_place),
		cmocka_unit_test(root_without_mounting),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(user_asked_for_must_be_had),
		cmocka_unit_test(plain_users_give_up_what_they_have),
		cmocka_unit_test(others_of_the_same_user_cannot_trace),
		cmocka_unit_test(ends_with_its_parent),
		cmocka_unit_test(limits_are_set),
		cmocka_unit_test(describing_tries_it),
	};

	if (need_root(NULL))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
