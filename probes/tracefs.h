/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_TRACEFS_H
#define TCPCONNECT_TRACEFS_H

/*
 * The number of an event (say "syscalls", "sys_enter_connect"). Looks in the mounted tracefs,
 * and where none is mounted makes a mount that no path leads to and that ends with this call
 * (Linux 5.2). Returns the number, or -1 with errno set.
 */
int tracefs_event_id(const char *group, const char *event);

#endif
