/* SPDX-License-Identifier: MIT */
/*
 * Mapped buffers as operands: operations on parts of them, and how these are done by address where
 * no device has the buffers mapped.
 */
#include "lib/op/mapped.h"

int sva_dma_check_buf(const struct sva_dma_buf *buf)
{
	if (!buf || buf->magic != SVA_DMA_BUF_MAGIC)
		return -EINVAL;
	return buf->generation == sva_process_generation() ? 0 : -ESTALE;
}

static int check_part(const struct sva_dma_buf *buf, uint64_t off, uint64_t len, uint32_t use)
{
	int err = sva_dma_check_buf(buf);

	if (err)
		return err;
	return off > buf->len || len > buf->len - off || !(buf->flags & use) ? -EINVAL : 0;
}

bool sva_dma_is_op(const struct sva_op *op)
{
	unsigned int opcode = sva_desc_opcode(&op->desc);

	return opcode == SVA_OPCODE_DMA_COPY || opcode == SVA_OPCODE_DMA_FILL;
}

static bool parts_overlap(const struct sva_dma_buf *dst, uint64_t doff,
			  const struct sva_dma_buf *src, uint64_t soff, uint64_t len)
{
	uint64_t d = dst->addr + doff, s = src->addr + soff;

	return d < s + len && s < d + len;
}

/*
 * Replace offsets by addresses, which every path but the module's takes. Overlapping parts go by
 * address, too, since the module leaves them to the CPU.
 */
static void use_addresses(struct sva_op *op, const struct sva_dma_buf *dst,
		       const struct sva_dma_buf *src)
{
	union sva_desc_specific zero = { { 0 } };

	op->desc.dst += dst->addr;
	if (src)
		op->desc.src += src->addr;
	op->desc.flags_opcode = sva_desc_word(src ? SVA_OPCODE_MEMMOVE : SVA_OPCODE_FILL, 0);
	op->desc.op = zero;
}

int sva_dma_begin(struct sva_op *op, struct sva_dma_buf *bufs[2], struct sva_bond **bond)
{
	bool copy = sva_desc_opcode(&op->desc) == SVA_OPCODE_DMA_COPY;
	struct sva_dma_buf *dst = (struct sva_dma_buf *)(uintptr_t)op->desc.op.dma.dst;
	struct sva_dma_buf *src =
		copy ? (struct sva_dma_buf *)(uintptr_t)op->desc.op.dma.src : NULL;
	int err;

	*bond = NULL;
	err = check_part(dst, op->desc.dst, op->length, SVA_DMA_DESTINATION);
	if (!err && copy)
		err = check_part(src, op->desc.src, op->length, SVA_DMA_SOURCE);
	if (err)
		return err;
	bufs[0] = dst;
	bufs[1] = src;
	if (!dst->bond ||
	    (copy && (src->bond != dst->bond ||
		      parts_overlap(dst, op->desc.dst, src, op->desc.src, op->length))))
		use_addresses(op, dst, src);
	else
		*bond = dst->bond;
	return 0;
}

void sva_dma_attach(struct sva_op *op, struct sva_dma_buf *const bufs[2], struct sva_bond *bond)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	for (int i = 0; i < 2; i++) {
		p->bufs[i] = bufs[i];
		if (bufs[i])
			atomic_fetch_add(&bufs[i]->users, 1);
	}
	if (bufs[0])
		SVA_OP_PRIVATE(p->is_entry ? p->parent : op)->keeps |= SVA_OP_KEEPS_BUFFERS;
	p->addressed = bufs[0] && !bond;
	if (!bond)
		return;
	p->by_buffer = !p->pinned;
	p->pinned = true;
	p->bond = bond;
}

void sva_dma_release(struct sva_dma_buf *bufs[2])
{
	for (int i = 0; i < 2; i++) {
		if (bufs[i])
			atomic_fetch_sub(&bufs[i]->users, 1);
		bufs[i] = NULL;
	}
}

void sva_dma_release_all(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	sva_dma_release(p->bufs);
	for (uint64_t i = 0; p->is_batch && i < op->length; i++)
		sva_dma_release(SVA_OP_PRIVATE(sva_batch_entries(op)[i])->bufs);
}

void sva_dma_undo(struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	struct sva_dma_buf *dst = p->bufs[0], *src = p->bufs[1];

	if (!dst)
		return;
	if (p->addressed) {
		p->dst -= dst->addr;
		p->src -= src ? src->addr : 0;
	}
	p->prepared_word = sva_desc_word(src ? SVA_OPCODE_DMA_COPY : SVA_OPCODE_DMA_FILL, 0);
	op->desc.op.dma.src = (uint64_t)(uintptr_t)src;
	p->third = (uint64_t)(uintptr_t)dst;
	sva_dma_release(p->bufs);
}

void sva_dma_use_addresses(struct sva_op *op, const struct sva_policy *policy)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	const struct sva_dma_buf *dst = p->bufs[0], *src = p->bufs[1];
	uint32_t opcode = src ? SVA_OPCODE_MEMMOVE : SVA_OPCODE_FILL;

	use_addresses(op, dst, src);
	p->dst += dst->addr;
	p->src += src ? src->addr : 0;
	p->third = 0;
	p->word = (p->word & ((1u << 24) - 1)) | sva_desc_word(opcode, 0);
	p->policy = policy;
	__atomic_store_n(&p->bond, NULL, __ATOMIC_RELAXED); /* settle.c may read it */
	p->lease = NULL;
	p->pinned = false;
	p->by_buffer = false;
	p->addressed = true;
}
