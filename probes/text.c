/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/text.h"

#include <stdio.h>
#include <stdlib.h>
#include "compiler/object.h"
#include "probes/embedded.h"

static void put_offsets(FILE *out, const struct field_offsets *offsets)
{
	size_t index = 0;

	for (const struct field *field = fields_all(); offsets && field->macro; field++, index++)
		if (offsets->offset[index] != FIELD_ABSENT)
			fprintf(out, "#define OFFSET_%s %u /* struct %s: %s */\n", field->macro,
				offsets->offset[index], field->type, field->path);
	fputc('\n', out);
}

bool wants_lport(const struct options *options)
{
	return options->lport || options->json;
}

bool wants_dns(const struct options *options)
{
	return options->dns;
}

bool wants_result(const struct options *options)
{
	return options->result;
}

/* A filter's value: the number itself, or the next parameter. */
static void put_value(FILE *out, const struct text_config *config, uint64_t value,
		      size_t *parameter)
{
	if (config->literal)
		fprintf(out, "%lluULL", (unsigned long long)value);
	else
		fprintf(out, "PARAMETER(%zu)", *parameter);
	(*parameter)++;
}

/* #define NAME(value) ((value) == 1 || (value) == 2) */
static void put_list(FILE *out, const struct text_config *config, const char *name,
		     const struct number_list *list, size_t *parameter)
{
	if (!list->count)
		return;
	fprintf(out, "#define %s(value) (", name);
	for (size_t i = 0; i < list->count; i++) {
		fputs(i ? " || (value) == " : "(value) == ", out);
		put_value(out, config, list->value[i], parameter);
	}
	fputs(")\n", out);
}

/* What the user wrote, in a comment: bytes that could end it or the line are replaced. */
static void put_comment(FILE *out, const char *before, const char *text, size_t size)
{
	fprintf(out, " /* %s", before);
	for (size_t i = 0; i < size && text[i]; i++)
		fputc(text[i] < ' ' || text[i] > '~' || text[i] == '*' || text[i] == '\\' ? '?'
											  : text[i],
		      out);
	fputs(" */", out);
}

/* A switch without a value; what is behind it the loader fills in. */
static void put_switch(FILE *out, const struct text_config *config, const char *name,
		       const char *before, const char *path)
{
	fprintf(out, "#define %s 1", name);
	if (config->literal)
		put_comment(out, before, path, strlen(path));
	fputc('\n', out);
}

/* The name's 16 bytes as the two numbers that the probe compares. */
static void comm_words(const struct options *options, uint64_t words[2])
{
	memcpy(words, options->comm, 2 * sizeof(words[0]));
}

static void put_comm(FILE *out, const struct text_config *config, size_t *parameter)
{
	uint64_t words[2];

	comm_words(config->options, words);
	fputs("#define FILTER_COMM(value) ((value)[0] == ", out);
	put_value(out, config, words[0], parameter);
	fputs(" && (value)[1] == ", out);
	put_value(out, config, words[1], parameter);
	fputc(')', out);
	if (config->literal)
		put_comment(out, "", config->options->comm, COMM_ROOM);
	fputc('\n', out);
}

/* Whether an address that no net holds is shown. */
static bool shown_by_default(const struct net_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->net[i].exclude)
			return false;
	return true;
}

static void put_filters(FILE *out, const struct text_config *config)
{
	const struct options *options = config->options;
	size_t parameter = 0;

	/* The order of the values here is that of program_parameters(). */
	put_list(out, config, "FILTER_PID", &options->pids, &parameter);
	put_list(out, config, "FILTER_PORT", &options->ports, &parameter);
	put_list(out, config, "FILTER_UID", &options->uids, &parameter);
	if (options->comm[0])
		put_comm(out, config, &parameter);
	if (config->places->netns >= 0) {
		fputs("#define FILTER_NETNS(value) ((value) == ", out);
		put_value(out, config, config->places->netns_inum, &parameter);
		fputs(")\n", out);
	}
	if (options->slow_ns) {
		fputs("#define SLOW_NS ", out);
		put_value(out, config, options->slow_ns, &parameter);
		fputc('\n', out);
	}
	if (options->failed)
		fputs("#define ONLY_FAILED 1\n", out);
	if (options->family)
		fprintf(out, "#define FILTER_FAMILY %d\n", options->family);
	if (options->daddrs.count)
		fprintf(out, "#define FILTER_DADDR %d /* for an address in none of the nets */\n",
			shown_by_default(&options->daddrs));
	if (options->cgroup)
		put_switch(out, config, "FILTER_CGROUP", "", options->cgroup);
	if (options->cgroupmap)
		put_switch(out, config, "FILTER_CGROUPMAP", "pinned at ", options->cgroupmap);
	if (options->mntnsmap)
		put_switch(out, config, "FILTER_MNTNSMAP", "pinned at ", options->mntnsmap);
}

