// SPDX-License-Identifier: GPL-2.0
/*
 * The channels: found when somebody opens the device, let go when the last one has closed it, so that a provider is
 * kept busy (and loaded) only while it is wanted.
 *
 * dmaengine tells its clients neither that a channel has come nor that one is going. Two notifiers fill the gap:
 * that of the bus, which speaks before the driver of a device is unbound, and the interface of the class "dma",
 * which speaks when a channel is registered and unregistered (idxd does that for one queue without unbinding the
 * device).
 *
 * A channel is taken only while both watch over it and it is known to live: a driver may have a channel in its list
 * before it is registered and after it was unregistered (idxd does), dmaengine then offers it, and nobody would say
 * when it is freed.
 */
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include "compat.h"
#include "internal.h"

/* One notifier on each bus that has a device of ours. */
struct sva_bus {
	struct list_head link;
	typeof(((struct device *)NULL)->bus) bus;
	struct notifier_block nb;
};

/* A channel that is registered. */
struct sva_live {
	struct list_head link;
	struct device *device;
	unsigned long ripe;	/* not before this, in jiffies */
};

static DEFINE_MUTEX(users_lock);
static unsigned int users;		/* users_lock */
static LIST_HEAD(buses);		/* users_lock */
static typeof(((struct device *)NULL)->bus) unwatched_bus;	/* that a look has met; users_lock */
static bool class_watched;		/* users_lock */

static DEFINE_MUTEX(engine_lock);
static LIST_HEAD(devs);			/* changed under engine_lock and table_lock */
static LIST_HEAD(lives);		/* table_lock */
static unsigned int taken;		/* channels in the table; engine_lock */

static DEFINE_SPINLOCK(table_lock);
static struct sva_chan *table[SVA_MAX_CHANNELS];

static void look_again(struct work_struct *work);
static void let_go(struct work_struct *work);
static DECLARE_DELAYED_WORK(look_again_work, look_again);
static atomic_t looks_left;
static DECLARE_WORK(let_go_work, let_go);

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

static int chan_add(struct dma_chan *dma)
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
	taken++;
	atomic_inc(&sva_stats.channels);
	spin_lock(&table_lock);
	for (index = 0; table[index]; index++)
		;	/* the caller made sure that there is room */
	chan->index = index;
	table[index] = chan;
	spin_unlock(&table_lock);
	return 0;
}

/* Returns when the hardware has nothing of ours any more. */
static void chan_remove(struct sva_chan *chan)
{
	struct sva_dev *dev = chan->dev;

	lockdep_assert_held(&engine_lock);
	spin_lock(&table_lock);
	table[chan->index] = NULL;
	spin_unlock(&table_lock);
	sva_queue_close(chan);
	if (!--dev->channels) {
		sva_dev_unmap_all(dev);
		if (!dev->leaving)
			dev_forget(dev);
	}
	dma_release_channel(chan->dma);
	chan->dma = NULL;
	taken--;
	sva_chan_put(chan);
}

static int bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	struct sva_dev *dev, *next;
	unsigned int i;

	if (action != BUS_NOTIFY_UNBIND_DRIVER && action != BUS_NOTIFY_UNBOUND_DRIVER)
		return NOTIFY_DONE;
	mutex_lock(&engine_lock);
	list_for_each_entry_safe(dev, next, &devs, link) {
		if (dev->dev != data)
			continue;
		if (action == BUS_NOTIFY_UNBOUND_DRIVER) {
			if (dev->leaving)
				dev_forget(dev);
			continue;
		}
		spin_lock(&table_lock);
		dev->leaving = true;
		spin_unlock(&table_lock);
		for (i = 0; i < SVA_MAX_CHANNELS; i++) {
			if (table[i] && table[i]->dev == dev)
				chan_remove(table[i]);
		}
	}
	mutex_unlock(&engine_lock);
	return NOTIFY_OK;
}

/* The end of a channel waits here, for engine_lock: who holds that may use what lives. */
static void class_channel_gone(struct device *device)
{
	struct sva_live *live, *found = NULL;
	unsigned int i;

	mutex_lock(&engine_lock);
	spin_lock(&table_lock);
	list_for_each_entry(live, &lives, link) {
		if (live->device == device) {
			found = live;
			list_del(&found->link);
			break;
		}
	}
	spin_unlock(&table_lock);
	kfree(found);
	for (i = 0; i < SVA_MAX_CHANNELS; i++) {
		if (table[i] && &table[i]->dma->dev->device == device)
			chan_remove(table[i]);
	}
	mutex_unlock(&engine_lock);
}

/*
 * Called in the middle of the registration: the channel can be had only later, and nobody says when. Those that were
 * there before us are reported as well, when we register; they can be had at once.
 */
static void class_channel_come(struct device *device)
{
	struct sva_live *live = kzalloc(sizeof(*live), GFP_KERNEL);

	if (!live)
		return;
	live->device = device;
	live->ripe = jiffies + (READ_ONCE(class_watched) ? HZ / 25 : 0);
	spin_lock(&table_lock);
	list_add(&live->link, &lives);
	spin_unlock(&table_lock);
	atomic_set(&looks_left, 2);
	mod_delayed_work(sva_wq, &look_again_work, HZ / 20);
}

SVA_CLASS_INTERFACE(class_watch, class_channel_come, class_channel_gone);

