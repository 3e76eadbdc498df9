// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors and callbacks.
 *
 * Requests wait here until it is their turn (turns.c), where they can still be cancelled; the
 * hardware gets a few descriptors at a time.
 *
 * Making a descriptor may sleep (idxd does when its queue is full), so that happens in process
 * context, under a mutex, in the thread that comes first: the submitter, or a worker when a
 * callback has made room. A channel that is to be stopped wakes that thread: with hardware that has
 * stopped it would sleep until the driver aborts what is in flight, which the driver does only
 * after the channel was released.
 */
#include <linux/dmaengine.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include "internal.h"

#define OVERHEAD	(4 << 10)	/* what a descriptor costs beside its bytes, in bytes */
#define BUDGET		64		/* descriptors in one go: a submitter works for others, too, but not for long */
#define REFUSALS	20		/* of an idle channel, until its requests fail */
#define STUCK		(2 * HZ)	/* without a completion, the hardware has probably stopped */

static bool paused;	/* the system is about to be suspended */

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
	chan->moved = jiffies;
	if (!list_empty(&chan->turns))
		kick(chan, 0);
	spin_unlock_irqrestore(&chan->lock, flags);
	atomic_dec(&sva_stats.in_flight);
	if (idle)
		wake_up_all(&chan->idle);
	/* A channel that was removed with descriptors in flight is put away when they are done. */
	if (idle && READ_ONCE(chan->dead))
		sva_look_soon();
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

/*
 * issue(), with chan->lock dropped for it. chan->dispatcher says who may be woken meanwhile; a
 * worker that was has a flag left to clear, which a thread of a program loses when it returns to
 * the program.
 */
static int issue_unlocked(struct sva_req *req, u64 *bytes)
{
	struct sva_chan *chan = req->chan;
	int error;

	if (!chan->in_flight++)
		chan->moved = jiffies;
	if (list_empty(&req->busy))
		list_add_tail(&req->busy, &chan->busy);
	chan->dispatcher = current;
	spin_unlock_irq(&chan->lock);
	error = issue(req, bytes);
	spin_lock_irq(&chan->lock);
	chan->dispatcher = NULL;
	if (current->flags & PF_KTHREAD)
		clear_tsk_thread_flag(current, TIF_NOTIFY_SIGNAL);
	if (error && !--chan->in_flight)
		wake_up_all(&chan->idle);
	if (!error)
		chan->refusals = 0;
	return error;
}

/* Called with chan->lock held, drops it on the way. False: no more can be done now. */
static bool dispatch_one(struct sva_chan *chan, struct sva_req *req)
{
	u64 bytes = 0;
	int error = READ_ONCE(req->error);

	if (!error) {
		error = issue_unlocked(req, &bytes);
		if (error == -EBUSY && (chan->dead || worth_waiting(chan)))
			return false;
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
	while (!chan->dead && !READ_ONCE(paused) && chan->in_flight < max(sva_depth, 1U)) {
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
	atomic_inc(&req->client->given[chan->index]);
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

/* The hardware has descriptors of the channel, and has finished none of them for a while. */
bool sva_chan_is_stuck(struct sva_chan *chan)
{
	return READ_ONCE(chan->in_flight) && time_after(jiffies, READ_ONCE(chan->moved) + STUCK);
}

/* ---- the end of a channel ---- */

/* Wakes the thread that makes descriptors, if there is one, as a signal would. */
static bool dispatcher_wake(struct sva_chan *chan)
{
	struct task_struct *task;

	spin_lock_irq(&chan->lock);
	task = chan->dispatcher;
	if (task) {
		set_tsk_thread_flag(task, TIF_NOTIFY_SIGNAL);
		wake_up_process(task);
	}
	spin_unlock_irq(&chan->lock);
	return task;
}

/**
 * sva_queue_stop - give the hardware nothing more
 * @chan: the channel
 *
 * What is queued fails with -ENODEV. Does not wait for the hardware.
 */
void sva_queue_stop(struct sva_chan *chan)
{
	struct sva_req *req;

	spin_lock_irq(&chan->lock);
	chan->dead = true;
	spin_unlock_irq(&chan->lock);
	while (dispatcher_wake(chan))
		schedule_timeout_uninterruptible(1);
	spin_lock_irq(&chan->lock);
	while ((req = sva_turn_next(chan))) {
		sva_turn_remove(req);
		spin_unlock_irq(&chan->lock);
		sva_req_fail(req, -ENODEV);
		req_unpend(req);
		spin_lock_irq(&chan->lock);
	}
	spin_unlock_irq(&chan->lock);
	cancel_delayed_work_sync(&chan->work);
}

/**
 * sva_queue_abort - fail what the hardware has
 * @chan: the channel, stopped
 * @error: the result of its requests
 *
 * For hardware that was stopped by force, or whose driver is gone: there will be no callback.
 */
void sva_queue_abort(struct sva_chan *chan, int error)
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
		sva_req_fail(req, error);
		atomic_set(&req->pending, 1);
		req_unpend(req);
	}
}

/**
 * sva_queue_drain - wait until the hardware has nothing of a channel
 * @chan: the channel, stopped
 * @until: no longer than this, in jiffies; then it is stopped by force, if its driver can do that
 *
 * Return: whether it has nothing
 */
bool sva_queue_drain(struct sva_chan *chan, unsigned long until)
{
	unsigned long now = jiffies;
	bool ended;

	if (wait_event_timeout(chan->idle, !READ_ONCE(chan->in_flight),
			       time_before(now, until) ? until - now : 0))
		return true;
	/* The channel must not be released meanwhile. */
	mutex_lock(&chan->dispatch);
	ended = chan->dma && !dmaengine_terminate_sync(chan->dma);
	mutex_unlock(&chan->dispatch);
	if (ended)
		sva_queue_abort(chan, -EIO);
	return ended;
}

/* ---- suspend ---- */

/* From now on the hardware gets nothing; whether it has nothing any more after some time. */
bool sva_queue_pause(struct sva_chan *chan, unsigned long until)
{
	unsigned long now = jiffies;

	WRITE_ONCE(paused, true);
	/* Who has not seen it has counted its descriptor. */
	spin_lock_irq(&chan->lock);
	spin_unlock_irq(&chan->lock);
	return wait_event_timeout(chan->idle, !READ_ONCE(chan->in_flight),
				  time_before(now, until) ? until - now : 0);
}

void sva_queue_resume(void)
{
	struct sva_chan *chan;
	unsigned int i;

	WRITE_ONCE(paused, false);
	for (i = 0; i < SVA_MAX_CHANNELS; i++) {
		chan = sva_chan_at(i);
		if (!chan)
			continue;
		sva_queue_kick(chan);
		sva_chan_put(chan);
	}
}
