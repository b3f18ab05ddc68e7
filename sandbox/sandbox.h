/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_SANDBOX_H
#define TCPCONNECT_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "error.h"

/*
 * The process that reads what strangers sent gives up what it no longer needs: once everything
 * is attached, before the first record is read. There is no way back.
 */

#define SANDBOX_USER "nobody"

struct sandbox_user {
	uid_t uid;
	gid_t gid;
	bool asked; /* by name; then not becoming it is an error */
};

/*
 * Whom to become: name, or NULL for SANDBOX_USER (65534, the kernel's overflow user, where
 * /etc/passwd has none). A name that /etc/passwd lacks is asked of the name service. To be
 * called early: it reads files. Returns 0, or -1 with *error set.
 */
int sandbox_find_user(const char *name, struct sandbox_user *user, struct error *error);

/* What is done later with BPF maps by system call. */
enum sandbox_maps {
	SANDBOX_MAPS_NONE,
	SANDBOX_MAPS_READ,    /* keys and values are looked up */
	SANDBOX_MAPS_EMPTIED, /* entries are taken out, too */
};

struct sandbox_plan {
	struct sandbox_user user;
	/* Descriptors that stay beside standard output and standard error; owned by the caller. */
	const int *fds;
	size_t fd_count;
	enum sandbox_maps maps;
	int map; /* one of those maps, and of fds; -1 with SANDBOX_MAPS_NONE */
};

/* What is given up, in the order in which it happens. */
enum sandbox_measure {
	SANDBOX_DESCRIPTORS,  /* no descriptor but those of the plan; standard input reads empty */
	SANDBOX_ROOT,         /* root and working directory are an empty place */
	SANDBOX_BOUNDING,     /* the bounding set of capabilities is empty */
	SANDBOX_GROUPS,       /* no supplementary group */
	SANDBOX_IDENTITY,     /* user and group are the plan's */
	SANDBOX_CAPABILITIES, /* no other set holds any, or the one that reading maps needs here */
	SANDBOX_NO_NEW_PRIVS, /* nothing brings a privilege back */
	SANDBOX_NO_DUMP,      /* no core dump, no tracing by others of the same user */
	SANDBOX_LIMITS,       /* no new process, no new descriptor */
	SANDBOX_CALLS,        /* a system call that the loop does not make kills the process */
	SANDBOX_MEASURES
};

struct sandbox_report {
	/* Why a measure does not hold: a static string; NULL where it holds. */
	const char *without[SANDBOX_MEASURES];
	/* The capability that stays ("CAP_BPF"), or NULL. */
	const char *kept;
};

/* What a measure is, in words: "no core dump"; static. */
const char *sandbox_measure_name(enum sandbox_measure measure);

/*
 * Give everything up. What this kernel, or this process's privilege, does not have stands in
 * the report, and the rest is done all the same. Returns 0; or -1 with *error set, the process
 * then being of no use any more, where going on would be wrong: a capability that does not go
 * away, a user asked for by name that one cannot become, maps that could not be read afterwards.
 *
 * From here on the process can write to descriptors 1 and 2, ask how much of 1 is not taken yet,
 * wait, close, read the clock, get and free memory, use maps as it said, and end. Anything else
 * kills it (SIGSYS): so it must end without perf_buffer__free(), and leave the closing to the
 * kernel.
 */
int sandbox_enter(const struct sandbox_plan *plan, struct sandbox_report *report,
		  struct error *error);

/*
 * What of it holds here, found out by a child process that does it all and ends. map: one to be
 * read later, or -1. Returns 0; -1 with *error set where sandbox_enter() fails; 1 with *error set
 * where it could not be tried.
 */
int sandbox_describe(const struct sandbox_user *user, int map, struct sandbox_report *report,
		     struct error *error);

/*
 * For the process that compiles, once libbcc is open and its /tmp is mounted: no network, no
 * other program (but with runs_programs: libbcc unpacks IKHEADERS with tar), no tracing, no
 * mounting, no loading of modules or BPF programs, no core dump, no new privileges. What it
 * must not do fails with EPERM. Returns 0, or -1 where the kernel filters no system calls; the
 * compiler may run all the same.
 */
int sandbox_compiler(bool runs_programs);

#endif
