/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/* What is lost is counted where it is lost, one slot a CPU. */
BPF_TABLE("array", __u32, struct loss_counters, losses, 1024);

static void count_loss(__u32 counter_offset)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct loss_counters *slot = losses.lookup(&cpu);

	if (slot)
		__sync_fetch_and_add((__u64 *)((char *)slot + counter_offset), 1);
}

#define COUNT_LOSS(counter) count_loss(__builtin_offsetof(struct loss_counters, counter))

BPF_PERF_OUTPUT(events);

#ifdef SPARE_BUFFER
/*
 * For a CPU that has no perf buffer: it came online after the start, or went and came back,
 * which ends its perf events for good.
 */
BPF_RINGBUF_OUTPUT(spare, 16);

#define ERROR_ENOSPC 28
#define NO_WAKEUP    1
#endif

/*
 * Send a record through this CPU's perf buffer, or the spare ring buffer where it has none.
 * Returns 0, or an error where it was not sent.
 */
static int send(void *ctx, void *data, __u64 size)
{
	int error = events.perf_submit(ctx, data, size);

#ifdef SPARE_BUFFER
	if (error && error != -ERROR_ENOSPC)
		error = spare.ringbuf_output(data, size, NO_WAKEUP);
#endif
	return error;
}
