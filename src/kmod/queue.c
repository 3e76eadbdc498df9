// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors and callbacks.
 *
 * Requests wait here until it is their turn (turns.c), where they can still be cancelled; the
 * hardware gets a few descriptors at a time.
 *
 * Making a descriptor may sleep (idxd does when its queue is full), so that happens in process context, under a
 * mutex, by whoever comes first: the submitter, or a worker when a callback has made room.
 */
#include <linux/dmaengine.h>
#include <linux/jiffies.h>
#include "internal.h"

#define OVERHEAD	(4 << 10)	/* what a descriptor costs beside its bytes, in bytes */
#define BUDGET		64		/* descriptors in one go: a submitter works for others, too, but not for long */
#define REFUSALS	20		/* of an idle channel, before we believe it */
#define PATIENCE	(3 * HZ)	/* with hardware that shall stop */

void sva_req_fail(struct sva_req *req, int error)
{
	cmpxchg(&req->error, 0, error);
}

/* One less of what the request waits for. The last one may free it. */
static void req_unpend(struct sva_req *req)
{
	if (atomic_dec_and_test(&req->pending))
		sva_req_done(req);
}

/* Has the worker make descriptors. Under chan->lock, so that none comes after the channel was closed. */
static void kick(struct sva_chan *chan, unsigned long delay)
{
	if (!chan->dead)
		mod_delayed_work(sva_wq, &chan->work, delay);
}

void sva_queue_kick(struct sva_chan *chan)
{
	spin_lock_irq(&chan->lock);
	kick(chan, 0);
	spin_unlock_irq(&chan->lock);
}

static void descriptor_done(void *param, const struct dmaengine_result *result)
{
	struct sva_req *req = param;
	struct sva_chan *chan = req->chan;
	unsigned long flags;
	bool idle;

	if (result && result->result != DMA_TRANS_NOERROR)
		sva_req_fail(req, READ_ONCE(chan->dead) ? -ENODEV : -EIO);
	spin_lock_irqsave(&chan->lock, flags);
	idle = !--chan->in_flight;
	if (!list_empty(&chan->turns))
		kick(chan, 0);
	spin_unlock_irqrestore(&chan->lock, flags);
	atomic_dec(&sva_stats.in_flight);
	if (idle)
		wake_up_all(&chan->idle);
	/* The request keeps the channel, so this comes last. */
	req_unpend(req);
}

/* Where a cursor stands for the device, and how far it is to the end of the segment or to a boundary. */
static u64 cursor_look(const struct sva_cursor *at, u64 boundary, dma_addr_t *addr)
{
	const struct sva_seg *seg = &at->mapping->segs[at->seg];

	*addr = seg->addr + at->offset;
	return min(seg->len - at->offset, boundary - (*addr & boundary) + 1);
}

static void cursor_move(struct sva_cursor *at, u64 by, bool repeats)
{
	at->offset += by;
	if (at->offset < at->mapping->segs[at->seg].len)
		return;
	at->offset = 0;
	if (++at->seg == at->mapping->nr_segs && repeats)
		at->seg = 0;
}

/* One descriptor of a request. -EBUSY: the channel gives none now; -EIO: it will not have it. */
static int issue(struct sva_req *req, u64 *bytes)
{
	struct sva_chan *chan = req->chan;
	struct dma_async_tx_descriptor *tx;
	dma_addr_t dst, src;
	u64 n;

	n = min(req->left, chan->max_segment);
	n = min(n, cursor_look(&req->dst_at, chan->boundary, &dst));
	n = min(n, cursor_look(&req->src_at, chan->boundary, &src));
	tx = dmaengine_prep_dma_memcpy(chan->dma, dst, src, n, DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!tx)
		return -EBUSY;
	tx->callback = NULL;
	tx->callback_result = descriptor_done;
	tx->callback_param = req;
	/* The callback can come before submit returns. */
	atomic_inc(&req->pending);
	atomic_inc(&sva_stats.in_flight);
	if (dma_submit_error(dmaengine_submit(tx))) {
		atomic_dec(&req->pending);
		atomic_dec(&sva_stats.in_flight);
		return -EIO;
	}
	/* At once: whoever makes the next descriptor may sleep until this one is done. */
	dma_async_issue_pending(chan->dma);
	req->left -= n;
	cursor_move(&req->dst_at, n, false);
	cursor_move(&req->src_at, n, req->src_repeats);
	*bytes = n;
	return 0;
}

/*
 * An idle channel that gives no descriptor has something else in its way (a signal, a state of its own), and nobody
 * will call back: ask again a little later, but not for ever.
 */
static bool worth_waiting(struct sva_chan *chan)
{
	if (chan->in_flight)
		return true;
	if (++chan->refusals > REFUSALS)
		return false;
	kick(chan, msecs_to_jiffies(chan->refusals));
	return true;
}

