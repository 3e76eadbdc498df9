// SPDX-License-Identifier: GPL-2.0
/*
 * sva_dma: copies and fills a program's memory with a dmaengine channel; the kernel maps the memory
 * for the device. Loading and unloading.
 */
#include <linux/delay.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include "base.h"
#include "file.h"
#include "op.h"
#include "pm.h"
#include "watch.h"

static struct miscdevice misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sva_dma",
	.fops = &svad_fops,
	.mode = 0600,
};

static int __init svad_init(void)
{
	int ret;

	/* Sizes that programs were compiled with. */
	BUILD_BUG_ON(sizeof(struct sva_dma_info) != 80);
	BUILD_BUG_ON(sizeof(struct sva_dma_channel) != 128);
	BUILD_BUG_ON(sizeof(struct sva_dma_copy_args) != 56);
	BUILD_BUG_ON(sizeof(struct sva_dma_fill_args) != 56);
	BUILD_BUG_ON(sizeof(struct sva_dma_map_args) != 40);
	BUILD_BUG_ON(sizeof(struct sva_dma_unmap_args) != 16);
	BUILD_BUG_ON(sizeof(struct sva_dma_sync_args) != 32);
	BUILD_BUG_ON(sizeof(struct sva_dma_op) != 64);
	BUILD_BUG_ON(sizeof(struct sva_dma_submit_args) != 32);
	BUILD_BUG_ON(sizeof(struct sva_dma_wait_args) != 24);
	BUILD_BUG_ON(sizeof(struct sva_dma_cqe) != 16);
	BUILD_BUG_ON(sizeof(struct sva_dma_ring) != 128);
	BUILD_BUG_ON(sizeof(struct sva_dma_uring_cmd) != 16);

	ret = svad_op_init();
	if (ret)
		return ret;
	ret = svad_base_init();
	if (ret)
		goto fail_op;
	svad_watch_init();
	ret = svad_pm_init();
	if (ret)
		goto fail_base;
	ret = misc_register(&misc);
	if (ret)
		goto fail_pm;
	return 0;

fail_pm:
	svad_pm_exit();
fail_base:
	svad_base_exit();
fail_op:
	svad_op_exit();
	return ret;
}

/*
 * Called when no file is open, and no closed file has a request in flight: each such file has a
 * reference to the module. The last step of each client and each channel is to decrement its count.
 *
 * The last callback may still be returning from this module, in an interrupt or in a thread that
 * was preempted there (drivers with threaded interrupts call back from such a thread, and few can
 * be asked to wait for it). The first is over after a grace period of RCU, the second after one of
 * RCU tasks, which lasts until each thread has given up the processor voluntarily.
 */
static void __exit svad_exit(void)
{
	misc_deregister(&misc);
	while (atomic_read(&svad_stats.clients))
		msleep(1);
	svad_watch_exit();
	while (atomic_read(&svad_stats.channels))
		msleep(1);
	svad_pm_exit();
	svad_base_exit();
	synchronize_rcu();
	synchronize_rcu_tasks();
	svad_op_exit();
}

module_init(svad_init);
module_exit(svad_exit);

MODULE_DESCRIPTION("Memory operations through dmaengine on DMA-mapped user memory");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
