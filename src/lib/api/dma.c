/* SPDX-License-Identifier: MIT */
/* The mapped family: buffers with handles, and what its operations become. */
#include <stdlib.h>
#include <sys/ioctl.h>

#include "lib/op/mapped.h"
#include "lib/queue/ways.h"
#include "uapi/sva_dma.h"

#define BUF_MAGIC 0x7376612062756666ull

static int check_buf(const struct sva_dma_buf *buf)
{
	if (!buf || buf->magic != BUF_MAGIC)
		return -EINVAL;
	return buf->generation == sva_process_generation() ? 0 : -ESTALE;
}

/* ------------------------------------------------------------------ map, unmap, sync */

static int map_for_device(struct sva_dma_buf *buf)
{
	struct sva_dma_map_args args = {
		.size = sizeof(args), .addr = buf->addr, .len = buf->len, .node = SVA_DMA_NODE_ANY,
	};
	int saved = errno, err = 0;

	if (buf->flags & SVA_DMA_SOURCE)
		args.flags |= SVA_DMA_MAP_READ;
	if (buf->flags & SVA_DMA_DESTINATION)
		args.flags |= SVA_DMA_MAP_WRITE;
	if (ioctl(buf->bond->fd, SVA_DMA_MAP, &args))
		err = -errno;
	errno = saved;
	buf->handle = args.handle;
	buf->needs_sync = args.state & SVA_DMA_STATE_NEEDS_SYNC;
	return err;
}

/* Something else than the module can work on it: any path by address. It has to be memory all the same. */
static int note_only(const struct sva *ctx, const struct sva_dma_buf *buf)
{
	uint64_t bad;

	if (!ctx->route_count && !ctx->policy.cpu_allowed)
		return -ENODEV;
	return sva_touch(buf->addr, buf->len, buf->flags & SVA_DMA_DESTINATION, &bad);
}

static int set_up(struct sva *ctx, struct sva_dma_buf *buf)
{
	uint32_t reason = SVA_REASON_OK;
	int err;

	if (!sva_config_path_allowed(&ctx->config, SVA_PATH_DMA) ||
	    sva_bond_get(ctx, sva_dma_queue(), SVA_PATH_DMA, &buf->bond, &reason)) {
		buf->bond = NULL;
		return note_only(ctx, buf);
	}
	err = map_for_device(buf);
	if (err)
		sva_bond_put(buf->bond);
	return err;
}

int sva_dma_map(struct sva *sva, void *addr, size_t len, unsigned int flags, struct sva_dma_buf **out)
{
	struct sva_dma_buf *buf;
	uintptr_t end;
	int err;

	if (!out || !len || len > PTRDIFF_MAX || (flags & ~(SVA_DMA_SOURCE | SVA_DMA_DESTINATION)) ||
	    __builtin_add_overflow((uintptr_t)addr, len - 1, &end))
		return -EINVAL;
	if (!addr)
		return -EFAULT;
	sva = sva_context(sva, &err);
	if (!sva)
		return err;
	buf = calloc(1, sizeof(*buf));
	if (!buf)
		return -ENOMEM;
	buf->generation = sva_process_generation();
	buf->addr = (uint64_t)(uintptr_t)addr;
	buf->len = len;
	buf->flags = flags ? flags : SVA_DMA_SOURCE | SVA_DMA_DESTINATION;
	err = set_up(sva, buf);
	if (err) {
		free(buf);
		return err;
	}
	buf->magic = BUF_MAGIC;
	*out = buf;
	return 0;
}

int sva_dma_unmap(struct sva_dma_buf *buf)
{
	struct sva_dma_unmap_args args = { .size = sizeof(args) };
	int saved = errno, err;

	if (!buf)
		return 0;
	err = check_buf(buf);
	if (err)
		return err;
	if (atomic_load(&buf->users))
		return -EBUSY;
	buf->magic = 0;
	if (buf->bond) {
		args.handle = buf->handle;
		/* What can fail here is a handle that is gone already, with the file or the module. */
		(void)ioctl(buf->bond->fd, SVA_DMA_UNMAP, &args);
		errno = saved;
		sva_bond_put(buf->bond);
	}
	free(buf);
	return 0;
}