/* Called with chan->lock held, drops it on the way. False: no more can be done now. */
static bool dispatch_one(struct sva_chan *chan, struct sva_req *req)
{
	u64 bytes = 0;
	int error = READ_ONCE(req->error);

	if (!error) {
		chan->in_flight++;
		if (list_empty(&req->busy))
			list_add_tail(&req->busy, &chan->busy);
		spin_unlock_irq(&chan->lock);
		error = issue(req, &bytes);
		spin_lock_irq(&chan->lock);
		if (error)
			chan->in_flight--;
		if (error == -EBUSY && worth_waiting(chan))
			return false;
		if (!error)
			chan->refusals = 0;
	}
	if (error)
		sva_req_fail(req, -EIO);
	sva_turn_charge(req, bytes + OVERHEAD);
	if (error || !req->left) {
		sva_turn_remove(req);
		spin_unlock_irq(&chan->lock);
		req_unpend(req);
		spin_lock_irq(&chan->lock);
	}
	return true;
}

static void dispatch(struct sva_chan *chan)
{
	unsigned int budget = BUDGET;
	struct sva_req *req;

	spin_lock_irq(&chan->lock);
	while (!chan->dead && chan->in_flight < max(sva_depth, 1U)) {
		req = sva_turn_next(chan);
		if (!req)
			break;
		if (!budget--) {
			kick(chan, 0);
			break;
		}
		if (!dispatch_one(chan, req))
			break;
	}
	spin_unlock_irq(&chan->lock);
}

void sva_queue_work(struct work_struct *work)
{
	struct sva_chan *chan = container_of(to_delayed_work(work), struct sva_chan, work);

	mutex_lock(&chan->dispatch);
	if (!READ_ONCE(chan->dead))
		dispatch(chan);
	mutex_unlock(&chan->dispatch);
}

/**
 * sva_queue - give a request to its channel
 * @req: the request; it may be finished and gone when this returns, unless somebody waits for it
 * @nonblock: leave the work to a worker
 */
void sva_queue(struct sva_req *req, bool nonblock)
{
	struct sva_chan *chan = req->chan;
	bool dead;

	atomic64_add(req->len, &chan->backlog);
	/* The channel must outlive what follows, even if the request does not. */
	kref_get(&chan->ref);
	spin_lock_irq(&chan->lock);
	dead = chan->dead;
	if (!dead)
		sva_turn_add(req);
	spin_unlock_irq(&chan->lock);
	if (dead) {
		sva_req_fail(req, -ENODEV);
		req_unpend(req);
	} else if (!nonblock && mutex_trylock(&chan->dispatch)) {
		if (!READ_ONCE(chan->dead))
			dispatch(chan);
		mutex_unlock(&chan->dispatch);
	} else {
		sva_queue_kick(chan);
	}
	sva_chan_put(chan);
}

/* Stops whatever an opener has not yet given to the hardware. */
void sva_queue_cancel(struct sva_client *client)
{
	struct sva_chan *chan;
	struct sva_req *req;
	unsigned int i;

	for (i = 0; i < SVA_MAX_CHANNELS; i++) {
		chan = sva_chan_at(i);
		if (!chan)
			continue;
		spin_lock_irq(&chan->lock);
		list_for_each_entry(req, &client->turns[i].below, queued)
			sva_req_fail(req, -ECANCELED);
		kick(chan, 0);
		spin_unlock_irq(&chan->lock);
		sva_chan_put(chan);
	}
}

/* The hardware was stopped by force and will not call back. */
static void abort_busy(struct sva_chan *chan)
{
	struct sva_req *req, *next;
	LIST_HEAD(busy);

	spin_lock_irq(&chan->lock);
	list_splice_init(&chan->busy, &busy);
	atomic_sub(chan->in_flight, &sva_stats.in_flight);
	chan->in_flight = 0;
	spin_unlock_irq(&chan->lock);
	list_for_each_entry_safe(req, next, &busy, busy) {
		list_del_init(&req->busy);
		sva_req_fail(req, -EIO);
		atomic_set(&req->pending, 1);
		req_unpend(req);
	}
}

static void drain(struct sva_chan *chan)
{
	while (!wait_event_timeout(chan->idle, !READ_ONCE(chan->in_flight), PATIENCE)) {
		if (!dmaengine_terminate_sync(chan->dma)) {
			abort_busy(chan);
			return;
		}
		dev_warn(chan->dev->dev, "%s: still waiting for %u descriptors\n", chan->name, chan->in_flight);
	}
}

/**
 * sva_queue_close - end all traffic on a channel
 * @chan: the channel, which nobody finds any more
 *
 * What is queued fails with -ENODEV. Returns when the hardware has finished the rest: there is no other moment at which
 * memory could be unmapped, so there is no way out of waiting for it, but to stop the channel where its driver can.
 */
void sva_queue_close(struct sva_chan *chan)
{
	struct sva_req *req;

	spin_lock_irq(&chan->lock);
	chan->dead = true;
	spin_unlock_irq(&chan->lock);
	/* From here on nobody makes descriptors. */
	mutex_lock(&chan->dispatch);
	spin_lock_irq(&chan->lock);
	while ((req = sva_turn_next(chan))) {
		sva_turn_remove(req);
		spin_unlock_irq(&chan->lock);
		sva_req_fail(req, -ENODEV);
		req_unpend(req);
		spin_lock_irq(&chan->lock);
	}
	spin_unlock_irq(&chan->lock);
	drain(chan);
	mutex_unlock(&chan->dispatch);
	cancel_delayed_work_sync(&chan->work);
}
