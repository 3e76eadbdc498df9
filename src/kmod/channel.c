// SPDX-License-Identifier: GPL-2.0
/*
 * The channels in use, and their devices. look.c finds channels and learns that they go.
 *
 * The end of a channel has three steps, since hardware that has stopped may keep descriptors until
 * its driver is removed, and that removal goes on only when we have returned:
 *
 *   stop	No request finds the channel any more, and what waits for its turn fails.
 *   release	The channel goes back to dmaengine: when the hardware has nothing of ours, or at the
 *		last moment at which its memory exists.
 *   finish	When the hardware has nothing of ours, or its driver is gone: mappings end, the
 *		structure goes.
 */
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include "compat.h"
#include "internal.h"

DEFINE_MUTEX(sva_engine_lock);
static LIST_HEAD(devs);			/* changed under sva_engine_lock and table_lock */
static LIST_HEAD(chans);		/* that are not finished; sva_engine_lock */
unsigned int sva_taken;			/* channels that are not stopped; sva_engine_lock */

static DEFINE_SPINLOCK(table_lock);
static struct sva_chan *table[SVA_MAX_CHANNELS];

static void dev_free(struct kref *ref)
{
	struct sva_dev *dev = container_of(ref, struct sva_dev, ref);

	put_device(dev->dev);
	kfree(dev);
}

void sva_dev_get(struct sva_dev *dev)
{
	kref_get(&dev->ref);
}

void sva_dev_put(struct sva_dev *dev)
{
	kref_put(&dev->ref, dev_free);
}

static struct sva_dev *dev_of(struct device *device)
{
	struct sva_dev *dev;

	list_for_each_entry(dev, &devs, link) {
		if (dev->dev == device && !dev->leaving)
			return dev;
	}
	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return NULL;
	kref_init(&dev->ref);
	dev->dev = get_device(device);
	mutex_init(&dev->lock);
	INIT_LIST_HEAD(&dev->mappings);
	hash_init(dev->shared);
	spin_lock(&table_lock);
	list_add_tail(&dev->link, &devs);
	spin_unlock(&table_lock);
	return dev;
}

static void dev_forget(struct sva_dev *dev)
{
	lockdep_assert_held(&sva_engine_lock);
	spin_lock(&table_lock);
	list_del(&dev->link);
	spin_unlock(&table_lock);
	sva_dev_put(dev);
}

/* The last reference can go in an interrupt, where a device can not be let go. */
static void chan_free_work(struct work_struct *work)
{
	struct sva_chan *chan = container_of(work, struct sva_chan, release);

	sva_dev_put(chan->dev);
	kfree(chan);
	atomic_dec(&sva_stats.channels);
}

static void chan_free(struct kref *ref)
{
	struct sva_chan *chan = container_of(ref, struct sva_chan, ref);

	queue_work(sva_wq, &chan->release);
}

void sva_chan_put(struct sva_chan *chan)
{
	kref_put(&chan->ref, chan_free);
}

/* Limits are those of the device; a larger descriptor than its segment size only on the administrator's word. */
static void chan_limits(struct sva_chan *chan)
{
	struct device *device = chan->dev->dev;
	u64 max = sva_max_segment ? sva_max_segment : dma_get_max_seg_size(device);

	chan->node = dev_to_node(device);
	chan->align = 1U << chan->dma->device->copy_align;
	if (!dev_is_dma_coherent(device))
		chan->align = max_t(u32, chan->align, dma_get_cache_alignment());
	chan->max_segment = clamp_t(u64, max, PAGE_SIZE, 1UL << 30) & PAGE_MASK;
	chan->boundary = dma_get_seg_boundary(device);
}

int sva_chan_add(struct dma_chan *dma)
{
	struct sva_dev *dev = dev_of(dma->device->dev);
	struct sva_chan *chan;
	unsigned int index;

	chan = dev ? kzalloc(sizeof(*chan), GFP_KERNEL) : NULL;
	if (!chan) {
		if (dev && !dev->channels)
			dev_forget(dev);
		return -ENOMEM;
	}
	kref_init(&chan->ref);
	chan->dma = dma;
	chan->class_device = &dma->dev->device;
	chan->dev = dev;
	strscpy(chan->name, dma_chan_name(dma), sizeof(chan->name));
	strscpy(chan->device, dev_name(dev->dev), sizeof(chan->device));
	strscpy(chan->driver, dev_driver_string(dev->dev), sizeof(chan->driver));
	chan_limits(chan);
	mutex_init(&chan->dispatch);
	INIT_DELAYED_WORK(&chan->work, sva_queue_work);
	INIT_WORK(&chan->release, chan_free_work);
	init_waitqueue_head(&chan->idle);
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->turns);
	INIT_LIST_HEAD(&chan->busy);

	sva_dev_get(dev);
	dev->channels++;
	list_add_tail(&chan->link, &chans);
	WRITE_ONCE(sva_taken, sva_taken + 1);
	atomic_inc(&sva_stats.channels);
	spin_lock(&table_lock);
	for (index = 0; table[index]; index++)
		;	/* the caller made sure that there is room */
	chan->index = index;
	table[index] = chan;
	spin_unlock(&table_lock);
	return 0;
}

