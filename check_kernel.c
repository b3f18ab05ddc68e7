/* SPDX-License-Identifier: Apache-2.0 */
#include "check_report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "check_trial.h"
#include "events/stream.h"
#include "kernel/facts.h"
#include "kernel/lockdown.h"
#include "kernel/perf.h"
#include "kernel/privilege.h"
#include "probes/attach.h"

#define NOT_TRIED "not tried: no BPF program can be loaded"

static bool check_programs(struct check_report *report, const struct trial *trial)
{
	struct error error;

	if (bpf_try_load(trial->kernel_version) == 0)
		return check_add(report, "BPF", CHECK_YES, "a program loads");
	if (privilege_check(&error) == 0)
		privilege_try(trial->kernel_version, &error);
	return check_add(report, "BPF", CHECK_NO, "%s", error.line);
}

static void check_maps(struct check_report *report, bool allowed)
{
	int fd;

	if (!allowed) {
		check_add(report, "BPF maps", CHECK_NO, NOT_TRIED);
		return;
	}
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "check", 8, 8, 1024, NULL);
	if (fd < 0) {
		check_add(report, "BPF maps", CHECK_NO, "%s", strerror(errno));
		return;
	}
	close(fd);
	check_add(report, "BPF maps", CHECK_YES, "a hash map was made");
}

static void check_lockdown(struct check_report *report, const struct trial *trial, bool allowed)
{
	bool readable = allowed && bpf_try_read(trial->kernel_version) == 0;
	int cause = errno, shown;
	char mode[32];

	if (!allowed)
		check_add(report, "kernel memory", CHECK_NO, NOT_TRIED);
	else if (readable)
		check_add(report, "kernel memory", CHECK_YES, "BPF programs may read it");
	else
		check_add(report, "kernel memory", CHECK_NO, "BPF programs may not read it: %s",
			  strerror(cause));

	shown = lockdown_mode(mode, sizeof(mode));
	if (shown == 0)
		check_add(report, "lockdown", strcmp(mode, "none") ? CHECK_YES : CHECK_NO,
			  "mode %s%s", mode,
			  strcmp(mode, "confidentiality")
				  ? ""
				  : ", which forbids to read kernel memory");
	else if (errno == ENOTSUP)
		check_add(report, "lockdown", CHECK_NO, "this kernel has none");
	else if (readable)
		check_add(report, "lockdown", CHECK_NO,
			  "none that matters: not shown at " LOCKDOWN_PATH ", but kernel memory "
			  "may be read");
	else
		check_add(report, "lockdown", CHECK_UNKNOWN, "not shown at " LOCKDOWN_PATH ": %s",
			  strerror(errno));
}

static struct btf *check_btf(struct check_report *report)
{
	struct field_offsets offsets;
	struct error error;
	struct btf *btf = kernel_btf(&error);

	if (!btf || fields_resolve(btf, &offsets, &error))
		check_add(report, "BTF", CHECK_NO, "%s", error.line);
	else
		check_add(report, "BTF", CHECK_YES, "%u types, all %zu fields found",
			  btf__type_cnt(btf), offsets.count);
	return btf;
}

static void check_headers(struct check_report *report, const struct kernel_identity *kernel)
{
	struct kernel_headers headers;
	struct error error;

	if (headers_find(kernel, &headers, &error))
		check_add(report, "headers", CHECK_NO, "%s", error.line);
	else
		check_add(report, "headers", CHECK_YES, "%s; found, not compiled", headers.path);
}

/* The points of a way that these options need: those for names, or all others. */
static bool concerns(const struct point *point, const struct options *options, bool names)
{
	struct options without = *options, with = *options;

	without.dns = false;
	with.dns = true;
	if (!point->wanted || point->wanted(&without))
		return !names;
	return names && point->wanted(&with);
}

static void check_points(struct check_report *report, const char *name, const struct trial *trial,
			 enum probe_kind way, const struct options *options, bool names)
{
	size_t attached = 0, tried = 0, lacking = 0;
	const char *lacks[8];
	char text[768] = "";
	size_t used = 0;

