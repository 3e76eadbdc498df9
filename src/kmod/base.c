// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters of the module, the counters in debugfs, and the workqueue.
 */
#include <linux/debugfs.h>
#include <linux/moduleparam.h>
#include "base.h"

struct svad_stats svad_stats;
struct workqueue_struct *svad_wq;

unsigned int svad_max_channels = 32;
module_param_named(max_channels, svad_max_channels, uint, 0644);
MODULE_PARM_DESC(max_channels,
		 "most channels to take while the device is open (default 32, at most 64)");

unsigned int svad_depth = 32;
module_param_named(depth, svad_depth, uint, 0644);
MODULE_PARM_DESC(depth, "most descriptors in flight on one channel (default 32)");

unsigned long svad_max_segment;
module_param_named(max_segment, svad_max_segment, ulong, 0644);
MODULE_PARM_DESC(max_segment,
		 "most bytes in one descriptor (default 0: the limit that the device reports)");

char *svad_provider;
module_param_named(provider, svad_provider, charp, 0444);
MODULE_PARM_DESC(provider, "take only channels of this driver or device (default: of any)");

static struct dentry *debugfs;

int svad_base_init(void)
{
	svad_wq = alloc_workqueue("sva_dma", WQ_UNBOUND, 0);
	if (!svad_wq)
		return -ENOMEM;
	debugfs = debugfs_create_dir("sva_dma", NULL);
	debugfs_create_atomic_t("clients", 0444, debugfs, &svad_stats.clients);
	debugfs_create_atomic_t("channels", 0444, debugfs, &svad_stats.channels);
	debugfs_create_atomic_t("maps", 0444, debugfs, &svad_stats.maps);
	debugfs_create_atomic_t("pinned", 0444, debugfs, &svad_stats.pinned);
	debugfs_create_atomic_t("mapped", 0444, debugfs, &svad_stats.mapped);
	debugfs_create_atomic_t("requests", 0444, debugfs, &svad_stats.requests);
	debugfs_create_atomic_t("in_flight", 0444, debugfs, &svad_stats.in_flight);
	return 0;
}

void svad_base_exit(void)
{
	debugfs_remove_recursive(debugfs);
	destroy_workqueue(svad_wq);
}
