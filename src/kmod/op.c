// SPDX-License-Identifier: GPL-2.0
/*
 * Operations: checked, made into requests, waited for, finished.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "internal.h"

static struct kmem_cache *req_cache;

int sva_op_init(void)
{
	req_cache = KMEM_CACHE(sva_req, SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	return req_cache ? 0 : -ENOMEM;
}

void sva_op_exit(void)
{
	kmem_cache_destroy(req_cache);
}

int sva_node_check(s32 node)
{
	return node < SVA_DMA_NODE_ANY || node >= (s32)nr_node_ids ? -EINVAL : 0;
}

int sva_op_read(struct sva_dma_op *op, u64 address, u32 size)
{
	if (size < sizeof(*op))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(op, sizeof(*op), u64_to_user_ptr(address), size);
}

/* ---- the end of a request ---- */

static void client_release_one(struct sva_client *client)
{
	if (atomic_dec_and_test(&client->in_flight))
		wake_up_all(&client->idle);
	sva_client_put(client);
}

static void req_unmap(struct sva_req *req, bool may_sleep)
{
	if (req->dst)
		sva_map_unuse(req->dst, may_sleep);
	if (req->src)
		sva_map_unuse(req->src, may_sleep);
	req->dst = NULL;
	req->src = NULL;
}

/* The client comes last: the module, and the cache with it, can go when there are no clients. */
static void req_free(struct sva_req *req)
{
	struct sva_client *client = req->client;

	if (req->chan)
		sva_chan_put(req->chan);
	kmem_cache_free(req_cache, req);
	atomic_dec(&sva_stats.requests);
	client_release_one(client);
}

/* Buffers first: only then does the program see its bytes on every machine, and may unmap what it had mapped. */
static void req_finish(struct sva_req *req, bool may_sleep)
{
	req_unmap(req, may_sleep);
	if (req->notify == SVA_NOTIFY_RING)
		sva_ring_post(req->client->ring, req->user_data, req->error, req->chan->index);
	else if (req->notify == SVA_NOTIFY_URING)
		sva_uring_done(req, req->error);
	req_free(req);
}

static void req_finish_work(struct work_struct *work)
{
	req_finish(container_of(work, struct sva_req, work), true);
}

/* A request that was never queued. */
void sva_req_discard(struct sva_req *req)
{
	req_unmap(req, true);
	req_free(req);
}

/* The hardware has nothing of the request any more, and it is in no queue. Any context. */
void sva_req_done(struct sva_req *req)
{
	struct sva_chan *chan = req->chan;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	list_del_init(&req->busy);
	spin_unlock_irqrestore(&chan->lock, flags);
	atomic64_sub(req->len, &chan->backlog);
	atomic_dec(&req->client->given[chan->index]);
	if (req->notify == SVA_NOTIFY_WAITER && !atomic_xchg(&req->abandoned, 1))
		complete(&req->done);
	else if (req->notify == SVA_NOTIFY_RING && !req->transient)
		req_finish(req, false);
	else
		queue_work(sva_wq, &req->work);
}

/* Waits and finishes. A killed waiter leaves the rest to a worker: the hardware can not be hurried. */
int sva_req_wait(struct sva_req *req, u32 *channel)
{
	int ret;

	if (wait_for_completion_killable(&req->done)) {
		if (!atomic_xchg(&req->abandoned, 1))
			return -EINTR;
		/* Done at the same moment: the other side is just about to say so. */
		wait_for_completion(&req->done);
	}
	ret = req->error;
	*channel = req->chan->index;
	req_finish(req, true);
	return ret;
}

/* ---- the beginning ---- */

/* Everything about an operation that can be said without looking at memory or hardware. */
static int op_check(const struct sva_dma_op *op)
{
	if (op->flags || (op->opcode != SVA_DMA_OP_COPY && op->opcode != SVA_DMA_OP_FILL))
		return -EINVAL;
	if (op->opcode == SVA_DMA_OP_FILL && op->src_handle)
		return -EINVAL;
	if (op->len > SVA_MAX_ADDR_LEN && (!op->dst_handle || (op->opcode == SVA_DMA_OP_COPY && !op->src_handle)))
		return -EMSGSIZE;
	return 0;
}

/* The buffer behind a handle, in use from now on. @address: where the operation touches it in the program. */
static int handle_open(struct sva_client *client, u32 handle, u64 offset, u64 len, u32 access, struct sva_map **map,
		       u64 *address)
{
	int ret = 0;

	*map = sva_client_map(client, handle);
	if (!*map)
		return -EBADF;
	if (!((*map)->access & access))
		ret = -EINVAL;
	else if (offset > (*map)->len || len > (*map)->len - offset)
		ret = -ERANGE;
	*address = (*map)->addr + offset;
	if (ret) {
		sva_map_unuse(*map, true);
		*map = NULL;
	}
	return ret;
}

static int address_open(struct sva_client *client, u64 address, u64 len, u32 access, struct sva_map **map, u64 *fault)
{
	struct sva_map *pinned = sva_map_create(client, address, len, access, false, fault);

	if (IS_ERR(pinned))
		return PTR_ERR(pinned);
	sva_map_use(pinned);
	/* The request is its only owner. */
	sva_map_put(pinned, true);
	*map = pinned;
	return 0;
}

