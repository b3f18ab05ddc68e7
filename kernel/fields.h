/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_FIELDS_H
#define TCPCONNECT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "error.h"

struct btf;

/*
 * What the kernel calls each field that the probes read, said once. BTF tells its number, or a
 * compiler that reads the kernel's headers.
 */
struct field {
	const char *macro; /* the name that the probes use */
	const char *type;  /* struct without the keyword */
	const char *path;  /* members, '.'-separated; an index may follow: regs[1] */
	bool optional;     /* without BTF: absent, the probes then ask the data instead */
};

#define FIELDS_MAX       56
#define FIELD_OFFSET_MAX 0xffffu
#define FIELD_ABSENT     UINT32_MAX /* instead of an offset */

/* All fields, in a fixed order, ended by macro == NULL. */
const struct field *fields_all(void);

/* The byte offset of each field of fields_all(), in its order. */
struct field_offsets {
	size_t count;
	uint32_t offset[FIELDS_MAX];
};

/*
 * Look every field up in btf. Returns 0; or -1 with the first field that is not
 * there named in *error. Bit fields are refused: no probe reads one.
 */
int fields_resolve(const struct btf *btf, struct field_offsets *offsets, struct error *error);

/* One field's byte offset in btf, or -1 with *error set. For tests as well. */
int field_offset(const struct btf *btf, const char *type, const char *path, uint32_t *offset,
		 struct error *error);

/*
 * The kernel's headers hold no list of offsets, but a compiler that reads them knows these.
 * fields_question() makes a text, to be freed (NULL: out of memory), that clang must refuse with
 * the flags given (ended by NULL), telling in its errors where each field is. fields_answer()
 * takes what it said: 0 if that is each field's offset and no other error; else -1, and *strange
 * is the line with the first other error, or NULL. Clang gives no offset in a structure of which
 * it did not understand a part.
 */
extern const char *const fields_question_flags[];
char *fields_question(void);
int fields_answer(const char *words, struct field_offsets *offsets, const char **strange);

/* Whether there is a likely offset for each field of fields_all(), optional ones apart. */
bool fields_complete(const struct field_offsets *offsets);

/* Offsets kept as the bytes of offset[], of any origin. Returns 0, or -1: they cannot be. */
int fields_take(const void *bytes, size_t size, struct field_offsets *offsets);

/*
 * The running kernel's BTF; the caller frees it with btf__free(). NULL with *error set
 * when the kernel has none (built without CONFIG_DEBUG_INFO_BTF, or not to be read).
 */
struct btf *kernel_btf(struct error *error);

/* Whether the kernel shows its BTF, without reading it. */
bool kernel_has_btf(void);

#endif
