// SPDX-License-Identifier: GPL-2.0
/*
 * swdma: a dmaengine memcpy provider in software, for tests. A thread for each channel does the
 * copies and calls back from softirq context, as a driver's tasklet would, or from a thread that
 * can be preempted, as a threaded interrupt does ("threaded"). It can be slow, fail, work out of
 * order, stop as a whole or in single channels, and go away: through its parameters while it runs,
 * by unbinding a device from the driver in sysfs, and by unregistering one channel ("unregister" in
 * debugfs), which is what idxd does when a queue is disabled. If it has stopped and "terminates" is
 * off, only its own removal aborts its descriptors, as with an idxd device that has halted.
 *
 * It logs a WARN if memory that it works on is not pinned, if a channel is released with
 * descriptors in flight although it is not going away, and if the system suspends or resumes it
 * with descriptors in flight.
 */
#include <linux/auxiliary_bus.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>

#define MAX_DEVICES	8
#define MAX_CHANNELS	8

static unsigned int devices = 2;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices,
		 "how many devices; device n is on NUMA node n, modulo the number of nodes");
static unsigned int channels = 2;
module_param(channels, uint, 0444);
MODULE_PARM_DESC(channels, "how many channels each has");
static unsigned int slots = 16;
module_param(slots, uint, 0644);
MODULE_PARM_DESC(slots, "descriptors of a channel; with all of them in use it gives none");
static bool sleeps;
module_param(sleeps, bool, 0644);
MODULE_PARM_DESC(sleeps, "with all of them in use it sleeps until one is free, as idxd does");
static unsigned int delay_us;
module_param(delay_us, uint, 0644);
MODULE_PARM_DESC(delay_us, "how long each descriptor takes at least");
static unsigned int error_every;
module_param(error_every, uint, 0644);
MODULE_PARM_DESC(error_every, "every n-th descriptor fails, with the three results in turn");
static bool refuse_submit;
module_param(refuse_submit, bool, 0644);
MODULE_PARM_DESC(refuse_submit, "submitting fails");
static bool refuse_prep;
module_param(refuse_prep, bool, 0644);
MODULE_PARM_DESC(refuse_prep, "there are never any descriptors");
static bool reorder;
module_param(reorder, bool, 0644);
MODULE_PARM_DESC(reorder, "take descriptors in random order");
static bool stall;
module_param(stall, bool, 0644);
MODULE_PARM_DESC(stall, "do nothing");
static unsigned long long stall_mask;
module_param(stall_mask, ullong, 0644);
MODULE_PARM_DESC(stall_mask, "channel c of device d does nothing: bit d * 8 + c");
static unsigned int alloc_ms;
module_param(alloc_ms, uint, 0644);
MODULE_PARM_DESC(alloc_ms, "how long it takes to hand out a channel");
static bool threaded;
module_param(threaded, bool, 0644);
MODULE_PARM_DESC(threaded, "call back from a thread that can be preempted, as idxd does");
static bool terminates = true;
module_param(terminates, bool, 0444);
MODULE_PARM_DESC(terminates, "a channel can be stopped by force");
static bool check_pins = true;
module_param(check_pins, bool, 0644);
MODULE_PARM_DESC(check_pins, "warn of destinations that are not pinned (not with swiotlb=force)");
static unsigned int linger_ms;
module_param(linger_ms, uint, 0644);
MODULE_PARM_DESC(linger_ms,
		 "how long a channel that was unregistered stays in the list of its device");
static bool flip;
module_param(flip, bool, 0644);
MODULE_PARM_DESC(flip, "flip a bit in each copy: a test that does not notice is worth nothing");
static unsigned int max_segment;
module_param(max_segment, uint, 0444);
MODULE_PARM_DESC(max_segment, "longest segment (default: 64 KiB)");

struct sw_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head link;
	dma_addr_t dst;
	dma_addr_t src;
	size_t len;
};

struct sw_chan {
	struct dma_chan chan;
	struct task_struct *thread;
	wait_queue_head_t wait;		/* for work, and for a free slot */
	spinlock_t lock;
	struct list_head queue;
	unsigned int bit; /* in stall_mask */
	unsigned int used;
	unsigned int queued;
	atomic_t working;
	bool registered;
	u64 descriptors;
	u64 bytes;
};

