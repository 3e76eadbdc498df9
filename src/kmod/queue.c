// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors and their callbacks.
 *
 * Requests wait here until it is their turn (turns.c), and can be cancelled meanwhile; the hardware
 * gets a few descriptors at a time.
 *
 * Making a descriptor may sleep (idxd does when its queue is full), so that happens in process
 * context, under a mutex, in the thread that comes first: the submitter, or a worker when a
 * callback has made room. To stop a channel, that thread is woken: with hardware that has stopped
 * it would sleep until the driver aborts its descriptors, which the driver does only after the
 * channel was released.
 */
#include <linux/dmaengine.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include "base.h"
#include "queue.h"
#include "users.h"

/* The cost of a descriptor beside its bytes, in bytes. */
#define OVERHEAD	(4 << 10)
/* Descriptors in one call: a submitter makes those of others as well, but only so many. */
#define BUDGET		64
/* How often an idle channel may refuse to make a descriptor, until its requests fail. */
#define REFUSALS	20

static bool paused;	/* the system is about to be suspended */

static struct svad_turn *turn_of(struct svad_req *req)
{
	return &req->client->turns[req->chan->index];
}

/* Drops one of those that keep the request pending. The last may free it. */
static void req_unpend(struct svad_req *req)
{
	if (atomic_dec_and_test(&req->pending))
		svad_req_done(req);
}

/* Has a worker make descriptors. Under the lock, so that none does after svad_queue_stop(). */
static void kick(struct svad_chan *chan, unsigned long delay)
{
	lockdep_assert_held(&chan->lock);
	if (!chan->dead)
		mod_delayed_work(svad_wq, &chan->work, delay);
}

void svad_queue_kick(struct svad_chan *chan)
{
	spin_lock_irq(&chan->lock);
	kick(chan, 0);
	spin_unlock_irq(&chan->lock);
}

static void descriptor_done(void *param, const struct dmaengine_result *result)
{
	struct svad_req *req = param;
	struct svad_chan *chan = req->chan;
	unsigned long flags;
	bool idle;

	if (result && result->result != DMA_TRANS_NOERROR)
		svad_req_fail(req, READ_ONCE(chan->dead) ? -ENODEV : -EIO);
	spin_lock_irqsave(&chan->lock, flags);
	idle = !--chan->in_flight;
	chan->moved = jiffies;
	if (!list_empty(&chan->turns))
		kick(chan, 0);
	spin_unlock_irqrestore(&chan->lock, flags);
	atomic_dec(&svad_stats.in_flight);
	if (idle)
		wake_up_all(&chan->idle);
	/* A channel that was released with descriptors in flight is finished when they are done. */
	if (idle && READ_ONCE(chan->dead))
		svad_search_soon();
	/* Last: the request has the reference to the channel. */
	req_unpend(req);
}

/*
 * The bytes from a cursor to the end of its segment or to a boundary; @addr: its address for the
 * device.
 */
static u64 cursor_room(const struct svad_cursor *at, u64 boundary, dma_addr_t *addr)
{
	const struct svad_seg *seg = &at->mapping->segs[at->seg];

	*addr = seg->addr + at->offset;
	return min(seg->len - at->offset, boundary - (*addr & boundary) + 1);
}

static void cursor_move(struct svad_cursor *at, u64 by, bool repeats)
{
	at->offset += by;
	if (at->offset < at->mapping->segs[at->seg].len)
		return;
	at->offset = 0;
	if (++at->seg == at->mapping->nr_segs && repeats)
		at->seg = 0;
}

/*
 * Makes and submits one descriptor of a request. -EBUSY: the channel makes none now; -EIO: it did
 * not accept it.
 */
