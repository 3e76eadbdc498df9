// SPDX-License-Identifier: GPL-2.0
/*
 * The channels in use, and the choice of one of them. channel.c adds and ends channels.
 */
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include "base.h"
#include "table.h"

static DEFINE_SPINLOCK(table_lock);
static struct svad_chan *table[SVAD_MAX_CHANNELS];

/* ---- the structure ---- */

/* The last reference can be dropped in an interrupt, where that to a device cannot be. */
static void chan_free_work(struct work_struct *work)
{
	struct svad_chan *chan = container_of(work, struct svad_chan, release);

	svad_dev_put(chan->dev);
	kfree(chan);
	atomic_dec(&svad_stats.channels);
}

static void chan_free(struct kref *ref)
{
	struct svad_chan *chan = container_of(ref, struct svad_chan, ref);

	queue_work(svad_wq, &chan->release);
}

void svad_chan_put(struct svad_chan *chan)
{
	kref_put(&chan->ref, chan_free);
}

/*
 * Limits are those of the device. A parameter of the module, which only the administrator can set,
 * allows larger descriptors than its segment size.
 */
static void chan_limits(struct svad_chan *chan)
{
	struct device *device = chan->dev->dev;
	u64 max = svad_max_segment ? svad_max_segment : dma_get_max_seg_size(device);

	chan->node = dev_to_node(device);
	chan->align = 1U << chan->dma->device->copy_align;
	if (!dev_is_dma_coherent(device))
		chan->align = max_t(u32, chan->align, dma_get_cache_alignment());
	chan->max_segment = clamp_t(u64, max, PAGE_SIZE, 1UL << 30) & PAGE_MASK;
	chan->boundary = dma_get_seg_boundary(device);
}

/**
 * svad_chan_create - the structure of a channel that dmaengine has given to the module
 * @dma: the channel
 * @dev: its device
 * @dispatch: the work that makes descriptors
 *
 * Return: a channel with one reference, not yet in the table; or NULL without memory
 */
struct svad_chan *svad_chan_create(struct dma_chan *dma, struct svad_dev *dev, work_func_t dispatch)
{
	struct svad_chan *chan = kzalloc(sizeof(*chan), GFP_KERNEL);

	if (!chan)
		return NULL;
	kref_init(&chan->ref);
	chan->dma = dma;
	chan->class_device = &dma->dev->device;
	svad_dev_get(dev);
	chan->dev = dev;
	strscpy(chan->name, dma_chan_name(dma), sizeof(chan->name));
	strscpy(chan->device, dev_name(dev->dev), sizeof(chan->device));
	strscpy(chan->driver, dev_driver_string(dev->dev), sizeof(chan->driver));
	chan_limits(chan);
	mutex_init(&chan->dispatch);
	INIT_DELAYED_WORK(&chan->work, dispatch);
	INIT_WORK(&chan->release, chan_free_work);
	init_waitqueue_head(&chan->idle);
	spin_lock_init(&chan->lock);
	INIT_LIST_HEAD(&chan->turns);
	INIT_LIST_HEAD(&chan->busy);
	atomic_inc(&svad_stats.channels);
	return chan;
}

/* ---- the table ---- */

/* The caller made sure that there is room: svad_max_channels is at most SVAD_MAX_CHANNELS. */
void svad_table_insert(struct svad_chan *chan)
{
	unsigned int index;

	spin_lock(&table_lock);
	for (index = 0; table[index]; index++)
		;
	chan->index = index;
	table[index] = chan;
	spin_unlock(&table_lock);
}

void svad_table_remove(struct svad_chan *chan)
{
	spin_lock(&table_lock);
	table[chan->index] = NULL;
	spin_unlock(&table_lock);
}

struct svad_chan *svad_chan_at(unsigned int index)
{
	struct svad_chan *chan = NULL;

	spin_lock(&table_lock);
	if (index < SVAD_MAX_CHANNELS)
		chan = table[index];
	if (chan)
		kref_get(&chan->ref);
	spin_unlock(&table_lock);
	return chan;
}

/* What speaks against a channel, the worst most: stuck, buffers mapped for others, its node. */
static u64 chan_cost(struct svad_chan *chan, int node, const struct svad_dev *dst_home,
		     const struct svad_dev *src_home)
{
	u64 cost = node >= 0 && chan->node >= 0 ? 2 * node_distance(node, chan->node) : 0;

	cost += node != chan->node;
	if (dst_home && dst_home != chan->dev)
		cost += 1 << 16;
	if (src_home && src_home != chan->dev)
		cost += 1 << 16;
	if (svad_chan_is_stuck(chan))
		cost += 1 << 20;
	return cost;
}

/**
 * svad_chan_choose - a channel for an operation
 * @node: the NUMA node that it should be near to
 * @dst_home: the device that the destination is mapped for already, or NULL; only compared
 * @src_home: the same of the source
 *
 * Of the channels that are not stuck, else of all; of these, of the channels whose device the
 * buffers are mapped for already, else of all: the nearest to the node. Of these the one with the
 * fewest bytes queued, and among equals another one each time.
 *
 * Return: a channel with a reference for the caller, or NULL if there is none
 */
struct svad_chan *svad_chan_choose(int node, const struct svad_dev *dst_home,
				   const struct svad_dev *src_home)
{
	static atomic_t turn;
	unsigned int start = (unsigned int)atomic_inc_return(&turn);
	u64 cost, best_cost = 0, best_backlog = 0, backlog;
	struct svad_chan *chan, *best = NULL;
	unsigned int i;

	spin_lock(&table_lock);
	for (i = 0; i < SVAD_MAX_CHANNELS; i++) {
		chan = table[(start + i) % SVAD_MAX_CHANNELS];
		if (!chan || READ_ONCE(chan->dead))
			continue;
		cost = chan_cost(chan, node, dst_home, src_home);
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

/* What SVA_DMA_INFO reports of the channels. */
void svad_table_describe(struct sva_dma_info *info)
{
	unsigned int i;

	info->align = 1;
	spin_lock(&table_lock);
	for (i = 0; i < SVAD_MAX_CHANNELS; i++) {
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
