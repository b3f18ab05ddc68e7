/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

/* How a row's value is read, and into which member of struct options. */
#define INTO(reader, member)      .read = (reader), .field = offsetof(struct options, member)
#define FLAG(member)              INTO(read_flag, member)
#define EXCLUSIVE(member, number) INTO(read_exclusive, member), .value = (number)
#define REQUEST(number)           INTO(read_request, action), .value = (number)
#define CHOICE(member, names)     INTO(read_choice, member), .choices = (names)
#define TEXT(member, noun)        INTO(read_text, member), .what = (noun)
#define PATH(member)              TEXT(member, "the path")
#define IMPLIES_RESULT            .implies = offsetof(struct options, result)
#define BCC                       .bcc = true
#define NUMBER(reader, member, noun, min, max)                                                     \
	INTO(reader, member), .what = (noun), .least = (min), .most = (max)

/* PID_MAX_LIMIT of a 64-bit kernel (include/linux/threads.h). */
#define PID_LIMIT 4194304
/* (uid_t)-1 is "no user" to every system call; no process runs under it. */
#define UID_LIMIT 4294967294
/* A year; what runs longer needs no end. */
#define SECONDS_LIMIT 31536000
/* A day in ms; no connect waits longer, tcp(7) gives it up after minutes. */
#define MILLIS_LIMIT 86400000

static const char *const probe_names[] = {
	[PROBE_AUTO] = "auto",
	[PROBE_KPROBE] = "kprobe",
	[PROBE_FENTRY] = "fentry",
	[PROBE_TRACEPOINT] = "tracepoint",
	NULL,
};

static const char *const types_names[] = {
	[TYPES_AUTO] = "auto",
	[TYPES_BTF] = "btf",
	[TYPES_HEADERS] = "headers",
	NULL,
};

static const char *const color_names[] = {
	[COLOR_AUTO] = "auto",
	[COLOR_ALWAYS] = "always",
	[COLOR_NEVER] = "never",
	NULL,
};

