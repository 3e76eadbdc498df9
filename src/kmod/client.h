/* SPDX-License-Identifier: GPL-2.0 */
/*
 * client.c: what belongs to an open file: handles, the ring, its place in the turns. Calls map.c,
 * ring.c, turns.c, users.c and base.c.
 */
#ifndef SVA_KMOD_CLIENT_H
#define SVA_KMOD_CLIENT_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include "map.h"
#include "ring.h"
#include "turns.h"

#define SVAD_MAX_IN_FLIGHT	4096U

/**
 * struct svad_client - an open file
 * @ref: one for the file, one for each request
 * @account: the address space that it belongs to, and the user that its pages are counted for,
 *	unless the user had CAP_IPC_LOCK
 * @user: the user that opened it
 * @owner: the process, which has turns
 * @maps: handles
 * @ring: NULL until it is mapped
 * @ring_lock: one creation at a time
 * @in_flight: requests
 * @idle: woken when @in_flight becomes 0
 * @release: frees it in process context
 * @abandoned: it was closed with requests in flight, and holds a reference to the module
 * @turns: one for each channel (svad_chan::lock)
 * @given: how many of its requests each channel has
 */
struct svad_client {
	struct kref ref;
	struct svad_account account;
	struct user_struct *user;
	struct svad_owner *owner;
	struct xarray maps;
	struct svad_ring *ring;
	struct mutex ring_lock;
	atomic_t in_flight;
	wait_queue_head_t idle;
	struct work_struct release;
	bool abandoned;
	struct svad_turn turns[SVAD_MAX_CHANNELS];
	atomic_t given[SVAD_MAX_CHANNELS];
};

struct svad_client *svad_client_create(void);
void svad_client_get(struct svad_client *client);
void svad_client_put(struct svad_client *client);
struct svad_map *svad_client_map(struct svad_client *client, u32 handle);
struct svad_ring *svad_client_ring(struct svad_client *client);
struct svad_ring *svad_client_make_ring(struct svad_client *client);

#endif /* SVA_KMOD_CLIENT_H */