/* The first step. The place in the table is free when no request refers to it any more. */
static void chan_stop(struct sva_chan *chan)
{
	lockdep_assert_held(&sva_engine_lock);
	if (chan->stopped)
		return;
	chan->stopped = true;
	WRITE_ONCE(sva_taken, sva_taken - 1);
	sva_queue_stop(chan);
	spin_lock(&table_lock);
	table[chan->index] = NULL;
	spin_unlock(&table_lock);
}

/* The second step. Not under sva_engine_lock: drivers may wait in there. */
static void chan_release(struct sva_chan *chan)
{
	mutex_lock(&chan->dispatch);
	if (chan->dma)
		dma_release_channel(chan->dma);
	chan->dma = NULL;
	mutex_unlock(&chan->dispatch);
}

/* The third step, if it is time for it. */
static void chan_finish(struct sva_chan *chan)
{
	struct sva_dev *dev = chan->dev;

	lockdep_assert_held(&sva_engine_lock);
	if (chan->finished || !chan->stopped || READ_ONCE(chan->dma) || READ_ONCE(chan->in_flight))
		return;
	chan->finished = true;
	list_del(&chan->link);
	if (!--dev->channels) {
		sva_dev_unmap_all(dev);
		if (!dev->leaving)
			dev_forget(dev);
	}
	sva_chan_put(chan);
}

/* Channels that were released with descriptors in flight, which are done now. */
void sva_chans_finish(void)
{
	struct sva_chan *chan, *next;

	mutex_lock(&sva_engine_lock);
	list_for_each_entry_safe(chan, next, &chans, link)
		chan_finish(chan);
	mutex_unlock(&sva_engine_lock);
}

/* Ends the channels that have nothing to do. Those that have are asked again when they are done. */
void sva_chans_end_idle(void)
{
	struct sva_chan *chan, *next;
	LIST_HEAD(idle);

	mutex_lock(&sva_engine_lock);
	list_for_each_entry_safe(chan, next, &chans, link) {
		if (chan->stopped || READ_ONCE(chan->in_flight) ||
		    !list_empty_careful(&chan->turns))
			continue;
		chan_stop(chan);
		kref_get(&chan->ref);
		list_add_tail(&chan->ending, &idle);
	}
	mutex_unlock(&sva_engine_lock);
	list_for_each_entry(chan, &idle, ending)
		chan_release(chan);
	mutex_lock(&sva_engine_lock);
	list_for_each_entry_safe(chan, next, &idle, ending) {
		chan_finish(chan);
		sva_chan_put(chan);
	}
	mutex_unlock(&sva_engine_lock);
}

bool sva_chans_exist(void)
{
	bool exist;

	mutex_lock(&sva_engine_lock);
	exist = !list_empty(&chans);
	mutex_unlock(&sva_engine_lock);
	return exist;
}

/* There are no channels, and notifiers no longer report that a driver has been unbound. */
void sva_devs_forget(void)
{
	struct sva_dev *dev, *next;

	mutex_lock(&sva_engine_lock);
	list_for_each_entry_safe(dev, next, &devs, link)
		dev_forget(dev);
	mutex_unlock(&sva_engine_lock);
}

/*
 * Waits for the hardware, and where it does not come, says so once and leaves it to its driver's
 * removal.
 */
static void chan_drain(struct sva_chan *chan, unsigned long until)
{
	if (READ_ONCE(chan->late) || sva_queue_drain(chan, until))
		return;
	WRITE_ONCE(chan->late, true);
	dev_warn(
		chan->dev->dev,
		"%s: %u descriptors are stuck; memory stays pinned until the driver aborts them\n",
		chan->name, READ_ONCE(chan->in_flight));
}

/**
 * sva_dev_leaves - the driver of a device is about to be unbound
 * @device: the device
 *
 * Where the hardware does not finish in time, and its driver cannot stop it otherwise, the removal
 * of the driver has to go on: only that aborts what is in flight. The channels are then released
 * when they are unregistered.
 */
void sva_dev_leaves(struct device *device)
{
	unsigned long until = jiffies + SVA_PATIENCE;
	struct sva_chan *chan, *next;
	struct sva_dev *dev;
	LIST_HEAD(leaving);

	mutex_lock(&sva_engine_lock);
	spin_lock(&table_lock);
	list_for_each_entry(dev, &devs, link) {
		if (dev->dev == device)
			dev->leaving = true;
	}
	spin_unlock(&table_lock);
	list_for_each_entry_safe(chan, next, &chans, link) {
		if (chan->dev->dev != device)
			continue;
		chan_stop(chan);
		kref_get(&chan->ref);
		list_add_tail(&chan->leaving, &leaving);
	}
	mutex_unlock(&sva_engine_lock);
	list_for_each_entry(chan, &leaving, leaving) {
		chan_drain(chan, until);
		if (!READ_ONCE(chan->in_flight))
			chan_release(chan);
	}
	mutex_lock(&sva_engine_lock);
	list_for_each_entry_safe(chan, next, &leaving, leaving) {
		chan_finish(chan);
		sva_chan_put(chan);
	}
	mutex_unlock(&sva_engine_lock);
}

