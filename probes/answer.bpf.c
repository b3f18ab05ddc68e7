/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/* DNS answers as a process receives them over UDP: the message after its copy to user memory. */
struct receive {
	__u64 segments; /* iov_iter: the user's buffer itself, or the kernel's array of iovecs */
	__u64 offset;   /* bytes already used of the first segment */
	__u64 count;    /* bytes that may be received */
};

struct answer_scratch {
	struct answer_record answer;
	__u8 payload[ANSWER_MAX];
};

struct segment {
	__u64 base;
	__u64 length;
};

/* By thread. A receive that ends without a datagram leaves its entry, so the oldest give way. */
BPF_TABLE("lru_hash", __u64, struct receive, receives, ATTEMPTS_MAX);
BPF_PERCPU_ARRAY(scratch, struct answer_scratch, 1);

/* udp_recvmsg(), udpv6_recvmsg(): where the bytes will go. */
int receive_entry(void *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid();
	char *iter = (char *)ARGUMENT2(ctx) + OFFSET_MSGHDR_ITER;
	struct receive receive = {};

	receive.segments = (__u64)pointer_at(iter, OFFSET_ITER_SEGMENTS);
	receive.offset = (__u64)pointer_at(iter, OFFSET_ITER_OFFSET);
	receive.count = (__u64)pointer_at(iter, OFFSET_ITER_COUNT);
	receives.update(&thread, &receive);
	return 0;
}

/*
 * The user's buffer behind an iterator. Which kind it is, the pointer tells: one to user
 * memory is the buffer (ITER_UBUF), one to the kernel's is an array of segments (ITER_IOVEC).
 */
static void user_buffer(const struct receive *receive, struct segment *buffer)
{
	buffer->base = receive->segments;
	buffer->length = receive->count;
	if ((__s64)receive->segments < 0) {
		bpf_probe_read_kernel(buffer, sizeof(*buffer), (void *)receive->segments);
		if (receive->offset < buffer->length)
			buffer->length -= receive->offset;
		else
			buffer->length = 0;
	}
	buffer->base += receive->offset;
	/* Who only asks how long the datagram is (MSG_TRUNC) has no room for it. */
	if (buffer->length > receive->count)
		buffer->length = receive->count;
}

/* skb_consume_udp(sk, skb, len): in the receiving process, the bytes copied. */
int answer_received(void *ctx)
{
	void *sk = (void *)ARGUMENT1(ctx);
	void *skb = (void *)ARGUMENT2(ctx);
	char *head = pointer_at(skb, OFFSET_SKB_HEAD);
	__u64 thread = bpf_get_current_pid_tgid();
	struct answer_scratch *out;
	struct segment buffer = {};
	struct receive *receive;
	__u32 zero = 0, length = 0, paged = 0;
	__u16 transport = 0, source = 0;
	int failed;

	FIELD_READ(transport, skb, OFFSET_SKB_TRANSPORT_HEADER);
	FIELD_READ(source, head, transport); /* the UDP header's first field */
	if (source != bpf_htons(PORT_DNS))
		return 0;
	out = scratch.lookup(&zero);
	if (!out)
		return 0;
	FIELD_READ(length, skb, OFFSET_SKB_LEN);
	FIELD_READ(paged, skb, OFFSET_SKB_DATA_LEN);
	out->answer.head.ts_ns = bpf_ktime_get_ns();
	out->answer.head.kind = RECORD_ANSWER;
	out->answer.head.tgid = thread >> 32;
	out->answer.netns = socket_netns(sk);
	out->answer.length = length;
	out->answer.skip = 0;
	if (length > ANSWER_MAX)
		length = ANSWER_MAX;

	/*
	 * What lies in page fragments no probe can reach here, but the process has it already.
	 * How much that is, the record tells each time: of a difference in a register clang would
	 * know that it is bounded, and leave out the bound below that the verifier wants.
	 */
	if (length > out->answer.length - paged) {
		receive = receives.lookup(&thread);
		if (receive)
			user_buffer(receive, &buffer);
		if (buffer.length > out->answer.length - paged) {
			if (length > buffer.length)
				length = buffer.length;
			length &= 2 * ANSWER_MAX - 1;
			if (length > ANSWER_MAX)
				length = ANSWER_MAX;
			failed = bpf_probe_read_user(out->payload, length, (void *)buffer.base);
			goto send;
		}
		length = out->answer.length - paged;
	}
	length &= 2 * ANSWER_MAX - 1; /* the bound again, where an old verifier sees it */
	if (length > ANSWER_MAX)
		length = ANSWER_MAX;
	failed = bpf_probe_read_kernel(out->payload, length, pointer_at(skb, OFFSET_SKB_DATA));
send:
	out->answer.captured = length;
	if (failed)
		COUNT_LOSS(answers_unreadable);
	else if (send(ctx, out, sizeof(out->answer) + length))
		COUNT_LOSS(answers_buffer_full);
	return 0;
}
