/* SPDX-License-Identifier: Apache-2.0 */
#include "check_report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "compiler/cache.h"
#include "compiler/compile.h"
#include "kernel/privilege.h"
#include "probes/session.h"
#include "probes/tracefs.h"
#include "sandbox/ask_child.h"
#include "sandbox/sandbox.h"

/* mountinfo writes blanks and the like as \ooo. */
static void unescape(char *path)
{
	char *to = path;

	while (*path) {
		if (path[0] == '\\' && strspn(path + 1, "01234567") >= 3) {
			*to++ = (char)((path[1] - '0') << 6 | (path[2] - '0') << 3 |
				       (path[3] - '0'));
			path += 4;
		} else {
			*to++ = *path++;
		}
	}
	*to = '\0';
}

bool mounted_at(FILE *mountinfo, const char *type, char *path, size_t size)
{
	size_t length = strlen(type), room = 0;
	bool found = false;
	char *line = NULL;

	while (getline(&line, &room, mountinfo) > 0) {
		const char *behind = strstr(line, " - ");
		int from = 0, to = 0;

		if (!behind || strncmp(behind + 3, type, length) != 0 || behind[3 + length] != ' ')
			continue;
		/* "36 35 98:0 /root /mount/point options ... - type source options" */
		sscanf(line, "%*s %*s %*s %*s %n%*s%n", &from, &to);
		if (to <= from || (size_t)(to - from) >= size)
			continue;
		memcpy(path, line + from, to - from);
		path[to - from] = '\0';
		unescape(path);
		found = true;
	}
	free(line);
	return found;
}

static enum check_answer is_mounted(const char *type, char *path, size_t size)
{
	FILE *mountinfo = fopen("/proc/self/mountinfo", "re");
	bool found;

	if (!mountinfo)
		return CHECK_UNKNOWN;
	found = mounted_at(mountinfo, type, path, size);
	fclose(mountinfo);
	return found ? CHECK_YES : CHECK_NO;
}

static void check_mount(struct check_report *report, const char *name, const char *type,
			const char *needed_by)
{
	char path[PATH_MAX];

	switch (is_mounted(type, path, sizeof(path))) {
	case CHECK_YES:
		check_add(report, name, CHECK_YES, "at %s", path);
		break;
	case CHECK_NO:
		check_add(report, name, CHECK_NO, "not mounted; only %s need it", needed_by);
		break;
	default:
		check_add(report, name, CHECK_UNKNOWN, "not shown, without /proc/self/mountinfo");
	}
}

static void check_mounts(struct check_report *report)
{
	char path[PATH_MAX];
	int event = tracefs_event_id("syscalls", "sys_enter_connect");

	if (event < 0)
		check_add(report, "tracefs", CHECK_NO, "%s",
			  errno == EACCES || errno == EPERM
				  ? "not to be read by this user, nor to be mounted"
				  : "no number of syscalls/sys_enter_connect in it "
				    "(CONFIG_FTRACE_SYSCALLS)");
	else if (is_mounted("tracefs", path, sizeof(path)) == CHECK_YES)
		check_add(report, "tracefs", CHECK_YES, "at %s", path);
	else
		check_add(report, "tracefs", CHECK_YES,
			  "not mounted, but this process can mount one for itself");

	check_mount(report, "bpffs", "bpf", "--cgroupmap and --mntnsmap");
	check_mount(report, "cgroup v2", "cgroup2", "--cgroup and --cgroupmap");
}

static void check_capabilities(struct check_report *report)
{
	char held[256] = "", missing[256] = "";
	struct error error;
	const char *name;
	bool is_held;

	for (size_t i = 0; (name = privilege_name(i, &is_held)) != NULL; i++) {
		char *list = is_held ? held : missing;
		size_t used = strlen(list);

		snprintf(list + used, sizeof(held) - used, "%s%s", used ? " " : "", name);
	}
	check_add(report, "capabilities", privilege_check(&error) ? CHECK_NO : CHECK_YES,
		  "held: %s; missing: %s", held[0] ? held : "none", missing[0] ? missing : "none");
}

static void check_memory_lock(struct check_report *report)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit)) {
		check_add(report, "memory lock", CHECK_UNKNOWN, "the limit is not shown: %s",
			  strerror(errno));
	} else if (limit.rlim_cur == RLIM_INFINITY) {
		check_add(report, "memory lock", CHECK_YES, "no limit");
	} else if (setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0) {
		setrlimit(RLIMIT_MEMLOCK, &limit);
		check_add(report, "memory lock", CHECK_YES, "%llu KiB, which this process can lift",
			  (unsigned long long)limit.rlim_cur / 1024);
	} else {
		check_add(report, "memory lock", CHECK_NO,
			  "%llu KiB, not to be lifted by this process (%s); BPF maps count before "
			  "Linux 5.11, perf buffers without CAP_IPC_LOCK",
			  (unsigned long long)limit.rlim_cur / 1024, strerror(errno));
	}
}

