// SPDX-License-Identifier: GPL-2.0
/*
 * Operations: checked, made into requests, waited for, finished.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "base.h"
#include "compat.h"
#include "op.h"

static struct kmem_cache *req_cache;

int svad_op_init(void)
{
	req_cache = KMEM_CACHE(svad_req, SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	return req_cache ? 0 : -ENOMEM;
}

void svad_op_exit(void)
{
	kmem_cache_destroy(req_cache);
}

int svad_node_check(s32 node)
{
	return node < SVA_DMA_NODE_ANY || node >= (s32)nr_node_ids ? -EINVAL : 0;
}

int svad_op_read(struct sva_dma_op *op, u64 address, u32 size)
{
	if (size < sizeof(*op))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(op, sizeof(*op), u64_to_user_ptr(address), size);
}

/* ---- the end of a request ---- */

static void client_release_one(struct svad_client *client)
{
	if (atomic_dec_and_test(&client->in_flight))
		wake_up_all(&client->idle);
	svad_client_put(client);
}

static void req_unmap(struct svad_req *req, bool may_sleep)
{
	if (req->dst)
		svad_map_unuse(req->dst, may_sleep);
	if (req->src)
		svad_map_unuse(req->src, may_sleep);
	req->dst = NULL;
	req->src = NULL;
}

/* The client last: when there are no clients, the module can be unloaded, and its cache with it. */
static void req_free(struct svad_req *req)
{
	struct svad_client *client = req->client;

	if (req->chan)
		svad_chan_put(req->chan);
	kmem_cache_free(req_cache, req);
	atomic_dec(&svad_stats.requests);
	client_release_one(client);
}

/*
 * The buffers are released before the end is reported: on machines with bounce buffers that is when
 * the program's memory gets the bytes, and afterwards the program may unmap its memory.
 */
static void req_finish(struct svad_req *req, bool may_sleep)
{
	req_unmap(req, may_sleep);
	if (req->notify == SVAD_NOTIFY_RING)
		svad_ring_post(req->client->ring, req->user_data, req->error, req->chan->index);
	else if (req->notify == SVAD_NOTIFY_URING)
		svad_uring_complete(req->uring, req->error, IO_URING_F_UNLOCKED);
	req_free(req);
}

static void req_finish_work(struct work_struct *work)
{
	req_finish(container_of(work, struct svad_req, work), true);
}

/* A request that was never queued. */
void svad_req_discard(struct svad_req *req)
{
	req_unmap(req, true);
	req_free(req);
}

/*
 * The hardware has no descriptor of the request any more, and it is in no queue. Any context.
 * io_uring is completed by a worker, never under the ring's lock.
 */
void svad_req_done(struct svad_req *req)
{
	struct svad_chan *chan = req->chan;
	unsigned long flags;

	spin_lock_irqsave(&chan->lock, flags);
	list_del_init(&req->busy);
	spin_unlock_irqrestore(&chan->lock, flags);
	atomic64_sub(req->len, &chan->backlog);
	atomic_dec(&req->client->given[chan->index]);
	if (req->notify == SVAD_NOTIFY_WAITER && !atomic_xchg(&req->abandoned, 1))
		complete(&req->done);
	else if (req->notify == SVAD_NOTIFY_RING && !req->transient)
		req_finish(req, false);
	else
		queue_work(svad_wq, &req->work);
}

/* Waits and finishes. If the waiter is killed, a worker finishes when the hardware is done. */
int svad_req_wait(struct svad_req *req, u32 *channel)
{
	int ret;

	if (wait_for_completion_killable(&req->done)) {
		if (!atomic_xchg(&req->abandoned, 1))
			return -EINTR;
		/* Done at the same moment: svad_req_done() is about to complete it. */
		wait_for_completion(&req->done);
	}
	ret = req->error;
	*channel = req->chan->index;
	req_finish(req, true);
	return ret;
}

/* ---- the beginning ---- */

/* The checks that need neither memory nor hardware. */
static int op_check(const struct sva_dma_op *op)
{
	if (op->flags || (op->opcode != SVA_DMA_OP_COPY && op->opcode != SVA_DMA_OP_FILL))
		return -EINVAL;
	if (op->opcode == SVA_DMA_OP_FILL && op->src_handle)
		return -EINVAL;
	if (op->len <= SVAD_MAX_ADDR_LEN)
		return 0;
	/* Buffers with handles may be longer than those that are pinned for one operation. */
	if (!op->dst_handle || (op->opcode == SVA_DMA_OP_COPY && !op->src_handle))
		return -EMSGSIZE;
	return 0;
}

/*
 * The buffer behind a handle, in use from now on. @address: in, the offset in the buffer; out,
 * where the operation touches it in the program.
 */
static int handle_open(struct svad_client *client, u32 handle, u64 len, u32 access,
		       struct svad_map **map, u64 *address)
{
	struct svad_map *found = svad_client_map(client, handle);
	u64 offset = *address;
	int ret = 0;

	if (!found)
		return -EBADF;
	if (!(found->range.access & access))
		ret = -EINVAL;
	else if (offset > found->range.len || len > found->range.len - offset)
		ret = -ERANGE;
	*address = found->range.addr + offset;
	if (ret)
		svad_map_unuse(found, true);
	else
		*map = found;
	return ret;
}

/* Makes the request the only owner of a new buffer. */
static int new_open(struct svad_map *made, struct svad_map **map)
{
	if (IS_ERR(made))
		return PTR_ERR(made);
	svad_map_use(made);
	svad_map_put(made, true);
	*map = made;
	return 0;
}

