/* SPDX-License-Identifier: MIT */
/* One operation: the opaque bytes of struct sva_op, how much of it is done, and how it ends. */
#ifndef SVA_OP_OP_H
#define SVA_OP_OP_H

#include "lib/base/lib.h"
#include "lib/base/process.h"

/* Nothing of this is exported. Stated here too, so that callers reach it without an indirection. */
#pragma GCC visibility push(hidden)

struct sva_lease;
struct sva_dma_buf;

/*
 * The settings for an operation that does not succeed at once. They belong to its context, or to
 * its bond if it is pinned to one.
 */
struct sva_policy {
	uint32_t fault_policy; /* enum sva_fault_policy, never DEFAULT */
	uint32_t fault_tries;
	uint32_t full_tries;
	uint32_t record_timeout_ms;
	bool cpu_allowed;
};

enum sva_op_state {
	SVA_OP_IN_FLIGHT = 0x5a70f117, /* a device has its descriptor; the record is awaited */
	SVA_OP_STALLED = 0x5a705a11,   /* every queue was full for its next chunk; poll retries */
	SVA_OP_IN_BATCH = 0x5a70ba7c,  /* an entry of a batch, not started by itself */
	SVA_OP_BATCHING = 0x5a70b100,  /* a batch whose entries are started one by one */
	SVA_OP_ON_RING = 0x5a704106,   /* on the caller's io_uring, where the caller completes it */
	SVA_OP_ENDED = 0x5a700e4d,     /* its result is final */
	/*
	 * The states of the short road, to which the process's generation is added. In flight;
	 * ended, with a result that sva_result_read() makes of the record; and in flight as an
	 * entry of a batch descriptor (run/batch-fast.c).
	 */
	SVA_OP_FAST = 0x5af00000,
	SVA_OP_FAST_ENDED = 0x5ae00000,
	SVA_OP_FAST_ENTRY = 0x5ad00000,
};

#define SVA_OP_FAST_GENERATION 0xfffffu /* the bits of the generation in these states */


#define SVA_OP_FOLDED   1u /* a batch whose entries are in SVA_OP_FAST_ENTRY */
#define SVA_OP_IN_GROUP 2u /* its list is that of a group (run/group.h) */

#define SVA_OP_KEEPS_BOND    1u /* it holds its bond */
#define SVA_OP_KEEPS_BUFFERS 2u /* it, or an entry of it, counts as a user of mapped buffers */

/* A place in the list of a thread's operations, which is a ring through its head. */
struct sva_op_node {
	struct sva_op_node *next, *prev;
};

/* The library's words of an operation. On the short road only the first five have a meaning. */
struct sva_op_private {
	struct sva_op_node node;     /* in the thread's list */
	struct sva_thread *thread;   /* on whose list it is, or NULL */
	struct sva_lease *lease;     /* on which the current chunk was submitted */
	const struct sva_identity *last; /* SVA_OP_FAST_ENDED: where it was done */
	uint32_t prepared_word;      /* flags and opcode as sva_submit() found them */

	unsigned int generation;
	uint32_t chunks;             /* descriptors submitted for it so far */
	bool credit;                 /* a queue has the current chunk; see sva_op_set_credit() */
	bool is_entry;               /* of the batch parent */
	bool is_batch;               /* src is the list of its entries */
	uint8_t folded;              /* SVA_OP_FOLDED, SVA_OP_IN_GROUP */
	struct sva_bond *bond;       /* that of the current chunk; if pinned, of every chunk */
	struct sva_result result;
	struct sva *ctx;             /* the context it was submitted on, or NULL */
	const struct sva_policy *policy;
	struct sva_op *parent;       /* the batch that it is an entry of, or NULL */
	struct sva_dma_buf *bufs[2]; /* mapped buffers it works on: destination, source */
	struct sva_desc *list;       /* a batch's descriptors while a device may read them */
	uint64_t src, dst, third;    /* where the bytes that are not in the current chunk begin */
	uint64_t remaining;          /* bytes not done, the current chunk's included */
	uint64_t chunk_rest;         /* memmove: bytes behind the current chunk that are done */
	uint64_t waited_since;       /* ns; when its record was first found empty; 0: not yet */
	uint64_t delta_region;       /* create delta: bytes that the earlier parts covered */
	uint32_t word;               /* flags and opcode, without flags that depend on the queue */
	uint32_t polls;              /* how many found the record empty */
	uint32_t touches;            /* device attempts after faults */
	uint32_t delta_max;          /* create delta: room for the whole record */
	uint32_t delta_bytes;        /* create delta: size of the earlier parts' record */
	uint8_t keeps;               /* SVA_OP_KEEPS_*: to release when it has left the list */
	bool backward;               /* memmove to overlapping higher addresses: last chunk first */
	bool pinned;                 /* to bond */
	bool mid_chunk;              /* the descriptor is the rest of a chunk: keep it whole */
	bool sync;                   /* only on the candidates of synchronous calls */
	bool by_buffer;              /* pinned only since its buffers are mapped on that device */
	bool addressed;              /* on mapped buffers, with addresses instead of offsets */
};