struct sw_dev {
	struct dma_device dma;
	struct kref ref;
	struct dentry *debugfs;
	bool suspended;
	struct sw_chan chans[];
};

static struct dentry *debugfs;
static struct auxiliary_device *made[MAX_DEVICES];

static struct sw_chan *to_chan(struct dma_chan *chan)
{
	return container_of(chan, struct sw_chan, chan);
}

static struct sw_dev *to_dev(struct dma_device *dma)
{
	return container_of(dma, struct sw_dev, dma);
}

/* ---- the engine ---- */

static void look_at_pins(struct sw_chan *sw, const struct sw_desc *desc)
{
	phys_addr_t phys = dma_to_phys(sw->chan.device->dev, desc->dst), at;

	for (at = phys & PAGE_MASK; at < phys + desc->len; at += PAGE_SIZE)
		WARN_ONCE(!folio_maybe_dma_pinned(page_folio(pfn_to_page(PHYS_PFN(at)))),
			  "swdma: writing to a page that is not pinned\n");
}

static enum dmaengine_tx_result work_on(struct sw_chan *sw, const struct sw_desc *desc)
{
	static const enum dmaengine_tx_result errors[] = {
		DMA_TRANS_READ_FAILED, DMA_TRANS_WRITE_FAILED, DMA_TRANS_ABORTED
	};
	struct device *dev = sw->chan.device->dev;
	unsigned int every = READ_ONCE(error_every), wait = READ_ONCE(delay_us);
	u8 *dst = phys_to_virt(dma_to_phys(dev, desc->dst));
	u64 nr = ++sw->descriptors;

	if (wait)
		usleep_range(wait, wait + wait / 4 + 1);
	if (every && nr % every == 0)
		return errors[nr / every % ARRAY_SIZE(errors)];
	if (READ_ONCE(check_pins))
		look_at_pins(sw, desc);
	memcpy(dst, phys_to_virt(dma_to_phys(dev, desc->src)), desc->len);
	if (READ_ONCE(flip))
		dst[desc->len / 2] ^= 4;
	sw->bytes += desc->len;
	return DMA_TRANS_NOERROR;
}

static void call_back(const struct sw_desc *desc, const struct dmaengine_result *result)
{
	if (desc->tx.callback_result)
		desc->tx.callback_result(desc->tx.callback_param, result);
	else if (desc->tx.callback)
		desc->tx.callback(desc->tx.callback_param);
}

static void finish(struct sw_chan *sw, struct sw_desc *desc, enum dmaengine_tx_result how)
{
	struct dmaengine_result result = { .result = how };

	/* The slot is free before the callback, which may need one. */
	spin_lock_bh(&sw->lock);
	sw->used--;
	sw->chan.completed_cookie = desc->tx.cookie;
	spin_unlock_bh(&sw->lock);
	wake_up_all(&sw->wait);
	if (READ_ONCE(threaded)) {
		call_back(desc, &result);
	} else {
		local_bh_disable();
		call_back(desc, &result);
		local_bh_enable();
	}
	kfree(desc);
	atomic_dec(&sw->working);
	wake_up_all(&sw->wait);
}

static struct sw_desc *take(struct sw_chan *sw)
{
	struct sw_desc *desc = NULL;
	unsigned int skip;

	spin_lock_bh(&sw->lock);
	if (!list_empty(&sw->queue)) {
		skip = READ_ONCE(reorder) ? get_random_u32() % sw->queued : 0;
		list_for_each_entry(desc, &sw->queue, link) {
			if (!skip--)
				break;
		}
		list_del(&desc->link);
		sw->queued--;
		atomic_inc(&sw->working);
	}
	spin_unlock_bh(&sw->lock);
	return desc;
}

static bool has_work(struct sw_chan *sw)
{
	return !list_empty_careful(&sw->queue) && !READ_ONCE(stall) &&
	       !(READ_ONCE(stall_mask) & BIT_ULL(sw->bit));
}

static int engine(void *data)
{
	struct sw_chan *sw = data;
	struct sw_desc *desc;

	while (!kthread_should_stop()) {
		/* With a timeout: nothing wakes this thread when a parameter changes. */
		wait_event_interruptible_timeout(sw->wait, has_work(sw) || kthread_should_stop(),
						 HZ / 20);
		while (!kthread_should_stop() && has_work(sw)) {
			desc = take(sw);
			if (!desc)
				break;
			finish(sw, desc, work_on(sw, desc));
			cond_resched();
		}
	}
	return 0;
}

