/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/session.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "kernel/privilege.h"
#include "probes/attach.h"
#include "probes/maps.h"
#include "probes/skips.h"

/* Where skips_open() fails: the kernel tells the number in /proc, which is not mounted. */
#define NO_SKIPS          "what is lost where a CPU was inside a program already is not counted"

#define VERIFIER_LOG_SIZE (1 << 20)

static bool point_wanted(const struct point *point, const struct options *options)
{
	return !point->wanted || point->wanted(options);
}

static int find_program(const struct object *object, const char *name)
{
	for (uint32_t i = 0; i < object->program_count; i++)
		if (strcmp(object->programs[i].name, name) == 0)
			return (int)i;
	return -1;
}

bool way_needs_btf(enum probe_kind way, const struct options *options)
{
	for (const struct point *point = way_points(way); point->program; point++)
		if (point_wanted(point, options) && attacher_of(point->kind)->btf_prefix)
			return true;
	return false;
}

int object_resolve_targets(struct object *object, enum probe_kind way,
			   const struct options *options, const struct btf *btf,
			   struct error *error)
{
	struct object_target *targets = calloc(POINTS_MAX, sizeof(*targets));
	uint32_t count = 0;

	if (!targets)
		return fail(error, "out of memory");
	for (const struct point *point = way_points(way); point->program; point++) {
		const struct attacher *attacher = attacher_of(point->kind);
		char name[128];
		int id;

		if (!attacher->btf_prefix || !point_wanted(point, options))
			continue;
		snprintf(name, sizeof(name), "%s%s", attacher->btf_prefix, point->target);
		id = btf__find_by_name_kind(btf, name, attacher->btf_kind);
		if (id < 0 && point->without)
			continue;
		if (id < 0) {
			free(targets);
			return fail(error, "this kernel's BTF has no %s for a %s", point->target,
				    attacher->name);
		}
		snprintf(targets[count].name, sizeof(targets[count].name), "%s", point->target);
		targets[count].kind = point->kind;
		targets[count++].btf_id = (uint32_t)id;
	}
	free(object->targets);
	object->targets = targets;
	object->target_count = count;
	return 0;
}

/* 0: the point needs none, or the kernel has none. */
static uint32_t btf_id_of(const struct object *object, const struct point *point)
{
	for (uint32_t i = 0; i < object->target_count; i++)
		if (object->targets[i].kind == point->kind &&
		    strcmp(object->targets[i].name, point->target) == 0)
			return object->targets[i].btf_id;
	return 0;
}

void session_raise_limits(void)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit files;

	/* Kernels before 5.11 charge BPF memory to this limit; later ones do not look at it. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	/* Each CPU's buffer is a descriptor; the usual limit is kept low for select() alone. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* The object's instructions with maps and parameters in their places; to be freed. */
static struct bpf_insn *link_insns(const struct session *session, const struct object *object,
				   const uint64_t *parameters, size_t parameter_count,
				   struct error *error)
{
	struct bpf_insn *insns = malloc(object->insn_count * sizeof(*insns) + 1);

	if (!insns) {
		fail(error, "out of memory");
		return NULL;
	}
	memcpy(insns, object->insns, object->insn_count * sizeof(*insns));
	for (uint32_t i = 0; i < object->reference_count; i++) {
		const struct object_reference *reference = &object->references[i];
		struct bpf_insn *insn = &insns[reference->insn];

		if (reference->kind == REFERENCE_MAP) {
			insn[0].src_reg = BPF_PSEUDO_MAP_FD;
			insn[0].imm = session->maps[reference->index];
			insn[1].imm = 0;
			continue;
		}
		if (reference->index >= parameter_count) {
			fail(error, "the compiled object is damaged: it has no parameter %u",
			     reference->index);
			free(insns);
			return NULL;
		}
		insn[0].imm = (int32_t)parameters[reference->index];
		insn[1].imm = (int32_t)(parameters[reference->index] >> 32);
	}
	return insns;
}

int session_load_result(int cause)
{
	return cause == EINVAL || cause == EACCES || cause == E2BIG || cause == EBADF
		       ? SESSION_REFUSED
		       : -1;
}

static int load_program(const struct object_program *program, const struct bpf_insn *insns,
			const struct attacher *attacher, uint32_t btf_id, uint32_t kernel_version,
			char **words, struct error *error)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .kern_version = kernel_version,
		    .expected_attach_type = attacher->expected_type, .attach_btf_id = btf_id);
	int fd = bpf_prog_load(attacher->program_type, program->name, "GPL",
			       insns + program->first_insn, program->insn_count, &opts);

	if (fd >= 0)
		return fd;

	int cause = errno;

	if (cause != EPERM) {
		*words = calloc(1, VERIFIER_LOG_SIZE);
		opts.log_buf = *words;
		opts.log_size = *words ? VERIFIER_LOG_SIZE : 0;
		opts.log_level = *words ? 1 : 0;
		fd = bpf_prog_load(attacher->program_type, program->name, "GPL",
				   insns + program->first_insn, program->insn_count, &opts);
		if (fd >= 0) /* it was a passing want of memory */
			return fd;
	}
	fail(error, "the kernel refused the BPF program %s: %s%s", program->name, strerror(cause),
	     session_load_result(cause) == SESSION_REFUSED
		     ? "; see the verifier's log with -v"
		     : privilege_remedy(cause, kernel_version));
	return session_load_result(cause);
}