/* To be asked before any field of an operation is read. */
static inline bool sva_op_is_bad(const struct sva_op *op)
{
	return unlikely(!op) || unlikely((uintptr_t)op % 64);
}

#define SVA_OP_PRIVATE(op) ((struct sva_op_private *)(void *)(op)->opaque)

/*
 * The owner of a listed operation writes credit, lease and state inside and outside of its section,
 * while other threads may read them in the section of the share that has the list (run/settle.c,
 * run/credits.c), so these accesses are atomic:
 *
 *	owner, next chunk           visitor
 *	record = 0                  r0 = credit (acquire)
 *	lease = L2                  r1 = lease
 *	credit = 1 (release)        r2 = record
 *
 * r0 = 1 and r1 an earlier lease than L2 together is forbidden, unless credit is that of the
 * earlier one. Likewise a batch whose state is BATCHING (release, acquire) has entries whose words
 * may be read.
 */
static inline bool sva_op_has_credit(const struct sva_op *op)
{
	return __atomic_load_n(&SVA_OP_PRIVATE(op)->credit, __ATOMIC_ACQUIRE);
}

static inline void sva_op_set_credit(struct sva_op *op, bool credit)
{
	__atomic_store_n(&SVA_OP_PRIVATE(op)->credit, credit, __ATOMIC_RELEASE);
}

/* Outside the section: a visitor may exchange the lease of an operation on the short road. */
static inline struct sva_lease *sva_op_lease(const struct sva_op *op)
{
	return __atomic_load_n(&SVA_OP_PRIVATE(op)->lease, __ATOMIC_ACQUIRE);
}

static inline void sva_op_set_lease(struct sva_op *op, struct sva_lease *lease)
{
	__atomic_store_n(&SVA_OP_PRIVATE(op)->lease, lease, __ATOMIC_RELEASE);
}

static inline void sva_op_set_state(struct sva_op *op, enum sva_op_state state)
{
	__atomic_store_n(&op->state, (uint32_t)state, __ATOMIC_RELEASE);
}

static inline struct sva_op *sva_op_of_node(const struct sva_op_node *node)
{
	return (struct sva_op *)((uintptr_t)node - offsetof(struct sva_op, opaque));
}

/* Is it in this state of the short road, whatever the generation? */
static inline bool sva_op_is_in(const struct sva_op *op, enum sva_op_state fast)
{
	return (op->state & ~SVA_OP_FAST_GENERATION) == (uint32_t)fast;
}

/* Submitted, and not ended yet. */
static inline bool sva_op_is_pending(const struct sva_op *op)
{
	return sva_op_is_in(op, SVA_OP_FAST) || sva_op_is_in(op, SVA_OP_FAST_ENTRY) ||
	       op->state == SVA_OP_IN_FLIGHT ||
	       op->state == SVA_OP_STALLED || op->state == SVA_OP_IN_BATCH ||
	       op->state == SVA_OP_BATCHING;
}

static inline struct sva_op **sva_batch_entries(const struct sva_op *batch)
{
	return (struct sva_op **)(uintptr_t)SVA_OP_PRIVATE(batch)->src;
}

