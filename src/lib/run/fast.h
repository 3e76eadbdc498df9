/* SPDX-License-Identifier: MIT */
/*
 * The short road, inline: an operation that one descriptor carries and that a queue takes at once,
 * on the lease that took the last one. It is checked, submitted and ended without a call, and its
 * result is not written: sva_result_read() makes it from the record when it is asked for. What does
 * not simply succeed leaves it (sva_operation_unfold()) and goes on on the long road, as if it had
 * begun there.
 */
#ifndef SVA_RUN_FAST_H
#define SVA_RUN_FAST_H

#include "lib/op/kinds.h"
#include "lib/queue/ways.h"
#include "lib/run/run.h"

#pragma GCC visibility push(hidden)

/* Looks at a record inside the section before the wait that looks at a clock. */
#define SVA_FAST_LOOKS 32u

/*
 * The word of an operation of one descriptor on a lease, with the flags that it has and after every
 * check; 0: the long road is the one to ask.
 */
uint32_t sva_fast_word(const struct sva_lease *lease, const struct sva_op *op);
/* The same of an entry of a batch descriptor, which may have a fence. */
uint32_t sva_fast_entry_word(const struct sva_lease *lease, const struct sva_op *op);

/* Does [addr, addr + len) start at null or wrap around? */
static inline bool sva_fast_bad_range(uint64_t addr, uint64_t len)
{
	uint64_t end;

	return __builtin_add_overflow(addr - 1, len, &end);
}

/*
 * false: something is wrong with the operands, or it takes a call to find out. fast: of its kind.
 */
static inline __attribute__((always_inline)) bool sva_fast_operands(const struct sva_op *op,
								     uint8_t fast)
{
	const struct sva_desc *desc = &op->desc;
	uint64_t len = op->length;

	if (fast >= SVA_FAST_THREE)
		return false;
	if (fast != SVA_FAST_READ && sva_fast_bad_range(desc->dst, len))
		return false;
	if (fast != SVA_FAST_WRITE && sva_fast_bad_range(desc->src, len))
		return false;
	return fast != SVA_FAST_APART ||
	       (desc->dst - desc->src >= len && desc->src - desc->dst >= len);
}

/*
 * The word of an operation without flags on a lease, if it can be found without a call: it is
 * prepared, of one descriptor, and its operands are right. 0: ask sva_fast_word().
 */
static inline __attribute__((always_inline)) uint32_t sva_fast_plain(const struct sva_lease *lease,
								      const struct sva_op *op)
{
	/* The opcode, if no flag of the descriptor is set; else a large number. */
	uint32_t opcode = op->desc.flags_opcode << 8 | op->desc.flags_opcode >> 24;
	uint32_t word;

	if (unlikely((op->flags | (uint64_t)op->state << 32) != (uint64_t)SVA_OP_PREPARED << 32) ||
	    unlikely(opcode >= SVA_LEASE_WORDS) || unlikely(op->length - 1 >= lease->fast_max))
		return 0;
	word = __atomic_load_n(&lease->words[opcode], __ATOMIC_RELAXED);
	if (likely(opcode == SVA_OPCODE_MEMMOVE))
		return likely(sva_fast_operands(op, SVA_FAST_BOTH)) ? word : 0;
	return likely(sva_fast_operands(op, sva_kinds[opcode].fast)) ? word : 0;
}

/* Make an operation ready to be submitted on a lease, with this word. */
static inline __attribute__((always_inline)) void
sva_fast_prepare(struct sva_lease *lease, struct sva_op *op, uint32_t word)
{
	SVA_OP_PRIVATE(op)->prepared_word = op->desc.flags_opcode;
	SVA_OP_PRIVATE(op)->lease = lease;
	op->desc.flags_opcode = word;
	op->desc.size = (uint32_t)op->length;
	op->desc.completion_addr = (uint64_t)(uintptr_t)&op->comp;
	sva_record_clear(&op->comp);
}

/* It was not submitted after all. */
static inline void sva_fast_undo(struct sva_op *op)
{
	op->desc.flags_opcode = SVA_OP_PRIVATE(op)->prepared_word;
	op->desc.completion_addr = 0;
}

