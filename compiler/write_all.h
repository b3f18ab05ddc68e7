/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_WRITE_ALL_H
#define TCPCONNECT_WRITE_ALL_H

#include <stddef.h>

/* Inside the room: write all of data, however many calls it takes. Returns 0, or -1 with errno. */
int write_all(int fd, const void *data, size_t size);

#endif
