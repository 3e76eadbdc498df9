/* SPDX-License-Identifier: MIT */
/*
 * Page faults. The device stopped at a page that was not there and said how far it had come. The default is to touch the page in the calling thread, with what
 * follows it in the same buffer, and to let the device go on; after a few of those, or when asked for, the CPU finishes. A page that can not be
 * touched is a bad pointer.
 */
#include "submit.h"

#define TOUCH_AHEAD (2u << 20) /* bytes touched behind the faulting page: the next fault would cost far more */

static void touch_ahead(const struct sva_op *op, uint64_t fault, bool write)
{
	uint64_t start = write ? op->desc.dst : op->desc.src;
	uint64_t end = start + op->desc.size, bad;

	/* Only within the buffer that faulted; the neighbours of a buffer are none of our business. */
	if (fault < (start & ~(uint64_t)4095) || fault >= end)
		return;
	if (end - fault > TOUCH_AHEAD)
		end = fault + TOUCH_AHEAD;
	(void)sva_touch(fault, end - fault, write, &bad); /* what is bad in it, the device will find again */
}

/* Some devices do not tell the address, or clear it: then every page that the rest of the chunk needs. */
static int touch_all(const struct sva_op *op, uint64_t *bad, bool *write)
{
	unsigned int opcode = sva_desc_opcode(&op->desc);

	*write = false;
	if (opcode != SVA_OPCODE_FILL && opcode != SVA_OPCODE_CACHE_FLUSH && sva_touch(op->desc.src, op->desc.size, false, bad))
		return -EFAULT;
	*write = opcode == SVA_OPCODE_MEMMOVE || opcode == SVA_OPCODE_FILL || opcode == SVA_OPCODE_DUALCAST ||
		 opcode == SVA_OPCODE_COPY_CRC;
	if (opcode != SVA_OPCODE_CRC && opcode != SVA_OPCODE_COMPARE_PATTERN && sva_touch(op->desc.dst, op->desc.size, *write, bad))
		return -EFAULT;
	return 0;
}

int sva_resume(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint32_t policy = op->flags & SVA_OP_FAULT_MASK;
	uint64_t fault = op->comp.fault_addr, bad = fault;
	bool write = op->comp.status & SVA_STATUS_WRITE;
	int err;

	p->result.faults++;
	p->result.fault_addr = fault;
	p->result.fault_write = write;
	sva_progress_partial(op, p->lease->path);
	err = fault ? sva_touch(fault, 1, write, &bad) : touch_all(op, &bad, &write);
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
