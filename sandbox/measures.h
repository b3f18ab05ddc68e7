/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_SANDBOX_MEASURES_H
#define TCPCONNECT_SANDBOX_MEASURES_H

#include "sandbox/sandbox.h"

/*
 * The measures, one function each. Each returns NULL; or why it does not hold, a static string.
 * What could be had of it is had all the same.
 */

const char *give_up_descriptors(const struct sandbox_plan *plan);
const char *give_up_root(void);
const char *give_up_bounding_set(void);
const char *give_up_groups(void);
/* keeps: a capability is to outlive the change of user; its effective bit does not. */
const char *give_up_identity(const struct sandbox_user *user, bool keeps);
/* All but capability (a number), or all with -1. */
const char *give_up_capabilities(int capability);
const char *give_up_new_privileges(void);
const char *give_up_dumps(void);
const char *give_up_limits(void);
const char *give_up_calls(enum sandbox_maps maps);

/*
 * Which single capability reading the map by system call takes here: -1 for none, else
 * CAP_BPF or CAP_SYS_ADMIN, found by trying. Returns 0, or -1 with errno set where none of
 * these is enough, or this process has it not.
 */
int capability_to_read(int map, int *capability);

#endif