static int issue(struct svad_req *req, u64 *bytes)
{
	struct svad_chan *chan = req->chan;
	struct dma_async_tx_descriptor *tx;
	dma_addr_t dst, src;
	u64 n;

	n = min(req->left, chan->max_segment);
	n = min(n, cursor_room(&req->dst_at, chan->boundary, &dst));
	n = min(n, cursor_room(&req->src_at, chan->boundary, &src));
	tx = dmaengine_prep_dma_memcpy(chan->dma, dst, src, n, DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!tx)
		return -EBUSY;
	tx->callback = NULL;
	tx->callback_result = descriptor_done;
	tx->callback_param = req;
	/* The callback can come before submit returns. */
	atomic_inc(&req->pending);
	atomic_inc(&svad_stats.in_flight);
	if (dma_submit_error(dmaengine_submit(tx))) {
		atomic_dec(&req->pending);
		atomic_dec(&svad_stats.in_flight);
		return -EIO;
	}
	/* At once: making the next descriptor may sleep until this one is done. */
	dma_async_issue_pending(chan->dma);
	req->left -= n;
	cursor_move(&req->dst_at, n, false);
	cursor_move(&req->src_at, n, req->src_repeats);
	*bytes = n;
	return 0;
}

/*
 * An idle channel that makes no descriptor has another reason than being full (a signal, a state of
 * its driver), and no callback will follow: try again a little later, a limited number of times.
 */
static bool worth_waiting(struct svad_chan *chan)
{
	if (chan->in_flight)
		return true;
	if (++chan->refusals > REFUSALS)
		return false;
	kick(chan, msecs_to_jiffies(chan->refusals));
	return true;
}

/*
 * issue(), with chan->lock dropped for it. chan->dispatcher is the thread that may be woken
 * meanwhile. In a worker the flag that wakes it must be cleared here; a thread of a program loses
 * it when it returns to the program.
 */
