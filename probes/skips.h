/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_SKIPS_H
#define TCPCONNECT_SKIPS_H

#include <stdint.h>

/*
 * How often the kernel did not run a program, because the CPU was in it already: interrupted, or
 * preempted and another thread there. It counts that from 5.12 on, and tells it in
 * /proc/self/fdinfo, which asks for no privilege, and for no path once it is open.
 */

/* A descriptor to read a program's count from; -1 where there is no /proc. */
int skips_open(int program);

/* The count so far, 0 where the kernel has none. skips: as opened, its program still open. */
uint64_t skips_read(int skips);

#endif
