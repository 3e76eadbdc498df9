// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that run operations: COPY and FILL, which take any length, and SUBMIT, which takes many.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "internal.h"

/*
 * COPY and FILL go in windows, two at a time, so that pinning one overlaps with the work on the other, and no more is
 * pinned than most limits on locked memory allow.
 */
#define WINDOW	(1UL << 20)
#define WINDOWS	2

/* ---- COPY and FILL ---- */

/* Windows end on multiples of their size in the destination, so that large pages are not cut. */
static u64 window_len(const struct sva_dma_op *op, u64 window, u64 left)
{
	return min(left, window - (op->dst & (window - 1)));
}

/*
 * Prepares the next window. Where the limit on locked memory is in the way, smaller ones are tried, once nothing
 * else is in flight.
 */
static int window_next(struct sva_client *client, struct sva_dma_op *op, s32 node, u64 *window, u64 left, bool alone,
		       struct sva_req **req)
{
	int ret;

	for (;;) {
		op->len = window_len(op, *window, left);
		ret = sva_op_prepare(client, op, node, SVA_NOTIFY_WAITER, false, req);
		if (ret != -ENOMEM || !alone || *window <= PAGE_SIZE)
			return ret;
		*window /= 2;
	}
}

/* The pattern as it goes on after some bytes. */
static u64 pattern_after(u64 pattern, u64 bytes)
{
	u64 twice[2] = { pattern, pattern };

	memcpy(&pattern, (u8 *)twice + bytes % sizeof(pattern), sizeof(pattern));
	return pattern;
}

struct window {
	struct sva_req *req;
	u64 len;
};

/**
 * one_shot - an operation on addresses, of any length
 * @client: whose it is
 * @op: the operation; it is used up
 * @node: where to
 * @done: how many bytes are done, from the beginning and without a gap
 *
 * Return: 0 or the first error in the order of the bytes
 */
static int one_shot(struct sva_client *client, struct sva_dma_op *op, s32 node, u64 *done)
{
	u64 left = op->len, window = WINDOW, pattern = op->src, fault = 0, total = left;
	struct window flight[WINDOWS], *last;
	unsigned int first = 0, count = 0;
	u32 channel = SVA_DMA_CHANNEL_NONE;
	int error = 0, ret;
	bool gap = false;

	while (count || (left && !error)) {
		if (left && !error && count < WINDOWS) {
			last = &flight[(first + count) % WINDOWS];
			if (op->opcode == SVA_DMA_OP_FILL)
				op->src = pattern_after(pattern, total - left);
			ret = window_next(client, op, node, &window, left, !count, &last->req);
			if (!ret) {
				last->len = op->len;
				count++;
				left -= op->len;
				op->dst += op->len;
				op->src += op->len;
				sva_queue(last->req, false);
				continue;
			}
			if (!count || (ret != -ENOMEM && ret != -EAGAIN)) {
				error = ret;
				fault = op->fault;
				continue;
			}
		}
		last = &flight[first];
		ret = sva_req_wait(last->req, &channel);
		if (ret && !gap) {
			/* Earlier in the buffer than whatever else went wrong. */
			error = ret;
			fault = 0;
			gap = true;
		}
		if (!gap)
			*done += last->len;
		first = (first + 1) % WINDOWS;
		count--;
	}
	op->channel = channel;
	op->fault = fault;
	return error;
}

int sva_copy(struct sva_client *client, struct sva_dma_copy_args *args)
{
	struct sva_dma_op op = { .opcode = SVA_DMA_OP_COPY, .dst = args->dst, .src = args->src, .len = args->len };
	int ret;

	args->done = 0;
	args->fault = 0;
	args->channel = SVA_DMA_CHANNEL_NONE;
	if (!args->len)
		return 0;
	ret = sva_range_check(args->dst, args->len, &args->fault);
	if (!ret)
		ret = sva_range_check(args->src, args->len, &args->fault);
	if (ret)
		return ret;
	if (sva_overlap(args->dst, args->src, args->len))
		return -EOPNOTSUPP;
	ret = one_shot(client, &op, args->node, &args->done);
	args->fault = op.fault;
	args->channel = op.channel;
	return ret;
}

int sva_fill(struct sva_client *client, struct sva_dma_fill_args *args)
{
	struct sva_dma_op op = { .opcode = SVA_DMA_OP_FILL, .dst = args->dst, .src = args->pattern, .len = args->len };
	int ret;

	args->done = 0;
	args->fault = 0;
	args->channel = SVA_DMA_CHANNEL_NONE;
	if (!args->len)
		return 0;
	ret = sva_range_check(args->dst, args->len, &args->fault);
	if (ret)
		return ret;
	ret = one_shot(client, &op, args->node, &args->done);
	args->fault = op.fault;
	args->channel = op.channel;
	return ret;
}

