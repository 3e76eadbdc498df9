/* SPDX-License-Identifier: GPL-2.0 */
/*
 * op.c: operations: checked, made into requests, waited for, finished. Calls client.c, map.c,
 * table.c and ring.c; queue.c calls it when the hardware is done with a request.
 */
#ifndef SVA_KMOD_OP_H
#define SVA_KMOD_OP_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/workqueue.h>
#include <uapi/sva_dma.h>
#include "client.h"
#include "map.h"
#include "table.h"

#define SVAD_MAX_OPS	1024U

struct io_uring_cmd;

/* How the end of a request is reported. */
enum svad_notify {
	/* a thread waits in the driver */
	SVAD_NOTIFY_WAITER,
	SVAD_NOTIFY_RING,
	SVAD_NOTIFY_URING,
};

/**
 * struct svad_cursor - where a request is in a mapping
 * @mapping: the mapping
 * @seg: the segment
 * @offset: in that segment
 */
struct svad_cursor {
	const struct svad_mapping *mapping;
	unsigned int seg;
	u64 offset;
};

/**
 * struct svad_req - a request: one operation, or one piece of a long one
 * @queued: in the queue of its open file
 * @busy: in svad_chan::busy
 * @client: the open file that it belongs to
 * @chan: where it runs
 * @dst: its destination
 * @src: its source
 * @dst_at: where the next descriptor begins there
 * @src_at: where the next descriptor begins there
 * @src_repeats: the source is a pattern: begin again at its end
 * @transient: pinned for this request alone
 * @len: how many bytes
 * @left: how many bytes have no descriptor yet
 * @pending: descriptors in flight, plus one while it is queued
 * @error: the first error, or 0
 * @notify: how its end is reported
 * @abandoned: the waiter was killed or (1) the request is done, whichever happened first
 * @done: the waiter waits here
 * @uring: the io_uring command
 * @user_data: reported in the ring
 * @work: finishes it in process context
 */
struct svad_req {
	struct list_head queued;
	struct list_head busy;
	struct svad_client *client;
	struct svad_chan *chan;
	struct svad_map *dst;
	struct svad_map *src;
	struct svad_cursor dst_at;
	struct svad_cursor src_at;
	bool src_repeats;
	bool transient;
	u64 len;
	u64 left;
	atomic_t pending;
	int error;
	enum svad_notify notify;
	atomic_t abandoned;
	struct completion done;
	struct io_uring_cmd *uring;
	u64 user_data;
	struct work_struct work;
};

int svad_op_init(void);
void svad_op_exit(void);
int svad_node_check(s32 node);
int svad_op_read(struct sva_dma_op *op, u64 address, u32 size);
int svad_op_prepare(struct svad_client *client, struct sva_dma_op *op, s32 node,
		    enum svad_notify notify, bool nonblock, struct svad_req **made);
void svad_req_discard(struct svad_req *req);
int svad_req_wait(struct svad_req *req, u32 *channel);
void svad_req_done(struct svad_req *req);

/* Only the first error of a request counts. */
static inline void svad_req_fail(struct svad_req *req, int error)
{
	cmpxchg(&req->error, 0, error);
}

static inline bool svad_overlap(u64 a, u64 b, u64 len)
{
	return a < b ? b - a < len : a - b < len;
}

#endif /* SVA_KMOD_OP_H */
