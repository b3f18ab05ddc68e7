/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/*
 * How attempts end. Without WANT_RESULT an attempt is reported as it is seen; with it, an
 * attempt that did not fail at once waits in the table of half-open connects until its socket
 * leaves SYN_SENT.
 */
#ifdef WANT_RESULT
/*
 * By socket; head.ts_ns is the attempt's time until the outcome replaces it, and error what
 * note_soft_error() found. An entry with an outcome has been reported, but could not be deleted:
 * the kernel (5.11 to 6.6) may refuse that while an interrupted program of the same CPU is about
 * to change the table.
 */
BPF_HASH(halfopen, void *, struct connect_record, HALFOPEN_MAX);

static void report_outcome(void *ctx, struct connect_record *record, __u8 outcome)
{
	__u64 now = bpf_ktime_get_ns();

	record->outcome = outcome;
	record->latency_ns = now - record->head.ts_ns;
	record->head.ts_ns = now;
#ifdef ONLY_FAILED
	if (outcome == OUTCOME_OK)
		return;
#endif
#ifdef SLOW_NS
	if (record->latency_ns < SLOW_NS)
		return;
#endif
	report(ctx, record);
}
#endif

/* An attempt has begun, or failed at once (record->error). */
static void report_attempt(void *ctx, struct connect_record *record, void *sk)
{
#ifdef WANT_RESULT
	if (record->error)
		report_outcome(ctx, record, OUTCOME_ERROR);
	else if (halfopen.update(&sk, record))
		COUNT_LOSS(table_full);
#else
	report(ctx, record);
#endif
}

#ifdef WANT_RESULT
/*
 * An ICMP error that comes while the SYN is being sent, as when a firewall of this host rejects
 * it, is no end: the kernel keeps it in the socket as a soft error, and sends the SYN again. But
 * a process that asks for the socket's error is told, and gives up, and having asked takes it
 * out of the socket. So it is noted when connecting returns.
 */
static void note_soft_error(void *sk)
{
	struct connect_record *waiting;
	__u32 error = 0;

	FIELD_READ(error, sk, OFFSET_SOCK_ERR_SOFT);
	waiting = error ? halfopen.lookup(&sk) : 0;
	if (waiting)
		waiting->error = error;
}

/* error: positive errno; 0 with success, and where none is known. */
static void end_attempt(void *ctx, void *sk, int success, int error)
{
	struct connect_record *waiting = halfopen.lookup(&sk);
	struct connect_record record;

	if (!waiting || waiting->outcome)
		return;
	record = *waiting;
	waiting->outcome = OUTCOME_OK;
	halfopen.delete(&sk);
	if (!fill_port_after(&record, sk))
		return;
	if (success || error)
		record.error = error;
	FIELD_READ(record.syn_retransmits, sk, OFFSET_TCP_RETRANSMITS);
	report_outcome(ctx, &record,
		       success        ? OUTCOME_OK
		       : record.error ? OUTCOME_ERROR
				      : OUTCOME_ABORTED);
}

/* What MPTCP has taken out of the socket of a subflow, into its own; before Linux 6.10. */
static __u32 error_of_multipath(void *sk)
{
	void *socket = pointer_at(sk, OFFSET_SOCK_SOCKET);
	void *owner = socket ? pointer_at(socket, OFFSET_SOCKET_SK) : 0;
	__u32 error = 0;

	if (owner && owner != sk)
		FIELD_READ(error, owner, OFFSET_SOCK_ERR);
	return error;
}

/*
 * A socket leaves SYN_SENT, or SYN_RECV where both ends connect at once. The one that answers
 * with an error leaves it in the socket; a process that gives up leaves none, or what a soft
 * error had told.
 */
static void connect_ends(void *ctx, void *sk, int new)
{
	__u32 error = 0;

	if (new == STATE_SYN_RECV)
		return;
	if (new != STATE_ESTABLISHED) {
		FIELD_READ(error, sk, OFFSET_SOCK_ERR);
		if (!error)
			error = error_of_multipath(sk);
		if (!error)
			FIELD_READ(error, sk, OFFSET_SOCK_ERR_SOFT);
	}
	end_attempt(ctx, sk, new == STATE_ESTABLISHED, error);
}
#endif
