/* SPDX-License-Identifier: Apache-2.0 */
/* What a pinned map must be: every type with all small sizes, and what only looks like a map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/bpf.h>
#include "probes/pinned.h"
#include <cmocka.h>

static const struct pinned_wish cgroups = {"--cgroupmap", "/a", 8, 8};
static const struct pinned_wish namespaces = {"--mntnsmap", "/b", 8, 4};
static struct error error;

static void only_hash_maps_of_the_sizes(void **state)
{
	unsigned int taken = 0;

	(void)state;
	for (uint32_t type = 0; type < 64; type++) {
		for (uint32_t sizes = 0; sizes < 20 * 20; sizes++) {
			struct bpf_map_info info = {
				.type = type,
				.key_size = sizes / 20,
				.value_size = sizes % 20,
			};

			if (pinned_judge(&cgroups, "anon_inode:bpf-map", &info, &error))
				continue;
			assert_true(type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_LRU_HASH);
			assert_int_equal(info.key_size, 8);
			assert_int_equal(info.value_size, 8);
			taken++;
		}
	}
	assert_int_equal(taken, 2);
}

/* A map for each CPU has a value for each; a map of maps a descriptor: neither is asked right. */
static void other_sizes_are_named(void **state)
{
	struct bpf_map_info info = {
		.type = BPF_MAP_TYPE_PERCPU_HASH, .key_size = 8, .value_size = 4};

	(void)state;
	assert_int_equal(pinned_judge(&namespaces, "anon_inode:bpf-map", &info, &error), -1);
	assert_string_equal(error.line,
			    "--mntnsmap: the map at '/b' has type 5, keys of 8 and values of 4 "
			    "bytes; a hash map (type 1) with keys of 8 and values of 4 bytes is "
			    "needed");
	info.type = BPF_MAP_TYPE_LRU_HASH;
	assert_int_equal(pinned_judge(&namespaces, "anon_inode:bpf-map", &info, &error), 0);
	assert_int_equal(pinned_judge(&cgroups, "anon_inode:bpf-map", &info, &error), -1);
}

/* A pinned program or link tells facts too, of which some may read as those of a map. */
static void what_is_no_map(void **state)
{
	static const char *const links[] = {"anon_inode:bpf-prog", "anon_inode:bpf_link", "bpf-ma"};
	struct bpf_map_info info = {.type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 8};

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		assert_int_equal(pinned_judge(&cgroups, links[i], &info, &error), -1);
		assert_string_equal(error.line, "--cgroupmap: '/a' is pinned, but not a BPF map");
	}
	assert_int_equal(pinned_judge(&cgroups, "anon_inode:bpf-map", NULL, &error), -1);
	assert_string_equal(error.line, "--cgroupmap: '/a' is pinned, but not a BPF map");
	/* Without /proc, what the kernel tells must do. */
	assert_int_equal(pinned_judge(&cgroups, "", &info, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_hash_maps_of_the_sizes),
		cmocka_unit_test(other_sizes_are_named),
		cmocka_unit_test(what_is_no_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