_Static_assert(sizeof(struct sva_op) == SVA_OP_SIZE, "the size of an operation is frozen");
_Static_assert(sizeof(struct sva_op_private) <= sizeof(((struct sva_op *)0)->opaque),
	       "the opaque words are too few");
_Static_assert(offsetof(struct sva_op, comp) == 64, "the record has a cache line of its own");

/* Can it be submitted? Returns 0, or -errno and nothing is changed. */
int sva_progress_check(const struct sva_op *op);
/* Begin: nothing is done yet. */
void sva_progress_begin(struct sva_op *op);
/* Fill the descriptor with the next chunk for a queue of these limits. */
void sva_progress_next(struct sva_op *op, uint64_t max_transfer);
/* The record reports success: count the chunk. Returns true if nothing is left. */
bool sva_progress_chunk_done(struct sva_op *op, int path);
/*
 * The record reports a page fault: count what was done and shorten the descriptor to the rest of
 * its chunk.
 */
void sva_progress_partial(struct sva_op *op, int path);
/* Discard what was done and begin anew. */
void sva_progress_restart(struct sva_op *op);
/* Can a queue with this limit carry the next chunk? */
bool sva_progress_fits(const struct sva_op *op, uint64_t max_transfer);
/* Can a queue with this limit carry the descriptor as it is? The operation need not have begun. */
bool sva_progress_fits_whole(const struct sva_op *op, uint64_t max_transfer);
/* The operation failed: count the bytes that the record reports as done. */
void sva_progress_failed(struct sva_op *op, int path);
/*
 * Has it no bytes? Then it needs no queue: sva_progress_empty() sets its result and returns 0, or
 * -EBADE as below.
 */
bool sva_progress_is_empty(const struct sva_op *op);
int sva_progress_empty(struct sva_op *op);
/* For an operation that succeeded: 0, or -EBADE if SVA_OP_CHECK asked for another result. */
int sva_progress_verdict(const struct sva_op *op);

/* Begin an operation on a context. */
void sva_operation_begin(struct sva_op *op, struct sva *ctx, const struct sva_policy *policy);
/*
 * An operation leaves the short road, with its descriptor on bond: its other words get the values
 * that they would have had on the long one.
 */
void sva_operation_unfold(struct sva_op *op, struct sva_bond *bond, struct sva *ctx,
			  const struct sva_policy *policy);
/*
 * The result byte and the value in the record of one descriptor that ended with success. word: its
 * flags and opcode.
 */
static inline uint8_t sva_result_answer(const struct sva_comp *comp, uint32_t word, uint64_t length,
					uint64_t *value)
{
	*value = 0;
	switch (word >> 24) {
	case SVA_OPCODE_COMPARE:
	case SVA_OPCODE_COMPARE_PATTERN:
		if (comp->result)
			*value = comp->bytes < length ? comp->bytes : length;
		return comp->result;
	case SVA_OPCODE_CREATE_DELTA:
		*value = comp->op.delta_size;
		return comp->result;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		*value = word & SVA_DESC_CRC64 ? comp->op.crc : (uint32_t)comp->op.crc;
		return 0;
	default:
		return 0;
	}
}

/*
 * The result of one descriptor of this length that ended with success, read from its record. word:
 * its flags and opcode.
 */
void sva_result_read(struct sva_result *result, const struct sva_comp *comp, uint32_t word,
		     uint64_t length, const struct sva_identity *id);
/* It was not submitted after all: restore it, so that it can be submitted again. */
void sva_operation_undo(struct sva_op *op);
/*
 * End it with 0 or -errno. last: the path and queue of its last chunk; NULL: no queue had it. They
 * become those of the result, unless another path did more.
 */
void sva_operation_end(struct sva_op *op, const struct sva_identity *last, int error);
/*
 * The record of a chunk on this path reports a page fault. Returns 0: submit the rest of the chunk
 * again; 1: let the CPU finish the operation; -errno: it has failed.
 */
int sva_fault_resolve(struct sva_op *op, int path);

#pragma GCC visibility pop

#endif
