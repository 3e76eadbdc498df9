/* SPDX-License-Identifier: MIT */
/* Compare and compare pattern. Source: [S3] 8.3.6, 8.3.7. */
#include "model/bytes.h"
#include "model/internal.h"

/* A difference at that offset, or none if it is the whole size. */
static void finish(struct model_exec *exec, size_t equal)
{
	const struct sva_desc *desc = &exec->desc;

	exec->comp.result = equal < desc->size;
	if (exec->comp.result)
		exec->comp.bytes = (uint32_t)equal;
	if ((model_flags(exec) & SVA_DESC_CR) &&
	    exec->comp.result != (desc->op.compare.expected & 1))
		exec->comp.status = SVA_STATUS_SUCCESS_PRED;
}

void model_compare(struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	struct model_window a, b;
	size_t done = 0, same;

	while (done < desc->size) {
		exec->comp.bytes = (uint32_t)done;
		if (!model_map(exec, &a, desc->src + done, desc->size - done, SVA_MODEL_READ,
			       OPERAND_1))
			return;
		if (!model_map(exec, &b, desc->dst + done, a.len, SVA_MODEL_READ, OPERAND_2)) {
			model_unmap(exec, &a, 0);
			return;
		}
		same = model_bytes_diff(a.host, b.host, b.len);
		model_unmap(exec, &b, b.len);
		model_unmap(exec, &a, b.len);
		done += same;
		if (same < b.len)
			break;
	}
	exec->comp.bytes = 0;
	finish(exec, done);
}

/*
 * The hardware only promises that bytes completed is not beyond the first difference; the model
 * gives the exact offset.
 */
void model_compare_pattern(struct model_exec *exec)
{
	const struct sva_desc *desc = &exec->desc;
	struct model_window window;
	size_t done = 0, same;
	uint8_t pattern[32];

	model_pattern(pattern, desc->dst, desc->dst);
	while (done < desc->size) {
		exec->comp.bytes = (uint32_t)done;
		if (!model_map(exec, &window, desc->src + done, desc->size - done, SVA_MODEL_READ,
			       OPERAND_1))
			return;
		same = model_bytes_diff_pattern(window.host, pattern, done % 16, window.len);
		model_unmap(exec, &window, window.len);
		done += same;
		if (same < window.len)
			break;
	}
	exec->comp.bytes = 0;
	finish(exec, done);
}
