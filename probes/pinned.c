/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/pinned.h"

#include <linux/bpf.h>

int pinned_judge(const struct pinned_wish *wish, const char *link, const struct bpf_map_info *info,
		 struct error *error)
{
	/* A program answers the question for a map's facts too, with a program's. */
	if (!info || (*link && !strstr(link, "bpf-map")))
		return fail(error, "%s: '%s' is pinned, but not a BPF map", wish->option,
			    wish->path);
	if ((info->type == BPF_MAP_TYPE_HASH || info->type == BPF_MAP_TYPE_LRU_HASH) &&
	    info->key_size == wish->key_size && info->value_size == wish->value_size)
		return 0;
	return fail(error,
		    "%s: the map at '%s' has type %u, keys of %u and values of %u bytes; "
		    "a hash map (type %u) with keys of %u and values of %u bytes is needed",
		    wish->option, wish->path, info->type, info->key_size, info->value_size,
		    BPF_MAP_TYPE_HASH, wish->key_size, wish->value_size);
}