/* Inside the section: it was submitted. */
static inline void sva_fast_taken(struct sva_thread *thread, struct sva_lease *lease,
				  struct sva_op *op)
{
	lease->credits -= lease->counted;
	lease->full_since = 0;
	op->state = thread->fast_state;
	sva_thread_link(thread, op);
}

/*
 * Submit an operation with its word to a mapped portal, without a call. Any other answer than 0
 * means that sva_start_fast() is to be asked.
 */
static inline __attribute__((always_inline)) int sva_start_word(struct sva_thread *thread,
								struct sva_lease *lease,
								struct sva_op *op, uint32_t word)
{
	int err = -EAGAIN;

	sva_fast_prepare(lease, op, word);
	if (likely(sva_bias_try_enter(&thread->lessee.bias))) {
		if (likely(lease->credits > 0) && likely(!sva_lease_store(lease, &op->desc))) {
			sva_fast_taken(thread, lease, op);
			err = 0;
		}
		sva_bias_exit(&thread->lessee.bias);
	}
	if (unlikely(err))
		sva_fast_undo(op);
	return err;
}

/* The same, of an operation whose word is to be found without a call. */
static inline __attribute__((always_inline)) int
sva_start_faster(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op)
{
	uint32_t word = sva_fast_plain(lease, op);

	return unlikely(!word) || unlikely(lease->store == SVA_STORE_CALL) ?
		       -EAGAIN :
		       sva_start_word(thread, lease, op, word);
}

/* The same, of an operation that needs more checks or has flags; 0: submitted, and counted. */
int sva_start_checked(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op);

/*
 * The same, on any path. Any other answer than 0 means that sva_start() is to be asked.
 */
int sva_start_fast(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op);

/*
 * Without a candidate: let the CPU do it, now. Its record is written, and it is on no list. Any
 * thread, and outside of every lock, since a bad address raises a signal. false: ask sva_start().
 */
bool sva_do_plain(struct sva_thread *thread, struct sva_op *op);
/* The same, and put it on the list: ended but for its poll. */
bool sva_start_plain(struct sva_thread *thread, struct sva_op *op);

/* What came of a descriptor that was submitted and waited for in one go. */
enum sva_went {
	SVA_WENT_NOWHERE, /* not taken */
	SVA_WENT_WELL,    /* its record says success */
	SVA_WENT_ON,      /* taken; its record says something else, or nothing yet */
};

/*
 * Submit, and wait a little, in one section of the thread. A descriptor that ends meanwhile needs
 * its credit only there, where no other thread looks at the lease: it is not even taken.
 */
static inline __attribute__((always_inline)) enum sva_went
sva_fast_run(struct sva_thread *thread, struct sva_lease *lease, const struct sva_desc *desc,
	     const struct sva_comp *comp)
{
	enum sva_went went = SVA_WENT_WELL;

	if (unlikely(!sva_bias_try_enter(&thread->lessee.bias)))
		return SVA_WENT_NOWHERE;
	if (unlikely(lease->credits <= 0) || unlikely(sva_lease_store(lease, desc))) {
		sva_bias_exit(&thread->lessee.bias);
		return SVA_WENT_NOWHERE;
	}
	for (unsigned int i = 0; unlikely(sva_record_status(comp) != SVA_STATUS_SUCCESS); i++) {
		if (sva_record_status(comp) || i == SVA_FAST_LOOKS) {
			lease->credits -= lease->counted;
			went = SVA_WENT_ON;
			break;
		}
		sva_cpu_relax();
	}
	sva_bias_exit(&thread->lessee.bias);
	return went;
}

/* The same on a path without a portal. */
enum sva_went sva_fast_call(struct sva_thread *thread, struct sva_lease *lease,
			    const struct sva_desc *desc, const struct sva_comp *comp);

/*
 * The lease that an operation on mapped buffers has just been submitted on, if others can follow it
 * with one call; or NULL.
 */
static inline struct sva_lease *sva_mapped_lease(const struct sva_op *op)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);

	return op->state == SVA_OP_IN_FLIGHT && p->by_buffer && p->lease->ops->submit_many ?
		       p->lease :
		       NULL;
}

#pragma GCC visibility pop

#endif