	for (const struct point *point = way_points(way); point->program; point++) {
		bool known = false;

		if (!concerns(point, options, names))
			continue;
		tried++;
		if (trial_point(trial, point) == 0) {
			attached++;
			continue;
		}
		if (!point->without) {
			check_add(report, name, CHECK_NO, "no %s on %s: %s",
				  attacher_of(point->kind)->name, point->target,
				  errno == ESRCH ? trial->btf ? "not in this kernel's BTF"
							      : "this kernel has no BTF"
						 : strerror(errno));
			return;
		}
		for (size_t i = 0; i < lacking; i++)
			known = known || lacks[i] == point->without;
		if (!known && lacking < sizeof(lacks) / sizeof(lacks[0]))
			lacks[lacking++] = point->without;
	}
	for (size_t i = 0; i < lacking && used < sizeof(text); i++)
		used += snprintf(text + used, sizeof(text) - used, "; %s", lacks[i]);
	check_add(report, name, CHECK_YES, "%zu of %zu attached and detached%s", attached, tried,
		  text);
}

static void check_ways(struct check_report *report, const struct trial *trial, bool allowed,
		       const struct options *options)
{
	static const struct {
		enum probe_kind way;
		const char *connects, *names;
	} ways[] = {
		{PROBE_KPROBE, "kprobes", "names by kprobe"},
		{PROBE_FENTRY, "fentry", "names by fentry"},
		{PROBE_TRACEPOINT, "tracepoints", "names by tracepoint"},
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct error error;

		if (!allowed)
			snprintf(error.line, sizeof(error.line), NOT_TRIED);
		if (!allowed || way_check(ways[i].way, &error)) {
			check_add(report, ways[i].connects, CHECK_NO, "%s", error.line);
			check_add(report, ways[i].names, CHECK_NO, "%s", error.line);
			continue;
		}
		check_points(report, ways[i].connects, trial, ways[i].way, options, false);
		/* A whole packet goes nowhere but into a perf buffer. */
		if (ways[i].way == PROBE_TRACEPOINT && perf_events_check(&error))
			check_add(report, ways[i].names, CHECK_NO, "%s", error.line);
		else
			check_points(report, ways[i].names, trial, ways[i].way, options, true);
	}
}

static void check_buffers(struct check_report *report, const struct options *options, bool allowed)
{
	int cpus = libbpf_num_possible_cpus(), map;
	struct stream *stream = NULL;
	struct error error;

	if (!allowed) {
		check_add(report, "perf buffers", CHECK_NO, NOT_TRIED);
		return;
	}
	map = cpus < 1 ? -1
		       : bpf_map_create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, "check", 4, 4,
					(uint32_t)cpus, NULL);
	if (map < 0)
		fail(&error, "cannot make their map: %s", strerror(errno));
	else
		stream = stream_open(map, -1, (unsigned int)cpus, options->pages, &error);
	if (stream)
		check_add(report, "perf buffers", CHECK_YES, "%u pages of %ld bytes on each CPU",
			  stream_pages(stream), sysconf(_SC_PAGESIZE));
	else
		check_add(report, "perf buffers", CHECK_NO, "%s", error.line);
	stream_close(stream);
	if (map >= 0)
		close(map);
}

void check_kernel(struct check_report *report, const struct options *options)
{
	struct kernel_identity kernel;
	struct trial trial = {0};
	struct btf *btf;
	bool allowed;

	kernel_identify(&kernel);
	trial.kernel_version = kernel_version_code(&kernel);
	allowed = check_programs(report, &trial);
	check_maps(report, allowed);
	check_lockdown(report, &trial, allowed);
	btf = check_btf(report);
	trial.btf = btf;
	check_headers(report, &kernel);
	check_ways(report, &trial, allowed, options);
	check_buffers(report, options, allowed);
	btf__free(btf);
}
