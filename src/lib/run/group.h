/* SPDX-License-Identifier: MIT */
/*
 * Operations that were submitted together: independent of each other, but one batch descriptor and
 * one doorbell for all. Each has its own record and ends on the short road like any other; what
 * they share is a lease of their own, which counts those that have not ended.
 */
#ifndef SVA_RUN_GROUP_H
#define SVA_RUN_GROUP_H

#include "lib/run/thread.h"

#pragma GCC visibility push(hidden)

/* The descriptors of one group, at most; more would keep a queue from others for long. */
#define SVA_GROUP_MAX 64u

struct sva_group {
	struct sva_comp comp;       /* of the batch */
	struct sva_desc desc;       /* the batch */
	struct sva_desc list[SVA_GROUP_MAX];
	struct sva_lease lease;     /* of its operations; credits: minus those in flight */
	struct sva_lease *carrier;  /* the lease that the batch was submitted on */
	struct sva_thread *thread;
	bool paid;                  /* the credit of the batch was given back already */
	struct sva_group *next;     /* of the free ones, or of those in use */
};

/*
 * Submit the first of n operations as one batch, as far as they take the short road. How many were
 * taken: 0, or at least 2; the others are as they were.
 */
unsigned int sva_group_start(struct sva_thread *thread, struct sva_lease *lease,
			     struct sva_op **ops, unsigned int n);

static inline struct sva_group *sva_group_of_list(struct sva_desc *list)
{
	return (struct sva_group *)((uintptr_t)list - offsetof(struct sva_group, list));
}

/*
 * The memory of a group, for a list of descriptors that no operations of a group are behind; NULL:
 * there is none. It goes back when no device reads it any more.
 */
struct sva_group *sva_group_alloc(struct sva_thread *thread);
void sva_group_free(struct sva_group *group);

/* Outside the section: has the lease a credit now, or after a refill? */
bool sva_group_has_credit(struct sva_thread *thread, struct sva_lease *lease);

static inline struct sva_group *sva_group_of(const struct sva_lease *lease)
{
	return (struct sva_group *)((uintptr_t)lease - offsetof(struct sva_group, lease));
}

/*
 * The batch is over: its record is there, or will never be. An operation of it that has no record
 * then was not executed.
 */
bool sva_group_is_over(const struct sva_group *group);
/* An operation in flight whose record is empty: its batch was over before its record was empty. */
bool sva_group_has_left(const struct sva_op *op);
/* Inside the section of its thread: one of its operations has ended. */
void sva_group_count(struct sva_lease *lease);
/* Inside the section: groups without operations whose batch is over serve again. */
void sva_group_recycle(struct sva_thread *thread);
/* The thread's share goes, and no device has anything of it. */
void sva_group_free_all(struct sva_thread *thread);

#pragma GCC visibility pop

#endif
