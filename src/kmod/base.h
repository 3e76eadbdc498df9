/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sva_dma, the kernel module. What each of its files uses: counters, parameters, the workqueue.
 *
 * The path of an operation: file.c reads the argument of an ioctl (uring.c: of an io_uring command)
 * and call.c takes it apart; op.c checks each operation and makes a request of it, which has two
 * buffers (map.c: pinned pages, mapped for the device of the channel that table.c chose); queue.c
 * gives the request to the hardware in descriptors, in the order of turns.c; after the last
 * descriptor op.c releases the buffers and reports the result: to a thread that waits in the
 * driver, to the completion ring (ring.c) or to io_uring.
 *
 * Files call each other in one direction, and each has a header of its own:
 *
 *   main > file > {call, uring} > queue > op > {client, table}; client > map > mapping > pages
 *   main > watch > channel > queue; table > mapping; pm > queue
 *   all > {ring, turns, users} > base
 *
 * Locks, outermost first. A thread of a program takes neither of the first two with blocking: they
 * are for workers and for notifiers of the driver core. The first is never held while hardware is
 * waited for.
 *   svad_engine_lock (channel.c)	adding and ending channels
 *   svad_chan::dispatch	one thread at a time makes descriptors of a channel; the thread of a
 *				program only tries to take it
 *   svad_map::lock		the list of devices that a buffer is mapped for
 *   svad_dev::lock		the mappings of a device
 *   svad_chan::lock, svad_ring::lock, table_lock (table.c), users_lock (users.c), registered_lock
 *   (watch.c), owners_lock (turns.c)
 *				spinlocks; the first two are taken in interrupts as well
 */
#ifndef SVA_KMOD_BASE_H
#define SVA_KMOD_BASE_H

#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#define SVAD_PATIENCE	(3 * HZ)	/* how long to wait for hardware that should stop */

/* What exists now, in debugfs. While no file is open and no channel is in use, all are zero. */
struct svad_stats {
	/* open files, and closed ones that have a request left */
	atomic_t clients;
	atomic_t channels;
	/* pinned buffers, those of operations on plain addresses included */
	atomic_t maps;
	/* pages */
	atomic_t pinned;
	/* buffers that are mapped for a device */
	atomic_t mapped;
	atomic_t requests;
	/* descriptors that the hardware has */
	atomic_t in_flight;
};

extern struct svad_stats svad_stats;
extern struct workqueue_struct *svad_wq;
extern unsigned int svad_max_channels;
extern unsigned int svad_depth;
extern unsigned long svad_max_segment;
extern char *svad_provider;

int svad_base_init(void);
void svad_base_exit(void);

#endif /* SVA_KMOD_BASE_H */
