/* SPDX-License-Identifier: MIT */
/* The engine: which lease carries an operation, submission, completion. */
#ifndef SVA_RUN_RUN_H
#define SVA_RUN_RUN_H

#include "lib/run/thread.h"

/*
 * Nothing of this is exported: say so where it is used, too, so that it is reached without an
 * indirection.
 */
#pragma GCC visibility push(hidden)

/*
 * The next lease to try for an operation, from position *pos of the thread's order on; binds queues
 * that have not been bound. NULL: there is no further one. For a batch, those that take none, too.
 * hint: NUMA node to prefer, -1: the thread's. May not be called inside the bias section.
 */
struct sva_lease *sva_choose_next(struct sva_thread *thread, unsigned int *pos,
				  const struct sva_op *op, bool sync, int hint);
/* Is there a queue at all that this thread can submit to? */
bool sva_choose_has_lease(const struct sva_thread *thread, bool sync);
/* Why no better route was taken, or is there: an enum sva_reason. */
uint32_t sva_choose_reason(const struct sva *ctx);
/* Look again at node and failed candidates. */
void sva_choose_refresh(struct sva_thread *thread);
/* What a thread's share needs behind it, zeroed, for its candidates; and to set it up there. */
size_t sva_choose_thread_size(const struct sva *ctx);
void sva_choose_thread_init(struct sva_thread *thread, void *memory);
void sva_choose_thread_fini(struct sva_thread *thread);

int sva_batch_begin(struct sva_op *batch);
void sva_batch_undo(struct sva_op *batch);
/* The descriptors of the entries, when no device reads them any more, or none has taken them. */
void sva_batch_free_list(struct sva_op *batch);
/* Why that queue does not take it as one descriptor, an enum sva_reason; OK: it does. */
uint32_t sva_batch_reason(const struct sva_op *batch, const struct sva_lease *lease);
/* Has the queue the operation of one of the entries, at least? */
bool sva_batch_has_part(const struct sva_op *batch, const struct sva_lease *lease);
int sva_batch_build(struct sva_op *batch, struct sva_lease *lease);

/* 0 submitted; -EAGAIN every permitted queue is full; -ENODEV, -EOPNOTSUPP, -EIO. */
int sva_issue(struct sva_thread *thread, struct sva_op *op);
/* Do what is left of it on the CPU, now; it has ended afterwards. */
void sva_issue_on_cpu(struct sva_op *op, uint32_t reason);
/* The same by the model, which says exactly how far it came. */
void sva_issue_on_model(struct sva_op *op);
/* What was begun goes to a queue, or to the CPU: 0, or -errno and nothing has happened. */
int sva_launch(struct sva_thread *thread, struct sva_op *op);

/*
 * Check and begin an operation, and launch it: on bond and no other queue, if there is one. sync:
 * on the queues of synchronous calls, and what no queue takes, the CPU does if it may. 0, -EAGAIN,
 * -errno; then the operation can be submitted again.
 */
int sva_start(struct sva_thread *thread, struct sva_op *op, struct sva_bond *bond, bool sync);
/*
 * How many of n operations followed an earlier one onto a lease that takes several at once; see
 * sva_group_lease().
 */
unsigned int sva_start_group(struct sva_thread *thread, struct sva_lease *lease, bool mapped,
			     struct sva_op **ops, unsigned int n);

/*
 * The operation has ended with 0 or -errno: its result is what the chunks said, and the lease of
 * the last one.
 */
static inline void sva_end_operation(struct sva_op *op, int error)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);

	sva_operation_end(op, p->lease && p->result.chunks ? p->lease->id : NULL, error);
}

/* What a look at the record of the descriptor that is with a device has found. */
enum sva_look {
	SVA_LOOK_NOTHING, /* not yet */
	SVA_LOOK_RECORD,  /* its status is in the result, its credit was given back */
	SVA_LOOK_LOST,    /* the bond is retired, and the record will never be written */
};

/* Look, and retire the bond when the record timeout has passed. */
enum sva_look sva_complete_look(struct sva_op *op);
/* Bring a pending operation that is no batch as far as it goes without waiting. */
void sva_complete_advance(struct sva_op *op);
/*
 * A batch as one descriptor where that is possible, else entry by entry. 0, or -errno and nothing
 * has happened.
 */
int sva_batch_launch(struct sva_thread *thread, struct sva_op *batch);
/* The same for a batch and its entries. 0 or -ENOMEM. */
int sva_batch_poll(struct sva_op *batch);
/* Every queue was full. Has it been so for the record timeout, since this was first asked? */
bool sva_complete_gives_up(struct sva_op *op);

/*
 * End every operation that this thread, or one that has ended, submitted on a context that the
 * caller closes.
 */
void sva_finish_own(struct sva *ctx);

/*
 * Wait until nothing that is on the lists of a context (bond: only what is pinned to it) is with a
 * device. Ends nothing.
 */
void sva_settle(struct sva *ctx, const struct sva_bond *bond, uint32_t timeout_ms);

/*
 * Give a reference to a bond back. The last one waits until the device has nothing of the bond's
 * operations.
 */
void sva_bond_put(struct sva_bond *bond);

/*
 * Wait for a record until deadline (ns; 0: none); retires the bond when the record timeout passes.
 * The status, or 0.
 */
uint8_t sva_complete_await(struct sva_bond *bond, const struct sva_comp *comp, uint64_t deadline);

#pragma GCC visibility pop

#endif