struct library_answer {
	int failed;
	char version[64];
	struct toolchain toolchain;
	struct error error;
};

static void open_library(void *context, int out)
{
	struct library_answer answer = {0};

	(void)context;
	answer.failed = libbcc_version(answer.version, sizeof(answer.version), &answer.toolchain,
				       &answer.error);
	_exit(write(out, &answer, sizeof(answer)) == sizeof(answer) ? 0 : 1);
}

/*
 * In a process of its own: LLVM stays out of this one, and what it does to a process with it.
 * Returns 0; -1 with *error set where it cannot be opened; 1 where that could not be tried.
 */
static int ask_library(struct library_answer *answer, struct error *error)
{
	int status = 0,
	    failed = ask_child(open_library, NULL, answer, sizeof(*answer), &status, error);

	if (failed < 0)
		return fail(error, "the process that opened it ended with status %#x", status);
	if (failed)
		return failed;
	*error = answer->error;
	return answer->failed;
}

static void check_library(struct check_report *report)
{
	struct library_answer answer;
	struct error error;
	const char *llvm;
	int failed = ask_library(&answer, &error);

	if (failed) {
		check_add(report, "libbcc", failed < 0 ? CHECK_NO : CHECK_UNKNOWN, "%s",
			  error.line);
		return;
	}
	llvm = strrchr(answer.toolchain.llvm, '/');
	check_add(report, "libbcc", CHECK_YES, "%s, %s, %s", answer.version,
		  answer.toolchain.libbcc, llvm ? llvm + 1 : "with an LLVM of its own");
}

static void check_cache(struct check_report *report, const struct options *options)
{
	struct cache cache = {.directory = -1};
	struct error why;

	if (options->no_cache) {
		check_add(report, "cache", CHECK_NO, "--no-cache was given");
		return;
	}
	if (cache_look(&cache, options->cache_dir, &why))
		check_add(report, "cache", CHECK_NO, "%s", why.line);
	else if (faccessat(cache.directory, ".", W_OK | X_OK, AT_EACCESS))
		check_add(report, "cache", CHECK_NO, "%s is only read: %s", cache.path,
			  strerror(errno));
	else
		check_add(report, "cache", CHECK_YES, "%s", cache.path);
	cache_close(&cache);
}

static void check_sandbox(struct check_report *report, const struct options *options)
{
	struct sandbox_report sandbox = {0};
	struct sandbox_user user = {0};
	struct error error;
	char without[768] = "";
	size_t used = 0;
	int map, failed;

	if (options->no_sandbox) {
		check_add(report, "sandbox", CHECK_NO, "--no-sandbox was given");
		return;
	}
	/* Any map tells what reading one takes; where none can be had, nothing is traced either. */
	map = bpf_map_create(BPF_MAP_TYPE_HASH, NULL, 8, 8, 1, NULL);
	failed = sandbox_find_user(options->user, &user, &error);
	if (!failed)
		failed = sandbox_describe(&user, map < 0 ? -1 : map, &sandbox, &error);
	if (map >= 0)
		close(map);
	if (failed) {
		check_add(report, "sandbox", failed < 0 ? CHECK_NO : CHECK_UNKNOWN, "%s",
			  error.line);
		/* So would a start, which tries it beforehand for a user asked for. */
		if (failed < 0 || user.asked)
			snprintf(report->start.reason, sizeof(report->start.reason), "%s",
				 error.line);
		return;
	}
	for (int i = 0; i < SANDBOX_MEASURES; i++)
		if (sandbox.without[i] && used < sizeof(without))
			used += snprintf(without + used, sizeof(without) - used, "%s%s (%s)",
					 used ? ", " : "without ", sandbox_measure_name(i),
					 sandbox.without[i]);
	if (used)
		check_add(report, "sandbox", CHECK_NO, "%s", without);
	else if (sandbox.kept)
		check_add(report, "sandbox", CHECK_YES,
			  "all of it, as user %u, but %s stays with kprobes and -c, -r, -F, --slow",
			  user.uid, sandbox.kept);
	else
		check_add(report, "sandbox", CHECK_YES, "all of it, as user %u", user.uid);
}

void check_machine(struct check_report *report, const struct options *options)
{
	check_capabilities(report);
	check_memory_lock(report); /* as it was started with */
	session_raise_limits();    /* as a start does */
	check_library(report);
	check_mounts(report);
	check_cache(report, options);
	check_sandbox(report, options);
}