/* dmaengine exports no way to its class but a channel that has one. */
static int class_learn(struct device *device, void *unused)
{
	if (!device->class || strcmp(device->class->name, "dma"))
		return 0;
	class_watch.class = device->class;
	return 1;
}

static bool bus_is_watched(struct device *device)
{
	struct sva_bus *bus;

	list_for_each_entry(bus, &buses, link) {
		if (bus->bus == device->bus)
			return true;
	}
	return !device->bus;
}

/* dma->dev may be freed already, or not be there yet: only its address is used until it is known to live. */
static bool chan_lives(struct dma_chan *dma)
{
	struct sva_live *live;
	bool lives_on = false;

	spin_lock(&table_lock);
	list_for_each_entry(live, &lives, link) {
		if (live->device == &dma->dev->device)
			lives_on = time_after_eq(jiffies, live->ripe);
	}
	spin_unlock(&table_lock);
	/* Another channel's may have come to stand there; and the core clears this one before it tells us. */
	return lives_on && READ_ONCE(dma->dev->chan) == dma;
}

static bool chan_wanted(struct dma_chan *dma, void *unused)
{
	struct device *device = dma->device->dev;
	struct sva_dev *dev;
	bool wanted = true;

	if (sva_provider && *sva_provider && strcmp(sva_provider, dev_driver_string(device)) &&
	    strcmp(sva_provider, dev_name(device)))
		return false;
	if (!class_watch.class)
		device_for_each_child(device, NULL, class_learn);
	if (!bus_is_watched(device)) {
		unwatched_bus = device->bus;
		return false;
	}
	if (!chan_lives(dma))
		return false;
	spin_lock(&table_lock);
	list_for_each_entry(dev, &devs, link) {
		if (dev->dev == device && dev->leaving)
			wanted = false;
	}
	spin_unlock(&table_lock);
	return wanted;
}

/*
 * Begins to watch what a look has met; tells whether that was something new. Notifiers run under locks of the driver
 * core and take engine_lock, so it must not be held to register them.
 */
static bool watch(void)
{
	struct sva_bus *bus;
	bool more = false;

	lockdep_assert_held(&users_lock);
	if (class_watch.class && !class_watched)
		more = class_watched = !class_interface_register(&class_watch);
	bus = unwatched_bus ? kzalloc(sizeof(*bus), GFP_KERNEL) : NULL;
	if (!bus)
		return more;
	bus->bus = unwatched_bus;
	bus->nb.notifier_call = bus_event;
	if (bus_register_notifier(bus->bus, &bus->nb)) {
		kfree(bus);
		return more;
	}
	list_add(&bus->link, &buses);
	return true;
}

static void chan_look(void)
{
	unsigned int limit = clamp_t(unsigned int, sva_max_channels, 1, SVA_MAX_CHANNELS);
	struct dma_chan *dma;
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	do {
		unwatched_bus = NULL;
		mutex_lock(&engine_lock);
		while (taken < limit) {
			dma = dma_request_channel(mask, chan_wanted, NULL);
			if (!dma)
				break;
			if (chan_add(dma)) {
				dma_release_channel(dma);
				break;
			}
		}
		mutex_unlock(&engine_lock);
	} while (watch());
}

static void unwatch(void)
{
	struct sva_bus *bus, *next;

	if (class_watched)
		class_interface_unregister(&class_watch);
	class_watched = false;
	list_for_each_entry_safe(bus, next, &buses, link) {
		bus_unregister_notifier(bus->bus, &bus->nb);
		list_del(&bus->link);
		kfree(bus);
	}
}

static void look_again(struct work_struct *work)
{
	mutex_lock(&users_lock);
	if (users) {
		chan_look();
		if (atomic_dec_if_positive(&looks_left) > 0)
			queue_delayed_work(sva_wq, &look_again_work, HZ);
	}
	mutex_unlock(&users_lock);
}

static void let_go(struct work_struct *work)
{
	struct sva_dev *dev, *next;
	unsigned int i;

	mutex_lock(&users_lock);
	if (!users) {
		/* Taking the class interface away reports every channel as gone: that lets go of them. */
		unwatch();
		mutex_lock(&engine_lock);
		for (i = 0; i < SVA_MAX_CHANNELS; i++) {
			if (table[i])
				chan_remove(table[i]);
		}
		list_for_each_entry_safe(dev, next, &devs, link)
			dev_forget(dev);
		mutex_unlock(&engine_lock);
	}
	mutex_unlock(&users_lock);
}

void sva_users_get(void)
{
	mutex_lock(&users_lock);
	if (!users++ || !READ_ONCE(taken))
		chan_look();
	mutex_unlock(&users_lock);
}

void sva_users_put(void)
{
	mutex_lock(&users_lock);
	if (!--users)
		queue_work(sva_wq, &let_go_work);
	mutex_unlock(&users_lock);
}

/*
 * Of the channels whose device the buffers are mapped for already, else of all: the nearest to the node; of these the
 * one with the least to do, and among equals another one each time.
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
		if (!chan)
			continue;
		cost = node >= 0 && chan->node >= 0 ? 2 * node_distance(node, chan->node) : 0;
		cost += node != chan->node;
		if (dst && READ_ONCE(dst->home) && READ_ONCE(dst->home) != chan->dev)
			cost += 1 << 16;
		if (src && READ_ONCE(src->home) && READ_ONCE(src->home) != chan->dev)
			cost += 1 << 16;
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

void sva_channels_exit(void)
{
	flush_work(&let_go_work);
	cancel_delayed_work_sync(&look_again_work);
}
