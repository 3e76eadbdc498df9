/* SPDX-License-Identifier: MIT */
/*
 * Leases and their credits. A dedicated queue drops what it has no room for, so there are as many
 * credits as the queue has entries, and each descriptor needs one. Threads take credits from the
 * bond's pool in blocks; as long as a block lasts, submitting and completing need no lock. A thread
 * that finds the pool empty visits the other threads (bias.h) and takes their idle credits. From
 * then on, until the pool has recovered, each completed operation returns its credit straight to
 * the pool.
 */
#include <stdlib.h>

#include "lib/queue/ways.h"

#define UNCOUNTED_CREDITS (1 << 30)

static void kill_lease(struct sva_lease *lease)
{
	lease->dead = true;
	lease->portal = NULL;
	/* so that the submitter only needs to check the credits */
	lease->credits = -UNCOUNTED_CREDITS;
}

static uint32_t block_size(const struct sva_bond *bond)
{
	uint32_t block = bond->entries / 4;

	if (atomic_load_explicit(&bond->starved, memory_order_relaxed) || !block)
		return 1;
	return block;
}

struct sva_lease *sva_lease_new(struct sva_lessee *lessee, struct sva_bond *bond, int path,
				uint32_t reason)
{
	const struct sva_submit_ops *ops = sva_submit_ops_of(path);
	struct sva_lease *lease = calloc(2, sizeof(*lease)); /* the second one is paid */

	if (!lease)
		return NULL;
	lease->id = sva_identify(bond->name, bond->device, (uint8_t)path, reason);
	if (!lease->id) {
		free(lease);
		return NULL;
	}
	lease->ops = ops;
	lease->store = ops->store;
	lease->starved = &bond->starved;
	lease->path = (uint8_t)path;
	lease->portal = bond->portal;
	lease->max_transfer = bond->max_transfer;
	lease->fast_max = bond->max_transfer < SVA_CAPS_CACHE_LIMIT ? bond->max_transfer :
								      SVA_CAPS_CACHE_LIMIT;
	lease->bond = bond;
	lease->lessee = lessee;
	lease->counted = bond->mode == SVA_MODE_DEDICATED;
	lease->credits = lease->counted ? 0 : UNCOUNTED_CREDITS;

	lease->paid = lease + 1;
	*lease->paid = *lease;
	lease->paid->counted = false;
	lease->paid->credits = UNCOUNTED_CREDITS;

	pthread_mutex_lock(&bond->lock);
	sva_caps_fill_words(lease);
	if (atomic_load(&bond->state) != SVA_BOND_LIVE)
		kill_lease(lease);
	lease->next = bond->leases;
	bond->leases = lease;
	pthread_mutex_unlock(&bond->lock);
	return lease;
}

void sva_lease_free(struct sva_lease *lease)
{
	struct sva_bond *bond = lease->bond;

	pthread_mutex_lock(&bond->lock);
	for (struct sva_lease **at = &bond->leases; *at; at = &(*at)->next) {
		if (*at == lease) {
			*at = lease->next;
			break;
		}
	}
	if (lease->counted && lease->credits > 0)
		bond->pool += (uint32_t)lease->credits;
	pthread_mutex_unlock(&bond->lock);
	free(lease);
}

/*
 * Of the lessees with a lease on the bond, the one with the next higher address. One with several
 * leases is found once.
 */
static struct sva_lessee *lessee_after(const struct sva_bond *bond, const struct sva_lessee *after)
{
	struct sva_lessee *found = NULL;

	for (struct sva_lease *l = bond->leases; l; l = l->next)
		if ((uintptr_t)l->lessee > (uintptr_t)after &&
		    (!found || (uintptr_t)l->lessee < (uintptr_t)found))
			found = l->lessee;
	return found;
}

/*
 * With bond->lock held: visit every thread with a lease on the bond, all at once, and call each()
 * on the leases. Different bonds list the same threads in different orders, so they are visited in
 * the order of their addresses.
 */
