/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_IDENTITY_H
#define TCPCONNECT_IDENTITY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/utsname.h>

/* Which kernel runs: enough that two kernels with one identity have one layout. */
struct kernel_identity {
	struct utsname name;
	char build_id[2 * 64 + 1]; /* GNU build id of vmlinux, hexadecimal; "" where not shown */
	char signature[128];       /* Ubuntu's /proc/version_signature; "" elsewhere */
};

void kernel_identify(struct kernel_identity *identity);

/* Parse ELF notes for the GNU build id; writes hexadecimal text of at most size bytes with NUL. */
void build_id_from_notes(const uint8_t *notes, size_t length, char *text, size_t size);

/*
 * The running kernel's version as its LINUX_VERSION_CODE has it: 6.1.27 -> 0x06011b. Kernels
 * before 5.0 load no program for a kprobe that names another.
 */
uint32_t kernel_version_code(const struct kernel_identity *identity);

#endif