/* A program is loaded once for all the points that it serves as it is. */
static const struct loaded_program *find_loaded(const struct session *session,
						const struct point *point)
{
	for (size_t i = 0; i < session->program_count; i++) {
		const struct point *loaded = session->programs[i].point;

		if (strcmp(loaded->program, point->program) == 0 &&
		    attacher_of(loaded->kind)->program_type ==
			    attacher_of(point->kind)->program_type &&
		    (!attacher_of(point->kind)->btf_prefix ||
		     (loaded->kind == point->kind && strcmp(loaded->target, point->target) == 0)))
			return &session->programs[i];
	}
	return NULL;
}

static void note_without(struct session *session, const char *without)
{
	for (size_t i = 0; i < session->without_count; i++)
		if (strcmp(session->without[i], without) == 0)
			return;
	session->without[session->without_count++] = without;
}

static int load_points(struct session *session, const struct object *object,
		       const struct bpf_insn *insns, const struct session_config *config,
		       char **words, struct error *error)
{
	for (const struct point *point = way_points(config->way); point->program; point++) {
		const struct attacher *attacher = attacher_of(point->kind);
		uint32_t btf_id = btf_id_of(object, point);
		int index = find_program(object, point->program), fd;

		if (!point_wanted(point, config->options) || find_loaded(session, point))
			continue;
		if (attacher->btf_prefix && !btf_id) /* attaching says what is then not seen */
			continue;
		if (index < 0) {
			fail(error, "the compiled object has no program %s", point->program);
			return SESSION_REFUSED;
		}
		fd = load_program(&object->programs[index], insns, attacher, btf_id,
				  config->kernel_version, words, error);
		if (fd < 0)
			return fd;

		int skips = skips_open(fd);

		if (skips < 0)
			note_without(session, NO_SKIPS);
		session->programs[session->program_count++] =
			(struct loaded_program){point, fd, skips};
	}
	return 0;
}

int session_load(struct session *session, const struct object *object,
		 const struct session_config *config, char **words, struct error *error)
{
	uint64_t parameters[PARAMETERS_MAX];
	size_t parameter_count = program_parameters(config->options, config->places, parameters);
	int cpus = libbpf_num_possible_cpus(), result = -1;
	struct bpf_insn *insns;

	*words = NULL;
	memset(session, 0, sizeof(*session));
	session->events = session->losses = session->flows4 = session->flows6 = -1;
	session->halfopen = session->portless = session->spare = session->attempts = -1;
	if (cpus < 1)
		return fail(error, "cannot tell how many CPUs there are");
	session->cpus = (unsigned int)cpus;
	for (; session->map_count < object->map_count; session->map_count++) {
		int fd = map_create(session, &object->maps[session->map_count], config, error);

		if (fd < 0) {
			result = fd;
			goto out;
		}
		session->maps[session->map_count] = fd;
	}
	if (session->events < 0 || session->losses < 0) {
		fail(error, "the compiled object lacks the maps it must have");
		result = SESSION_REFUSED;
		goto out;
	}
	insns = link_insns(session, object, parameters, parameter_count, error);
	result = SESSION_REFUSED;
	if (insns)
		result = load_points(session, object, insns, config, words, error);
	free(insns);
out:
	if (result)
		session_close(session);
	return result;
}

int session_attach(struct session *session, const struct session_config *config,
		   struct error *error)
{
	for (const struct point *point = way_points(config->way); point->program; point++) {
		const struct attacher *attacher = attacher_of(point->kind);
		const struct loaded_program *program = find_loaded(session, point);
		int link;

		if (!point_wanted(point, config->options))
			continue;
		errno = ENOENT;
		link = program ? attacher->attach(point, program->fd) : -1;
		if (link >= 0)
			session->links[session->link_count++] = link;
		else if (point->without && errno != EMFILE && errno != ENFILE && errno != ENOMEM)
			note_without(session, point->without);
		else
			return fail(error, "cannot attach a %s to %s: %s%s", attacher->name,
				    point->target, strerror(errno), error_remedy(errno));
	}
	return 0;
}

void session_detach(struct session *session)
{
	while (session->link_count)
		close(session->links[--session->link_count]);
}

void session_close(struct session *session)
{
	if (session->loss_memory)
		munmap(session->loss_memory, session->cpus * sizeof(struct loss_counters));
	if (session->round)
		munmap((void *)session->round, sizeof(*session->round));
	session->loss_memory = NULL;
	session->round = NULL;
	session_detach(session);
	while (session->program_count) {
		struct loaded_program *program = &session->programs[--session->program_count];

		close(program->fd);
		if (program->skips >= 0)
			close(program->skips);
	}
	while (session->map_count)
		close(session->maps[--session->map_count]);
}

uint64_t session_skips(const struct session *session)
{
	uint64_t skips = 0;

	for (size_t i = 0; i < session->program_count; i++)
		if (!point_only_hastens(session->programs[i].point))
			skips += skips_read(session->programs[i].skips);
	return skips;
}

int session_losses(const struct session *session, struct loss_counters *total)
{
	memset(total, 0, sizeof(*total));
	for (uint32_t cpu = 0; cpu < session->cpus; cpu++) {
		struct loss_counters one;

		if (session->loss_memory)
			one = ((volatile struct loss_counters *)session->loss_memory)[cpu];
		else if (bpf_map_lookup_elem(session->losses, &cpu, &one))
			return -1;
		total->buffer_full += one.buffer_full;
		total->table_full += one.table_full;
		total->counts_full += one.counts_full;
		total->return_missed += one.return_missed;
		total->answers_buffer_full += one.answers_buffer_full;
		total->answers_unreadable += one.answers_unreadable;
	}
	return 0;
}
