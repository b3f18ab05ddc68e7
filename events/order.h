/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_ORDER_H
#define TCPCONNECT_ORDER_H

#include <stddef.h>
#include <stdint.h>
#include "probes/record.h"

/*
 * Brings the records of all CPUs into the order of their kernel time. Each CPU has a
 * queue; records come in nearly sorted (an interrupt may put a later one in front), and go
 * out once no earlier one can come any more.
 */
struct order;

/* Returns NULL when out of memory. */
struct order *order_new(unsigned int cpus);
void order_free(struct order *order);

/*
 * Take in one record as it came through a perf buffer; it is copied. size may include the
 * padding that perf adds. Returns 0; -EINVAL for what is no valid record (unknown kind, cut
 * short, lengths that contradict each other, no such CPU); -ENOMEM.
 */
int order_push(struct order *order, unsigned int cpu, const void *data, size_t size);

typedef void order_fn(void *arg, const struct record_head *record);

/*
 * Hand out all records with ts_ns <= until_ns, earliest first; of equal times the lower CPU
 * first. Each lives until fn returns. fn must not push.
 */
void order_release(struct order *order, uint64_t until_ns, order_fn *fn, void *arg);

/* Records waiting. */
size_t order_waiting(const struct order *order);

#endif
