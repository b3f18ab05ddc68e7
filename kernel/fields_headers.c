/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/fields.h"

#include <stdlib.h>

/*
 * libbcc puts its own copy of the BPF API, and helpers that need it, in front of every text.
 * Headers of a newer kernel want the API that came with them. So the copy is made to seem read
 * already, and the text takes that back before it includes the first header. The rest is
 * what some kernel's headers cannot be understood without, and that no error ends it.
 */
const char *const fields_question_flags[] = {
	"-D_UAPI__LINUX_BPF_H__",
	"-D__BPF_HELPERS_H",
	"-DCC_USING_FENTRY",
	"-fms-extensions",
	"-ferror-limit=0",
	"-fno-diagnostics-color",
	"-Werror=missing-declarations",
	NULL,
};

static const char *const includes[] = {
	"linux/ptrace.h", "linux/sched.h",   "linux/nsproxy.h",   "linux/ns_common.h",
	"linux/fs.h",     "linux/fdtable.h", "linux/netdevice.h", "linux/skbuff.h",
	"linux/uio.h",    "net/sock.h",      "net/inet_sock.h",   "net/net_namespace.h",
	"linux/tcp.h",
};

/* Which order that gave to structures is no macro's to tell. */
static const char no_shuffling[] =
	"#if defined(CONFIG_RANDSTRUCT) || defined(CONFIG_GCC_PLUGIN_RANDSTRUCT)\n"
	"#error CONFIG_RANDSTRUCT shuffles structures\n"
	"#endif\n";

char *fields_question(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool bad;

	if (!out)
		return NULL;
	fputs("#undef _UAPI__LINUX_BPF_H__\n", out);
	fputs(no_shuffling, out);
	for (size_t i = 0; i < sizeof(includes) / sizeof(includes[0]); i++)
		fprintf(out, "#include <%s>\n", includes[i]);
	/* No C compiler takes 1.5 for a pointer, and each says the pointer's type. */
	for (const struct field *field = fields_all(); field->macro; field++)
		if (!field->optional)
			fprintf(out,
				"struct OFFSET_%s { char byte; } (*OFFSET_%s)[1 + "
				"offsetof(struct %s, %s)] = 1.5;\n",
				field->macro, field->macro, field->type, field->path);
	bad = ferror(out);
	if (fclose(out) != 0 || bad) {
		free(text);
		return NULL;
	}
	return text;
}

/* "... 'struct OFFSET_SOCK_DPORT (*)[13]' ..." -> the field's index and 12. */
static int read_line(const char *line, size_t length, size_t *index, uint32_t *offset)
{
	static const char before[] = "'struct OFFSET_", between[] = " (*)[";
	const char *name = memmem(line, length, before, strlen(before));
	const struct field *field = fields_all();
	unsigned long long elements;
	size_t name_length;
	char *end;

	if (!name)
		return -1;
	name += strlen(before);
	name_length = strcspn(name, " ");
	if (strncmp(name + name_length, between, strlen(between)) != 0)
		return -1;
	while (field->macro && (strlen(field->macro) != name_length ||
				memcmp(field->macro, name, name_length) != 0))
		field++;
	elements = strtoull(name + name_length + strlen(between), &end, 10);
	if (!field->macro || *end != ']' || elements < 1 || elements > FIELD_OFFSET_MAX + 1)
		return -1;
	*index = field - fields_all();
	*offset = elements - 1;
	return 0;
}

int fields_answer(const char *words, struct field_offsets *offsets, const char **strange)
{
	static const char error[] = "error: ";
	size_t length, index;
	uint32_t offset;

	*strange = NULL;
	offsets->count = 0;
	for (const struct field *field = fields_all(); field->macro; field++)
		offsets->offset[offsets->count++] = FIELD_ABSENT;
	for (const char *line = words; *line; line += length + (line[length] == '\n')) {
		length = strcspn(line, "\n");
		if (!memmem(line, length, error, strlen(error)))
			continue;
		if (read_line(line, length, &index, &offset) ||
		    (offsets->offset[index] != FIELD_ABSENT && offsets->offset[index] != offset)) {
			*strange = line;
			return -1;
		}
		offsets->offset[index] = offset;
	}
	return fields_complete(offsets) ? 0 : -1;
}
