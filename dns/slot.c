/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/mman.h>
#include "dns/slot.h"

#define HUGE       ((size_t)2 << 20) /* the size of a huge page on most machines */
#define SMALL_SLAB 8192

struct slab {
	_Alignas(128) struct slab *next;
	char padding[88]; /* so that the slots lie in the lines as asserted below */
	struct slot slots[];
};

#if __SIZEOF_POINTER__ == 8
_Static_assert(sizeof(struct slot) == 128, "slots keep their places in the lines");
_Static_assert((offsetof(struct slab, slots) + offsetof(struct slot, hh.hh_next)) % 128 == 0 &&
		       offsetof(struct slot, newer) - offsetof(struct slot, hh.hh_next) == 64,
	       "one line for a look-up");
#endif

void *slot_memory(size_t alignment, size_t size)
{
	void *memory;

	if (size < HUGE)
		return aligned_alloc(alignment, size);
	memory = aligned_alloc(HUGE, (size + HUGE - 1) & ~(HUGE - 1));
	if (memory)
		(void)madvise(memory, size, MADV_HUGEPAGE); /* only an advice: it may fail */
	return memory;
}

void slots_init(struct slots *slots, bool large)
{
	slots->free = NULL;
	slots->slabs = NULL;
	slots->slab_size = large ? HUGE : SMALL_SLAB;
}

struct slot *slot_new(struct slots *slots)
{
	struct slot *slot = slots->free;

	if (!slot) {
		struct slab *slab = slot_memory(_Alignof(struct slab), slots->slab_size);

		if (!slab)
			return NULL;
		slab->next = slots->slabs;
		slots->slabs = slab;
		for (size_t i = (slots->slab_size - offsetof(struct slab, slots)) / sizeof(*slot);
		     i--;) {
			slab->slots[i].newer = slot;
			slot = &slab->slots[i];
		}
	}
	if (!slot) /* a slab holds one at least */
		return NULL;
	slots->free = slot->newer;
	return slot;
}

void slot_free(struct slots *slots, struct slot *slot)
{
	slot->newer = slots->free;
	slots->free = slot;
}

void slots_free(struct slots *slots)
{
	struct slab *next;

	for (struct slab *slab = slots->slabs; slab; slab = next) {
		next = slab->next;
		free(slab);
	}
}
