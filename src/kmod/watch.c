// SPDX-License-Identifier: GPL-2.0
/*
 * Finds channels, when the device is opened and until the last file is closed, and learns that they
 * go away.
 *
 * dmaengine reports to its clients neither that there is a new channel nor that one goes away. Two
 * notifiers do: that of the bus, which is called before the driver of a device is unbound, and the
 * interface of the class "dma", which is called when a channel is registered and unregistered (idxd
 * does that for one queue without unbinding the device).
 *
 * A channel is taken only while both watch it and it is known to be registered: a driver may have a
 * channel in its list before it is registered and after it was unregistered (idxd does), dmaengine
 * then offers it, and nothing reports when it is freed.
 */
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include "base.h"
#include "channel.h"
#include "compat.h"
#include "turns.h"
#include "users.h"
#include "watch.h"

/* One notifier on each bus that has a device with channels. */
struct svad_bus {
	struct list_head link;
	typeof(((struct device *)NULL)->bus) bus;
	struct notifier_block nb;
};

/**
 * struct svad_registered - a channel that is registered
 * @link: in the list of them
 * @device: that of the channel in the class
 * @usable: not before this, in jiffies
 */
struct svad_registered {
	struct list_head link;
	struct device *device;
	unsigned long usable;
};

static void search_again(struct work_struct *work);
static DECLARE_DELAYED_WORK(search_again_work, search_again);
static atomic_t searches_left;

/* Used by search() alone. */
static LIST_HEAD(buses);
static typeof(((struct device *)NULL)->bus) unwatched_bus;	/* that a search has met */
static bool class_watched;

static DEFINE_SPINLOCK(registered_lock);
static LIST_HEAD(registered);

static int bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == BUS_NOTIFY_UNBIND_DRIVER)
		svad_on_unbind(data);
	else if (action == BUS_NOTIFY_UNBOUND_DRIVER)
		svad_on_unbound(data);
	else
		return NOTIFY_DONE;
	return NOTIFY_OK;
}

/*
 * Unregistering a channel waits for svad_engine_lock here: while a search holds it, no registered
 * channel can go away.
 */
static void class_channel_removed(struct device *device)
{
	struct svad_registered *entry, *found = NULL;

	mutex_lock(&svad_engine_lock);
	spin_lock(&registered_lock);
	list_for_each_entry(entry, &registered, link) {
		if (entry->device == device) {
			found = entry;
			list_del(&found->link);
			break;
		}
	}
	spin_unlock(&registered_lock);
	mutex_unlock(&svad_engine_lock);
	kfree(found);
	svad_on_unregister(device);
}

/*
 * Called in the middle of the registration: the channel can be taken only later, and nothing
 * reports when. Channels that were registered earlier are reported as well, when the interface is
 * registered; they can be taken at once.
 */
static void class_channel_added(struct device *device)
{
	struct svad_registered *entry = kzalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry)
		return;
	entry->device = device;
	entry->usable = jiffies + (READ_ONCE(class_watched) ? HZ / 25 : 0);
	spin_lock(&registered_lock);
	list_add(&entry->link, &registered);
	spin_unlock(&registered_lock);
	atomic_set(&searches_left, 2);
	mod_delayed_work(svad_wq, &search_again_work, HZ / 20);
}

SVAD_CLASS_INTERFACE(class_watch, class_channel_added, class_channel_removed);

/* dmaengine does not export its class: it is found through the first channel. */
static int find_class(struct device *device, void *unused)
{
	if (!device->class || strcmp(device->class->name, "dma"))
		return 0;
	class_watch.class = device->class;
	return 1;
}

static bool bus_is_watched(struct device *device)
{
	struct svad_bus *bus;

	list_for_each_entry(bus, &buses, link) {
		if (bus->bus == device->bus)
			return true;
	}
	return !device->bus;
}

/*
 * dma->dev may be freed already, or not be there yet: only its address is used until it is known to
 * be registered.
 */
