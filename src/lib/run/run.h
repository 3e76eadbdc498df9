/* SPDX-License-Identifier: MIT */
/* The engine: choice of a lease, submission, completion. */
#ifndef SVA_RUN_RUN_H
#define SVA_RUN_RUN_H

#include "lib/run/thread.h"

/* Nothing of this is exported. Stated here too, so that callers reach it without an indirection. */
#pragma GCC visibility push(hidden)

/*
 * The next lease to try for an operation, from position *pos of the thread's order on; binds queues
 * that have not been bound yet. NULL: there is no further one. For a batch, also leases that do not
 * take it. hint: NUMA node to prefer, -1: the thread's. May not be called inside the bias section.
 */
struct sva_lease *sva_choose_next(struct sva_thread *thread, unsigned int *pos,
				  const struct sva_op *op, bool sync, int hint);
/* Is there any queue that this thread can submit to? */
bool sva_choose_has_lease(const struct sva_thread *thread, bool sync);
/* An enum sva_reason: why no better path than the CPU was taken, or none is available. */
uint32_t sva_choose_reason(const struct sva *ctx);
/* Update the thread's node and order, and mend leases that lack something since a shortage. */
void sva_choose_refresh(struct sva_thread *thread);
/*
 * The size of the zeroed memory behind a thread's share that its candidates need; and their setup
 * there.
 */
size_t sva_choose_thread_size(const struct sva *ctx);
void sva_choose_thread_init(struct sva_thread *thread, void *memory);
void sva_choose_thread_fini(struct sva_thread *thread);

int sva_batch_begin(struct sva_op *batch);
void sva_batch_undo(struct sva_op *batch);
/* Free the descriptors of the entries, when no device reads them any more, or none ever did. */
void sva_batch_free_list(struct sva_op *batch);
/* Begin an entry that was checked; its state is the caller's to set. */
void sva_batch_begin_entry(struct sva_op *batch, struct sva_op *entry,
			   const struct sva_policy *policy);
/* Does the queue take batch descriptors with as many entries? */
bool sva_batch_fits(const struct sva_op *batch, const struct sva_lease *lease);
/*
 * batch-fast.c. Submit a batch that has begun, if every entry takes the short road and the queue
 * that took the last operation takes it at once; false: it is as it was, and so are the entries.
 */
bool sva_batch_submit_folded(struct sva_thread *thread, struct sva_op *batch);
/*
 * The batch's record reports success: end it and its entries; false: one did not simply succeed,
 * and nothing has happened.
 */
bool sva_batch_end_folded(struct sva_op *batch);
/* Its entries become entries like any other. */
void sva_batch_unfold(struct sva_op *batch);
/* Why the queue does not take it as one descriptor, an enum sva_reason; OK: it does. */
uint32_t sva_batch_reason(const struct sva_op *batch, const struct sva_lease *lease);
/* Does the queue have the operation of at least one entry? */
bool sva_batch_has_part(const struct sva_op *batch, const struct sva_lease *lease);
int sva_batch_build(struct sva_op *batch, struct sva_lease *lease);

/*
 * Submit the next chunk. Returns 0: a queue took it; -EAGAIN: every permitted queue is full;
 * -ENODEV, -EOPNOTSUPP, -EIO.
 */
int sva_issue(struct sva_thread *thread, struct sva_op *op);
/* Submit its descriptor, as it is but for the flags, on this lease. Returns 0, or -errno. */
int sva_issue_on(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op);
/* Let the CPU do what is left of it, and end it. */
void sva_issue_on_cpu(struct sva_op *op, uint32_t reason);
/* Let the model do it, which reports exactly how much was done, and end it. */
void sva_issue_on_model(struct sva_op *op);
/*
 * Hand an operation that has begun to a queue, or to the CPU. Returns 0, or -errno and nothing has
 * happened.
 */
int sva_launch(struct sva_thread *thread, struct sva_op *op);

/*
 * Check, begin and launch an operation: on bond only, unless it is NULL. sync: only on the
 * candidates of synchronous calls, and on the CPU, if that is permitted, when no queue takes it.
 * Returns 0, -EAGAIN or another -errno; on failure the operation can be submitted again.
 */
int sva_start(struct sva_thread *thread, struct sva_op *op, struct sva_bond *bond, bool sync);
/* The same on the best candidate, by the short road where that is possible. */
int sva_start_any(struct sva_thread *thread, struct sva_op *op);
/* Submit n operations in order. Returns how many were submitted, or -errno of the first. */
int sva_start_many(struct sva_thread *thread, struct sva_op **ops, unsigned int n);
/*
 * Submit operations on mapped buffers on a lease that takes several at once; see
 * sva_mapped_lease(). Returns how many of n were submitted.
 */
unsigned int sva_start_mapped(struct sva_thread *thread, struct sva_lease *lease,
			      struct sva_op **ops, unsigned int n);

/*
 * End the operation with 0 or -errno. Its result comes from its chunks, and names the lease of the
 * last one.
 */
static inline void sva_end_operation(struct sva_op *op, int error)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);

	sva_operation_end(op, p->lease && p->result.chunks ? p->lease->id : NULL, error);
}

/*
 * collect.c: end operations of a share that are over, and store up to n of them. By the owner of
 * the share.
 */
unsigned int sva_collect(struct sva_thread *thread, struct sva_op **done, unsigned int n);

#define SVA_POLLS_BEFORE_CLOCK 256u /* looks at a record between looks at the clock */

/* credits.c: the queue has finished the operation's descriptor. */
void sva_credits_return(struct sva_op *op);
/* The same for all operations on that queue that it has finished, polled or not. */
void sva_credits_reclaim(struct sva_bond *bond);

/* What sva_complete_look() found in the record of a descriptor that a device has. */
enum sva_look {
	SVA_LOOK_NOTHING, /* not yet */
	SVA_LOOK_RECORD,  /* its status is in the result, its credit was returned */
	SVA_LOOK_LOST,    /* the bond is retired: the record will never be written */
};

/* Look at the record once. Retires the bond when the record timeout has passed. */
enum sva_look sva_complete_look(struct sva_op *op);
/* Advance a pending operation that is no batch as far as is possible without waiting. */
void sva_complete_advance(struct sva_op *op);
/*
 * Submit a batch as one descriptor where that is possible, else entry by entry. Returns 0, or
 * -errno and nothing has happened.
 */
int sva_batch_launch(struct sva_thread *thread, struct sva_op *batch);
/* Advance a batch and its entries as far as is possible without waiting. Returns 0 or -ENOMEM. */
int sva_batch_poll(struct sva_op *batch);
/*
 * To be called when every queue was full: has that been so for the record timeout, since the first
 * call?
 */
bool sva_complete_gives_up(struct sva_op *op);

/*
 * Wait for and end every operation that this thread, or a thread that has ended, submitted on a
 * context that the caller closes.
 */
void sva_finish_own(struct sva *ctx);

/*
 * Wait until no device has a descriptor of any operation on the lists of a context (bond: of those
 * pinned to it only). Does not end operations.
 */
void sva_settle(struct sva *ctx, const struct sva_bond *bond, uint32_t timeout_ms);

/*
 * Release a reference to a bond. The last one waits until the device has no descriptor of the
 * bond's operations.
 */
void sva_bond_put(struct sva_bond *bond);

/*
 * Wait for a record until deadline (ns; 0: none); retires the bond when the record timeout passes.
 * Returns the status, or 0.
 */
uint8_t sva_complete_await(struct sva_bond *bond, const struct sva_comp *comp, uint64_t deadline);

#pragma GCC visibility pop

#endif
