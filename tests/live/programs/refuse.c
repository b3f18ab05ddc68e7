/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse CGROUP: make a BPF program refuse every connect(2) in that control group, IPv4 and
 * IPv6, as long as this process lives.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>

static int refuse(int cgroup, enum bpf_attach_type type)
{
	const struct bpf_insn no[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	int program = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "refuse", "GPL", no, 2, &opts);

	if (program < 0)
		return -1;
	return bpf_link_create(program, cgroup, type, NULL); /* open: ends with the process */
}

int main(int argc, char *argv[])
{
	int cgroup = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	if (cgroup < 0 || refuse(cgroup, BPF_CGROUP_INET4_CONNECT) < 0 ||
	    refuse(cgroup, BPF_CGROUP_INET6_CONNECT) < 0) {
		printf("cannot: %s\n", strerror(errno));
		return 1;
	}
	puts("refusing");
	fflush(stdout);
	for (;;)
		pause();
}
