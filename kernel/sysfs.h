/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_SYSFS_H
#define TCPCONNECT_SYSFS_H

/*
 * Why a file below /sys is missing: that sysfs is not mounted there, or else otherwise, a static
 * string such as "CONFIG_DEBUG_INFO_BTF".
 */
const char *sysfs_lacks(const char *otherwise);

#endif
