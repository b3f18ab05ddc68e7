/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge of pinned maps. The input: a byte for what is wished and told, the kernel's facts as
 * far as it gives them, then the text of the link in /proc.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <linux/bpf.h>
#include "probes/pinned.h"
#include "require.h"

#define TOLD    1 /* as a map */
#define WISH_4  2 /* values of 4 bytes, else 8 */
#define LIKELY  4 /* type and sizes are single bytes of the input */
#define IS_MAP  8 /* the link says so, whatever else the input says */
#define LINK_AT (1 + sizeof(struct bpf_map_info))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has(const char *text, size_t length, const char *part)
{
	for (size_t at = 0; at + strlen(part) <= length; at++) {
		if (memcmp(text + at, part, strlen(part)) == 0)
			return true;
	}
	return false;
}

/* The error names what is there and what is needed. */
static void check_error(const struct error *error, const struct pinned_wish *wish, bool is_map,
			const struct bpf_map_info *info)
{
	char expected[256];

	if (!is_map)
		snprintf(expected, sizeof(expected), "%s: '%s' is pinned, but not a BPF map",
			 wish->option, wish->path);
	else
		snprintf(expected, sizeof(expected),
			 "%s: the map at '%s' has type %u, keys of %u and values of %u bytes; a "
			 "hash map (type 1) with keys of 8 and values of %u bytes is needed",
			 wish->option, wish->path, info->type, info->key_size, info->value_size,
			 wish->value_size);
	require(strcmp(error->line, expected) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pinned_wish wish = {"--cgroupmap", "/sys/fs/bpf/a", 8, 8};
	struct bpf_map_info *info;
	struct error error;
	char *link;
	size_t length;
	bool is_map, fits;
	uint8_t how;

	if (!size)
		return 0;
	how = data[0];
	wish.value_size = how & WISH_4 ? 4 : 8;
	info = calloc(1, sizeof(*info));
	memcpy(info, data + 1, size < LINK_AT ? size - 1 : sizeof(*info));
	if (how & LIKELY) {
		info->type %= 256;
		info->key_size %= 256;
		info->value_size %= 256;
	}
	if (how & IS_MAP)
		link = strdup("anon_inode:bpf-map");
	else if (size > LINK_AT)
		link = strndup((const char *)data + LINK_AT, size - LINK_AT);
	else
		link = strdup("");
	length = strlen(link);
	is_map = (how & TOLD) && (!length || has(link, length, "bpf-map"));
	/* linux/bpf.h: 1 is a hash, 9 one that forgets. */
	fits = (info->type == 1 || info->type == 9) && info->key_size == 8 &&
	       info->value_size == wish.value_size;

	require(pinned_judge(&wish, link, how & TOLD ? info : NULL, &error) ==
		(is_map && fits ? 0 : -1));
	if (!is_map || !fits)
		check_error(&error, &wish, is_map, info);
	free(link);
	free(info);
	return 0;
}
