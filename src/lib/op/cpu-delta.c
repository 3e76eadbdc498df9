/* SPDX-License-Identifier: MIT */
/*
 * Delta records on the CPU. An entry has ten bytes: the offset of a word of eight bytes, in words,
 * and its new content.
 */
#include <string.h>

#include "lib/op/cpu.h"

uint8_t sva_cpu_create_delta(const void *from, const void *to, size_t len, void *record,
			     uint32_t max, uint32_t *size, size_t *covered)
{
	struct sva_delta delta = {.record = record, .max = max};

	sva_wide->record_differences(from, to, len, &delta);
	*size = delta.size;
	*covered = delta.done;
	if (delta.done < len)
		return 2;
	return delta.size != 0;
}

uint8_t sva_cpu_apply_delta(void *dst, size_t len, const void *record, uint32_t size,
			    uint32_t *done)
{
	const uint8_t *entry = record;
	uint8_t *to = dst;
	uint32_t next = 0, at; /* the least offset that may follow */

	for (at = 0; at < size; at += SVA_DELTA_ENTRY_SIZE, entry += SVA_DELTA_ENTRY_SIZE) {
		uint16_t offset;

		memcpy(&offset, entry, 2);
		*done = at;
		if (unlikely(offset < next))
			return SVA_STATUS_DELTA_OFFSET_ORDER;
		if (unlikely((size_t)offset * 8 >= len))
			return SVA_STATUS_DELTA_OFFSET_RANGE;
		sva_store8(to + (size_t)offset * 8, sva_load8(entry + 2));
		next = offset + 1u;
	}
	*done = 0;
	return SVA_STATUS_SUCCESS;
}
