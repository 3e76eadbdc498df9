// SPDX-License-Identifier: GPL-2.0
/*
 * Suspend and hibernation: no descriptor is in flight while devices are suspended, and none is
 * made.
 *
 * The core calls prepare() of every device after it has frozen all programs and before it suspends
 * the first device, so a device of our own is the place for it. What the frozen programs have
 * submitted waits in our queues until complete(). Hardware that has stopped keeps the system from
 * being suspended: it may still write to memory.
 */
#include <linux/platform_device.h>
#include <linux/pm.h>
#include "internal.h"

static struct platform_device *sva_pm_device;

static int sva_pm_prepare(struct device *device)
{
	unsigned long until = jiffies + SVA_PATIENCE;
	struct sva_chan *chan;
	unsigned int i;
	bool idle = true;

	for (i = 0; i < SVA_MAX_CHANNELS && idle; i++) {
		chan = sva_chan_at(i);
		if (!chan)
			continue;
		idle = sva_queue_pause(chan, until);
		if (!idle)
			dev_warn(chan->dev->dev, "%s: not suspended, %u descriptors are not done\n",
				 chan->name, READ_ONCE(chan->in_flight));
		sva_chan_put(chan);
	}
	if (idle)
		return 0;
	sva_queue_resume();
	return -EBUSY;
}

static void sva_pm_complete(struct device *device)
{
	sva_queue_resume();
}

static const struct dev_pm_ops sva_pm_ops = {
	.prepare = sva_pm_prepare,
	.complete = sva_pm_complete,
};

static struct platform_driver sva_pm_driver = {
	.driver = {
		.name = "sva_dma",
		.pm = pm_sleep_ptr(&sva_pm_ops),
		.suppress_bind_attrs = true,
	},
};

int sva_pm_init(void)
{
	int ret = platform_driver_register(&sva_pm_driver);

	if (ret)
		return ret;
	sva_pm_device = platform_device_register_simple("sva_dma", PLATFORM_DEVID_NONE, NULL, 0);
	if (!IS_ERR(sva_pm_device))
		return 0;
	platform_driver_unregister(&sva_pm_driver);
	return PTR_ERR(sva_pm_device);
}

void sva_pm_exit(void)
{
	platform_device_unregister(sva_pm_device);
	platform_driver_unregister(&sva_pm_driver);
}
