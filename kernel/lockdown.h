/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_LOCKDOWN_H
#define TCPCONNECT_LOCKDOWN_H

#include <stddef.h>

#define LOCKDOWN_PATH "/sys/kernel/security/lockdown"

/*
 * The kernel's lockdown mode (Linux 5.4): "none", "integrity", or "confidentiality", which keeps
 * BPF programs from reading the kernel's memory. Returns 0 with the mode; -1 with errno where it
 * is not shown: ENOENT, securityfs is not mounted; ENOTSUP, it is, and the kernel has no lockdown.
 */
int lockdown_mode(char *mode, size_t size);

#endif
