/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/maps.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "kernel/perf.h"
#include "kernel/privilege.h"

#define SPARE_PAGES       64u
#define SPARE_BYTES_ALONE (8u << 20) /* where there are no perf buffers */

/* An array whose values the programs and this process share; *memory is NULL before Linux 5.5. */
static int create_shared(const struct object_map *map, uint32_t entries, int protection,
			 void **memory)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(map->type, map->name, map->key_size, map->value_size, entries,
				&opts);

	*memory = NULL;
	if (fd < 0) {
		opts.map_flags = 0;
		return bpf_map_create(map->type, map->name, map->key_size, map->value_size, entries,
				      &opts);
	}
	*memory = mmap(NULL, (size_t)entries * map->value_size, protection, MAP_SHARED, fd, 0);
	if (*memory == MAP_FAILED)
		*memory = NULL;
	return fd;
}

/* Nets as the probe looks them up: for each, whether an address is shown that it holds. */
struct net_key {
	uint32_t prefix; /* bits of what follows */
	uint8_t family;
	uint8_t address[16];
	uint8_t unused[3];
};

static bool net_holds(const struct address_net *outer, const struct address_net *inner)
{
	unsigned int bytes = outer->prefix / 8, bits = outer->prefix % 8;
	uint8_t mask = (uint8_t)(0xff00 >> bits);

	return outer->family == inner->family && outer->prefix <= inner->prefix &&
	       memcmp(outer->address, inner->address, bytes) == 0 &&
	       (!bits || !((outer->address[bytes] ^ inner->address[bytes]) & mask));
}

/* The probe finds the narrowest net; what the wider ones around it say is settled here. */
static bool net_shown(const struct net_list *list, const struct address_net *net)
{
	bool shown = false;

	for (size_t i = 0; i < list->count; i++) {
		if (!net_holds(&list->net[i], net))
			continue;
		if (list->net[i].exclude)
			return false;
		shown = true;
	}
	return shown;
}

static int fill_nets(int map, const struct net_list *list, struct error *error)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct address_net *net = &list->net[i];
		struct net_key key = {.prefix = 8u + net->prefix, .family = net->family};
		uint8_t shown = net_shown(list, net);

		memcpy(key.address, net->address, sizeof(key.address));
		if (bpf_map_update_elem(map, &key, &shown, BPF_ANY))
			return fail(error, "cannot fill the table of nets: %s", strerror(errno));
	}
	return 0;
}

/* What a map holds before the first program runs. */
static int fill_map(const char *name, int fd, const struct session_config *config,
		    struct error *error)
{
	uint32_t zero = 0;

	if (strcmp(name, "nets") == 0)
		return fill_nets(fd, &config->options->daddrs, error);
	if (strcmp(name, "cgroup") == 0 &&
	    bpf_map_update_elem(fd, &zero, &config->places->cgroup, BPF_ANY))
		return fail(error, "cannot filter on the cgroup: %s", strerror(errno));
	return 0;
}

/* How large a map is: what the text says, but where the machine decides. */
static uint32_t entries_of(const struct session *session, const struct object_map *map)
{
	struct error refused;

	if (map->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		return session->cpus;
	if (map->type == BPF_MAP_TYPE_RINGBUF) /* in bytes */
		return perf_events_check(&refused) ? SPARE_BYTES_ALONE
						   : SPARE_PAGES * (uint32_t)sysconf(_SC_PAGESIZE);
	return map->max_entries;
}

/* The session closes all its maps; a pinned one stays its owner's. */
static int dup_map(int fd, struct error *error)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy >= 0 ? copy : fail(error, "cannot use the pinned map: %s", strerror(errno));
}

/* What this process reads of a map's entries, or writes to it, has these sizes. */
static const struct {
	const char *name;
	uint32_t key_size, value_size;
} shapes[] = {
	{"losses", 4, sizeof(struct loss_counters)},
	{"flows4", sizeof(struct flow_key), 8},
	{"flows6", sizeof(struct flow_key), 8},
	{"rounds", 4, 8},
	{"halfopen", 8, sizeof(struct connect_record)},
	{"portless", 8, sizeof(struct connect_record)},
	{"attempts", 8, ATTEMPT_SIZE},
	{"nets", sizeof(struct net_key), 1},
};

/* An object may come from a file: what is looked up by name must be what the name says. */
static bool fits(const struct object_map *map)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (strcmp(map->name, shapes[i].name) == 0)
			return map->key_size == shapes[i].key_size &&
			       map->value_size == shapes[i].value_size;
	return true;
}

int map_create(struct session *session, const struct object_map *map,
	       const struct session_config *config, struct error *error)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = map->flags);
	void *memory;
	int fd;

	if (!fits(map)) {
		fail(error, "the compiled object is damaged: its map %s has another shape",
		     map->name);
		return SESSION_REFUSED;
	}
	if (strcmp(map->name, "cgroupset") == 0)
		return dup_map(config->places->cgroupmap, error);
	if (strcmp(map->name, "mntnsset") == 0)
		return dup_map(config->places->mntnsmap, error);
	if (strcmp(map->name, "losses") == 0) {
		fd = session->losses = create_shared(map, session->cpus, PROT_READ, &memory);
		session->loss_memory = memory;
	} else if (strcmp(map->name, "rounds") == 0) {
		fd = create_shared(map, 1, PROT_READ | PROT_WRITE, &memory);
		session->round = memory;
	} else
		fd = bpf_map_create(map->type, map->name, map->key_size, map->value_size,
				    entries_of(session, map), &opts);
	if (fd < 0) {
		int cause = errno;

		fail(error, "cannot create the BPF map %s: %s%s", map->name, strerror(cause),
		     privilege_remedy(cause, config->kernel_version));
		return session_load_result(cause);
	}
	if (strcmp(map->name, "events") == 0)
		session->events = fd;
	else if (strcmp(map->name, "flows4") == 0)
		session->flows4 = fd;
	else if (strcmp(map->name, "flows6") == 0)
		session->flows6 = fd;
	else if (strcmp(map->name, "halfopen") == 0)
		session->halfopen = fd;
	else if (strcmp(map->name, "portless") == 0)
		session->portless = fd;
	else if (strcmp(map->name, "attempts") == 0)
		session->attempts = fd;
	else if (strcmp(map->name, "spare") == 0)
		session->spare = fd;
	if (fill_map(map->name, fd, config, error)) {
		close(fd);
		return -1;
	}
	return fd;
}
