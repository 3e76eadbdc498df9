/* SPDX-License-Identifier: MIT */
/*
 * Page faults. The device stopped at a page that was not present and reported how much it had done.
 * By default the library touches the page in the calling thread, with what follows it in the same
 * buffer, and submits the rest to the device; after a few faults, or by policy, the CPU finishes.
 * If the page cannot be touched, the pointer is bad.
 */
#include "lib/base/memory.h"
#include "lib/op/kinds.h"

/* bytes touched behind the faulting page: the next fault would cost much more */
#define TOUCH_AHEAD (2u << 20)

/*
 * Touch only pages of the buffer that faulted. A bad page among them is left to the device, which
 * reports it when it gets there.
 */
static void touch_ahead(const struct sva_op *op, uint64_t fault, bool write)
{
	uint64_t end = sva_kind_operand_end(op, fault, write), bad;

	if (end > fault && end - fault > TOUCH_AHEAD)
		end = fault + TOUCH_AHEAD;
	if (end > fault)
		(void)sva_touch(fault, end - fault, write, &bad);
}

int sva_fault_resolve(struct sva_op *op, int path)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint32_t policy = op->flags & SVA_OP_FAULT_MASK;
	uint64_t fault = op->comp.fault_addr, bad = fault;
	bool write = op->comp.status & SVA_STATUS_WRITE;
	int err;

	p->result.faults++;
	p->result.fault_addr = fault;
	p->result.fault_write = write;
	sva_progress_partial(op, path);
	/*
	 * Some devices do not report the address: then touch every page that the rest of the chunk
	 * needs.
	 */
	if (!fault && sva_kind_of(op)->dst == SVA_OPERAND_OFFSET)
		/*
		 * Mapped buffers are pinned, so there is nothing to touch. Submitted once more on
		 * its own, the operation gets the reason why it was refused.
		 */
		return p->touches++ ? -EFAULT : 0;
	err = fault ? sva_touch(fault, 1, write, &bad) : sva_kind_touch(op, &bad, &write);
	if (err) {
		p->result.fault_addr = bad;
		p->result.fault_write = write;
		return err;
	}
	if (!policy)
		policy = p->policy->fault_policy;
	if (policy == SVA_FAULT_CPU || ++p->touches > p->policy->fault_tries)
		return p->policy->cpu_allowed ? 1 : -EIO;
	if (fault)
		touch_ahead(op, fault, write);
	return 0;
}
