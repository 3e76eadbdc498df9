// SPDX-License-Identifier: GPL-2.0
/*
 * Finding channels: when the device is opened, and until the last file is closed, so that a
 * provider is kept busy (and loaded) only while it is used.
 *
 * dmaengine reports to its clients neither that a channel has come nor that one is going. Two
 * notifiers fill the gap: that of the bus, which is called before the driver of a device is
 * unbound, and the interface of the class "dma", which is called when a channel is registered and
 * unregistered (idxd does that for one queue without unbinding the device).
 *
 * A channel is taken only while both watch over it and it is known to live: a driver may have a
 * channel in its list before it is registered and after it was unregistered (idxd does), dmaengine
 * then offers it, and nothing reports when it is freed.
 */
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
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

static void look_again(struct work_struct *work);
static void look(struct work_struct *work);
static DECLARE_DELAYED_WORK(look_again_work, look_again);
static DECLARE_WORK(look_work, look);
static atomic_t looks_left;

static DEFINE_SPINLOCK(users_lock);
static unsigned int users;		/* open files; users_lock */
static unsigned int looks_asked;	/* users_lock */
static unsigned int looks_done;		/* users_lock */
static DECLARE_WAIT_QUEUE_HEAD(looks_wait);

/* Of look() alone. */
static LIST_HEAD(buses);
static typeof(((struct device *)NULL)->bus) unwatched_bus;	/* that a look has met */
static bool class_watched;

static DEFINE_SPINLOCK(lives_lock);
static LIST_HEAD(lives);

static int bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == BUS_NOTIFY_UNBIND_DRIVER)
		sva_dev_leaves(data);
	else if (action == BUS_NOTIFY_UNBOUND_DRIVER)
		sva_dev_left(data);
	else
		return NOTIFY_DONE;
	return NOTIFY_OK;
}

/*
 * The end of a channel waits for sva_engine_lock: while a look holds it, no channel that is
 * registered can go away.
 */
static void class_channel_gone(struct device *device)
{
	struct sva_live *live, *found = NULL;

	mutex_lock(&sva_engine_lock);
	spin_lock(&lives_lock);
	list_for_each_entry(live, &lives, link) {
		if (live->device == device) {
			found = live;
			list_del(&found->link);
			break;
		}
	}
	spin_unlock(&lives_lock);
	mutex_unlock(&sva_engine_lock);
	kfree(found);
	sva_chan_leaves(device);
}

/*
 * Called in the middle of the registration: the channel can be taken only later, and nothing
 * reports when. Those that were there before us are reported as well, when we register; they can be
 * taken at once.
 */
static void class_channel_come(struct device *device)
{
	struct sva_live *live = kzalloc(sizeof(*live), GFP_KERNEL);

	if (!live)
		return;
	live->device = device;
	live->ripe = jiffies + (READ_ONCE(class_watched) ? HZ / 25 : 0);
	spin_lock(&lives_lock);
	list_add(&live->link, &lives);
	spin_unlock(&lives_lock);
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

/*
 * dma->dev may be freed already, or not be there yet: only its address is used until it is known to
 * live.
 */
static bool chan_lives(struct dma_chan *dma)
{
	struct sva_live *live;
	bool lives_on = false;

	spin_lock(&lives_lock);
	list_for_each_entry(live, &lives, link) {
		if (live->device == &dma->dev->device)
			lives_on = time_after_eq(jiffies, live->ripe);
	}
	spin_unlock(&lives_lock);
	/*
	 * That of another channel may have the same address now; and the core clears this one
	 * before it calls us.
	 */
	return lives_on && READ_ONCE(dma->dev->chan) == dma;
}

static bool chan_wanted(struct dma_chan *dma, void *unused)
{
	struct device *device = dma->device->dev;

	if (sva_provider && *sva_provider && strcmp(sva_provider, dev_driver_string(device)) &&
	    strcmp(sva_provider, dev_name(device)))
		return false;
	if (!class_watch.class)
		device_for_each_child(device, NULL, class_learn);
	if (!bus_is_watched(device)) {
		unwatched_bus = device->bus;
		return false;
	}
	return chan_lives(dma) && !sva_dev_is_leaving(device);
}

/*
 * Begins to watch what a look has met, and returns whether that was something new. Notifiers run
 * under locks of the driver core and take sva_engine_lock, so it must not be held to register them.
 */
static bool watch(void)
{
	struct sva_bus *bus;
	bool more = false;

	if (class_watch.class && !class_watched)
		more = class_watched = !class_interface_register(&class_watch);
	bus = unwatched_bus ? kzalloc(sizeof(*bus), GFP_KERNEL) : NULL;
	if (!bus)
		return more;
	bus->bus = unwatched_bus;
	bus->nb.notifier_call = bus_event;
	/* Before those that look, when a driver is gone, for mappings that were left behind. */
	bus->nb.priority = INT_MAX;
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
		mutex_lock(&sva_engine_lock);
		while (sva_taken < limit) {
			dma = dma_request_channel(mask, chan_wanted, NULL);
			if (!dma)
				break;
			if (sva_chan_add(dma)) {
				dma_release_channel(dma);
				break;
			}
		}
		mutex_unlock(&sva_engine_lock);
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

/* ---- users ---- */

static void look_again(struct work_struct *work)
{
	sva_look_soon();
	if (atomic_dec_if_positive(&looks_left) > 0)
		queue_delayed_work(sva_wq, &look_again_work, HZ);
}

/*
 * All looking, watching and ending happens in this work, so that it needs no lock, and a thread
 * that opens the device waits for it in a way that a signal can end: a driver can take as long as
 * it likes to hand out a channel.
 */
static void look(struct work_struct *work)
{
	unsigned int asked;
	bool used;

	spin_lock(&users_lock);
	asked = looks_asked;
	used = users;
	spin_unlock(&users_lock);
	sva_chans_finish();
	if (used) {
		chan_look();
	} else {
		sva_chans_end_idle();
		if (!sva_chans_exist()) {
			unwatch();
			sva_devs_forget();
		}
	}
	spin_lock(&users_lock);
	looks_done = asked;
	spin_unlock(&users_lock);
	wake_up_all(&looks_wait);
}

void sva_look_soon(void)
{
	queue_work(sva_wq, &look_work);
}

/* The device is opened. Returns when channels were looked for, if there were none, or -EINTR. */
int sva_users_get(void)
{
	unsigned int asked;
	bool enough;

	spin_lock(&users_lock);
	enough = users++ && READ_ONCE(sva_taken);
	if (!enough)
		looks_asked++;
	asked = looks_asked;
	spin_unlock(&users_lock);
	if (enough)
		return 0;
	sva_look_soon();
	if (!wait_event_killable(looks_wait, (int)(READ_ONCE(looks_done) - asked) >= 0))
		return 0;
	sva_users_put();
	return -EINTR;
}

void sva_users_put(void)
{
	bool last;

	spin_lock(&users_lock);
	last = !--users;
	spin_unlock(&users_lock);
	if (last)
		sva_look_soon();
}

/* A closed file's last operation is done: its channel may be idle now. */
void sva_users_idle(void)
{
	if (!READ_ONCE(users))
		sva_look_soon();
}

/* No file is open, and no operation is left: all channels are idle. */
void sva_channels_exit(void)
{
	do {
		sva_look_soon();
		flush_work(&look_work);
	} while (sva_chans_exist());
	cancel_delayed_work_sync(&look_again_work);
	cancel_work_sync(&look_work);
}
