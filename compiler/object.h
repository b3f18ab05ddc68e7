/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_OBJECT_H
#define TCPCONNECT_OBJECT_H

#include <stddef.h>
#include <stdint.h>
#include "error.h"

struct bpf_insn;

/*
 * A compiled BPF object that can be loaded in another process than the one that
 * compiled it: it holds no file descriptor, only what must be made of them.
 */

#define OBJECT_TARGET_SIZE  64
#define OBJECT_TARGETS_MAX  32
#define OBJECT_NAME_SIZE    32
#define OBJECT_MAPS_MAX     32
#define OBJECT_PROGRAMS_MAX 32
#define OBJECT_INSNS_MAX    65536
/* The 64-bit constant of parameter n in the text is PARAMETER_MARK + n. */
#define PARAMETER_MARK        0x7ea1c0de00000000ull
#define OBJECT_PARAMETERS_MAX 4096

struct object_map {
	char name[OBJECT_NAME_SIZE];
	uint32_t type, key_size, value_size, max_entries, flags;
};

struct object_program {
	char name[OBJECT_NAME_SIZE];
	uint32_t insn_count;
	uint32_t first_insn; /* index into object.insns */
};

enum reference_kind { REFERENCE_MAP = 1, REFERENCE_PARAMETER = 2 };

/* A BPF_LD_IMM64 whose value is known only when the object is loaded. */
struct object_reference {
	uint32_t insn; /* index into object.insns */
	uint32_t kind;
	uint32_t index; /* of the map or of the parameter */
};

/*
 * The id that the kernel's BTF gives to a place that programs are loaded for, so that loading
 * need not read BTF again. Holds for the kernel that the object was compiled for.
 */
struct object_target {
	char name[OBJECT_TARGET_SIZE];
	uint32_t kind; /* enum point_kind */
	uint32_t btf_id;
};

struct object {
	uint32_t map_count, program_count, insn_count, reference_count, target_count;
	struct object_map *maps;
	struct object_program *programs;
	struct bpf_insn *insns; /* all programs', one after the other */
	struct object_reference *references;
	struct object_target *targets;
};

/*
 * Encode into one block of *size bytes, to be freed; NULL when out of memory. Host byte
 * order: an object serves only the machine that made it.
 */
void *object_encode(const struct object *object, size_t *size);

/*
 * Decode what object_encode() made. The block may hold anything: every count, index and
 * name is checked. Returns an object to be freed by object_free(), or NULL with *error.
 */
struct object *object_decode(const void *block, size_t size, struct error *error);

void object_free(struct object *object);

#endif
