/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_NUMBER_H
#define TCPCONNECT_NUMBER_H

/*
 * The decimal number behind a prefix on top of a small file of the kernel's: "config:0", "6".
 * path is taken from directory, a descriptor or AT_FDCWD. Returns it, or -1 where there is none
 * from 0 to INT_MAX; errno tells why a file could not be read.
 */
int number_in(int directory, const char *path, const char *prefix);

#endif
