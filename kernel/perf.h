/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_PERF_H
#define TCPCONNECT_PERF_H

#include "error.h"

/*
 * Check that the kernel opens perf events for this process, which kprobes, system call tracepoints
 * and perf buffers are. Debian's lets only CAP_SYS_ADMIN do so, unless told otherwise; seccomp
 * filters of containers often let nobody. Returns 0, or -1 with *error saying what would help.
 */
int perf_events_check(struct error *error);

#endif
