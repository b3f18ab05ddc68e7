/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject DEVICE FROM TO PORT MESSAGE: have a UDP packet arrive on a device, from port 53 of one
 * IPv4 address to a port of another, as a driver in XDP mode hands packets over: in a frame of
 * its own, of which the kernel makes a packet that says of no header but the link's where it
 * begins. MESSAGE is in hexadecimal. Prints "injected"; "unsupported" and why, before Linux 5.18.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>

#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif

struct frame {
	struct ethhdr link;
	struct iphdr ip;
	struct udphdr udp;
	unsigned char message[512];
} __attribute__((packed));

static uint16_t checksum(const void *data, size_t size)
{
	const unsigned char *at = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += at[i] << 8 | at[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static size_t fill(struct frame *frame, const char *device, char *argv[])
{
	struct ifreq request = {0};
	size_t size = strlen(argv[5]) / 2;
	int sock = socket(AF_INET, SOCK_DGRAM, 0);

	strncpy(request.ifr_name, device, sizeof(request.ifr_name) - 1);
	if (size > sizeof(frame->message) || ioctl(sock, SIOCGIFHWADDR, &request))
		exit(2);
	close(sock);
	memcpy(frame->link.h_dest, request.ifr_hwaddr.sa_data, ETH_ALEN);
	frame->link.h_proto = htons(ETH_P_IP);
	for (size_t i = 0; i < size; i++)
		if (sscanf(argv[5] + 2 * i, "%2hhx", &frame->message[i]) != 1)
			exit(2);
	frame->ip = (struct iphdr){.version = 4,
				   .ihl = 5,
				   .ttl = 64,
				   .protocol = IPPROTO_UDP,
				   .tot_len = htons(sizeof(frame->ip) + sizeof(frame->udp) + size),
				   .saddr = inet_addr(argv[2]),
				   .daddr = inet_addr(argv[3])};
	frame->ip.check = checksum(&frame->ip, sizeof(frame->ip));
	frame->udp.source = htons(53);
	frame->udp.dest = htons(atoi(argv[4]));
	frame->udp.len = htons(sizeof(frame->udp) + size); /* no checksum: IPv4 allows it */
	return sizeof(*frame) - sizeof(frame->message) + size;
}

int main(int argc, char *argv[])
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	static struct frame frame;
	struct xdp_md context = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &frame, .ctx_in = &context,
		    .ctx_size_in = sizeof(context), .repeat = 1,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	int program;

	if (argc != 6)
		return 1;
	opts.data_size_in = context.data_end = fill(&frame, argv[1], argv);
	context.ingress_ifindex = if_nametoindex(argv[1]);
	program = bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", pass, 2, NULL);
	if (program < 0 || bpf_prog_test_run_opts(program, &opts))
		printf("unsupported: %s\n", strerror(errno));
	else
		puts("injected");
	return 0;
}
