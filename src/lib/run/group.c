/* SPDX-License-Identifier: MIT */
/*
 * Groups of operations behind one batch descriptor. A group lives in pages that a forked child does
 * not get, since a device reads and writes it, and is used again and again.
 *
 * It is in use until its operations have ended and the batch's own record is there: before that a
 * device may still read the list or write the record. The thread that ends the last operation looks
 * for the record; if that is late, the next submission, the next wait for credits or sva_settle()
 * looks again. The credit of a dedicated queue, one for the whole batch, goes back then, too.
 */
#include <string.h>

#include "lib/run/fast.h"
#include "lib/run/group.h"

#define LATE_LOOKS 32u /* at a record that comes right after those of the descriptors */

static atomic_bool never; /* a group's lease has no pool that others could find empty */

/* Inside the section: one that serves again, or NULL. */
static struct sva_group *take_free(struct sva_thread *thread)
{
	struct sva_group *group;

	if (thread->groups && !thread->groups->lease.credits)
		sva_group_recycle(thread);
	group = thread->free_groups;
	if (group)
		thread->free_groups = group->next;
	return group;
}

struct sva_group *sva_group_alloc(struct sva_thread *thread)
{
	struct sva_group *group;

	sva_bias_enter(&thread->lessee.bias);
	group = take_free(thread);
	sva_bias_exit(&thread->lessee.bias);
	if (group)
		return group;
	group = sva_arena_alloc(sizeof(*group));
	if (group) {
		group->thread = thread;
		group->desc.flags_opcode =
			sva_desc_word(SVA_OPCODE_BATCH, SVA_DESC_CRAV | SVA_DESC_RCR);
		group->desc.completion_addr = (uint64_t)(uintptr_t)&group->comp;
		group->desc.src = (uint64_t)(uintptr_t)group->list;
	}
	return group;
}

/* Inside the section. */
static void put_group(struct sva_group *group)
{
	group->next = group->thread->free_groups;
	group->thread->free_groups = group;
}

void sva_group_free(struct sva_group *group)
{
	struct sva_lessee *lessee = &group->thread->lessee;

	sva_lessee_enter(lessee);
	put_group(group);
	sva_lessee_leave(lessee);
}

/*
 * The lease that its operations end on. What is copied never changes: other threads write the
 * carrier's credits and words.
 */
static void set_lease(struct sva_group *group, struct sva_lease *carrier)
{
	struct sva_lease *lease = &group->lease;

	if (group->carrier != carrier) {
		*lease = (struct sva_lease){
			.counted = true,
			.is_group = true,
			.starved = &never,
			.path = carrier->path,
			.store = carrier->store,
			.max_transfer = carrier->max_transfer,
			.bond = carrier->bond,
			.ops = carrier->ops,
			.lessee = carrier->lessee,
		};
		group->carrier = carrier;
	}
	lease->id = carrier->id;
	lease->credits = 0;
}

bool sva_group_is_over(const struct sva_group *group)
{
	/* In this order: the state is stored after the last record was written. */
	bool retired = atomic_load_explicit(&group->lease.bond->state, memory_order_acquire) ==
		       SVA_BOND_RETIRED;

	return sva_record_status(&group->comp) || retired;
}

bool sva_group_has_left(const struct sva_op *op)
{
	const struct sva_lease *lease = sva_op_lease(op);

	/* The batch's record is written after those of its descriptors: look at those again. */
	return lease->is_group && sva_record_status(&sva_group_of(lease)->comp) &&
	       !sva_record_status(&op->comp);
}

/* Inside the section: nothing of it is in use any more. */
static void release(struct sva_group *group)
{
	if (sva_record_status(&group->comp) && !group->paid)
		group->carrier->credits += group->carrier->counted;
	put_group(group);
}