static void visit_leases(struct sva_bond *bond, void (*each)(struct sva_lease *lease))
{
	struct sva_lessee *t;

	pthread_mutex_lock(&sva_process.visit_lock);
	for (t = lessee_after(bond, NULL); t; t = lessee_after(bond, t))
		sva_bias_visit_begin(&t->bias);
	sva_bias_visit_fence();
	for (struct sva_lease *l = bond->leases; l; l = l->next)
		sva_bias_visit_wait(&l->lessee->bias);
	for (struct sva_lease *l = bond->leases; l; l = l->next)
		each(l);
	for (t = lessee_after(bond, NULL); t; t = lessee_after(bond, t))
		sva_bias_visit_end(&t->bias);
	pthread_mutex_unlock(&sva_process.visit_lock);
}

static void collect_idle_credits(struct sva_lease *lease)
{
	if (lease->counted && lease->credits > 0) {
		lease->bond->pool += (uint32_t)lease->credits;
		lease->credits = 0;
	}
}

bool sva_lease_refill(struct sva_lease *lease)
{
	struct sva_bond *bond = lease->bond;
	uint32_t block = 0;

	if (!lease->counted)
		return !lease->dead;
	pthread_mutex_lock(&bond->lock);
	if (!bond->pool && !lease->dead) {
		atomic_store(&bond->starved, true);
		visit_leases(bond, collect_idle_credits);
	} else if (bond->pool >= (bond->entries + 1) / 2) {
		atomic_store(&bond->starved, false);
	}
	if (!lease->dead) {
		block = block_size(bond);
		if (block > bond->pool)
			block = bond->pool;
		bond->pool -= block;
	}
	pthread_mutex_unlock(&bond->lock);
	if (!block)
		return false;
	sva_bias_enter(&lease->lessee->bias);
	lease->credits += (int32_t)block;
	sva_bias_exit(&lease->lessee->bias);
	return true;
}

void sva_bond_visit_starved(struct sva_bond *bond, void (*each)(struct sva_lease *lease))
{
	pthread_mutex_lock(&bond->lock);
	atomic_store(&bond->starved, true);
	visit_leases(bond, each);
	pthread_mutex_unlock(&bond->lock);
}

void sva_bond_kill_leases(struct sva_bond *bond)
{
	visit_leases(bond, kill_lease);
}

struct sva_lease *sva_lease_pinned(struct sva_lessee *lessee, struct sva_bond *bond)
{
	struct sva_lease *lease;

	/*
	 * Inside the section: a thread that closes another bond removes its lease from this list
	 * and frees it (sva_bond_free_leases()).
	 */
	sva_bias_enter(&lessee->bias);
	for (lease = lessee->pinned; lease && lease->bond != bond; lease = lease->next_pinned)
		;
	sva_bias_exit(&lessee->bias);
	if (lease)
		return lease;
	lease = sva_lease_new(lessee, bond, bond->ops->path, SVA_REASON_OK);
	if (!lease)
		return NULL;
	sva_bias_enter(&lessee->bias);
	lease->next_pinned = lessee->pinned;
	lessee->pinned = lease;
	sva_bias_exit(&lessee->bias);
	return lease;
}

static void unpin_lease(struct sva_lease *lease)
{
	for (struct sva_lease **at = &lease->lessee->pinned; *at; at = &(*at)->next_pinned) {
		if (*at == lease) {
			*at = lease->next_pinned;
			break;
		}
	}
}

void sva_bond_free_leases(struct sva_bond *bond)
{
	struct sva_lease *lease, *next;

	pthread_mutex_lock(&bond->lock);
	visit_leases(bond, unpin_lease);
	pthread_mutex_unlock(&bond->lock);
	for (lease = bond->leases; lease; lease = next) {
		next = lease->next;
		free(lease);
	}
	bond->leases = NULL;
}
