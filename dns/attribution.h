/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_DNS_ATTRIBUTION_H
#define TCPCONNECT_DNS_ATTRIBUTION_H

#include <stdbool.h>
#include <stdint.h>

/* Who received an answer, and when. */
struct dns_receiver {
	uint64_t time_ns; /* CLOCK_MONOTONIC at the event, as the kernel stamped it */
	uint32_t tgid;    /* 0: not known */
	uint32_t netns;   /* inode number of the network namespace; 0: not known */
};

/* Who connects, and when. */
struct dns_connector {
	uint64_t time_ns; /* of the attempt, as in struct dns_receiver */
	uint32_t tgid;
	uint32_t netns;
	uint64_t process_ns; /* CLOCK_MONOTONIC when the process began; 0: not known */
};

/* What ties a connect to the answer that names it, from weak to strong. */
enum dns_tie {
	DNS_TIE_NONE,      /* the answer cannot be meant: it came after the connect */
	DNS_TIE_LATEST,    /* somebody on this machine received it */
	DNS_TIE_NAMESPACE, /* received in the same network namespace */
	DNS_TIE_PROCESS,   /* received by the same process */
};

/*
 * The tie between a connect and an answer for the address connected to. An answer
 * at the very nanosecond of the connect counts as before it. Unknown (0) matches nothing. What
 * came before the process began went to an earlier process with the same id.
 */
enum dns_tie dns_tie(const struct dns_connector *connector, const struct dns_receiver *receiver);

/*
 * Whether the answer that receiver got names the connect better than the best one
 * so far does: the stronger tie wins; of equal ties, the later answer; of equal
 * times too, this one, so that the last one looked at stays.
 */
bool dns_better(enum dns_tie tie, const struct dns_receiver *receiver, enum dns_tie best_tie,
		const struct dns_receiver *best);

#endif
