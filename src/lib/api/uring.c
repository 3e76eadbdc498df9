/* SPDX-License-Identifier: MIT */
/*
 * Operations on mapped buffers, on an io_uring of the caller. The library fills in the submission
 * and reads the result; the caller owns the ring, submits, and collects completions. Until then the
 * module's request is stored where the completion record would be, which no device writes here.
 */
#include <linux/io_uring.h>
#include <string.h>

#include "lib/op/op.h"
#include "lib/queue/dma.h"
#include "uapi/sva_dma.h"

_Static_assert(offsetof(struct sva_op, comp_more) ==
			       offsetof(struct sva_op, comp) + sizeof(struct sva_comp) &&
		       sizeof(struct sva_dma_op) <=
			       sizeof(struct sva_comp) + sizeof(((struct sva_op *)0)->comp_more),
	       "the module's words fit where the record stands");

static void fill_submission(struct io_uring_sqe *sqe, const struct sva_bond *bond,
			    struct sva_op *op)
{
	void *words = (char *)op + offsetof(struct sva_op, comp);
	struct sva_dma_op request;
	struct sva_dma_uring_cmd cmd = {
		.op = (uint64_t)(uintptr_t)words,
		.op_size = sizeof(request),
		.node = SVA_DMA_NODE_ANY,
	};

	sva_dma_translate(&op->desc, &request);
	/* on handles, one request may have any length that can be mapped */
	request.len = op->length;
	memcpy(words, &request, sizeof(request));
	memset(sqe, 0, offsetof(struct io_uring_sqe, cmd));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = bond->file.fd;
	sqe->cmd_op = SVA_DMA_OP_CMD;
	sqe->user_data = (uint64_t)(uintptr_t)op;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
}

int sva_dma_uring_prep(struct sva_op *op, struct io_uring_sqe *sqe)
{
	struct sva_dma_buf *bufs[2] = { NULL, NULL };
	struct sva_bond *bond = NULL;
	struct sva_desc prepared;
	int err;

	if (sva_op_is_bad(op) || !sqe)
		return -EINVAL;
	err = sva_progress_check(op);
	if (!err && (!sva_dma_is_op(op) || (op->flags & SVA_OP_FENCE)))
		err = -EINVAL;
	if (err)
		return err;
	prepared = op->desc;
	err = sva_dma_begin(op, bufs, &bond);
	if (err)
		return err;
	/*
	 * The caller submits the number of the file descriptor: check that it is still the module's
	 * file.
	 */
	if (bond && !sva_file_ours(&bond->file))
		sva_bond_lost(bond);
	if (!bond || !sva_dma_has_uring(bond)) {
		op->desc = prepared;
		return -EOPNOTSUPP;
	}
	sva_operation_begin(op, NULL, &bond->policy);
	sva_dma_attach(op, bufs, bond);
	fill_submission(sqe, bond, op);
	op->state = SVA_OP_ON_RING;
	return 0;
}

int sva_dma_uring_done(struct sva_op *op, int res)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	if (sva_op_is_bad(op) || op->state != SVA_OP_ON_RING)
		return -EINVAL;
	if (p->generation != sva_process_generation())
		return -ESTALE;
	if (res > 0)
		res = -EIO; /* not a value that the module returns */
	memset((char *)op + offsetof(struct sva_op, comp), 0, sizeof(struct sva_dma_op));
	op->comp.status = res ? SVA_STATUS_HW_ERROR : SVA_STATUS_SUCCESS;
	p->result.status = op->comp.status;
	p->chunks = p->result.chunks = 1;
	if (!res) {
		p->remaining = 0;
		p->result.bytes = op->length;
		p->result.path_bytes[SVA_PATH_DMA] = op->length;
	}
	sva_operation_end(op, p->bond->id, res);
	sva_dma_release(p->bufs);
	p->result.path = SVA_PATH_DMA;
	return res;
}