/* ---- SUBMIT ---- */

static u64 op_address(const struct sva_dma_submit_args *args, unsigned int i)
{
	return args->ops + (u64)i * args->op_size;
}

static int result_write(const struct sva_dma_submit_args *args, unsigned int i, s32 result, u32 channel, u64 fault)
{
	struct sva_dma_op __user *to = u64_to_user_ptr(op_address(args, i));

	if (copy_to_user(&to->result, &result, sizeof(result)) ||
	    copy_to_user(&to->channel, &channel, sizeof(channel)) ||
	    copy_to_user(&to->fault, &fault, sizeof(fault)))
		return -EFAULT;
	return 0;
}

/* One operation whose completion goes to the ring. An error here: it was not taken. */
static int submit_to_ring(struct sva_client *client, const struct sva_dma_submit_args *args, unsigned int i)
{
	struct sva_ring *ring = client->ring;
	struct sva_req *req = NULL;
	struct sva_dma_op op;
	int ret, result;

	ret = sva_op_read(&op, op_address(args, i), args->op_size);
	if (ret)
		return ret;
	ret = sva_ring_reserve(ring);
	if (ret)
		return ret;
	result = sva_op_prepare(client, &op, args->node, SVA_NOTIFY_RING, false, &req);
	/* Before it starts: what has begun can not be refused any more. */
	ret = result == -EAGAIN ? result : result_write(args, i, result, op.channel, op.fault);
	if (ret || result)
		sva_ring_unreserve(ring);
	if (ret && req) {
		sva_req_discard(req);
	} else if (!ret && req) {
		sva_queue(req, false);
	} else if (!ret && !result) {
		sva_ring_post(ring, op.user_data, 0, SVA_DMA_CHANNEL_NONE);
	}
	return ret;
}

struct waited {
	struct sva_req *req;
	s32 result;
	u32 channel;
	u64 fault;
};

/* Starts one operation that will be waited for. An error here: it was not taken. */
static int submit_one(struct sva_client *client, const struct sva_dma_submit_args *args, unsigned int i, bool alone,
		      struct waited *waited)
{
	struct sva_dma_op op;
	int ret = sva_op_read(&op, op_address(args, i), args->op_size);

	if (ret)
		return ret;
	ret = sva_op_prepare(client, &op, args->node, SVA_NOTIFY_WAITER, false, &waited->req);
	/* With others in flight there may be room when they are done. */
	if (ret == -EAGAIN || (ret == -ENOMEM && !alone))
		return -EAGAIN;
	waited->result = ret;
	waited->channel = op.channel;
	waited->fault = op.fault;
	if (waited->req)
		sva_queue(waited->req, false);
	return 0;
}

static int submit_and_wait(struct sva_client *client, struct sva_dma_submit_args *args)
{
	struct waited *waited = kvcalloc(args->nr, sizeof(*waited), GFP_KERNEL_ACCOUNT), *one;
	unsigned int started = 0, finished = 0;
	int ret, error = 0, broken = 0;

	if (!waited)
		return -ENOMEM;
	while (finished < started || (started < args->nr && !error)) {
		if (started < args->nr && !error) {
			ret = submit_one(client, args, started, started == finished, &waited[started]);
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
			one->result = sva_req_wait(one->req, &one->channel);
		if (one->result == -EINTR)
			broken = -EINTR;
		if (!broken)
			broken = result_write(args, finished, one->result, one->channel, one->fault);
		if (!broken)
			args->taken++;
		else
			error = broken;
		finished++;
	}
	kvfree(waited);
	return broken == -EINTR || !args->taken ? error : 0;
}

int sva_submit(struct sva_client *client, struct sva_dma_submit_args *args)
{
	int ret = 0;

	args->taken = 0;
	if (args->flags & ~SVA_DMA_SUBMIT_FLAGS || !args->nr || args->nr > SVA_MAX_OPS || sva_node_check(args->node))
		return -EINVAL;
	if (args->flags & SVA_DMA_SUBMIT_WAIT)
		return submit_and_wait(client, args);
	/* Pairs with the creation of the ring. */
	if (!smp_load_acquire(&client->ring))
		return -ENXIO;
	while (args->taken < args->nr && !ret) {
		ret = submit_to_ring(client, args, args->taken);
		if (!ret)
			args->taken++;
	}
	return args->taken ? 0 : ret;
}