/* ---- operations of dmaengine ---- */

static dma_cookie_t sw_submit(struct dma_async_tx_descriptor *tx)
{
	struct sw_desc *desc = container_of(tx, struct sw_desc, tx);
	struct sw_chan *sw = to_chan(tx->chan);
	dma_cookie_t cookie;

	spin_lock_bh(&sw->lock);
	if (READ_ONCE(refuse_submit)) {
		sw->used--;
		spin_unlock_bh(&sw->lock);
		wake_up_all(&sw->wait);
		kfree(desc);
		return -EIO;
	}
	if (++tx->chan->cookie < DMA_MIN_COOKIE)
		tx->chan->cookie = DMA_MIN_COOKIE;
	cookie = tx->chan->cookie;
	tx->cookie = cookie;
	list_add_tail(&desc->link, &sw->queue);
	sw->queued++;
	spin_unlock_bh(&sw->lock);
	/* The engine may have finished and freed the descriptor already. */
	return cookie;
}

static bool slot_take(struct sw_chan *sw)
{
	bool got;

	spin_lock_bh(&sw->lock);
	got = sw->used < READ_ONCE(slots);
	if (got)
		sw->used++;
	spin_unlock_bh(&sw->lock);
	return got;
}

static struct dma_async_tx_descriptor *sw_prep(struct dma_chan *chan, dma_addr_t dst,
					       dma_addr_t src, size_t len, unsigned long flags)
{
	struct sw_chan *sw = to_chan(chan);
	struct sw_desc *desc;

	if (READ_ONCE(refuse_prep) || !len)
		return NULL;
	WARN_ONCE(READ_ONCE(to_dev(chan->device)->suspended),
		  "swdma: used while it is suspended\n");
	while (!slot_take(sw)) {
		if (!READ_ONCE(sleeps))
			return NULL;
		if (wait_event_interruptible_timeout(sw->wait, sw->used < READ_ONCE(slots), HZ) < 0)
			return NULL;
	}
	desc = kzalloc(sizeof(*desc), GFP_NOWAIT);
	if (!desc) {
		spin_lock_bh(&sw->lock);
		sw->used--;
		spin_unlock_bh(&sw->lock);
		return NULL;
	}
	dma_async_tx_descriptor_init(&desc->tx, chan);
	desc->tx.tx_submit = sw_submit;
	desc->tx.flags = flags;
	desc->dst = dst;
	desc->src = src;
	desc->len = len;
	return &desc->tx;
}

static void sw_issue(struct dma_chan *chan)
{
	wake_up_all(&to_chan(chan)->wait);
}

static enum dma_status sw_status(struct dma_chan *chan, dma_cookie_t cookie,
				 struct dma_tx_state *state)
{
	return DMA_OUT_OF_ORDER;
}

static int sw_alloc(struct dma_chan *chan)
{
	msleep(READ_ONCE(alloc_ms));
	return 1;
}

/*
 * The core clears dev->chan when a channel is going away. Then its removal aborts the descriptors
 * in flight.
 */
static void sw_free(struct dma_chan *chan)
{
	WARN_ONCE(to_chan(chan)->used && chan->dev->chan,
		  "swdma: a channel is released with descriptors in flight\n");
}

static void drop(struct sw_chan *sw, struct list_head *list)
{
	struct sw_desc *desc, *next;

	list_for_each_entry_safe(desc, next, list, link)
		kfree(desc);
}

/* Drops descriptors that have not begun, without a callback. */
static int sw_terminate(struct dma_chan *chan)
{
	struct sw_chan *sw = to_chan(chan);
	LIST_HEAD(list);

	spin_lock_bh(&sw->lock);
	list_splice_init(&sw->queue, &list);
	sw->used -= sw->queued;
	sw->queued = 0;
	spin_unlock_bh(&sw->lock);
	wake_up_all(&sw->wait);
	drop(sw, &list);
	return 0;
}

static void sw_synchronize(struct dma_chan *chan)
{
	struct sw_chan *sw = to_chan(chan);

	wait_event(sw->wait, !atomic_read(&sw->working));
}

