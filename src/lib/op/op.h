/* SPDX-License-Identifier: MIT */
/* One operation: the opaque words of struct sva_op, how far it is, and how it ends. */
#ifndef SVA_OP_OP_H
#define SVA_OP_OP_H

#include "lib/base/lib.h"
#include "lib/base/process.h"

/*
 * Nothing of this is exported: say so where it is used, too, so that it is reached without an
 * indirection.
 */
#pragma GCC visibility push(hidden)

struct sva_lease;
struct sva_dma_buf;

/*
 * What an operation follows when it does not simply succeed. Of its context, or of its bond if it
 * is pinned to that.
 */
struct sva_policy {
	uint32_t fault_policy;      /* enum sva_fault_policy, never DEFAULT */
	uint32_t fault_tries;
	uint32_t full_tries;
	uint32_t record_timeout_ms;
	bool cpu_allowed;
};

enum sva_op_state {
	SVA_OP_IN_FLIGHT = 0x5a70f117, /* a descriptor is with a device; its record is awaited */
	SVA_OP_STALLED = 0x5a705a11,   /* the next chunk found every queue full: poll tries again */
	SVA_OP_IN_BATCH = 0x5a70ba7c,  /* an entry of a batch that has not been started by itself */
	SVA_OP_BATCHING = 0x5a70b100,  /* a batch whose entries are worked off one by one */
	/* in a submission for the caller's own io_uring: its completion is his to see */
	SVA_OP_ON_RING = 0x5a704106,
	SVA_OP_ENDED = 0x5a700e4d,     /* result is complete */
};

#define SVA_OP_KEEPS_BOND    1u /* a hold of bond */
#define SVA_OP_KEEPS_BUFFERS 2u /* users of its mapped buffers, or of those of its entries */

struct sva_op_private {
	struct sva_result result;
	struct sva *ctx;            /* that it was submitted on; NULL: on none */
	struct sva_thread *thread;  /* whose list it is on; NULL: none */
	struct sva_lease *lease;    /* that carries the current chunk */
	/* that the current chunk is with; if pinned, the only one it may go to */
	struct sva_bond *bond;
	const struct sva_policy *policy;
	struct sva_op *next, *prev; /* the thread's list */
	struct sva_op *parent;      /* the batch that it is an entry of */
	struct sva_dma_buf *bufs[2]; /* mapped buffers it works on: destination, source */
	struct sva_desc *list;      /* a batch's descriptors while a device may read them */
	uint64_t src, dst, third;   /* where the bytes that are not in the current chunk begin */
	uint64_t remaining;         /* bytes not done, the current chunk's included */
	/* memmove: bytes after the current chunk's that are done already */
	uint64_t chunk_rest;
	/* ns: when somebody first found the current chunk's record empty; 0: nobody */
	uint64_t waited_since;
	uint32_t word;              /* flags and opcode without those that depend on the queue */
	uint32_t polls;             /* that found the record empty */
	unsigned int generation;
	uint32_t touches;           /* device attempts after faults */
	uint32_t prepared_word;     /* flags and opcode as sva_submit() found them */
	uint32_t delta_max;         /* create delta: room for the whole record */
	uint32_t delta_bytes;       /* create delta: size of the earlier parts' record */
	bool is_batch;              /* src is the list of its entries */
	uint8_t keeps;              /* SVA_OP_KEEPS_*: given back when it has left the list */
	uint64_t delta_region;      /* create delta: bytes that the earlier parts covered */
	/* chunks are issued from the end: the destination overlaps the source from above */
	bool backward;
	bool pinned;                /* to bond */
	bool credit;                /* a queue has the current chunk; see sva_op_set_credit() */
	/* one chunk of a plain copy or fill: its success needs no arithmetic */
	bool quick;
	bool mid_chunk;             /* the descriptor is the rest of a chunk: it keeps its shape */
	bool sync;                  /* on the routes of synchronous calls only */
	/*
	 * pinned because its buffers are mapped there: what that device will not have, others may
	 * do
	 */
	bool by_buffer;
	/* on mapped buffers, and the descriptor has addresses instead of offsets */
	bool addressed;
};

