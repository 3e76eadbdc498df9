/* SPDX-License-Identifier: MIT */
/*
 * Windows on memory, small objects that may straddle them, and the copy that several operations
 * share.
 */
#include "model/bytes.h"
#include "model/internal.h"

/* A copy that is looked at goes in pieces that stay in the first-level cache. */
#define SEEN_PIECE (16u << 10)

bool model_map(struct model_exec *exec, struct model_window *window, uint64_t addr, size_t want,
	       unsigned int access, enum model_operand operand)
{
	const struct sva_model_mem *mem = exec->mem;
	uint64_t fault = addr;

	window->len = want;
	window->access = access | exec->access;
	window->host = mem->map(mem->ctx, addr, &window->len, window->access, &fault);
	if (window->host)
		return true;
	exec->comp.status =
		exec->access & SVA_MODEL_BOF ? SVA_STATUS_PAGE_FAULT_IR : SVA_STATUS_PAGE_FAULT;
	if (access & SVA_MODEL_WRITE)
		exec->comp.status |= SVA_STATUS_WRITE;
	exec->comp.fault_addr = fault;
	if (exec->profile->gen_cap & SVA_GENCAP_FAULT_INFO)
		exec->comp.fault_info = (uint8_t)(operand << 1);
	return false;
}

void model_unmap(struct model_exec *exec, const struct model_window *window, size_t used)
{
	if (exec->mem->unmap)
		exec->mem->unmap(exec->mem->ctx, window->host, used, window->access);
}

size_t model_read(struct model_exec *exec, void *to, uint64_t addr, size_t len,
		  enum model_operand operand)
{
	struct model_window window;
	size_t done = 0;

	while (done < len &&
	       model_map(exec, &window, addr + done, len - done, SVA_MODEL_READ, operand)) {
		model_bytes_copy((uint8_t *)to + done, window.host, window.len);
		model_unmap(exec, &window, window.len);
		done += window.len;
	}
	return done;
}

size_t model_write(struct model_exec *exec, uint64_t addr, const void *from, size_t len,
		   enum model_operand operand)
{
	struct model_window window;
	size_t done = 0;

	while (done < len &&
	       model_map(exec, &window, addr + done, len - done, SVA_MODEL_WRITE, operand)) {
		model_bytes_copy(window.host, (const uint8_t *)from + done, window.len);
		model_unmap(exec, &window, window.len);
		done += window.len;
	}
	return done;
}

size_t model_copy(struct model_exec *exec, uint64_t dst, uint64_t src, size_t len, model_seen *seen,
		  void *state)
{
	bool stream = !seen && !(model_flags(exec) & SVA_DESC_CC);
	struct model_window from, to;
	size_t done = 0;

	while (done < len) {
		size_t want = seen && len - done > SEEN_PIECE ? SEEN_PIECE : len - done;

		if (!model_map(exec, &from, src + done, want, SVA_MODEL_READ, OPERAND_1))
			break;
		if (!model_map(exec, &to, dst + done, from.len, SVA_MODEL_WRITE, OPERAND_DST)) {
			model_unmap(exec, &from, 0);
			break;
		}
		model_bytes_move(to.host, from.host, to.len, stream);
		if (seen)
			seen(state, to.host, to.len);
		model_unmap(exec, &to, to.len);
		model_unmap(exec, &from, to.len);
		done += to.len;
	}
	return done;
}
