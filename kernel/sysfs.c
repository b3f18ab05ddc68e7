/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/sysfs.h"

#include <sys/vfs.h>
#include <linux/magic.h>

const char *sysfs_lacks(const char *otherwise)
{
	struct statfs fs;

	if (statfs("/sys", &fs) == 0 && fs.f_type == SYSFS_MAGIC)
		return otherwise;
	return "/sys is not mounted";
}
