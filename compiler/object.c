/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/object.h"

#include <stdbool.h>
#include <stdlib.h>
#include <linux/bpf.h>

#define OBJECT_MAGIC   0x746f626au /* with the version of this layout in the low bits */
#define OBJECT_VERSION 2u

struct object_header {
	uint32_t magic, version;
	uint32_t map_count, program_count, insn_count, reference_count, target_count;
};

/* The sizes of the parts that follow the header, in their order. */
struct layout {
	size_t maps, programs, insns, references, targets, total;
};

static struct layout layout_of(const struct object_header *header)
{
	struct layout layout = {
		.maps = header->map_count * sizeof(struct object_map),
		.programs = header->program_count * sizeof(struct object_program),
		.insns = header->insn_count * sizeof(struct bpf_insn),
		.references = header->reference_count * sizeof(struct object_reference),
		.targets = header->target_count * sizeof(struct object_target),
	};

	layout.total = sizeof(*header) + layout.maps + layout.programs + layout.insns +
		       layout.references + layout.targets;
	return layout;
}

void *object_encode(const struct object *object, size_t *size)
{
	struct object_header header = {
		.magic = OBJECT_MAGIC,
		.version = OBJECT_VERSION,
		.map_count = object->map_count,
		.program_count = object->program_count,
		.insn_count = object->insn_count,
		.reference_count = object->reference_count,
		.target_count = object->target_count,
	};
	struct layout layout = layout_of(&header);
	char *block = malloc(layout.total), *at = block;

	if (!block)
		return NULL;
	memcpy(at, &header, sizeof(header));
	at += sizeof(header);
	memcpy(at, object->maps, layout.maps);
	at += layout.maps;
	memcpy(at, object->programs, layout.programs);
	at += layout.programs;
	memcpy(at, object->insns, layout.insns);
	at += layout.insns;
	memcpy(at, object->references, layout.references);
	at += layout.references;
	if (layout.targets)
		memcpy(at, object->targets, layout.targets);
	*size = layout.total;
	return block;
}

static void *part(const char **at, size_t size)
{
	void *copy = calloc(1, size ? size : 1);

	if (copy)
		memcpy(copy, *at, size);
	*at += size;
	return copy;
}

static bool name_ok(const char *name)
{
	return name[0] && memchr(name, '\0', OBJECT_NAME_SIZE) != NULL;
}

/* Everything in the object that loading it relies on. */
static int check(const struct object *object)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < object->map_count; i++)
		if (!name_ok(object->maps[i].name))
			return -1;
	for (uint32_t i = 0; i < object->program_count; i++) {
		const struct object_program *program = &object->programs[i];

		if (!name_ok(program->name) || program->first_insn != next ||
		    !program->insn_count || program->insn_count > object->insn_count - next)
			return -1;
		next += program->insn_count;
	}
	if (next != object->insn_count)
		return -1;
	for (uint32_t i = 0; i < object->target_count; i++)
		if (!memchr(object->targets[i].name, '\0', OBJECT_TARGET_SIZE))
			return -1;
	for (uint32_t i = 0; i < object->reference_count; i++) {
		const struct object_reference *reference = &object->references[i];
		uint32_t limit = reference->kind == REFERENCE_MAP ? object->map_count
								  : OBJECT_PARAMETERS_MAX;

		if (reference->kind != REFERENCE_MAP && reference->kind != REFERENCE_PARAMETER)
			return -1;
		/* The value fills two instructions: the second must be there as well. */
		if (reference->index >= limit || object->insn_count < 2 ||
		    reference->insn > object->insn_count - 2 ||
		    object->insns[reference->insn].code != (BPF_LD | BPF_DW | BPF_IMM))
			return -1;
	}
	return 0;
}

struct object *object_decode(const void *block, size_t size, struct error *error)
{
	struct object_header header;
	const char *at = block;
	struct object *object;

	if (size < sizeof(header)) {
		fail(error, "the compiled object is cut short");
		return NULL;
	}
	memcpy(&header, at, sizeof(header));
	at += sizeof(header);
	if (header.magic != OBJECT_MAGIC || header.version != OBJECT_VERSION) {
		fail(error, "the compiled object is of another format");
		return NULL;
	}
	if (header.map_count > OBJECT_MAPS_MAX || header.program_count > OBJECT_PROGRAMS_MAX ||
	    header.insn_count > OBJECT_INSNS_MAX || header.reference_count > OBJECT_INSNS_MAX ||
	    header.target_count > OBJECT_TARGETS_MAX) {
		fail(error, "the compiled object is damaged: its counts are out of range");
		return NULL;
	}

	struct layout layout = layout_of(&header);

	if (layout.total != size) {
		fail(error, "the compiled object is damaged: it has %zu bytes, not %zu", size,
		     layout.total);
		return NULL;
	}
	object = calloc(1, sizeof(*object));
	if (!object) {
		fail(error, "out of memory");
		return NULL;
	}
	object->map_count = header.map_count;
	object->program_count = header.program_count;
	object->insn_count = header.insn_count;
	object->reference_count = header.reference_count;
	object->target_count = header.target_count;
	object->maps = part(&at, layout.maps);
	object->programs = part(&at, layout.programs);
	object->insns = part(&at, layout.insns);
	object->references = part(&at, layout.references);
	object->targets = part(&at, layout.targets);
	if (!object->maps || !object->programs || !object->insns || !object->references ||
	    !object->targets) {
		fail(error, "out of memory");
	} else if (check(object)) {
		fail(error, "the compiled object is damaged: a part refers to what is not there");
	} else {
		return object;
	}
	object_free(object);
	return NULL;
}

void object_free(struct object *object)
{
	if (!object)
		return;
	free(object->maps);
	free(object->programs);
	free(object->insns);
	free(object->references);
	free(object->targets);
	free(object);
}
