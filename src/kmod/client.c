// SPDX-License-Identifier: GPL-2.0
/*
 * What belongs to an open file: handles, the completion ring, its place in the turns.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include "base.h"
#include "client.h"
#include "users.h"

static void client_free_work(struct work_struct *work)
{
	struct svad_client *client = container_of(work, struct svad_client, release);
	bool abandoned = client->abandoned;

	svad_owner_put(client->owner);
	free_uid(client->user);
	mmdrop(client->account.mm);
	svad_ring_free(client->ring);
	kvfree(client);
	svad_users_idle();
	/* From here on the module can be unloaded: destroying the workqueue waits for the rest. */
	atomic_dec(&svad_stats.clients);
	if (abandoned)
		module_put(THIS_MODULE);
}

static void client_free(struct kref *ref)
{
	queue_work(svad_wq, &container_of(ref, struct svad_client, ref)->release);
}

void svad_client_get(struct svad_client *client)
{
	kref_get(&client->ref);
}

/* Any context: the last reference can be that of a request which ends in an interrupt. */
void svad_client_put(struct svad_client *client)
{
	kref_put(&client->ref, client_free);
}

/* For a file that the current thread opens; NULL without memory. */
struct svad_client *svad_client_create(void)
{
	struct svad_client *client = kvzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);

	if (!client)
		return NULL;
	client->owner = svad_owner_get(current_user(), current->mm);
	if (!client->owner) {
		kvfree(client);
		return NULL;
	}
	kref_init(&client->ref);
	mmgrab(current->mm);
	client->account.mm = current->mm;
	client->user = get_uid(current_user());
	client->account.user = capable(CAP_IPC_LOCK) ? NULL : client->user;
	xa_init_flags(&client->maps, XA_FLAGS_ALLOC1);
	mutex_init(&client->ring_lock);
	init_waitqueue_head(&client->idle);
	INIT_WORK(&client->release, client_free_work);
	svad_turns_init(client->turns, client->owner->turns);
	atomic_inc(&svad_stats.clients);
	return client;
}

/* The buffer behind a handle, in use by the caller from now on, or NULL. */
struct svad_map *svad_client_map(struct svad_client *client, u32 handle)
{
	struct svad_map *map;

	xa_lock(&client->maps);
	map = xa_load(&client->maps, handle);
	if (map)
		svad_map_use(map);
	xa_unlock(&client->maps);
	return map;
}

/* The ring, or NULL if it was not mapped yet. Pairs with svad_client_make_ring(). */
struct svad_ring *svad_client_ring(struct svad_client *client)
{
	return smp_load_acquire(&client->ring);
}

/* The ring is made once, and kept as long as the file. NULL without memory. */
struct svad_ring *svad_client_make_ring(struct svad_client *client)
{
	struct svad_ring *ring;

	mutex_lock(&client->ring_lock);
	ring = client->ring;
	if (!ring) {
		ring = svad_ring_create();
		/* Read without the lock by svad_client_ring(). */
		smp_store_release(&client->ring, ring);
	}
	mutex_unlock(&client->ring_lock);
	return ring;
}
