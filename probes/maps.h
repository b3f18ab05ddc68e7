/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_MAPS_H
#define TCPCONNECT_MAPS_H

#include "probes/session.h"

/* Inside the room: the maps of a session. */

#define ATTEMPT_SIZE 48 /* bytes of struct attempt in kprobe.bpf.c */

/*
 * Create one of the object's maps, or take the pinned one that it stands for; fill it where it
 * holds a filter, and note in the session what its name is known for. Returns a descriptor, for
 * the session to close; -1 with *error set; SESSION_REFUSED: the same, where the object is not
 * what this kernel, or this tool, takes.
 */
int map_create(struct session *session, const struct object_map *map,
	       const struct session_config *config, struct error *error);

/*
 * What loading returns after this errno: SESSION_REFUSED where the kernel judged what it was
 * given; -1 where it had no room, or gave no leave.
 */
int session_load_result(int cause);

#endif
