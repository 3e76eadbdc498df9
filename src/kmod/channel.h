/* SPDX-License-Identifier: GPL-2.0 */
/*
 * channel.c: channels begin and end. Calls queue.c, table.c and mapping.c; is called by watch.c.
 */
#ifndef SVA_KMOD_CHANNEL_H
#define SVA_KMOD_CHANNEL_H

#include <linux/mutex.h>
#include <linux/types.h>

struct device;
struct dma_chan;

/* Held while channels are added, stopped and finished. */
extern struct mutex svad_engine_lock;

int svad_chan_add(struct dma_chan *dma);
unsigned int svad_chans_taken(void);
void svad_chans_finish(void);
void svad_chans_end_idle(void);
bool svad_chans_exist(void);
void svad_devs_forget(void);
bool svad_dev_is_unbinding(struct device *device);

/* Events of the driver core. */
void svad_on_unbind(struct device *device);
void svad_on_unbound(struct device *device);
void svad_on_unregister(struct device *device);

#endif /* SVA_KMOD_CHANNEL_H */
