/* SPDX-License-Identifier: MIT */
/* Cache flush and translation fetch. Source: [S3] 8.3.10, 8.3.20. */
#include "model/internal.h"

#ifdef __x86_64__
#include <emmintrin.h>
#endif

/* In an accessor that works on copies this flushes the copy, which does no harm. */
static void flush_lines(const uint8_t *from, size_t len)
{
#ifdef __x86_64__
	const uint8_t *line = from - (uintptr_t)from % MODEL_LINE;

	for (; line < from + len; line += MODEL_LINE)
		_mm_clflush(line);
	_mm_mfence();
#else
	(void)from;
	(void)len;
#endif
}

/* UNCERTAIN which permission it needs: reading, as the CPU's instruction does. */
void model_cache_flush(struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	struct model_window window;
	size_t done = 0;

	while (done < desc->size) {
		if (!model_map(exec, &window, desc->dst + done, desc->size - done, SVA_MODEL_READ,
			       OPERAND_DST)) {
			exec->comp.bytes = (uint32_t)done;
			return;
		}
		flush_lines(window.host, window.len);
		model_unmap(exec, &window, window.len);
		done += window.len;
	}
}

/*
 * One byte of each page, or of each stride, is looked up. UNCERTAIN which permission is asked for:
 * reading.
 */
void model_translation_fetch(struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	const bool strided = model_flags(exec) & SVA_DESC_STRIDE;
	struct model_window window;
	uint64_t done = 0;

	while (done < desc->size) {
		uint64_t addr = desc->src + done;

		if (!model_map(exec, &window, addr, 1, SVA_MODEL_READ, OPERAND_1))
			return;
		model_unmap(exec, &window, 0);
		done += strided ? desc->op.fetch.stride : MODEL_PAGE - addr % MODEL_PAGE;
	}
}
