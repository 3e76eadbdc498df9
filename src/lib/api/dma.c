/* SPDX-License-Identifier: MIT */
/* The mapped family: buffers with handles, and the synchronous calls on them. */
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/api/api.h"
#include "lib/queue/dma.h"
#include "lib/queue/ways.h"
#include "uapi/sva_dma.h"

/* ------------------------------------------------------------------ map, unmap, sync */

static int map_for_device(struct sva_dma_buf *buf)
{
	struct sva_dma_map_args args = {
		.size = sizeof(args), .addr = buf->addr, .len = buf->len, .node = SVA_DMA_NODE_ANY,
	};
	int err;

	if (buf->flags & SVA_DMA_SOURCE)
		args.flags |= SVA_DMA_MAP_READ;
	if (buf->flags & SVA_DMA_DESTINATION)
		args.flags |= SVA_DMA_MAP_WRITE;
	err = sva_dma_call(buf->bond, SVA_DMA_MAP, &args);
	buf->handle = args.handle;
	buf->needs_sync = args.state & SVA_DMA_STATE_NEEDS_SYNC;
	return err;
}

/*
 * Without the module the buffer is only remembered, and operations use plain addresses. The range
 * must still be memory.
 */
static int use_unmapped(const struct sva *ctx, const struct sva_dma_buf *buf)
{
	uint64_t bad;

	if (!ctx->candidate_count && !ctx->policy.cpu_allowed)
		return -ENODEV;
	return sva_touch(buf->addr, buf->len, buf->flags & SVA_DMA_DESTINATION, &bad);
}

static int set_up_buffer(struct sva *ctx, struct sva_dma_buf *buf)
{
	uint32_t reason = SVA_REASON_OK;
	int err;

	if (!sva_config_path_allowed(&ctx->config, SVA_PATH_DMA))
		return use_unmapped(ctx, buf);
	err = sva_bond_get(&ctx->config, sva_submit_dma.queue(), SVA_PATH_DMA, &buf->bond, &reason);
	if (err) {
		buf->bond = NULL;
		/*
		 * A buffer keeps its kind for life. Where the module works, fail rather than use
		 * plain addresses forever because of a moment's shortage.
		 */
		return sva_is_shortage(err) && ctx->own_reasons[SVA_PATH_DMA] == SVA_REASON_OK ?
			       err :
			       use_unmapped(ctx, buf);
	}
	err = map_for_device(buf);
	if (err)
		sva_bond_put(buf->bond);
	if (err != -SVA_LOST)
		return err;
	/* The program has closed the file since sva_bond_get() checked it. */
	buf->bond = NULL;
	return use_unmapped(ctx, buf);
}

int sva_dma_map(struct sva *sva, void *addr, size_t len, unsigned int flags,
		struct sva_dma_buf **out)
{
	struct sva_dma_buf *buf;
	uintptr_t end;
	int err;

	if (!out || !len || len > PTRDIFF_MAX ||
	    (flags & ~(SVA_DMA_SOURCE | SVA_DMA_DESTINATION)) ||
	    __builtin_add_overflow((uintptr_t)addr, len - 1, &end))
		return -EINVAL;
	if (!addr)
		return -EFAULT;
	sva = sva_context_complete(sva, &err);
	if (!sva)
		return err;
	buf = calloc(1, sizeof(*buf));
	if (!buf)
		return -ENOMEM;
	buf->generation = sva_process_generation();
	buf->addr = (uint64_t)(uintptr_t)addr;
	buf->len = len;
	buf->flags = flags ? flags : SVA_DMA_SOURCE | SVA_DMA_DESTINATION;
	err = set_up_buffer(sva, buf);
	if (err) {
		free(buf);
		return err;
	}
	buf->magic = SVA_DMA_BUF_MAGIC;
	*out = buf;
	return 0;
}

int sva_dma_unmap(struct sva_dma_buf *buf)
{
	struct sva_dma_unmap_args args = { .size = sizeof(args) };
	int err;

	if (!buf)
		return 0;
	err = sva_dma_check_buf(buf);
	if (err)
		return err;
	if (atomic_load(&buf->users))
		return -EBUSY;
	buf->magic = 0;
	if (buf->bond) {
		args.handle = buf->handle;
		/* This fails only if the handle is gone already, with the file or the module. */
		(void)sva_dma_call(buf->bond, SVA_DMA_UNMAP, &args);
		sva_bond_put(buf->bond);
	}
	free(buf);
	return 0;
}

int sva_dma_sync(struct sva_dma_buf *buf, size_t off, size_t len, unsigned int direction)
{
	struct sva_dma_sync_args args = { .size = sizeof(args), .offset = off, .len = len };
	int err = sva_dma_check_buf(buf);

	if (err)
		return err;
	if ((direction != SVA_DMA_FOR_CPU && direction != SVA_DMA_FOR_DEVICE) || off > buf->len ||
	    len > buf->len - off)
		return -EINVAL;
	if (!buf->bond || !buf->needs_sync || !len)
		return 0;
	args.handle = buf->handle;
	args.flags = direction == SVA_DMA_FOR_CPU ? SVA_DMA_SYNC_CPU : SVA_DMA_SYNC_DEVICE;
	err = sva_dma_call(buf->bond, SVA_DMA_SYNC, &args);
	return err == -SVA_LOST ? -EIO : err;
}

int sva_dma_is_mapped(const struct sva_dma_buf *buf)
{
	int err = sva_dma_check_buf(buf);

	return err ? err : buf->bond && atomic_load(&buf->bond->state) == SVA_BOND_LIVE;
}

/* ------------------------------------------------------------------ operations */

int sva_dma_copy(struct sva *sva, struct sva_dma_buf *dst, size_t doff, struct sva_dma_buf *src,
		 size_t soff, size_t len)
{
	struct sva_op op;

	sva_prep_dma_copy(&op, dst, doff, src, soff, len);
	return sva_run(sva, &op);
}

int sva_dma_fill(struct sva *sva, struct sva_dma_buf *dst, size_t doff, uint64_t pattern,
		 size_t len)
{
	struct sva_op op;

	sva_prep_dma_fill(&op, dst, doff, pattern, len);
	return sva_run(sva, &op);
}
