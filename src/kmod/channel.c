// SPDX-License-Identifier: GPL-2.0
/*
 * Channels begin and end. watch.c finds channels, and learns that they go away.
 *
 * A channel ends in three steps, since hardware that has stopped may keep descriptors until its
 * driver is removed, and that removal goes on only when the functions here have returned:
 *
 *   stop	No request finds the channel any more, and queued requests fail.
 *   release	The channel is returned to dmaengine: when the hardware has none of its descriptors,
 *		or at the last moment at which its memory exists.
 *   finish	When the hardware has none of its descriptors, or its driver is gone: mappings end,
 *		and the structure is freed with its last reference.
 */
#include <linux/device.h>
#include <linux/dmaengine.h>
#include "base.h"
#include "channel.h"
#include "queue.h"

DEFINE_MUTEX(svad_engine_lock);
static LIST_HEAD(devs);			/* svad_engine_lock */
static LIST_HEAD(chans);		/* that are not finished; svad_engine_lock */
static unsigned int taken;		/* channels that are not stopped; svad_engine_lock */

static struct svad_dev *dev_of(struct device *device)
{
	struct svad_dev *dev;

	lockdep_assert_held(&svad_engine_lock);
	list_for_each_entry(dev, &devs, link) {
		if (dev->dev == device && !dev->unbinding)
			return dev;
	}
	dev = svad_dev_create(device);
	if (dev)
		list_add_tail(&dev->link, &devs);
	return dev;
}

static void dev_forget(struct svad_dev *dev)
{
	lockdep_assert_held(&svad_engine_lock);
	list_del(&dev->link);
	svad_dev_put(dev);
}

/* ---- the beginning ---- */

/* Called with svad_engine_lock held, for a channel that dmaengine has given to the module. */
int svad_chan_add(struct dma_chan *dma)
{
	struct svad_dev *dev = dev_of(dma->device->dev);
	struct svad_chan *chan = dev ? svad_chan_create(dma, dev, svad_queue_work) : NULL;

	if (!chan) {
		if (dev && !dev->channels)
			dev_forget(dev);
		return -ENOMEM;
	}
	dev->channels++;
	list_add_tail(&chan->link, &chans);
	WRITE_ONCE(taken, taken + 1);
	svad_table_insert(chan);
	return 0;
}

/* How many channels take requests. Without svad_engine_lock the number may change at any time. */
unsigned int svad_chans_taken(void)
{
	return READ_ONCE(taken);
}

/* ---- the end ---- */

/*
 * The first step. The place in the table is given up when no queued request is in the turns that
 * belong to it.
 */
static void chan_stop(struct svad_chan *chan)
{
	lockdep_assert_held(&svad_engine_lock);
	if (chan->stopped)
		return;
	chan->stopped = true;
	WRITE_ONCE(taken, taken - 1);
	svad_queue_stop(chan);
	svad_table_remove(chan);
}

/* The second step. Not under svad_engine_lock: drivers may wait in this call. */
static void chan_release(struct svad_chan *chan)
{
	mutex_lock(&chan->dispatch);
	if (chan->dma)
		dma_release_channel(chan->dma);
	chan->dma = NULL;
	mutex_unlock(&chan->dispatch);
}

/* The third step, if the others are done and the hardware has no descriptor. */
static void chan_finish(struct svad_chan *chan)
{
	struct svad_dev *dev = chan->dev;

	lockdep_assert_held(&svad_engine_lock);
	if (chan->finished || !chan->stopped || READ_ONCE(chan->dma) || READ_ONCE(chan->in_flight))
		return;
	chan->finished = true;
	list_del(&chan->link);
	if (!--dev->channels) {
		svad_dev_unmap_all(dev);
		if (!dev->unbinding)
			dev_forget(dev);
	}
	svad_chan_put(chan);
}

/* Finishes channels that were released with descriptors in flight, which are done now. */
void svad_chans_finish(void)
{
	struct svad_chan *chan, *next;

	mutex_lock(&svad_engine_lock);
	list_for_each_entry_safe(chan, next, &chans, link)
		chan_finish(chan);
	mutex_unlock(&svad_engine_lock);
}

/* Ends the idle channels. When others become idle, this is called again. */
void svad_chans_end_idle(void)
{
	struct svad_chan *chan, *next;
	LIST_HEAD(idle);

	mutex_lock(&svad_engine_lock);
	list_for_each_entry_safe(chan, next, &chans, link) {
		if (chan->stopped || READ_ONCE(chan->in_flight) ||
		    !list_empty_careful(&chan->turns))
			continue;
		chan_stop(chan);
		kref_get(&chan->ref);
		list_add_tail(&chan->ending, &idle);
	}
	mutex_unlock(&svad_engine_lock);
	list_for_each_entry(chan, &idle, ending)
		chan_release(chan);
	mutex_lock(&svad_engine_lock);
	list_for_each_entry_safe(chan, next, &idle, ending) {
		chan_finish(chan);
		svad_chan_put(chan);
	}
	mutex_unlock(&svad_engine_lock);
}

