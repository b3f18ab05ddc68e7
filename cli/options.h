/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the user asked for. The one door for argv: what comes out of
 * options_parse() is in range, and nothing behind it checks it again.
 */
#ifndef TCPCONNECT_OPTIONS_H
#define TCPCONNECT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How many values one filter list takes at most: each costs the probe two instructions. */
#define FILTER_MAX 256
/* How many networks --daddr takes at most; a match costs the probe more than a number does. */
#define NETS_MAX 64

/* Bytes of a process's name that the kernel keeps, and its NUL (TASK_COMM_LEN). */
#define COMM_ROOM 16

/* What bcc's tool has built in; --dns-cache and --dns-ttl change it. */
#define DNS_CACHE_DEFAULT 10240
#define DNS_TTL_DEFAULT   86400

/* options_parse(): the exit status for wrong usage. */
#define OPTIONS_WRONG 2

/* A list of numbers given to a filter; count == 0: no filter. Values are unique and sorted. */
struct number_list {
	size_t count;
	uint32_t value[FILTER_MAX];
};

/* A network of --daddr. An IPv4-mapped IPv6 one (::ffff:a.b.c.d/96 or longer) has become IPv4. */
struct address_net {
	uint8_t address[16]; /* network byte order, IPv4 in the first 4; 0 beyond the prefix */
	uint8_t prefix;      /* 0 to 32, or to 128 */
	uint8_t family;      /* 4 or 6 */
	bool exclude;
};

/*
 * No two are the same; count == 0: no filter. An address passes when no net that
 * excludes holds it and, where there are nets that do not, one of those holds it.
 */
struct net_list {
	size_t count;
	struct address_net net[NETS_MAX];
};

/* A namespace, by a file of it or by a process in it; pid == 0 and path == NULL: not given. */
struct namespace_place {
	const char *path; /* not empty, owned by argv */
	uint32_t pid;
};

enum probe_kind { PROBE_AUTO, PROBE_KPROBE, PROBE_FENTRY, PROBE_TRACEPOINT };
enum types_kind { TYPES_AUTO, TYPES_BTF, TYPES_HEADERS };

enum color_kind { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum action {
	ACTION_TRACE,
	ACTION_HELP,    /* print usage on standard output, exit 0 */
	ACTION_VERSION, /* print versions, exit 0 */
	ACTION_EBPF,    /* print the BPF program's text, exit 0 */
	ACTION_CHECK,   /* print what this kernel offers and what would be used */
};

struct options {
	enum action action;
	bool timestamp, time, lport, print_uid, count, dns, verbose;
	bool result;                          /* -r, or implied by -F and --slow */
	bool failed;                          /* only what did not succeed */
	bool json;                            /* as lines; with ACTION_CHECK one object */
	bool no_cache;                        /* wins over cache_dir */
	bool no_sandbox;                      /* wins over user */
	int family;                           /* 0 both, 4 or 6 */
	struct number_list pids, ports, uids; /* ports in host byte order */
	struct net_list daddrs;
	char comm[COMM_ROOM]; /* any bytes, filled up with NUL; empty: not given */
	struct namespace_place netns;
	/* Paths, and user, a name: never empty, owned by argv; NULL: not given. */
	const char *cgroup, *cgroupmap, *mntnsmap, *cache_dir, *user;
	uint64_t slow_ns; /* only outcomes that took so long; 0: no filter */
	/* 0: not given. interval_sec only with count, lines only without. */
	uint32_t interval_sec, duration_sec, lines;
	enum color_kind color;
	enum probe_kind probe;
	enum types_kind types;
	uint32_t pages; /* of perf buffer for each CPU, a power of two; 0: not given */
	/* Always set: to the default where not given, which they can be only with dns. */
	uint32_t dns_cache;   /* answers remembered at most */
	uint32_t dns_ttl_sec; /* how long an answer is remembered */
};

/*
 * Parse argv into *options; what is not given has its default.
 *
 * Returns 0; or OPTIONS_WRONG with one line, no newline at its end, in message:
 * what is wrong, which value, what to do. A value is shown with its control
 * characters escaped, and cut when it is long. message is cut to message_size and
 * always ends in NUL; 256 bytes hold any.
 *
 * The grammar is that of getopt_long(3): long options may be abbreviated as long as
 * they are unambiguous (what bcc's tool takes as an abbreviation of its own options
 * stays one, whatever was added since), short ones bundle, a value follows as the next argument or
 * is joined on (-p1, --pid=1), "--" ends the options. Of an option given twice the
 * last value counts. -h and -V end the parsing: nothing behind them is looked at.
 */
int options_parse(struct options *options, int argc, char *const argv[], char *message,
		  size_t message_size);

/* Print what --help prints: usage, options, examples, in 80 columns. */
void options_usage(FILE *out);

#endif
