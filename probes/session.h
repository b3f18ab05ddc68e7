/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_SESSION_H
#define TCPCONNECT_SESSION_H

#include <stdbool.h>
#include "cli/options.h"
#include "compiler/object.h"
#include "error.h"
#include "probes/record.h"
#include "probes/text.h"
#include "probes/ways.h"

#define POINTS_MAX 32

/* What runs in the kernel: maps, programs, attachments; all are descriptors of this process. */
struct session {
	int maps[OBJECT_MAPS_MAX]; /* by index in the object */
	size_t map_count;
	struct loaded_program {
		const struct point *point; /* the first that it serves */
		int fd;
		int skips; /* tells how often the kernel skipped it, see probes/skips.h; or -1 */
	} programs[POINTS_MAX];
	size_t program_count;
	int links[POINTS_MAX];
	size_t link_count;
	int events;         /* the perf event array */
	int flows4, flows6; /* count mode, else -1 */
	int halfopen;       /* with outcomes, else -1 */
	int portless;       /* connects that wait for their local port, else -1 */
	int spare;          /* the ring buffer for CPUs without a perf buffer, or -1 */
	int attempts;       /* kprobes: what entries left for returns, or -1 */
	int losses;         /* array of struct loss_counters, a slot a CPU */
	struct loss_counters *loss_memory; /* the array mapped, or NULL on kernels before 5.5 */
	/* With intervals: the number of the one that counts, mapped; NULL on kernels before 5.5. */
	volatile uint64_t *round;
	unsigned int cpus; /* possible CPUs, slots of the array */
	/* What optional points could not be had for, one sentence each; static strings. */
	const char *without[POINTS_MAX];
	size_t without_count;
};

/* What a session is opened with; all of it outlives session_attach(). */
struct session_config {
	enum probe_kind way;
	const struct options *options;
	const struct places *places;
	uint32_t kernel_version; /* LINUX_VERSION_CODE; old kernels compare it */
};

/*
 * Lift this process's limits of locked memory and of open files as far as it may, in time: the
 * process that compiles inherits them. That none can be lifted is no failure.
 */
void session_raise_limits(void);

#define SESSION_REFUSED (-2)

/*
 * Create the object's maps, fill those that hold filters, and load the programs that the way
 * needs, with the filters' values put in. *words gets the verifier's log where a program was
 * refused, to be freed.
 * Returns 0; or -1 with *error set and nothing left open; SESSION_REFUSED: the same, where the
 * verifier refused a program, or the object does not hold what it must, so that a fresh
 * compilation may help.
 */
int session_load(struct session *session, const struct object *object,
		 const struct session_config *config, char **words, struct error *error);

/*
 * Attach what is loaded; from here on records come. Returns 0, or -1 with *error set, the
 * session still to be closed.
 */
int session_attach(struct session *session, const struct session_config *config,
		   struct error *error);

/* Detach everything; maps stay open. */
void session_detach(struct session *session);

void session_close(struct session *session);

/* How often the kernel skipped a program that sees attempts, outcomes or answers. */
uint64_t session_skips(const struct session *session);

/* The losses of all CPUs so far. Returns 0, or -1 where the kernel does not let them be read. */
int session_losses(const struct session *session, struct loss_counters *total);

struct btf;
/*
 * Note in the object the BTF ids of the places that the way's programs are loaded for. Returns
 * 0, or -1 with *error set where one that the way cannot do without is missing.
 */
int object_resolve_targets(struct object *object, enum probe_kind way,
			   const struct options *options, const struct btf *btf,
			   struct error *error);

/* Whether the way needs the kernel's BTF for these options. */
bool way_needs_btf(enum probe_kind way, const struct options *options);

#endif
