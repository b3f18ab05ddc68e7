/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/*
 * The records that the BPF program sends through the perf buffers.
 *
 * This file is joined into the BPF program's text and included by the C side,
 * so that a record has one definition. It has no padding but what it names.
 */
#ifndef TCPCONNECT_RECORD_H
#define TCPCONNECT_RECORD_H

#include <linux/types.h>

#define RECORD_CONNECT 1 /* struct connect_record */
#define RECORD_ANSWER  2 /* struct answer_record */

#define COMM_SIZE      16   /* the kernel's TASK_COMM_LEN */
#define ANSWER_MAX     4096 /* bytes of a DNS message carried at most */

/* Every record starts so; ts_ns decides the order in which all are seen. */
struct record_head {
	__u64 ts_ns; /* CLOCK_MONOTONIC at the event */
	__u32 kind;  /* RECORD_... */
	__u32 tgid;  /* 0: not known (answer captured on the network path) */
};

struct connect_record {
	struct record_head head;
	__u64 cgroup_id;  /* cgroup v2 id; 0: not asked for */
	__u64 latency_ns; /* attempt to outcome; with outcome != OUTCOME_NONE */
	__u64 process_ns; /* CLOCK_MONOTONIC when the process began; 0: not asked for */
	__u32 tid;
	__u32 ppid; /* 0: not asked for */
	__u32 uid;
	__u32 gid;
	__u32 netns; /* inode number of the network namespace; 0: not asked for */
	__u32 mntns; /* inode number of the mount namespace; 0: not asked for */
	__u16 lport; /* host byte order; 0: not known */
	__u16 dport; /* host byte order */
	__s16 error; /* 0, or the errno of the failure, positive */
	__u8 family; /* 4 or 6 */
	__u8 outcome;
	__u32 syn_retransmits;
	__u16 lport_before; /* an earlier connect's, network byte order; for the probes alone */
	__u16 reserved;
	__u8 saddr[16]; /* network byte order; IPv4 in the first 4 bytes, rest 0 */
	__u8 daddr[16];
	char comm[COMM_SIZE];
};

#define OUTCOME_NONE    0 /* not asked for, or not known yet */
#define OUTCOME_OK      1
#define OUTCOME_ERROR   2 /* connect_record.error says which */
#define OUTCOME_ABORTED 3 /* closed by its process before the answer */
#define OUTCOME_PENDING 4 /* still open when the tool ended */

/* A DNS message as it was received over UDP, no IP or UDP header. */
struct answer_record {
	struct record_head head;
	__u32 netns;    /* inode number of the network namespace; 0: not known */
	__u32 length;   /* bytes of the message on the wire, may exceed what was captured */
	__u32 skip;     /* bytes of packet headers in front of the message in payload */
	__u32 captured; /* bytes in payload, headers included */
	__u8 payload[];
};

/* Count mode: one entry a flow. */
struct flow_key {
	__u8 saddr[16]; /* as in connect_record */
	__u8 daddr[16];
	__u16 dport; /* host byte order */
	__u8 family; /* 4 or 6 */
	__u8 outcome;
	__s16 error;
	__u16 round; /* which interval counts it; 0 without intervals */
};

/*
 * What was lost inside the kernel, by cause; one slot of a memory-mapped array
 * for each CPU, so that reading them needs no system call. The names are those of the JSON.
 */
struct loss_counters {
	__u64 buffer_full; /* connects that found no room in the perf buffer */
	__u64 table_full;  /* connects that found none in the table of attempts under way, of those
			      that wait for their outcome, or of those that wait for their port */
	__u64 counts_full; /* connects not counted: no room for one more flow */
	__u64 return_missed;       /* attempts whose kretprobe the kernel skipped */
	__u64 answers_buffer_full; /* DNS answers that found no room in the perf buffer */
	__u64 answers_unreadable;  /* DNS answers that could not be read where they lay */
	__u64 reserved[2];
};

#endif
