/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_PRIVILEGE_H
#define TCPCONNECT_PRIVILEGE_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include "error.h"

/*
 * Check that this process may trace: CAP_SYS_ADMIN, or CAP_BPF with CAP_PERFMON (Linux 5.8).
 * Returns 0, or -1 with *error naming what is missing.
 */
int privilege_check(struct error *error);

/*
 * Two programs of a few instructions, loaded and forgotten: one that does nothing, one that reads
 * the kernel's memory, as all the tool's programs do. Capabilities alone do not tell, in a
 * container or under lockdown. Return 0, or -1 with errno. kernel_version: LINUX_VERSION_CODE.
 */
int bpf_try_load(uint32_t kernel_version);
int bpf_try_read(uint32_t kernel_version);

/* Both. Returns 0, or -1 with *error saying what is in the way and what would help. */
int privilege_try(uint32_t kernel_version, struct error *error);

/*
 * error_remedy(), and what would help where memory for BPF was refused: before Linux 5.11 it counts
 * as locked memory, and EPERM says that the limit is reached. Static.
 */
const char *privilege_remedy(int cause, uint32_t kernel_version);

/*
 * Of the capabilities that the tool has a use for, the index'th one's name ("CAP_BPF"), and
 * whether it is held; NULL behind the last.
 */
const char *privilege_name(size_t index, bool *held);

#endif
