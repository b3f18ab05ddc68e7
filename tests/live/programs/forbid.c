/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forbid CALL ERRNO COMMAND...: run a command in which a system call fails with that error
 * number, as a container's filter has it.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

static const struct {
	const char *name;
	unsigned int number;
} calls[] = {
	{"bpf", SYS_bpf},
	{"perf_event_open", SYS_perf_event_open},
	{"seccomp", SYS_seccomp},
	{"unshare", SYS_unshare},
};

static int forbid(const char *name, unsigned int error)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct sock_filter filter[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

		if (strcmp(calls[i].name, name) == 0)
			return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	}
	errno = EINVAL;
	return -1;
}

int main(int argc, char *argv[])
{
	if (argc >= 4 && forbid(argv[1], (unsigned int)atoi(argv[2])) == 0)
		execvp(argv[3], argv + 3);
	fprintf(stderr, "forbid: %s\n", strerror(errno));
	return 99;
}