int sva_dma_sync(struct sva_dma_buf *buf, size_t off, size_t len, unsigned int direction)
{
	struct sva_dma_sync_args args = { .size = sizeof(args), .offset = off, .len = len };
	int saved = errno, err = check_buf(buf);

	if (err)
		return err;
	if ((direction != SVA_DMA_FOR_CPU && direction != SVA_DMA_FOR_DEVICE) || off > buf->len || len > buf->len - off)
		return -EINVAL;
	if (!buf->bond || !buf->needs_sync || !len)
		return 0;
	args.handle = buf->handle;
	args.flags = direction == SVA_DMA_FOR_CPU ? SVA_DMA_SYNC_CPU : SVA_DMA_SYNC_DEVICE;
	if (ioctl(buf->bond->fd, SVA_DMA_SYNC, &args))
		err = -errno;
	errno = saved;
	return err;
}

int sva_dma_is_mapped(const struct sva_dma_buf *buf)
{
	int err = check_buf(buf);

	return err ? err : buf->bond != NULL;
}

/* ------------------------------------------------------------------ operations */

static int check_part(const struct sva_dma_buf *buf, uint64_t off, uint64_t len, uint32_t use)
{
	int err = check_buf(buf);

	if (err)
		return err;
	return off > buf->len || len > buf->len - off || !(buf->flags & use) ? -EINVAL : 0;
}

bool sva_dma_is_op(const struct sva_op *op)
{
	unsigned int opcode = sva_desc_opcode(&op->desc);

	return opcode == SVA_OPCODE_DMA_COPY || opcode == SVA_OPCODE_DMA_FILL;
}

static bool same_memory(const struct sva_dma_buf *dst, uint64_t doff, const struct sva_dma_buf *src, uint64_t soff, uint64_t len)
{
	uint64_t d = dst->addr + doff, s = src->addr + soff;

	return d < s + len && s < d + len;
}

/* By address, which every other path understands: also for overlapping parts, which the module leaves to the CPU. */
static void by_address(struct sva_op *op, const struct sva_dma_buf *dst, const struct sva_dma_buf *src)
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
	struct sva_dma_buf *src = copy ? (struct sva_dma_buf *)(uintptr_t)op->desc.op.dma.src : NULL;
	int err;

	*bond = NULL;
	err = check_part(dst, op->desc.dst, op->length, SVA_DMA_DESTINATION);
	if (!err && copy)
		err = check_part(src, op->desc.src, op->length, SVA_DMA_SOURCE);
	if (err)
		return err;
	bufs[0] = dst;
	bufs[1] = src;
	if (!dst->bond || (copy && (src->bond != dst->bond || same_memory(dst, op->desc.dst, src, op->desc.src, op->length))))
		by_address(op, dst, src);
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

void sva_dma_let_go(struct sva_op *op, const struct sva_policy *policy)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	const struct sva_dma_buf *dst = p->bufs[0], *src = p->bufs[1];
	uint32_t opcode = src ? SVA_OPCODE_MEMMOVE : SVA_OPCODE_FILL;

	by_address(op, dst, src);
	p->dst += dst->addr;
	p->src += src ? src->addr : 0;
	p->third = 0;
	p->word = (p->word & ((1u << 24) - 1)) | sva_desc_word(opcode, 0);
	p->policy = policy;
	p->bond = NULL;
	p->lease = NULL;
	p->pinned = false;
	p->by_buffer = false;
	p->addressed = true;
}

int sva_dma_copy(struct sva *sva, struct sva_dma_buf *dst, size_t doff, struct sva_dma_buf *src, size_t soff, size_t len)
{
	struct sva_op op;

	sva_prep_dma_copy(&op, dst, doff, src, soff, len);
	return sva_run(sva, &op);
}

int sva_dma_fill(struct sva *sva, struct sva_dma_buf *dst, size_t doff, uint64_t pattern, size_t len)
{
	struct sva_op op;

	sva_prep_dma_fill(&op, dst, doff, pattern, len);
	return sva_run(sva, &op);
}
