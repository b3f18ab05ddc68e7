/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_COMPILE_H
#define TCPCONNECT_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "compiler/object.h"
#include "error.h"

/*
 * How long one compilation may take. With headers it is two seconds of processor time, but forty on
 * an emulated machine; and a host in trouble may have a tenth of a processor left for it.
 */
#define COMPILE_SECONDS 600

/* Kernel headers that the text includes; libbcc finds them where headers_find() does. */
enum header_source {
	HEADERS_NONE,    /* a few stub files serve, and no kernel header is opened */
	HEADERS_TREE,    /* installed */
	HEADERS_ARCHIVE, /* IKHEADERS, which libbcc unpacks in /tmp */
};

struct compile_request {
	const char *text;         /* the BPF program, or the question */
	const char *const *flags; /* for clang besides, ended by NULL, at most COMPILE_FLAGS_MAX */
	enum header_source headers;
	const char *tree;        /* absolute; NULL where libbcc finds what is installed */
	uint32_t kernel_version; /* LINUX_VERSION_CODE of the running kernel */
	unsigned int seconds;    /* time limit */
	/*
	 * Set within the room, in memory that both processes share: the directory that the one
	 * that compiles has made in a /tmp that is not its own; "" for none.
	 */
	char *made;
};

#define COMPILE_FLAGS_MAX 16

/* What a compilation depended on besides its request. */
struct toolchain {
	char libbcc[512]; /* path of the library as the dynamic linker found it */
	char llvm[512];   /* path of the LLVM library that it uses, or "" where it is built in */
};

/*
 * Compile in a process of its own, which opens libbcc and ends; nothing of LLVM is ever
 * mapped into the caller. *words gets what clang and libbcc said, NUL terminated, to be
 * freed (NULL when nothing). Returns the object, or NULL with *error set: libbcc missing,
 * the text refused, the process killed, out of memory or out of time.
 */
struct object *compile(const struct compile_request *request, struct toolchain *toolchain,
		       char **words, struct error *error);

/*
 * Have clang say, in a process of the same kind, what is wrong with a text that it must refuse:
 * *words as above. Returns 0, or -1 with *error set: as above, or the text was not refused.
 */
int compile_question(const struct compile_request *request, struct toolchain *toolchain,
		     char **words, struct error *error);

/* Whether the limit of open files is one that clang may have met, which it does not tell. */
bool compile_few_files(void);

/*
 * The version of the libbcc that would compile, such as "0.26.0", and its path. Opens the
 * library in this process. Returns 0, or -1 with *error set.
 */
int libbcc_version(char *version, size_t size, struct toolchain *toolchain, struct error *error);

#endif