bool svad_chans_exist(void)
{
	bool exist;

	mutex_lock(&svad_engine_lock);
	exist = !list_empty(&chans);
	mutex_unlock(&svad_engine_lock);
	return exist;
}

/* Called when there are no channels, and notifiers no longer report that a driver is unbound. */
void svad_devs_forget(void)
{
	struct svad_dev *dev, *next;

	mutex_lock(&svad_engine_lock);
	list_for_each_entry_safe(dev, next, &devs, link)
		dev_forget(dev);
	mutex_unlock(&svad_engine_lock);
}

/*
 * Waits for the hardware. If it does not complete its descriptors in time, logs that once and
 * leaves them to the removal of its driver.
 */
static void chan_drain(struct svad_chan *chan, unsigned long until)
{
	if (READ_ONCE(chan->late) || svad_queue_drain(chan, until))
		return;
	WRITE_ONCE(chan->late, true);
	dev_warn(chan->dev->dev,
		 "%s: %u descriptors are stuck; memory stays pinned until the driver aborts them\n",
		 chan->name, READ_ONCE(chan->in_flight));
}

/**
 * svad_on_unbind - the driver of a device is about to be unbound
 * @device: the device
 *
 * If the hardware does not complete its descriptors in time, and its driver cannot terminate them,
 * this returns all the same: only the removal of the driver aborts them. The channels are then
 * released when they are unregistered.
 */
void svad_on_unbind(struct device *device)
{
	unsigned long until = jiffies + SVAD_PATIENCE;
	struct svad_chan *chan, *next;
	struct svad_dev *dev;
	LIST_HEAD(leaving);

	mutex_lock(&svad_engine_lock);
	list_for_each_entry(dev, &devs, link) {
		if (dev->dev == device)
			dev->unbinding = true;
	}
	list_for_each_entry_safe(chan, next, &chans, link) {
		if (chan->dev->dev != device)
			continue;
		chan_stop(chan);
		kref_get(&chan->ref);
		list_add_tail(&chan->leaving, &leaving);
	}
	mutex_unlock(&svad_engine_lock);
	list_for_each_entry(chan, &leaving, leaving) {
		chan_drain(chan, until);
		if (!READ_ONCE(chan->in_flight))
			chan_release(chan);
	}
	mutex_lock(&svad_engine_lock);
	list_for_each_entry_safe(chan, next, &leaving, leaving) {
		chan_finish(chan);
		svad_chan_put(chan);
	}
	mutex_unlock(&svad_engine_lock);
}

/**
 * svad_on_unbound - the driver of a device is unbound
 * @device: the device
 *
 * The hardware works no more, and its driver will call no callback that it has not called yet.
 */
void svad_on_unbound(struct device *device)
{
	struct svad_chan *chan, *next;
	struct svad_dev *dev, *next_dev;

	mutex_lock(&svad_engine_lock);
	list_for_each_entry_safe(chan, next, &chans, link) {
		if (chan->dev->dev != device || !chan->dev->unbinding)
			continue;
		svad_queue_abort(chan, -ENODEV);
		chan_finish(chan);
	}
	list_for_each_entry_safe(dev, next_dev, &devs, link) {
		if (dev->dev == device && dev->unbinding)
			dev_forget(dev);
	}
	mutex_unlock(&svad_engine_lock);
}

/**
 * svad_on_unregister - a channel is being unregistered
 * @device: that of the channel in the class
 *
 * The memory of the channel may be freed when this has returned, so it is released here, even with
 * descriptors in flight: drivers abort those next. (idxd does so when a queue is disabled. Its
 * abort writes the cookie of each descriptor in flight into the channel that it has freed; so this
 * waits for the hardware first.)
 */
void svad_on_unregister(struct device *device)
{
	struct svad_chan *chan, *found = NULL;

	mutex_lock(&svad_engine_lock);
	list_for_each_entry(chan, &chans, link) {
		if (chan->class_device == device && READ_ONCE(chan->dma)) {
			found = chan;
			kref_get(&chan->ref);
			chan_stop(chan);
			break;
		}
	}
	mutex_unlock(&svad_engine_lock);
	if (!found)
		return;
	chan_drain(found, jiffies + SVAD_PATIENCE);
	chan_release(found);
	mutex_lock(&svad_engine_lock);
	chan_finish(found);
	mutex_unlock(&svad_engine_lock);
	svad_chan_put(found);
}

/* Whether the driver of a device is being unbound. Called with svad_engine_lock held. */
bool svad_dev_is_unbinding(struct device *device)
{
	struct svad_dev *dev;

	lockdep_assert_held(&svad_engine_lock);
	list_for_each_entry(dev, &devs, link) {
		if (dev->dev == device && dev->unbinding)
			return true;
	}
	return false;
}
