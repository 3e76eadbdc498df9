// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls that run operations: COPY and FILL, which take any length, and SUBMIT, which takes
 * many operations.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "call.h"
#include "client.h"
#include "op.h"
#include "queue.h"

/*
 * COPY and FILL are done in windows, two at a time, so that one is pinned while the hardware works
 * on the other, and no more is pinned than most limits on locked memory allow.
 */
#define WINDOW	(1UL << 20)
#define WINDOWS	2

/* ---- COPY and FILL ---- */

/* Windows end on multiples of their size in the destination, so that large pages stay whole. */
static u64 window_len(const struct sva_dma_op *op, u64 window, u64 left)
{
	return min(left, window - (op->dst & (window - 1)));
}

/*
 * Prepares the next window. Where the limit on locked memory prevents it and nothing else is in
 * flight, tries smaller ones.
 */
static int window_prepare(struct svad_client *client, struct sva_dma_op *op, s32 node, u64 *window,
			  u64 left, bool alone, struct svad_req **req)
{
	int ret;

	for (;;) {
		op->len = window_len(op, *window, left);
		ret = svad_op_prepare(client, op, node, SVAD_NOTIFY_WAITER, false, req);
		if (ret != -ENOMEM || !alone || *window <= PAGE_SIZE)
			return ret;
		*window /= 2;
	}
}

/* The pattern rotated by some bytes: how a fill continues after them. */
static u64 pattern_after(u64 pattern, u64 bytes)
{
	u64 twice[2] = { pattern, pattern };

	memcpy(&pattern, (u8 *)twice + bytes % sizeof(pattern), sizeof(pattern));
	return pattern;
}

/**
 * struct one_shot - an operation on addresses, of any length
 * @client: the open file
 * @op: the part that has no window yet; at the end, its results
 * @node: the NUMA node that the caller asked for
 * @pattern: of a fill, as it is at the first byte
 * @left: how many bytes have no window yet
 * @total: how many bytes there are
 * @done: how many bytes are done, from the beginning and without a gap
 * @window: the size of a window
 * @flight: the windows in flight
 * @first: the oldest of them
 * @count: how many
 * @error: the first error in the order of the bytes
 * @fault: the address that it is about, or 0
 * @gap: a window has failed: later ones do not count
 */
struct one_shot {
	struct svad_client *client;
	struct sva_dma_op *op;
	s32 node;
	u64 pattern;
	u64 left;
	u64 total;
	u64 done;
	u64 window;
	struct {
		struct svad_req *req;
		u64 len;
	} flight[WINDOWS];
	unsigned int first;
	unsigned int count;
	int error;
	u64 fault;
	bool gap;
};

/* Starts the next window. Returns false if a window in flight has to end first. */
static bool window_start(struct one_shot *shot)
{
	unsigned int last = (shot->first + shot->count) % WINDOWS;
	struct sva_dma_op *op = shot->op;
	struct svad_req *req;
	int ret;

	if (op->opcode == SVA_DMA_OP_FILL)
		op->src = pattern_after(shot->pattern, shot->total - shot->left);
	ret = window_prepare(shot->client, op, shot->node, &shot->window, shot->left, !shot->count,
			     &req);
	if (shot->count && (ret == -ENOMEM || ret == -EAGAIN))
		return false;
	if (ret) {
		shot->error = ret;
		shot->fault = op->fault;
		return true;
	}
	shot->flight[last].req = req;
	shot->flight[last].len = op->len;
	shot->count++;
	shot->left -= op->len;
	op->dst += op->len;
	op->src += op->len;
	svad_queue_add(req, false);
	return true;
}

static void window_wait(struct one_shot *shot, u32 *channel)
{
	int ret = svad_req_wait(shot->flight[shot->first].req, channel);

	/* An error here is earlier in the buffer than one of window_start(). */
	if (ret && !shot->gap) {
		shot->error = ret;
		shot->fault = 0;
		shot->gap = true;
	}
	if (!shot->gap)
		shot->done += shot->flight[shot->first].len;
	shot->first = (shot->first + 1) % WINDOWS;
	shot->count--;
}

/**
 * run_one_shot - an operation on addresses, of any length
 * @client: the open file
 * @op: the operation; it is used up
 * @node: the NUMA node that the caller asked for
 * @done: how many bytes are done, from the beginning and without a gap
 *
 * Return: 0 or the first error in the order of the bytes
 */
static int run_one_shot(struct svad_client *client, struct sva_dma_op *op, s32 node, u64 *done)
{
	struct one_shot shot = {
		.client = client,
		.op = op,
		.node = node,
		.pattern = op->src,
		.left = op->len,
		.total = op->len,
		.window = WINDOW,
	};
	u32 channel = SVA_DMA_CHANNEL_NONE;

	while (shot.count || (shot.left && !shot.error)) {
		if (shot.left && !shot.error && shot.count < WINDOWS && window_start(&shot))
			continue;
		window_wait(&shot, &channel);
	}
	op->channel = channel;
	op->fault = shot.fault;
	*done = shot.done;
	return shot.error;
}

int svad_call_copy(struct svad_client *client, struct sva_dma_copy_args *args)
{
	struct sva_dma_op op = {
		.opcode = SVA_DMA_OP_COPY,
		.dst = args->dst,
		.src = args->src,
		.len = args->len,
	};
	int ret;

	args->done = 0;
	args->fault = 0;
	args->channel = SVA_DMA_CHANNEL_NONE;
	if (!args->len)
		return 0;
	ret = svad_range_check(args->dst, args->len, &args->fault);
	if (!ret)
		ret = svad_range_check(args->src, args->len, &args->fault);
	if (ret)
		return ret;
	if (svad_overlap(args->dst, args->src, args->len))
		return -EOPNOTSUPP;
	ret = run_one_shot(client, &op, args->node, &args->done);
	args->fault = op.fault;
	args->channel = op.channel;
	return ret;
}