static bool chan_is_registered(struct dma_chan *dma)
{
	struct svad_registered *entry;
	bool found = false;

	spin_lock(&registered_lock);
	list_for_each_entry(entry, &registered, link) {
		if (entry->device == &dma->dev->device)
			found = time_after_eq(jiffies, entry->usable);
	}
	spin_unlock(&registered_lock);
	/*
	 * The device of another channel may have the same address now. The core clears this pointer
	 * before it calls class_channel_removed().
	 */
	return found && READ_ONCE(dma->dev->chan) == dma;
}

/* The filter of dma_request_channel(); called with svad_engine_lock held. */
static bool chan_wanted(struct dma_chan *dma, void *unused)
{
	struct device *device = dma->device->dev;

	if (svad_provider && *svad_provider && strcmp(svad_provider, dev_driver_string(device)) &&
	    strcmp(svad_provider, dev_name(device)))
		return false;
	if (!class_watch.class)
		device_for_each_child(device, NULL, find_class);
	if (!bus_is_watched(device)) {
		unwatched_bus = device->bus;
		return false;
	}
	return chan_is_registered(dma) && !svad_dev_is_unbinding(device);
}

/*
 * Begins to watch the class and the bus that a search has met, and returns whether one was new.
 * Notifiers run under locks of the driver core and take svad_engine_lock, so it must not be held to
 * register them.
 */
static bool watch(void)
{
	struct svad_bus *bus;
	bool more = false;

	if (class_watch.class && !class_watched)
		more = class_watched = !class_interface_register(&class_watch);
	bus = unwatched_bus ? kzalloc(sizeof(*bus), GFP_KERNEL) : NULL;
	if (!bus)
		return more;
	bus->bus = unwatched_bus;
	bus->nb.notifier_call = bus_event;
	/* Before notifiers that check, when a driver is unbound, for mappings that were left. */
	bus->nb.priority = INT_MAX;
	if (bus_register_notifier(bus->bus, &bus->nb)) {
		kfree(bus);
		return more;
	}
	list_add(&bus->link, &buses);
	return true;
}

static void take_channels(void)
{
	unsigned int limit = clamp_t(unsigned int, svad_max_channels, 1, SVAD_MAX_CHANNELS);
	struct dma_chan *dma;
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	do {
		unwatched_bus = NULL;
		mutex_lock(&svad_engine_lock);
		while (svad_chans_taken() < limit) {
			dma = dma_request_channel(mask, chan_wanted, NULL);
			if (!dma)
				break;
			if (svad_chan_add(dma)) {
				dma_release_channel(dma);
				break;
			}
		}
		mutex_unlock(&svad_engine_lock);
	} while (watch());
}

static void unwatch(void)
{
	struct svad_bus *bus, *next;

	if (class_watched)
		class_interface_unregister(&class_watch);
	class_watched = false;
	list_for_each_entry_safe(bus, next, &buses, link) {
		bus_unregister_notifier(bus->bus, &bus->nb);
		list_del(&bus->link);
		kfree(bus);
	}
}

/* ---- the work ---- */

static void search_again(struct work_struct *work)
{
	svad_search_soon();
	if (atomic_dec_if_positive(&searches_left) > 0)
		queue_delayed_work(svad_wq, &search_again_work, HZ);
}

/* Only one runs at a time; see users.c. */
static void search(struct work_struct *work)
{
	unsigned int asked;
	bool used = svad_users_exist(&asked);

	svad_chans_finish();
	if (used) {
		take_channels();
	} else {
		svad_chans_end_idle();
		if (!svad_chans_exist()) {
			unwatch();
			svad_devs_forget();
		}
	}
	svad_search_done(asked);
}

void svad_watch_init(void)
{
	svad_users_init(search);
}

/* No file is open, and no operation is left: all channels are idle. */
void svad_watch_exit(void)
{
	do {
		svad_search_now();
	} while (svad_chans_exist());
	cancel_delayed_work_sync(&search_again_work);
	svad_users_exit();
}
