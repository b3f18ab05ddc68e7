/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/measures.h"

#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/capability.h>

#define KEY_SIZE_MAX 512 /* of the maps that are read here */

/* The kernel takes 64 bits as two halves; the inheritable set is always left empty. */
static int set_capabilities(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {
		{(uint32_t)effective, (uint32_t)permitted, 0},
		{(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), 0},
	};

	return (int)syscall(SYS_capset, &header, sets);
}

static int get_capabilities(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets))
		return -1;
	*effective = sets[0].effective | (uint64_t)sets[1].effective << 32;
	*permitted = sets[0].permitted | (uint64_t)sets[1].permitted << 32;
	*inheritable = sets[0].inheritable | (uint64_t)sets[1].inheritable << 32;
	return 0;
}

static uint64_t set_of(int capability)
{
	return capability < 0 ? 0 : 1ull << capability;
}

static bool map_readable(int map)
{
	char key[KEY_SIZE_MAX];
	union bpf_attr attr = {.map_fd = (uint32_t)map, .next_key = (uintptr_t)key};

	/* An empty map answers ENOENT. */
	return syscall(SYS_bpf, BPF_MAP_GET_NEXT_KEY, &attr, sizeof(attr)) == 0 || errno == ENOENT;
}

/*
 * Whether reading takes a capability depends on kernel.unprivileged_bpf_disabled, and on
 * whether the kernel still asks it for a map already open (from 5.19 on it does not), and on
 * what a distribution made of both. Only effective capabilities count, and they can be had
 * back: so it can be tried.
 */
int capability_to_read(int map, int *capability)
{
	static const int candidates[] = {-1, CAP_BPF, CAP_SYS_ADMIN};
	uint64_t effective, permitted, inheritable;
	int cause = EPERM;

	if (get_capabilities(&effective, &permitted, &inheritable))
		return -1;
	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		uint64_t trial = set_of(candidates[i]);
		bool readable;

		if ((trial & permitted) != trial)
			continue;
		if (set_capabilities(trial, permitted))
			return -1;
		readable = map_readable(map);
		cause = errno;
		if (set_capabilities(effective, permitted))
			return -1;
		if (readable) {
			*capability = candidates[i];
			return 0;
		}
	}
	errno = cause;
	return -1;
}

const char *give_up_bounding_set(void)
{
	int in_set;

	/* Reading one that the kernel does not know is the end. */
	for (unsigned int capability = 0; (in_set = prctl(PR_CAPBSET_READ, capability)) >= 0;
	     capability++) {
		if (in_set == 0 || prctl(PR_CAPBSET_DROP, capability) == 0)
			continue;
		return errno == EPERM ? "CAP_SETPCAP is missing"
				      : "the kernel does not let go of a capability";
	}
	return NULL;
}

const char *give_up_capabilities(int capability)
{
	uint64_t wanted = set_of(capability), effective, permitted, inheritable;

	/* Kernels before 4.3 have no ambient set and refuse. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (set_capabilities(wanted, wanted))
		return "the kernel does not let go of them";
	if (get_capabilities(&effective, &permitted, &inheritable) || effective != wanted ||
	    permitted != wanted || inheritable != 0)
		return "some are still there";
	return NULL;
}

const char *give_up_new_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		return NULL;
	return "the kernel has no no_new_privs";
}
