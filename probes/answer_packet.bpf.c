/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/*
 * DNS answers as the network stack receives them, for kernels without kprobes: every
 * packet that comes in over UDP from port 53, with no process to it yet.
 */
#define PACKET_IP          0x0800
#define PACKET_8021Q       0x8100
#define PACKET_IPV6        0x86dd
#define PACKET_8021AD      0x88a8
#define VLAN_TAG_SIZE      4
#define PROTOCOL_UDP       17
#define IPV6_FRAGMENT      44
#define IPV6_HEADER_SIZE   40
#define IPV6_FRAGMENT_SIZE 8
#define UDP_HEADER_SIZE    8
#define FRAGMENT_OFFSET    0x1fff /* IPv4: bits of the field that holds it */
#define FRAGMENT6_OFFSET   0xfff8

/*
 * Bytes from the network header to the UDP header; 0 where the packet is none, or not the
 * first fragment of one.
 */
static __u32 udp_offset(__u16 protocol, const char *network)
{
	__u8 ip[10] = {}, fragment[4] = {};

	bpf_probe_read_kernel(ip, sizeof(ip), network);
	if (protocol == bpf_htons(PACKET_IP)) {
		if (ip[9] != PROTOCOL_UDP || (((ip[6] << 8) | ip[7]) & FRAGMENT_OFFSET))
			return 0;
		return (ip[0] & 15) * 4;
	}
	if (protocol != bpf_htons(PACKET_IPV6))
		return 0;
	if (ip[6] == PROTOCOL_UDP)
		return IPV6_HEADER_SIZE;
	if (ip[6] != IPV6_FRAGMENT)
		return 0;
	bpf_probe_read_kernel(fragment, sizeof(fragment), network + IPV6_HEADER_SIZE);
	if (fragment[0] != PROTOCOL_UDP || (((fragment[2] << 8) | fragment[3]) & FRAGMENT6_OFFSET))
		return 0;
	return IPV6_HEADER_SIZE + IPV6_FRAGMENT_SIZE;
}

/* bcc knows perf_submit_skb() for classifiers; a tracing program has its own helper for it. */
#define TRACING_SKB_OUTPUT ((int (*)(void *, void *, __u64, void *, __u64))111)
#define bpf_perf_event_output(ctx, map, flags, data, size)                                         \
	TRACING_SKB_OUTPUT(ctx, map, flags, data, size)

int packet_received(__u64 *ctx)
{
	void *skb = (void *)ctx[0];
	/* Here a packet's data begin with its network header, which skb->network_header may not
	 * tell. */
	char *data = pointer_at(skb, OFFSET_SKB_DATA);
	struct answer_record answer = {};
	__u16 protocol = 0, udp[3] = {};
	__u32 tag = 0, offset, length = 0;
	void *device;
	int failed;

	FIELD_READ(protocol, skb, OFFSET_SKB_PROTOCOL);
	/* A tag that the driver has left in the packet: two bytes, then the protocol behind it. */
	if (protocol == bpf_htons(PACKET_8021Q) || protocol == bpf_htons(PACKET_8021AD)) {
		tag = VLAN_TAG_SIZE;
		FIELD_READ(protocol, data, VLAN_TAG_SIZE - sizeof(protocol));
	}
	offset = udp_offset(protocol, data + tag);
	if (!offset)
		return 0;
	offset += tag;
	FIELD_READ(length, skb, OFFSET_SKB_LEN);
	if (length < offset + UDP_HEADER_SIZE)
		return 0;
	bpf_probe_read_kernel(udp, sizeof(udp), data + offset);
	if (udp[0] != bpf_htons(PORT_DNS) || bpf_ntohs(udp[2]) < UDP_HEADER_SIZE)
		return 0;

	offset += UDP_HEADER_SIZE;
	device = pointer_at(skb, OFFSET_SKB_DEV);
	answer.head.ts_ns = bpf_ktime_get_ns();
	answer.head.kind = RECORD_ANSWER;
	if (device)
		FIELD_READ(answer.netns, pointer_at(device, OFFSET_NET_DEVICE_NET),
			   OFFSET_NET_INUM);
	answer.length = bpf_ntohs(udp[2]) - UDP_HEADER_SIZE;
	answer.skip = offset;
	if (length > offset + ANSWER_MAX)
		length = offset + ANSWER_MAX;
	answer.captured = length;
	/* A statement of its own: libbcc puts a semicolon behind what it makes of this call. */
	failed = events.perf_submit_skb(skb, length, &answer, sizeof(answer));
	if (failed)
		COUNT_LOSS(answers_buffer_full);
	return 0;
}