/* Within a group, help keeps the order of the rows. */
const struct option_row option_rows[] = {
	{GROUP_FILTER, '4', "ipv4", NULL, "IPv4 only, IPv4-mapped IPv6 connects included",
	 EXCLUSIVE(family, 4), BCC},
	{GROUP_FILTER, '6', "ipv6", NULL, "IPv6 only", EXCLUSIVE(family, 6), BCC},
	{GROUP_FILTER, 'p', "pid", "PID[,PID...]", "only these processes",
	 NUMBER(read_list, pids, "a process id", 1, PID_LIMIT), BCC},
	{GROUP_FILTER, 0, "comm", "NAME", "only threads of this name, up to 15 bytes",
	 INTO(read_comm, comm)},
	{GROUP_FILTER, 'P', "port", "PORT[,PORT...]", "only these destination ports",
	 NUMBER(read_list, ports, "a port", 1, 65535), BCC},
	{GROUP_FILTER, 0, "daddr", "NET[,NET...]",
	 "only these destinations, as 10.0.0.0/8 or ::1; a ! before a net, quoted for "
	 "the shell, leaves it out",
	 INTO(read_nets, daddrs)},
	{GROUP_FILTER, 'u', "uid", "UID[,UID...]", "only processes of these users",
	 NUMBER(read_list, uids, "a numeric user id", 0, UID_LIMIT), BCC},
	{GROUP_FILTER, 'F', "failed", NULL, "only connects that did not succeed; implies -r",
	 FLAG(failed), IMPLIES_RESULT},
	{GROUP_FILTER, 0, "slow", "MS",
	 "only connects whose outcome took at least MS milliseconds; implies -r",
	 INTO(read_millis, slow_ns), .most = MILLIS_LIMIT, IMPLIES_RESULT},
	{GROUP_FILTER, 0, "netns", "PATH|PID",
	 "only the network namespace of the file PATH or of process PID",
	 NUMBER(read_namespace, netns, "a process id", 1, PID_LIMIT)},
	{GROUP_FILTER, 0, "cgroup", "PATH", "only the cgroup of directory PATH and those below it",
	 PATH(cgroup)},
	{GROUP_FILTER, 0, "cgroupmap", "PATH",
	 "only cgroups whose id is a key of the BPF hash map pinned at PATH", PATH(cgroupmap), BCC},
	{GROUP_FILTER, 0, "mntnsmap", "PATH",
	 "only mount namespaces whose inode number is a key of the BPF hash map pinned at PATH",
	 PATH(mntnsmap), BCC},

	{GROUP_SHOW, 't', "timestamp", NULL, "TIME(s) column: seconds since the first connect",
	 FLAG(timestamp), BCC},
	{GROUP_SHOW, 'T', "time", NULL,
	 "TIME column: the wall clock, HH:MM:SS; with -c: above each table", FLAG(time)},
	{GROUP_SHOW, 'U', "print-uid", NULL, "UID column", FLAG(print_uid), BCC},
	{GROUP_SHOW, 'L', "lport", NULL, "LPORT column: the local port", FLAG(lport), BCC},
	{GROUP_SHOW, 'r', "result", NULL,
	 "LAT(ms) and RESULT columns: show a connect when its outcome is known, how long that "
	 "took, and what it was",
	 FLAG(result)},
	{GROUP_SHOW, 'd', "dns", NULL,
	 "QUERY column: the DNS name whose answer gave the address, and how long ago that was "
	 "when it is more than 100 ms",
	 FLAG(dns), BCC},
	{GROUP_SHOW, 0, "dns-cache", "N", "with -d: remember N answers (default 10240)",
	 NUMBER(read_number, dns_cache, "a number of answers", 1, 10000000)},
	{GROUP_SHOW, 0, "dns-ttl", "SECONDS", "with -d: forget an answer so old (default 86400)",
	 NUMBER(read_number, dns_ttl_sec, "a number of seconds", 1, SECONDS_LIMIT)},
	{GROUP_SHOW, 'c', "count", NULL,
	 "instead of each connect, show at the end how many there were for each source address, "
	 "destination address and port; with -r: and result",
	 FLAG(count), BCC},
	{GROUP_SHOW, 'i', "interval", "SECONDS",
	 "with -c: show the counts every so many seconds, and start anew",
	 NUMBER(read_number, interval_sec, "a number of seconds", 1, SECONDS_LIMIT)},
	{GROUP_SHOW, 0, "color", "WHEN",
	 "color what failed or was slow: always, never, or auto (the default): on a terminal, "
	 "unless NO_COLOR is set",
	 CHOICE(color, color_names)},

	{GROUP_MACHINE, 'j', "json", NULL,
	 "one JSON object a line: process, addresses, namespaces, and what -d and -r add; with "
	 "--check: one object",
	 FLAG(json)},

	{GROUP_END, 'n', "lines", "N", "end after N connects",
	 NUMBER(read_number, lines, "a number of connects", 1, 4294967295)},
	{GROUP_END, 'D', "duration", "SECONDS", "end after so many seconds",
	 NUMBER(read_number, duration_sec, "a number of seconds", 1, SECONDS_LIMIT)},

	{GROUP_HOW, 0, "probe", "WAY",
	 "attach by kprobe, fentry or tracepoint; auto (the default) picks what the kernel has",
	 CHOICE(probe, probe_names)},
	{GROUP_HOW, 0, "types", "SOURCE",
	 "take the kernel's field offsets from btf or headers; auto (the default): from BTF "
	 "where there is one",
	 CHOICE(types, types_names)},
	{GROUP_HOW, 0, "pages", "N",
	 "perf buffer for each CPU, in pages: a power of two up to 65536",
	 NUMBER(read_power, pages, "a power of two", 1, 65536)},
	{GROUP_HOW, 0, "cache-dir", "DIR", "keep compiled programs in DIR", PATH(cache_dir)},
	{GROUP_HOW, 0, "no-cache", NULL, "compile anew, keep nothing", FLAG(no_cache)},
	{GROUP_HOW, 0, "user", "NAME", "the user to become once attached (default nobody)",
	 TEXT(user, "the name")},
	{GROUP_HOW, 0, "no-sandbox", NULL, "keep all privileges while tracing, for debugging",
	 FLAG(no_sandbox)},
	{GROUP_HOW, 'v', "verbose", NULL, "report each step on standard error", FLAG(verbose)},

	{GROUP_ASK, 0, "check", NULL,
	 "say what this kernel offers and what would be used, then exit",
	 EXCLUSIVE(action, ACTION_CHECK)},
	{GROUP_ASK, 0, "ebpf", NULL, "print the BPF program that would be used, then exit",
	 EXCLUSIVE(action, ACTION_EBPF), BCC},
	{GROUP_ASK, 'V', "version", NULL, "print the version and that of libbcc, then exit",
	 REQUEST(ACTION_VERSION)},
	{GROUP_ASK, 'h', "help", NULL, "print this, then exit", REQUEST(ACTION_HELP), BCC},
};

const size_t option_row_count = sizeof(option_rows) / sizeof(option_rows[0]);