int svad_call_fill(struct svad_client *client, struct sva_dma_fill_args *args)
{
	struct sva_dma_op op = {
		.opcode = SVA_DMA_OP_FILL,
		.dst = args->dst,
		.src = args->pattern,
		.len = args->len,
	};
	int ret;

	args->done = 0;
	args->fault = 0;
	args->channel = SVA_DMA_CHANNEL_NONE;
	if (!args->len)
		return 0;
	ret = svad_range_check(args->dst, args->len, &args->fault);
	if (ret)
		return ret;
	ret = run_one_shot(client, &op, args->node, &args->done);
	args->fault = op.fault;
	args->channel = op.channel;
	return ret;
}

/* ---- SUBMIT ---- */

static u64 op_address(const struct sva_dma_submit_args *args, unsigned int i)
{
	return args->ops + (u64)i * args->op_size;
}

static int result_write(const struct sva_dma_submit_args *args, unsigned int i, s32 result,
			u32 channel, u64 fault)
{
	struct sva_dma_op __user *to = u64_to_user_ptr(op_address(args, i));

	if (copy_to_user(&to->result, &result, sizeof(result)) ||
	    copy_to_user(&to->channel, &channel, sizeof(channel)) ||
	    copy_to_user(&to->fault, &fault, sizeof(fault)))
		return -EFAULT;
	return 0;
}

/* Submits one operation whose completion goes to the ring. After an error it was not taken. */
static int submit_to_ring(struct svad_client *client, const struct sva_dma_submit_args *args,
			  unsigned int i)
{
	struct svad_ring *ring = client->ring;
	struct svad_req *req = NULL;
	struct sva_dma_op op;
	int ret, result;

	ret = svad_op_read(&op, op_address(args, i), args->op_size);
	if (ret)
		return ret;
	ret = svad_ring_reserve(ring);
	if (ret)
		return ret;
	result = svad_op_prepare(client, &op, args->node, SVAD_NOTIFY_RING, false, &req);
	/* Before it starts: an operation that has begun cannot be refused any more. */
	ret = result == -EAGAIN ? result : result_write(args, i, result, op.channel, op.fault);
	if (ret || result)
		svad_ring_unreserve(ring);
	if (ret && req) {
		svad_req_discard(req);
	} else if (!ret && req) {
		svad_queue_add(req, false);
	} else if (!ret && !result) {
		svad_ring_post(ring, op.user_data, 0, SVA_DMA_CHANNEL_NONE);
	}
	return ret;
}

struct waited {
	struct svad_req *req;
	s32 result;
	u32 channel;
	u64 fault;
};

/* Starts one operation, for which the caller waits later. After an error it was not taken. */
static int submit_one(struct svad_client *client, const struct sva_dma_submit_args *args,
		      unsigned int i, bool alone, struct waited *waited)
{
	struct sva_dma_op op;
	int ret = svad_op_read(&op, op_address(args, i), args->op_size);

	if (ret)
		return ret;
	ret = svad_op_prepare(client, &op, args->node, SVAD_NOTIFY_WAITER, false, &waited->req);
	/* With others in flight there may be room when they are done. */
	if (ret == -EAGAIN || (ret == -ENOMEM && !alone))
		return -EAGAIN;
	waited->result = ret;
	waited->channel = op.channel;
	waited->fault = op.fault;
	if (waited->req)
		svad_queue_add(waited->req, false);
	return 0;
}

static int submit_and_wait(struct svad_client *client, struct sva_dma_submit_args *args)
{
	struct waited *waited = kvcalloc(args->nr, sizeof(*waited), GFP_KERNEL_ACCOUNT), *one;
	unsigned int started = 0, finished = 0;
	int ret, error = 0, broken = 0;

	if (!waited)
		return -ENOMEM;
	while (finished < started || (started < args->nr && !error)) {
		if (started < args->nr && !error) {
			ret = submit_one(client, args, started, started == finished,
					 &waited[started]);
			if (!ret) {
				started++;
				continue;
			}
			if (ret != -EAGAIN || started == finished) {
				error = ret;
				continue;
			}
		}
		one = &waited[finished];
		if (one->req)
			one->result = svad_req_wait(one->req, &one->channel);
		if (one->result == -EINTR)
			broken = -EINTR;
		if (!broken)
			broken = result_write(args, finished, one->result, one->channel,
					      one->fault);
		if (!broken)
			args->taken++;
		else
			error = broken;
		finished++;
	}
	kvfree(waited);
	return broken == -EINTR || !args->taken ? error : 0;
}

int svad_call_submit(struct svad_client *client, struct sva_dma_submit_args *args)
{
	int ret = 0;

	args->taken = 0;
	if (args->flags & ~SVA_DMA_SUBMIT_FLAGS || !args->nr || args->nr > SVAD_MAX_OPS ||
	    svad_node_check(args->node))
		return -EINVAL;
	if (args->flags & SVA_DMA_SUBMIT_WAIT)
		return submit_and_wait(client, args);
	if (!svad_client_ring(client))
		return -ENXIO;
	while (args->taken < args->nr && !ret) {
		ret = submit_to_ring(client, args, args->taken);
		if (!ret)
			args->taken++;
	}
	return args->taken ? 0 : ret;
}