static void put_wants(FILE *out, const struct options *options)
{
	if (options->count)
		fprintf(out, "#define COUNT_FLOWS 1\n#define FLOWS_MAX %d\n", FLOWS_MAX);
	if (options->count && options->interval_sec)
		fputs("#define COUNT_ROUNDS 1\n", out);
	if (wants_lport(options))
		fputs("#define WANT_LPORT 1\n", out);
	if (wants_result(options))
		fprintf(out, "#define WANT_RESULT 1\n#define HALFOPEN_MAX %d\n", HALFOPEN_MAX);
	if (options->json)
		fputs("#define WANT_DETAILS 1\n", out);
	if (options->dns)
		fputs("#define WANT_NAME 1\n", out);
	if (options->json || options->dns)
		fputs("#define WANT_NETNS 1\n", out);
}

static void put_parameter_macro(FILE *out)
{
	fprintf(out,
		"/* A 64-bit constant that the loader overwrites with the filter's value. */\n"
		"#define PARAMETER(n) ({ __u64 value_; asm volatile(\"%%0 = %%1 ll\" : "
		"\"=r\"(value_) : \"i\"(0x%llxULL + (n))); value_; })\n",
		(unsigned long long)PARAMETER_MARK);
}

size_t program_parameters(const struct options *options, const struct places *places,
			  uint64_t values[PARAMETERS_MAX])
{
	const struct number_list *const lists[] = {&options->pids, &options->ports, &options->uids};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (size_t k = 0; k < lists[i]->count; k++)
			values[count++] = lists[i]->value[k];
	if (options->comm[0]) {
		comm_words(options, &values[count]);
		count += 2;
	}
	if (places->netns >= 0)
		values[count++] = places->netns_inum;
	if (options->slow_ns)
		values[count++] = options->slow_ns;
	return count;
}

static void put_texts(FILE *out, const char *const *texts)
{
	for (; *texts; texts++)
		fputs(*texts, out);
}

/* What every program has, then what each way of attaching adds. */
static const char *const common_texts[] = {
	embedded_record_h,      embedded_head_bpf_c,
	embedded_loss_bpf_c,    embedded_filter_bpf_c,
	embedded_report_bpf_c,  embedded_destination_bpf_c,
	embedded_outcome_bpf_c, NULL,
};

static const struct {
	const char *connects[4];
	const char *answers[2];
} way_texts[] = {
	[PROBE_KPROBE] = {{embedded_attempt_bpf_c, embedded_kprobe_bpf_c}, {embedded_answer_bpf_c}},
	[PROBE_FENTRY] = {{embedded_attempt_bpf_c, embedded_fentry_bpf_c}, {embedded_answer_bpf_c}},
	[PROBE_TRACEPOINT] = {{embedded_tracepoint_bpf_c, embedded_syscall_bpf_c},
			      {embedded_answer_packet_bpf_c}},
};

char *program_text(const struct text_config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (!config->literal)
		put_parameter_macro(out);
	put_filters(out, config);
	put_wants(out, config->options);
	fprintf(out, "#define ATTEMPTS_MAX %d\n", ATTEMPTS_MAX);
	if (config->old_probe_read)
		fputs("#define NO_PROBE_READ_KERNEL 1\n", out);
	if (!config->no_ringbuf && !config->options->count)
		fputs("#define SPARE_BUFFER 1\n", out);
	fputc('\n', out);
	put_offsets(out, config->offsets);
	put_texts(out, common_texts);
	put_texts(out, way_texts[config->probe].connects);
	if (config->options->dns)
		put_texts(out, way_texts[config->probe].answers);

	bool bad = ferror(out);

	if (fclose(out) != 0 || bad) {
		free(text);
		return NULL;
	}
	return text;
}
