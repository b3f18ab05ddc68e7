/* SPDX-License-Identifier: Apache-2.0 */
/* For the fuzz targets: what compiler/object.h promises of any object that was decoded. */
#ifndef TCPCONNECT_OBJECT_CHECK_H
#define TCPCONNECT_OBJECT_CHECK_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "compiler/object.h"

static inline void require(bool holds)
{
	if (!holds)
		abort();
}

static inline void check_object(const struct object *object)
{
	uint64_t insns = 0;

	require(object->map_count <= OBJECT_MAPS_MAX);
	require(object->program_count <= OBJECT_PROGRAMS_MAX);
	require(object->insn_count <= OBJECT_INSNS_MAX);
	require(object->target_count <= OBJECT_TARGETS_MAX);
	for (uint32_t i = 0; i < object->map_count; i++)
		require(object->maps[i].name[0] &&
			strnlen(object->maps[i].name, OBJECT_NAME_SIZE) < OBJECT_NAME_SIZE);
	for (uint32_t i = 0; i < object->program_count; i++) {
		const struct object_program *program = &object->programs[i];

		require(program->name[0] &&
			strnlen(program->name, OBJECT_NAME_SIZE) < OBJECT_NAME_SIZE);
		require(program->insn_count && program->first_insn == insns);
		insns += program->insn_count;
	}
	require(insns == object->insn_count);
	for (uint32_t i = 0; i < object->target_count; i++)
		require(strnlen(object->targets[i].name, OBJECT_TARGET_SIZE) < OBJECT_TARGET_SIZE);
	for (uint32_t i = 0; i < object->reference_count; i++) {
		const struct object_reference *reference = &object->references[i];

		/* What loading does with it: both halves of the constant are written. */
		require((uint64_t)reference->insn + 1 < object->insn_count);
		require(object->insns[reference->insn].code == (BPF_LD | BPF_DW | BPF_IMM));
		if (reference->kind == REFERENCE_MAP)
			require(reference->index < object->map_count);
		else
			require(reference->kind == REFERENCE_PARAMETER &&
				reference->index < OBJECT_PARAMETERS_MAX);
	}
}

#endif