static int issue_unlocked(struct svad_req *req, u64 *bytes)
{
	struct svad_chan *chan = req->chan;
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

/* Called with chan->lock held, which is dropped and taken again. False: no more can be done now. */
static bool dispatch_one(struct svad_chan *chan, struct svad_req *req)
{
	u64 bytes = 0;
	int error = READ_ONCE(req->error);

	if (!error) {
		error = issue_unlocked(req, &bytes);
		if (error == -EBUSY && (chan->dead || worth_waiting(chan)))
			return false;
	}
	if (error)
		svad_req_fail(req, -EIO);
	svad_turn_charge(turn_of(req), bytes + OVERHEAD);
	if (error || !req->left) {
		svad_turn_remove(turn_of(req), &req->queued);
		spin_unlock_irq(&chan->lock);
		req_unpend(req);
		spin_lock_irq(&chan->lock);
	}
	return true;
}

static struct svad_req *next_req(struct svad_chan *chan)
{
	struct list_head *queued;

	lockdep_assert_held(&chan->lock);
	queued = svad_turn_next(&chan->turns);
	return queued ? list_entry(queued, struct svad_req, queued) : NULL;
}

static void dispatch(struct svad_chan *chan)
{
	unsigned int budget = BUDGET;
	struct svad_req *req;

	spin_lock_irq(&chan->lock);
	while (!chan->dead && !READ_ONCE(paused) && chan->in_flight < max(svad_depth, 1U)) {
		req = next_req(chan);
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

void svad_queue_work(struct work_struct *work)
{
	struct svad_chan *chan = container_of(to_delayed_work(work), struct svad_chan, work);

	mutex_lock(&chan->dispatch);
	if (!READ_ONCE(chan->dead))
		dispatch(chan);
	mutex_unlock(&chan->dispatch);
}

/**
 * svad_queue_add - queue a request for its channel
 * @req: the request; it may be freed when this returns, unless a thread waits for it
 * @nonblock: leave making descriptors to a worker
 */
void svad_queue_add(struct svad_req *req, bool nonblock)
{
	struct svad_chan *chan = req->chan;
	bool dead;

	atomic64_add(req->len, &chan->backlog);
	atomic_inc(&req->client->given[chan->index]);
	/* The request, and its reference to the channel, may be gone before this returns. */
	kref_get(&chan->ref);
	spin_lock_irq(&chan->lock);
	dead = chan->dead;
	if (!dead)
		svad_turn_add(turn_of(req), &req->queued, &chan->turns);
	spin_unlock_irq(&chan->lock);
	if (dead) {
		svad_req_fail(req, -ENODEV);
		req_unpend(req);
	} else if (!nonblock && mutex_trylock(&chan->dispatch)) {
		if (!READ_ONCE(chan->dead))
			dispatch(chan);
		mutex_unlock(&chan->dispatch);
	} else {
		svad_queue_kick(chan);
	}
	svad_chan_put(chan);
}

/* Fails the requests of an open file that the hardware has not got yet. */
void svad_queue_cancel(struct svad_client *client)
{
	struct svad_chan *chan;
	struct svad_req *req;
	unsigned int i;

	for (i = 0; i < SVAD_MAX_CHANNELS; i++) {
		chan = svad_chan_at(i);
		if (!chan)
			continue;
		spin_lock_irq(&chan->lock);
		list_for_each_entry(req, &client->turns[i].below, queued)
			svad_req_fail(req, -ECANCELED);
		kick(chan, 0);
		spin_unlock_irq(&chan->lock);
		svad_chan_put(chan);
	}
}

/* ---- the end of a channel ---- */

/* Wakes the thread that makes descriptors, if there is one, as a signal would. */
static bool dispatcher_wake(struct svad_chan *chan)
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
 * svad_queue_stop - make no more descriptors
 * @chan: the channel
 *
 * Queued requests fail with -ENODEV. Does not wait for the hardware.
 */
void svad_queue_stop(struct svad_chan *chan)
{
	struct svad_req *req;

	spin_lock_irq(&chan->lock);
	chan->dead = true;
	spin_unlock_irq(&chan->lock);
	while (dispatcher_wake(chan))
		schedule_timeout_uninterruptible(1);
	spin_lock_irq(&chan->lock);
	while ((req = next_req(chan))) {
		svad_turn_remove(turn_of(req), &req->queued);
		spin_unlock_irq(&chan->lock);
		svad_req_fail(req, -ENODEV);
		req_unpend(req);
		spin_lock_irq(&chan->lock);
	}
	spin_unlock_irq(&chan->lock);
	cancel_delayed_work_sync(&chan->work);
}

/**
 * svad_queue_abort - fail the requests that have descriptors in the hardware
 * @chan: the channel, stopped
 * @error: the result of its requests
 *
 * For hardware that was terminated, or whose driver is gone: no callback will follow.
 */
void svad_queue_abort(struct svad_chan *chan, int error)
{
	struct svad_req *req, *next;
	LIST_HEAD(busy);

	spin_lock_irq(&chan->lock);
	list_splice_init(&chan->busy, &busy);
	atomic_sub(chan->in_flight, &svad_stats.in_flight);
	chan->in_flight = 0;
	spin_unlock_irq(&chan->lock);
	list_for_each_entry_safe(req, next, &busy, busy) {
		list_del_init(&req->busy);
		svad_req_fail(req, error);
		atomic_set(&req->pending, 1);
		req_unpend(req);
	}
}

/**
 * svad_queue_drain - wait until the hardware has no descriptor of a channel
 * @chan: the channel, stopped
 * @until: no longer than this, in jiffies; then it is terminated, if its driver can do that
 *
 * Return: whether it has none
 */
bool svad_queue_drain(struct svad_chan *chan, unsigned long until)
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
		svad_queue_abort(chan, -EIO);
	return ended;
}

/* ---- suspend ---- */

/*
 * From now on the hardware of no channel gets a descriptor. Returns whether that of this channel
 * has completed all of them before @until.
 */
bool svad_queue_pause(struct svad_chan *chan, unsigned long until)
{
	unsigned long now = jiffies;

	WRITE_ONCE(paused, true);
	/* A thread that has not seen it has counted its descriptor when the lock is free. */
	spin_lock_irq(&chan->lock);
	spin_unlock_irq(&chan->lock);
	return wait_event_timeout(chan->idle, !READ_ONCE(chan->in_flight),
				  time_before(now, until) ? until - now : 0);
}

void svad_queue_resume(void)
{
	struct svad_chan *chan;
	unsigned int i;

	WRITE_ONCE(paused, false);
	for (i = 0; i < SVAD_MAX_CHANNELS; i++) {
		chan = svad_chan_at(i);
		if (!chan)
			continue;
		svad_queue_kick(chan);
		svad_chan_put(chan);
	}
}