/* Nothing of an operation is looked at before this has been asked. */
static inline bool sva_op_is_bad(const struct sva_op *op)
{
	return unlikely(!op) || unlikely((uintptr_t)op % 64);
}

#define SVA_OP_PRIVATE(op) ((struct sva_op_private *)(void *)(op)->opaque)

/*
 * The owner writes credit inside and outside of its section, while settle.c may read it: hence
 * atomically.
 */
static inline void sva_op_set_credit(struct sva_op *op, bool credit)
{
	__atomic_store_n(&SVA_OP_PRIVATE(op)->credit, credit, __ATOMIC_RELAXED);
}

/* Submitted, and not ended yet. */
static inline bool sva_op_is_pending(const struct sva_op *op)
{
	return op->state == SVA_OP_IN_FLIGHT || op->state == SVA_OP_STALLED ||
	       op->state == SVA_OP_IN_BATCH || op->state == SVA_OP_BATCHING;
}

static inline struct sva_op **sva_batch_entries(const struct sva_op *batch)
{
	return (struct sva_op **)(uintptr_t)SVA_OP_PRIVATE(batch)->src;
}

_Static_assert(sizeof(struct sva_op) == SVA_OP_SIZE, "the size of an operation is frozen");
_Static_assert(sizeof(struct sva_op_private) <= sizeof(((struct sva_op *)0)->opaque),
	       "the opaque words are too few");
_Static_assert(offsetof(struct sva_op, comp) == 64, "the record has a cache line of its own");

/* Is it an operation that can be submitted? 0 or -errno, before anything is changed. */
int sva_progress_check(const struct sva_op *op);
/* Start: everything is still to be done. */
void sva_progress_begin(struct sva_op *op);
/* Fill the descriptor with the next chunk for a queue of these limits. */
void sva_progress_next(struct sva_op *op, uint64_t max_transfer);
/* The record says success: count the chunk. true: there is nothing left. */
bool sva_progress_chunk_done(struct sva_op *op, int path);
/*
 * The record says page fault: count what was done and shorten the descriptor to the rest of its
 * chunk.
 */
void sva_progress_partial(struct sva_op *op, int path);
/* Forget what was done and begin anew. */
void sva_progress_restart(struct sva_op *op);
/* Can a queue with this limit carry the next chunk? */
bool sva_progress_fits(const struct sva_op *op, uint64_t max_transfer);
/* Can it carry the descriptor as it is? The operation need not have begun. */
bool sva_progress_fits_whole(const struct sva_op *op, uint64_t max_transfer);
/* It failed for good: count what the record says of how far it came. */
void sva_progress_failed(struct sva_op *op, int path);
/*
 * Has it no bytes at all? Then no queue is needed: this leaves its result and returns 0, or -EBADE
 * as below.
 */
bool sva_progress_is_empty(const struct sva_op *op);
int sva_progress_empty(struct sva_op *op);
/* Of what ended well: 0, or -EBADE if SVA_OP_CHECK asked for another result. */
int sva_progress_verdict(const struct sva_op *op);

/* Begin an operation on a context. */
void sva_operation_begin(struct sva_op *op, struct sva *ctx, const struct sva_policy *policy);
/* Not submitted after all: it can be submitted again as it is. */
void sva_operation_undo(struct sva_op *op);
/*
 * It has ended with 0 or -errno. last: the path and queue of its last chunk; NULL: it never was
 * with a queue. They are its result's, unless another path did more.
 */
void sva_operation_end(struct sva_op *op, const struct sva_identity *last, int error);
/*
 * The record, which came on that path, reports a page fault. 0: the rest is to be issued again; 1:
 * the CPU is to finish it; -errno: it has failed.
 */
int sva_resume(struct sva_op *op, int path);

#pragma GCC visibility pop

#endif