/**
 * sva_dev_left - the driver of a device is unbound
 * @device: the device
 *
 * The hardware does nothing any more, and what its driver has not reported done or aborted it will
 * not report.
 */
void sva_dev_left(struct device *device)
{
	struct sva_chan *chan, *next;
	struct sva_dev *dev, *next_dev;

	mutex_lock(&sva_engine_lock);
	list_for_each_entry_safe(chan, next, &chans, link) {
		if (chan->dev->dev != device || !chan->dev->leaving)
			continue;
		sva_queue_abort(chan, -ENODEV);
		chan_finish(chan);
	}
	list_for_each_entry_safe(dev, next_dev, &devs, link) {
		if (dev->dev == device && dev->leaving)
			dev_forget(dev);
	}
	mutex_unlock(&sva_engine_lock);
}

/**
 * sva_chan_leaves - a channel is being unregistered
 * @device: that of the channel in the class
 *
 * The memory of the channel may be gone when this has returned, so it is released here, even with
 * descriptors in flight: drivers abort those next. (idxd does so when a queue is disabled. Its
 * abort writes the cookie into the channel that it has freed, with any client that has something in
 * flight; so there is patience first.)
 */
void sva_chan_leaves(struct device *device)
{
	struct sva_chan *chan, *found = NULL;

	mutex_lock(&sva_engine_lock);
	list_for_each_entry(chan, &chans, link) {
		if (chan->class_device == device && READ_ONCE(chan->dma)) {
			found = chan;
			kref_get(&chan->ref);
			chan_stop(chan);
			break;
		}
	}
	mutex_unlock(&sva_engine_lock);
	if (!found)
		return;
	chan_drain(found, jiffies + SVA_PATIENCE);
	chan_release(found);
	mutex_lock(&sva_engine_lock);
	chan_finish(found);
	mutex_unlock(&sva_engine_lock);
	sva_chan_put(found);
}

/* Whether the driver of a device is being unbound. */
bool sva_dev_is_leaving(struct device *device)
{
	struct sva_dev *dev;
	bool leaving = false;

	spin_lock(&table_lock);
	list_for_each_entry(dev, &devs, link)
		leaving |= dev->dev == device && dev->leaving;
	spin_unlock(&table_lock);
	return leaving;
}

/*
 * Of the channels that are not stuck, else of all; of these, of the channels whose device the
 * buffers are mapped for already, else of all: the nearest to the node; of these the one with the
 * least to do, and among equals another one each time.
 */
struct sva_chan *sva_chan_choose(int node, struct sva_map *dst, struct sva_map *src)
{
	static atomic_t turn;
	unsigned int start = (unsigned int)atomic_inc_return(&turn);
	struct sva_chan *chan, *best = NULL;
	u64 cost, best_cost = 0, best_backlog = 0, backlog;
	unsigned int i;

	spin_lock(&table_lock);
	for (i = 0; i < SVA_MAX_CHANNELS; i++) {
		chan = table[(start + i) % SVA_MAX_CHANNELS];
		if (!chan || READ_ONCE(chan->dead))
			continue;
		cost = node >= 0 && chan->node >= 0 ? 2 * node_distance(node, chan->node) : 0;
		cost += node != chan->node;
		if (dst && READ_ONCE(dst->home) && READ_ONCE(dst->home) != chan->dev)
			cost += 1 << 16;
		if (src && READ_ONCE(src->home) && READ_ONCE(src->home) != chan->dev)
			cost += 1 << 16;
		if (sva_chan_is_stuck(chan))
			cost += 1 << 20;
		backlog = atomic64_read(&chan->backlog);
		if (best && (cost > best_cost || (cost == best_cost && backlog >= best_backlog)))
			continue;
		best = chan;
		best_cost = cost;
		best_backlog = backlog;
	}
	if (best)
		kref_get(&best->ref);
	spin_unlock(&table_lock);
	return best;
}

struct sva_chan *sva_chan_at(unsigned int index)
{
	struct sva_chan *chan = NULL;

	spin_lock(&table_lock);
	if (index < SVA_MAX_CHANNELS)
		chan = table[index];
	if (chan)
		kref_get(&chan->ref);
	spin_unlock(&table_lock);
	return chan;
}

void sva_channels_tell(struct sva_dma_info *info)
{
	unsigned int i;

	info->align = 1;
	spin_lock(&table_lock);
	for (i = 0; i < SVA_MAX_CHANNELS; i++) {
		if (!table[i])
			continue;
		info->nr_channels++;
		info->channel_limit = i + 1;
		info->align = max(info->align, table[i]->align);
		if (table[i]->node >= 0 && table[i]->node < 64)
			info->nodes |= 1ULL << table[i]->node;
	}
	spin_unlock(&table_lock);
}