static int address_open(struct svad_client *client, u64 address, u64 len, u32 access,
			struct svad_map **map, u64 *fault)
{
	return new_open(svad_map_create(&client->account, address, len, access, false, fault), map);
}

static int pattern_open(struct svad_client *client, u64 pattern, u64 len, struct svad_map **map)
{
	return new_open(svad_map_pattern(&client->account, pattern, len), map);
}

/* Opens both buffers. After an error the request keeps those that were opened, until discarded. */
static int buffers_open(struct svad_req *req, struct sva_dma_op *op, bool nonblock)
{
	bool fill = op->opcode == SVA_DMA_OP_FILL;
	u64 dst = op->dst, src = op->src;
	int ret = 0;

	req->transient = !op->dst_handle || !op->src_handle;
	req->src_repeats = fill;
	if (op->dst_handle)
		ret = handle_open(req->client, op->dst_handle, op->len, SVA_DMA_MAP_WRITE,
				  &req->dst, &dst);
	if (!ret && op->src_handle)
		ret = handle_open(req->client, op->src_handle, op->len, SVA_DMA_MAP_READ,
				  &req->src, &src);
	if (ret || !op->len)
		return ret;
	if (!fill && svad_overlap(dst, src, op->len))
		return -EOPNOTSUPP;
	/* From here on memory is allocated, and pinned or filled. */
	if (req->transient && nonblock)
		return -EAGAIN;
	if (!op->dst_handle)
		ret = address_open(req->client, dst, op->len, SVA_DMA_MAP_WRITE, &req->dst,
				   &op->fault);
	if (!ret && fill)
		ret = pattern_open(req->client, op->src, op->len, &req->src);
	else if (!ret && !op->src_handle)
		ret = address_open(req->client, src, op->len, SVA_DMA_MAP_READ, &req->src,
				   &op->fault);
	return ret;
}

/* Sets a cursor to an offset, counted from the beginning of the first page. */
static void cursor_set(struct svad_cursor *at, const struct svad_mapping *mapping, u64 offset)
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

static int channel_open(struct svad_req *req, const struct sva_dma_op *op, s32 node, bool nonblock)
{
	struct svad_map *src = req->src_repeats ? NULL : req->src;
	u64 dst_offset = op->dst_handle ? op->dst : 0;
	u64 src_offset = op->src_handle ? op->src : 0;
	struct svad_mapping *to, *from;
	u64 touched;

	if (node == SVA_DMA_NODE_ANY)
		node = svad_map_node(req->dst);
	req->chan = svad_chan_choose(node, READ_ONCE(req->dst->home),
				     src ? READ_ONCE(src->home) : NULL);
	if (!req->chan)
		return -ENODEV;
	touched = (req->dst->range.addr + dst_offset) | op->len;
	touched |= src ? src->range.addr + src_offset : 0;
	if (touched & (req->chan->align - 1))
		return -EOPNOTSUPP;
	to = svad_map_for(req->dst, req->chan->dev, nonblock);
	if (IS_ERR(to))
		return PTR_ERR(to);
	from = svad_map_for(req->src, req->chan->dev, nonblock);
	if (IS_ERR(from))
		return PTR_ERR(from);
	cursor_set(&req->dst_at, to, offset_in_page(req->dst->range.addr) + dst_offset);
	cursor_set(&req->src_at, from, offset_in_page(req->src->range.addr) + src_offset);
	return 0;
}

static int req_create(struct svad_client *client, const struct sva_dma_op *op,
		      enum svad_notify notify, struct svad_req **made)
{
	struct svad_req *req;

	if (atomic_inc_return(&client->in_flight) > SVAD_MAX_IN_FLIGHT) {
		atomic_dec(&client->in_flight);
		return -EAGAIN;
	}
	req = kmem_cache_zalloc(req_cache, GFP_KERNEL);
	if (!req) {
		atomic_dec(&client->in_flight);
		return -ENOMEM;
	}
	atomic_inc(&svad_stats.requests);
	INIT_LIST_HEAD(&req->queued);
	INIT_LIST_HEAD(&req->busy);
	svad_client_get(client);
	req->client = client;
	req->len = op->len;
	req->left = op->len;
	atomic_set(&req->pending, 1);
	req->notify = notify;
	init_completion(&req->done);
	req->user_data = op->user_data;
	INIT_WORK(&req->work, req_finish_work);
	*made = req;
	return 0;
}

/**
 * svad_op_prepare - make a request of an operation
 * @client: the open file
 * @op: the operation; its results are set
 * @node: the NUMA node that the caller asked for, checked
 * @notify: how its end is to be reported
 * @nonblock: return -EAGAIN rather than sleep
 * @made: the request, to be passed to svad_queue_add(); NULL if there is nothing to do
 *
 * Return: 0 or the result of the operation
 */
int svad_op_prepare(struct svad_client *client, struct sva_dma_op *op, s32 node,
		    enum svad_notify notify, bool nonblock, struct svad_req **made)
{
	struct svad_req *req;
	int ret;

	*made = NULL;
	op->channel = SVA_DMA_CHANNEL_NONE;
	op->fault = 0;
	ret = op_check(op);
	if (ret)
		return ret;
	ret = req_create(client, op, notify, &req);
	if (ret)
		return ret;
	ret = buffers_open(req, op, nonblock);
	if (!ret && op->len)
		ret = channel_open(req, op, node, nonblock);
	if (ret || !op->len) {
		svad_req_discard(req);
		return ret;
	}
	op->channel = req->chan->index;
	*made = req;
	return 0;
}
