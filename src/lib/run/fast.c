/* SPDX-License-Identifier: MIT */
/* The short road, as far as it takes calls: operations with flags, and paths without a portal. */
#include "lib/op/cpu.h"
#include "lib/run/fast.h"

/* The checks of sva_progress_check(), as far as an operation of this kind needs them. */
static bool is_right(const struct sva_lease *lease, const struct sva_op *op,
		     const struct sva_kind *kind)
{
	if (kind->fast == SVA_FAST_CHECKED)
		return !sva_progress_check(op) && sva_progress_fits_whole(op, lease->max_transfer);
	return op->state == SVA_OP_PREPARED && !(op->flags & ~SVA_OP_FLAGS_ALL) &&
	       (~op->flags & (SVA_OP_CACHE | SVA_OP_NO_CACHE)) &&
	       (!(op->flags & SVA_OP_CHECK) || sva_kind_compares(op)) &&
	       sva_fast_operands(op, kind->fast);
}

uint32_t sva_fast_word(const struct sva_lease *lease, const struct sva_op *op)
{
	unsigned int opcode = sva_desc_opcode(&op->desc);
	const struct sva_kind *kind = sva_kind_of(op);
	const struct sva_bond *bond = lease->bond;
	int node = SVA_OP_NODE_HINT(op->flags);
	uint32_t word;

	/* What is ordered after others, or better off elsewhere. */
	if (opcode >= SVA_LEASE_WORDS || (op->flags & SVA_OP_FENCE) ||
	    (node >= 0 && node != bond->numa_node))
		return 0;
	word = __atomic_load_n(&lease->words[opcode], __ATOMIC_RELAXED);
	if (!word || op->length - 1 >= lease->max_transfer || !is_right(lease, op, kind) ||
	    (sva_desc_flags(&op->desc) && !sva_caps_can_do(bond, op)))
		return 0;
	word |= sva_desc_flags(&op->desc);
	if (op->length > SVA_CAPS_CACHE_LIMIT && !(op->flags & SVA_OP_CACHE))
		word &= ~SVA_DESC_CC;
	if (op->flags & SVA_OP_NO_CACHE)
		word &= ~SVA_DESC_CC;
	if (op->flags & SVA_OP_CHECK)
		word |= SVA_DESC_CR;
	if ((op->flags & SVA_OP_STRICT_ORDER) && kind->writes)
		word |= SVA_DESC_STORD;
	if (op->flags & SVA_OP_FAULT_MASK) {
		word &= ~SVA_DESC_BOF;
		if ((op->flags & SVA_OP_FAULT_MASK) == SVA_OP_FAULT_BLOCK && bond->block_on_fault)
			word |= SVA_DESC_BOF;
	}
	return word;
}

bool sva_do_plain(struct sva_thread *thread, struct sva_op *op)
{
	struct sva_lease *lease = &thread->cpu_lease;
	uint32_t word = sva_fast_plain(lease, op);

	if (!word || !sva_cpu_knows(&op->desc, op->length))
		return false;
	sva_fast_prepare(lease, op, word);
	sva_cpu_execute(&op->desc, op->length, &op->comp);
	return true;
}

bool sva_start_plain(struct sva_thread *thread, struct sva_op *op)
{
	if (!sva_do_plain(thread, op))
		return false;
	sva_bias_enter(&thread->lessee.bias);
	op->state = thread->fast_state;
	sva_thread_link(thread, op);
	sva_bias_exit(&thread->lessee.bias);
	return true;
}

int sva_start_fast(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op)
{
	uint32_t word = sva_fast_plain(lease, op);
	int err = -EAGAIN;

	if (!word)
		word = sva_fast_word(lease, op);
	if (!word)
		return -EAGAIN;
	sva_fast_prepare(lease, op, word);
	sva_bias_enter(&thread->lessee.bias);
	if (lease->credits > 0)
		err = lease->ops->submit(lease, &op->desc);
	if (!err)
		sva_fast_taken(thread, lease, op);
	sva_bias_exit(&thread->lessee.bias);
	if (err)
		sva_fast_undo(op);
	return err;
}
