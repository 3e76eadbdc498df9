/* SPDX-License-Identifier: GPL-2.0 */
/*
 * table.c: the channels in use, and the choice of one of them. Calls mapping.c (references to
 * devices).
 */
#ifndef SVA_KMOD_TABLE_H
#define SVA_KMOD_TABLE_H

#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <uapi/sva_dma.h>
#include "mapping.h"
#include "turns.h"

/* After this time without a completion the hardware has probably stopped. */
#define SVAD_STUCK	(2 * HZ)

struct dma_chan;
struct task_struct;

/**
 * struct svad_chan - a channel in use
 * @ref: one until it is finished, one for each request
 * @link: in the list of channels that are not finished (svad_engine_lock)
 * @ending: in the list of channels that end because no file is open
 * @leaving: in the list of channels whose device goes away
 * @stopped: it is not in the table any more (svad_engine_lock)
 * @finished: only references are left of it (svad_engine_lock)
 * @late: its hardware did not stop within SVAD_PATIENCE
 * @dma: the channel, which no other client has; NULL when released (changed under @dispatch)
 * @class_device: its device in the class "dma"; only compared, never followed
 * @dev: its device
 * @index: its place in the table
 * @name: in /sys/class/dma; copied, as the next two are: the channel may go at any time
 * @device: name of the device
 * @driver: name of its driver
 * @node: its NUMA node
 * @align: alignment that addresses and lengths need
 * @max_segment: most bytes in a descriptor
 * @boundary: no descriptor crosses a multiple of this + 1
 * @backlog: bytes queued and in flight
 * @dispatch: held by the thread that makes descriptors, stops the hardware or releases the channel
 * @work: makes descriptors where the caller cannot
 * @release: frees the structure in process context
 * @idle: woken when @in_flight becomes 0
 * @lock: protects the rest
 * @turns: users with something to do, in the order of their turns
 * @busy: requests that have descriptors in the hardware
 * @in_flight: descriptors that the hardware has, or that are being submitted
 * @moved: when the last of them was completed, in jiffies
 * @dispatcher: the thread that is in the channel's driver to make a descriptor
 * @refusals: how often in a row the idle channel has given no descriptor
 * @dead: it takes no requests and makes no descriptors any more
 */
struct svad_chan {
	struct kref ref;
	struct list_head link;
	struct list_head ending;
	struct list_head leaving;
	bool stopped;
	bool finished;
	bool late;
	struct dma_chan *dma;
	struct device *class_device;
	struct svad_dev *dev;
	unsigned int index;
	char name[32];
	char device[32];
	char driver[32];
	int node;
	u32 align;
	u64 max_segment;
	u64 boundary;
	atomic64_t backlog;
	struct mutex dispatch;
	struct delayed_work work;
	struct work_struct release;
	wait_queue_head_t idle;
	spinlock_t lock;
	struct list_head turns;
	struct list_head busy;
	unsigned int in_flight;
	unsigned long moved;
	struct task_struct *dispatcher;
	unsigned int refusals;
	bool dead;
};

/* The hardware has descriptors of the channel, and has completed none of them for SVAD_STUCK. */
static inline bool svad_chan_is_stuck(struct svad_chan *chan)
{
	return READ_ONCE(chan->in_flight) &&
	       time_after(jiffies, READ_ONCE(chan->moved) + SVAD_STUCK);
}

struct svad_chan *svad_chan_create(struct dma_chan *dma, struct svad_dev *dev,
				   work_func_t dispatch);
void svad_chan_put(struct svad_chan *chan);
void svad_table_insert(struct svad_chan *chan);
void svad_table_remove(struct svad_chan *chan);
struct svad_chan *svad_chan_choose(int node, const struct svad_dev *dst_home,
				   const struct svad_dev *src_home);
struct svad_chan *svad_chan_at(unsigned int index);
void svad_table_describe(struct sva_dma_info *info);

#endif /* SVA_KMOD_TABLE_H */
