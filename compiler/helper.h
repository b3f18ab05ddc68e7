/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_HELPER_H
#define TCPCONNECT_HELPER_H

#include "compiler/compile.h"

/* Inside the room: what runs in the process that compiles. */

/* The first byte of what the helper sends. */
#define ANSWER_OBJECT 'O' /* struct toolchain, then an encoded object */
#define ANSWER_ERROR  'E' /* the text of the error's line */
#define ANSWER_FINAL  'F' /* the same, where no other program would compile either */
#define ANSWER_WORDS  'W' /* struct toolchain: the question is answered in what was said */

/* Compile, with headers to be refused, and send the answer to fd. Returns the exit status. */
typedef int helper_fn(const struct compile_request *request, int fd);
helper_fn helper_main;

/* The same by another helper than helper_main(), for tests of what a helper may do wrong. */
struct object *compile_by(helper_fn *helper, const struct compile_request *request,
			  struct toolchain *toolchain, char **words, struct error *error);
int compile_question_by(helper_fn *helper, const struct compile_request *request,
			struct toolchain *toolchain, char **words, struct error *error);

/*
 * Make a directory that libbcc takes for a kernel source tree, holding only the few files
 * that its own headers need. Returns 0 with the directory in path, or -1 with *error set.
 */
int stubs_create(uint32_t kernel_version, char *path, size_t size, struct error *error);
/* Such a directory without any file, in $TMPDIR or /tmp. */
int stubs_directory(char *path, size_t size, struct error *error);
/* Remove either again, with all that is in it; best effort. */
void stubs_remove(const char *path);

/*
 * Make a file to stand in the place of /proc/kallsyms. libbcc takes that in whole, for longer than
 * it then compiles, to see whether the kernel has two functions. This one has them alone; before
 * Linux 5.5, which has not, the text calls neither. Returns 0 or -1.
 */
int stubs_symbols(const char *path);

#endif
