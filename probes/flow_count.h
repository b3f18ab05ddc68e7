/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_FLOW_COUNT_H
#define TCPCONNECT_FLOW_COUNT_H

#include <stdint.h>
#include "probes/record.h"

/* A flow and how often it was made: what the kernel counted, and what is printed. */
struct flow_count {
	struct flow_key key;
	uint64_t connects;
};

#endif