/* ---- devices ---- */

static void sw_dev_free(struct kref *ref)
{
	kfree(container_of(ref, struct sw_dev, ref));
}

static void sw_release(struct dma_device *dma)
{
	kref_put(&to_dev(dma)->ref, sw_dev_free);
}

static int stats_show(struct seq_file *file, void *unused)
{
	struct sw_dev *dev = file->private;
	unsigned int i;

	for (i = 0; i < channels; i++)
		seq_printf(file, "%s %d %llu %llu %u\n", dev_name(dev->dma.dev), i,
			   dev->chans[i].descriptors, dev->chans[i].bytes, dev->chans[i].used);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* Descriptors in flight end as in hardware that was reset. */
static void abort_queue(struct sw_chan *sw)
{
	struct sw_desc *desc;

	while ((desc = take(sw)))
		finish(sw, desc, DMA_TRANS_ABORTED);
}

/*
 * First the channel is unregistered, then the hardware stops: the order of idxd when a queue is
 * disabled.
 */
static int unregister_set(void *data, u64 nr)
{
	struct sw_dev *dev = data;

	if (nr >= channels || !dev->chans[nr].registered)
		return -EINVAL;
	dev->chans[nr].registered = false;
	dma_async_device_channel_unregister(&dev->dma, &dev->chans[nr].chan);
	msleep(READ_ONCE(linger_ms));
	list_del(&dev->chans[nr].chan.device_node);
	abort_queue(&dev->chans[nr]);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(unregister_fops, NULL, unregister_set, "%llu\n");

static int start(struct sw_dev *dev, unsigned int i)
{
	struct sw_chan *sw = &dev->chans[i];

	sw->chan.device = &dev->dma;
	sw->bit = to_auxiliary_dev(dev->dma.dev)->id * MAX_CHANNELS + i;
	init_waitqueue_head(&sw->wait);
	spin_lock_init(&sw->lock);
	INIT_LIST_HEAD(&sw->queue);
	list_add_tail(&sw->chan.device_node, &dev->dma.channels);
	sw->registered = true;
	sw->thread = kthread_run(engine, sw, "swdma/%s/%u", dev_name(dev->dma.dev), i);
	if (!IS_ERR(sw->thread))
		return 0;
	sw->thread = NULL;
	return -ENOMEM;
}

static void stop_all(struct sw_dev *dev)
{
	unsigned int i;
	struct sw_chan *sw;

	for (i = 0; i < channels; i++) {
		sw = &dev->chans[i];
		if (!sw->thread)
			continue;
		kthread_stop(sw->thread);
		abort_queue(sw);
	}
}

static int sw_probe(struct auxiliary_device *adev, const struct auxiliary_device_id *id)
{
	struct sw_dev *dev = kzalloc(struct_size(dev, chans, channels), GFP_KERNEL);
	unsigned int i;
	int ret = 0;

	if (!dev)
		return -ENOMEM;
	kref_init(&dev->ref);
	dev->dma.dev = &adev->dev;
	INIT_LIST_HEAD(&dev->dma.channels);
	dma_cap_set(DMA_MEMCPY, dev->dma.cap_mask);
	dma_cap_set(DMA_PRIVATE, dev->dma.cap_mask);
	dma_cap_set(DMA_COMPLETION_NO_ORDER, dev->dma.cap_mask);
	dev->dma.device_prep_dma_memcpy = sw_prep;
	dev->dma.device_issue_pending = sw_issue;
	dev->dma.device_tx_status = sw_status;
	dev->dma.device_alloc_chan_resources = sw_alloc;
	dev->dma.device_free_chan_resources = sw_free;
	dev->dma.device_release = sw_release;
	if (terminates) {
		dev->dma.device_terminate_all = sw_terminate;
		dev->dma.device_synchronize = sw_synchronize;
	}
	for (i = 0; i < channels && !ret; i++)
		ret = start(dev, i);
	if (!ret)
		ret = dma_async_device_register(&dev->dma);
	if (ret) {
		stop_all(dev);
		kfree(dev);
		return ret;
	}
	auxiliary_set_drvdata(adev, dev);
	dev->debugfs = debugfs_create_dir(dev_name(&adev->dev), debugfs);
	debugfs_create_file("stats", 0444, dev->debugfs, dev, &stats_fops);
	debugfs_create_file_unsafe("unregister", 0200, dev->debugfs, dev, &unregister_fops);
	return 0;
}

static void sw_remove(struct auxiliary_device *adev)
{
	struct sw_dev *dev = auxiliary_get_drvdata(adev);

	debugfs_remove_recursive(dev->debugfs);
	kref_get(&dev->ref);
	dma_async_device_unregister(&dev->dma);
	stop_all(dev);
	kref_put(&dev->ref, sw_dev_free);
}

static void look_at_use(struct device *device, bool suspended)
{
	struct sw_dev *dev = dev_get_drvdata(device);
	unsigned int i;

	for (i = 0; i < channels; i++)
		WARN_ONCE(READ_ONCE(dev->chans[i].used),
			  "swdma: suspended or resumed with %u descriptors in flight\n",
			  dev->chans[i].used);
	WRITE_ONCE(dev->suspended, suspended);
}

static int sw_suspend(struct device *device)
{
	look_at_use(device, true);
	return 0;
}

static int sw_resume(struct device *device)
{
	look_at_use(device, false);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(sw_pm, sw_suspend, sw_resume);

static const struct auxiliary_device_id sw_ids[] = { { .name = "swdma.engine" }, { } };
MODULE_DEVICE_TABLE(auxiliary, sw_ids);

static struct auxiliary_driver sw_driver = {
	.name = "engine",
	.probe = sw_probe,
	.remove = sw_remove,
	.id_table = sw_ids,
	.driver.pm = pm_sleep_ptr(&sw_pm),
};

struct sw_made {
	struct auxiliary_device adev;
	struct device_dma_parameters parms;
	u64 mask;
};

static void made_release(struct device *device)
{
	kfree(container_of(device, struct sw_made, adev.dev));
}

static struct auxiliary_device *make_device(struct device *parent, unsigned int id)
{
	struct sw_made *new = kzalloc(sizeof(*new), GFP_KERNEL);
	struct device *device;

	if (!new)
		return NULL;
	device = &new->adev.dev;
	new->adev.name = "engine";
	new->adev.id = id;
	device->parent = parent;
	device->release = made_release;
	if (auxiliary_device_init(&new->adev)) {
		kfree(new);
		return NULL;
	}
	new->mask = DMA_BIT_MASK(64);
	device->dma_mask = &new->mask;
	device->coherent_dma_mask = DMA_BIT_MASK(64);
	device->dma_parms = &new->parms;
	if (max_segment)
		dma_set_max_seg_size(device, max_segment);
	set_dev_node(device, id % num_online_nodes());
	if (auxiliary_device_add(&new->adev)) {
		auxiliary_device_uninit(&new->adev);
		return NULL;
	}
	return &new->adev;
}

static void unmake_all(void)
{
	unsigned int i;

	for (i = 0; i < MAX_DEVICES && made[i]; i++) {
		auxiliary_device_delete(made[i]);
		auxiliary_device_uninit(made[i]);
	}
}

static struct device *root;

static int __init sw_init(void)
{
	unsigned int i;
	int ret;

	if (!devices || devices > MAX_DEVICES || !channels || channels > MAX_CHANNELS)
		return -EINVAL;
	root = root_device_register("swdma");
	if (IS_ERR(root))
		return PTR_ERR(root);
	ret = auxiliary_driver_register(&sw_driver);
	if (ret)
		goto fail;
	debugfs = debugfs_create_dir("swdma", NULL);
	for (i = 0; i < devices && !ret; i++) {
		made[i] = make_device(root, i);
		ret = made[i] ? 0 : -ENOMEM;
	}
	if (!ret)
		return 0;
	unmake_all();
	auxiliary_driver_unregister(&sw_driver);
	debugfs_remove_recursive(debugfs);
fail:
	root_device_unregister(root);
	return ret;
}

static void __exit sw_exit(void)
{
	unmake_all();
	auxiliary_driver_unregister(&sw_driver);
	debugfs_remove_recursive(debugfs);
	root_device_unregister(root);
}

module_init(sw_init);
module_exit(sw_exit);

MODULE_DESCRIPTION("Software dmaengine provider for tests");
MODULE_LICENSE("GPL");
