// SPDX-License-Identifier: GPL-2.0
/*
 * Suspend and hibernation: while devices are suspended no descriptor is in flight and none is made.
 *
 * The core calls prepare() of every device after it has frozen all programs and before it suspends
 * the first device, so the module has a device of its own for that. Requests of the frozen programs
 * wait in the queues until complete(). Hardware that has stopped keeps the system from being
 * suspended: it may still write to memory.
 */
#include <linux/platform_device.h>
#include <linux/pm.h>
#include "base.h"
#include "pm.h"
#include "queue.h"

static struct platform_device *pm_device;

static int pm_prepare(struct device *device)
{
	unsigned long until = jiffies + SVAD_PATIENCE;
	struct svad_chan *chan;
	unsigned int i;
	bool idle = true;

	for (i = 0; i < SVAD_MAX_CHANNELS && idle; i++) {
		chan = svad_chan_at(i);
		if (!chan)
			continue;
		idle = svad_queue_pause(chan, until);
		if (!idle)
			dev_warn(chan->dev->dev, "%s: not suspended, %u descriptors are not done\n",
				 chan->name, READ_ONCE(chan->in_flight));
		svad_chan_put(chan);
	}
	if (idle)
		return 0;
	svad_queue_resume();
	return -EBUSY;
}

static void pm_complete(struct device *device)
{
	svad_queue_resume();
}

static const struct dev_pm_ops pm_ops = {
	.prepare = pm_prepare,
	.complete = pm_complete,
};

static struct platform_driver pm_driver = {
	.driver = {
		.name = "sva_dma",
		.pm = pm_sleep_ptr(&pm_ops),
		.suppress_bind_attrs = true,
	},
};

int svad_pm_init(void)
{
	int ret = platform_driver_register(&pm_driver);

	if (ret)
		return ret;
	pm_device = platform_device_register_simple("sva_dma", PLATFORM_DEVID_NONE, NULL, 0);
	if (!IS_ERR(pm_device))
		return 0;
	platform_driver_unregister(&pm_driver);
	return PTR_ERR(pm_device);
}

void svad_pm_exit(void)
{
	platform_device_unregister(pm_device);
	platform_driver_unregister(&pm_driver);
}
