/* SPDX-License-Identifier: MIT */
/* No-op, drain, memmove, fill and dualcast. Source: [S3] 8.3.1, 8.3.3-8.3.5, 8.3.10. */
#include "model/bytes.h"
#include "model/internal.h"

void model_noop(struct model_exec *exec)
{
	(void)exec;
}

/*
 * The user of the model has completed all earlier descriptors before the drain, so only the
 * readback is left. UNCERTAIN how many bytes are read: one.
 */
void model_drain(struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	uint8_t byte;

	if ((model_flags(exec) & SVA_DESC_DRAIN_RDBK1) &&
	    !model_read(exec, &byte, desc->src, 1, OPERAND_1))
		exec->comp.status = SVA_STATUS_READBACK_FAULT;
	else if ((model_flags(exec) & SVA_DESC_DRAIN_RDBK2) &&
		 !model_read(exec, &byte, desc->dst, 1, OPERAND_2))
		exec->comp.status = SVA_STATUS_READBACK_FAULT;
}

/*
 * Open a window that reaches the last byte of [addr, addr + *len): windows go upwards, so step from
 * one to the next.
 * *len becomes its length.
 */
static bool map_end(struct model_exec *exec, struct model_window *window, uint64_t addr,
		    size_t *len, unsigned int access, enum model_operand operand)
{
	while (model_map(exec, window, addr, *len, access, operand)) {
		if (window->len == *len)
			return true;
		model_unmap(exec, window, 0);
		addr += window->len;
		*len -= window->len;
	}
	return false;
}

/* How much of [addr, end) lies in the page of its last byte; at most limit. */
static size_t last_page(uint64_t end, size_t limit)
{
	size_t part = (size_t)((end - 1) % MODEL_PAGE + 1);

	return part < limit ? part : limit;
}

/*
 * From high addresses to low, never more than a page at a time, so that a fault leaves the right
 * count.
 */
static size_t copy_backwards(struct model_exec *exec, uint64_t dst, uint64_t src, size_t len)
{
	bool stream = !(model_flags(exec) & SVA_DESC_CC);
	struct model_window from, to;
	size_t left = len, part;

	for (; left; left -= part) {
		part = last_page(dst + left, last_page(src + left, left));
		if (!map_end(exec, &from, src + left - part, &part, SVA_MODEL_READ, OPERAND_1))
			break;
		if (!map_end(exec, &to, dst + left - part, &part, SVA_MODEL_WRITE, OPERAND_DST)) {
			model_unmap(exec, &from, 0);
			break;
		}
		model_bytes_move(to.host, from.host + from.len - part, part, stream);
		model_unmap(exec, &to, part);
		model_unmap(exec, &from, from.len);
	}
	return len - left;
}

void model_memmove(struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	bool backwards = desc->dst != desc->src && desc->dst - desc->src < desc->size;
	size_t done;

	if (backwards)
		done = copy_backwards(exec, desc->dst, desc->src, desc->size);
	else
		done = model_copy(exec, desc->dst, desc->src, desc->size, NULL, NULL);
	if (done < desc->size) {
		exec->comp.bytes = (uint32_t)done;
		exec->comp.result = backwards;
	}
}

void model_pattern(uint8_t pattern[32], uint64_t low, uint64_t high)
{
	for (int i = 0; i < 32; i += 16) {
		model_bytes_copy(pattern + i, &low, 8);
		model_bytes_copy(pattern + i + 8, &high, 8);
	}
}

void model_fill(struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	const bool wide = model_flags(exec) & SVA_DESC_FILL16;
	const bool stream = !(model_flags(exec) & SVA_DESC_CC);
	struct model_window window;
	uint8_t pattern[32];
	size_t done = 0;

	model_pattern(pattern, desc->src, wide ? desc->op.fill.pattern_high : desc->src);
	while (done < desc->size) {
		if (!model_map(exec, &window, desc->dst + done, desc->size - done, SVA_MODEL_WRITE,
			       OPERAND_DST)) {
			exec->comp.bytes = (uint32_t)done;
			return;
		}
		model_bytes_fill(window.host, pattern, done % 16, window.len, stream);
		model_unmap(exec, &window, window.len);
		done += window.len;
	}
}

/* One piece of a dualcast, as long as all three windows reach. 0 after a fault. */
static size_t copy_twice(struct model_exec *exec, size_t done)
{
	const struct sva_desc *desc = &exec->desc;
	const bool stream = !(model_flags(exec) & SVA_DESC_CC);
	struct model_window from, to, to2;
	size_t len = 0;

	if (!model_map(exec, &from, desc->src + done, desc->size - done, SVA_MODEL_READ, OPERAND_1))
		return 0;
	if (model_map(exec, &to, desc->dst + done, from.len, SVA_MODEL_WRITE, OPERAND_DST)) {
		if (model_map(exec, &to2, desc->op.dualcast.dst2 + done, to.len, SVA_MODEL_WRITE,
			      OPERAND_DST2)) {
			len = to2.len;
			model_bytes_move(to.host, from.host, len, stream);
			model_bytes_move(to2.host, from.host, len, stream);
			model_unmap(exec, &to2, len);
		}
		model_unmap(exec, &to, len);
	}
	model_unmap(exec, &from, len);
	return len;
}

void model_dualcast(struct model_exec *exec)
{
	const size_t size = exec->desc.size;
	size_t done = 0, part;

	while (done < size && (part = copy_twice(exec, done)) > 0)
		done += part;
	if (done < size)
		exec->comp.bytes = (uint32_t)done;
}
