// SPDX-License-Identifier: GPL-2.0
/*
 * sva_dma: memory copies and fills by a dmaengine channel, on memory of a program that the kernel maps for the device.
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include "internal.h"

struct sva_stats sva_stats;
struct workqueue_struct *sva_wq;

unsigned int sva_max_channels = 32;
module_param_named(max_channels, sva_max_channels, uint, 0644);
MODULE_PARM_DESC(max_channels, "most channels to take while the device is open (default 32, at most 64)");

unsigned int sva_depth = 32;
module_param_named(depth, sva_depth, uint, 0644);
MODULE_PARM_DESC(depth, "most descriptors in flight on one channel (default 32)");

unsigned long sva_max_segment;
module_param_named(max_segment, sva_max_segment, ulong, 0644);
MODULE_PARM_DESC(max_segment, "most bytes in one descriptor (default 0: what the device says)");

char *sva_provider;
module_param_named(provider, sva_provider, charp, 0444);
MODULE_PARM_DESC(provider, "take only channels of this driver or device (default: of any)");

static struct dentry *debugfs;

static struct miscdevice sva_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sva_dma",
	.fops = &sva_fops,
	.mode = 0600,
};

static void make_debugfs(void)
{
	debugfs = debugfs_create_dir("sva_dma", NULL);
	debugfs_create_atomic_t("clients", 0444, debugfs, &sva_stats.clients);
	debugfs_create_atomic_t("channels", 0444, debugfs, &sva_stats.channels);
	debugfs_create_atomic_t("maps", 0444, debugfs, &sva_stats.maps);
	debugfs_create_atomic_t("pinned", 0444, debugfs, &sva_stats.pinned);
	debugfs_create_atomic_t("mapped", 0444, debugfs, &sva_stats.mapped);
	debugfs_create_atomic_t("requests", 0444, debugfs, &sva_stats.requests);
	debugfs_create_atomic_t("in_flight", 0444, debugfs, &sva_stats.in_flight);
}

static int __init sva_init(void)
{
	int ret;

	/* Numbers that programs were built with. */
	BUILD_BUG_ON(sizeof(struct sva_dma_info) != 80 || sizeof(struct sva_dma_channel) != 128);
	BUILD_BUG_ON(sizeof(struct sva_dma_copy_args) != 56 || sizeof(struct sva_dma_fill_args) != 56);
	BUILD_BUG_ON(sizeof(struct sva_dma_map_args) != 40 || sizeof(struct sva_dma_unmap_args) != 16);
	BUILD_BUG_ON(sizeof(struct sva_dma_sync_args) != 32 || sizeof(struct sva_dma_op) != 64);
	BUILD_BUG_ON(sizeof(struct sva_dma_submit_args) != 32 || sizeof(struct sva_dma_wait_args) != 24);
	BUILD_BUG_ON(sizeof(struct sva_dma_cqe) != 16 || sizeof(struct sva_dma_ring) != 128);
	BUILD_BUG_ON(sizeof(struct sva_dma_uring_cmd) != 16);

	ret = sva_op_init();
	if (ret)
		return ret;
	sva_wq = alloc_workqueue("sva_dma", WQ_UNBOUND, 0);
	ret = -ENOMEM;
	if (!sva_wq)
		goto fail_op;
	ret = sva_pm_init();
	if (ret)
		goto fail_wq;
	make_debugfs();
	ret = misc_register(&sva_misc);
	if (ret)
		goto fail_pm;
	return 0;

fail_pm:
	debugfs_remove_recursive(debugfs);
	sva_pm_exit();
fail_wq:
	destroy_workqueue(sva_wq);
fail_op:
	sva_op_exit();
	return ret;
}

/*
 * Called when no file is open, and none that was closed has anything in flight: those hold the
 * module. The last step of each client and each channel is to take itself off the count.
 *
 * The last callback may still be on its way out of this module, in an interrupt or in a thread that
 * was preempted there (drivers with threaded interrupts call back from such a thread, and few can
 * be asked to wait for it). The first is over after a grace period of RCU, the second after one of
 * RCU tasks, which lasts until each thread has given up the processor of its own accord.
 */
static void __exit sva_exit(void)
{
	misc_deregister(&sva_misc);
	while (atomic_read(&sva_stats.clients))
		msleep(1);
	sva_channels_exit();
	while (atomic_read(&sva_stats.channels))
		msleep(1);
	sva_pm_exit();
	destroy_workqueue(sva_wq);
	synchronize_rcu();
	synchronize_rcu_tasks();
	debugfs_remove_recursive(debugfs);
	sva_op_exit();
}

module_init(sva_init);
module_exit(sva_exit);

MODULE_DESCRIPTION("Memory operations through dmaengine on DMA-mapped user memory");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