static int pattern_open(struct sva_client *client, u64 pattern, u64 len, struct sva_map **map)
{
	struct sva_map *filled = sva_map_pattern(client, pattern, len);

	if (IS_ERR(filled))
		return PTR_ERR(filled);
	sva_map_use(filled);
	sva_map_put(filled, true);
	*map = filled;
	return 0;
}

/* Both buffers of an operation. On an error what was opened stays in the request, which is then freed. */
static int buffers_open(struct sva_req *req, struct sva_dma_op *op, bool nonblock)
{
	bool fill = op->opcode == SVA_DMA_OP_FILL;
	u64 dst = op->dst, src = op->src;
	int ret = 0;

	req->transient = !op->dst_handle || !op->src_handle;
	req->src_repeats = fill;
	if (op->dst_handle)
		ret = handle_open(req->client, op->dst_handle, op->dst, op->len, SVA_DMA_MAP_WRITE, &req->dst, &dst);
	if (!ret && op->src_handle)
		ret = handle_open(req->client, op->src_handle, op->src, op->len, SVA_DMA_MAP_READ, &req->src, &src);
	if (ret || !op->len)
		return ret;
	if (!fill && sva_overlap(dst, src, op->len))
		return -EOPNOTSUPP;
	/* What comes now allocates, and reads page tables or fills pages. */
	if (req->transient && nonblock)
		return -EAGAIN;
	if (!op->dst_handle)
		ret = address_open(req->client, dst, op->len, SVA_DMA_MAP_WRITE, &req->dst, &op->fault);
	if (!ret && fill)
		ret = pattern_open(req->client, op->src, op->len, &req->src);
	else if (!ret && !op->src_handle)
		ret = address_open(req->client, src, op->len, SVA_DMA_MAP_READ, &req->src, &op->fault);
	return ret;
}

/* The segment that an offset, counted from the first page's beginning, lies in. */
static void cursor_set(struct sva_cursor *at, const struct sva_mapping *mapping, u64 offset)
{
	unsigned int low = 0, high = mapping->nr_segs, middle;

	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (mapping->segs[middle].begin <= offset)
			low = middle;
		else
			high = middle;
	}
	at->mapping = mapping;
	at->seg = low;
	at->offset = offset - mapping->segs[low].begin;
}

static int channel_open(struct sva_req *req, const struct sva_dma_op *op, s32 node, bool nonblock)
{
	struct sva_map *src = req->src_repeats ? NULL : req->src;
	u64 dst_offset = op->dst_handle ? op->dst : 0;
	u64 src_offset = op->src_handle ? op->src : 0;
	struct sva_mapping *to, *from;
	u64 touched;

	if (node == SVA_DMA_NODE_ANY)
		node = page_to_nid(req->dst->pages->page[0]);
	req->chan = sva_chan_choose(node, req->dst, src);
	if (!req->chan)
		return -ENODEV;
	touched = (req->dst->addr + dst_offset) | op->len | (src ? src->addr + src_offset : 0);
	if (touched & (req->chan->align - 1))
		return -EOPNOTSUPP;
	to = sva_map_for(req->dst, req->chan->dev, nonblock);
	if (IS_ERR(to))
		return PTR_ERR(to);
	from = sva_map_for(req->src, req->chan->dev, nonblock);
	if (IS_ERR(from))
		return PTR_ERR(from);
	cursor_set(&req->dst_at, to, offset_in_page(req->dst->addr) + dst_offset);
	cursor_set(&req->src_at, from, offset_in_page(req->src->addr) + src_offset);
	return 0;
}

/**
 * sva_op_prepare - make a request of an operation
 * @client: whose it is
 * @op: the operation; its results are set
 * @node: the caller's wish, checked
 * @notify: whom to tell
 * @nonblock: answer -EAGAIN rather than sleep
 * @made: the request, to be given to sva_queue(); NULL if there is nothing to do
 *
 * Return: 0 or the result of the operation
 */
int sva_op_prepare(struct sva_client *client, struct sva_dma_op *op, s32 node, enum sva_notify notify, bool nonblock,
		   struct sva_req **made)
{
	struct sva_req *req;
	int ret;

	*made = NULL;
	op->channel = SVA_DMA_CHANNEL_NONE;
	op->fault = 0;
	ret = op_check(op);
	if (ret)
		return ret;
	if (atomic_inc_return(&client->in_flight) > SVA_MAX_IN_FLIGHT) {
		atomic_dec(&client->in_flight);
		return -EAGAIN;
	}
	req = kmem_cache_zalloc(req_cache, GFP_KERNEL);
	if (!req) {
		atomic_dec(&client->in_flight);
		return -ENOMEM;
	}
	atomic_inc(&sva_stats.requests);
	INIT_LIST_HEAD(&req->queued);
	INIT_LIST_HEAD(&req->busy);
	kref_get(&client->ref);
	req->client = client;
	req->len = op->len;
	req->left = op->len;
	atomic_set(&req->pending, 1);
	req->notify = notify;
	init_completion(&req->done);
	req->user_data = op->user_data;
	INIT_WORK(&req->work, req_finish_work);

	ret = buffers_open(req, op, nonblock);
	if (!ret && op->len)
		ret = channel_open(req, op, node, nonblock);
	if (ret || !op->len) {
		sva_req_discard(req);
		return ret;
	}
	op->channel = req->chan->index;
	*made = req;
	return 0;
}
