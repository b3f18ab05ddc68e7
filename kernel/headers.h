/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_HEADERS_H
#define TCPCONNECT_HEADERS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include "error.h"
#include "kernel/identity.h"

/* The running kernel's installed headers. */
struct kernel_headers {
	char path[PATH_MAX]; /* directory, or the archive of IKHEADERS */
	bool archive;        /* path is the archive */
	bool chosen;         /* by $BCC_KERNEL_SOURCE; path is absolute */
	int64_t mtime_ns;    /* of include/generated/autoconf.h; 0 for the archive, a part of the
				kernel */
};

/*
 * Find the headers where bcc's users have them: $BCC_KERNEL_SOURCE,
 * /lib/modules/RELEASE/build, /sys/kernel/kheaders.tar.xz. Refuses a tree
 * that was made for another release. Returns 0, or -1 with *error set.
 */
int headers_find(const struct kernel_identity *kernel, struct kernel_headers *headers,
		 struct error *error);

#endif