void sva_group_recycle(struct sva_thread *thread)
{
	struct sva_group **at = &thread->groups, *group;

	while ((group = *at)) {
		for (unsigned int i = 0; i < LATE_LOOKS && !group->lease.credits; i++) {
			if (sva_group_is_over(group))
				break;
			sva_cpu_relax();
		}
		if (group->lease.credits || !sva_group_is_over(group)) {
			at = &group->next;
			continue;
		}
		*at = group->next;
		release(group);
	}
}

void sva_group_count(struct sva_lease *lease)
{
	if (!++lease->credits)
		sva_group_recycle(sva_group_of(lease)->thread);
}

void sva_group_free_all(struct sva_thread *thread)
{
	struct sva_group *group, *next;

	/* A queue that other contexts have, too, gets the credits of batches that ended late. */
	for (group = thread->groups; group; group = next) {
		next = group->next;
		release(group);
	}
	for (group = thread->free_groups; group; group = next) {
		next = group->next;
		sva_arena_free(group, sizeof(*group));
	}
	thread->groups = thread->free_groups = NULL;
}

/* Make operations ready, and their descriptors the list's: how many there are. */
static unsigned int build(struct sva_group *group, struct sva_lease *lease, struct sva_op **ops,
			  unsigned int n)
{
	unsigned int k;

	for (k = 0; k < n; k++) {
		struct sva_op *op = ops[k];
		uint32_t word;

		if (sva_op_is_bad(op))
			break;
		word = sva_fast_plain(lease, op);
		if (unlikely(!word))
			word = sva_fast_word(lease, op);
		if (unlikely(!word))
			break;
		sva_fast_prepare(&group->lease, op, word);
		op->state = group->thread->fast_state; /* the same one again is busy */
		group->list[k] = op->desc;
	}
	return k;
}

static void undo(struct sva_op **ops, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		sva_fast_undo(ops[i]);
		ops[i]->state = SVA_OP_PREPARED;
	}
}

static bool submit(struct sva_thread *thread, struct sva_lease *lease, struct sva_group *group,
		   struct sva_op **ops, unsigned int n)
{
	group->desc.size = n;
	sva_record_clear(&group->comp);
	if (lease->credits <= 0 || sva_lease_store(lease, &group->desc))
		return false;
	lease->credits -= lease->counted;
	lease->full_since = 0;
	group->lease.credits = -(int32_t)n;
	group->paid = false;
	group->next = thread->groups;
	thread->groups = group;
	for (unsigned int i = 0; i < n; i++)
		sva_thread_link(thread, ops[i]);
	return true;
}

/*
 * A thread that is short of credits has one at a time: it is for the batch, and not for the first
 * of its operations.
 */
bool sva_group_has_credit(struct sva_thread *thread, struct sva_lease *lease)
{
	bool has;

	sva_bias_enter(&thread->lessee.bias);
	if (unlikely(lease->credits <= 0))
		sva_group_recycle(thread);
	has = lease->credits > 0;
	sva_bias_exit(&thread->lessee.bias);
	return has || sva_lease_refill(lease);
}

unsigned int sva_group_start(struct sva_thread *thread, struct sva_lease *lease,
			     struct sva_op **ops, unsigned int n)
{
	const struct sva_bond *bond = lease->bond;
	unsigned int most = bond->max_batch < SVA_GROUP_MAX ? bond->max_batch : SVA_GROUP_MAX;
	struct sva_group *group;
	unsigned int taken = 0;

	if (lease->store == SVA_STORE_CALL || n < 2 || most < 2 || !sva_caps_has_batch(bond) ||
	    !sva_group_has_credit(thread, lease))
		return 0;
	group = sva_group_alloc(thread);
	if (!group)
		return 0;
	set_lease(group, lease);
	n = build(group, lease, ops, n < most ? n : most);
	sva_bias_enter(&thread->lessee.bias);
	if (n >= 2 && submit(thread, lease, group, ops, n))
		taken = n;
	else
		put_group(group);
	sva_bias_exit(&thread->lessee.bias);
	if (!taken)
		undo(ops, n);
	return taken;
}
