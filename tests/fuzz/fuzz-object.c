/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder of compiled objects, as fed by the process that compiles. What it takes must keep
 * the promises of compiler/object.h, and encode to the same bytes again.
 */
#include "object-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = {.line = ""};
	struct object *object = object_decode(data, size, &error);
	size_t again_size;
	void *again;

	if (!object) {
		require(error.line[0]);
		return 0;
	}
	check_object(object);
	again = object_encode(object, &again_size);
	require(again && again_size == size && memcmp(again, data, size) == 0);
	free(again);
	object_free(object);
	return 0;
}
