/* SPDX-License-Identifier: MIT */
/*
 * Whether a queue can do an operation: the capabilities that it needs; and the flags that its
 * descriptor gets there.
 */
#include "lib/op/kinds.h"
#include "lib/queue/bond.h"

/* larger results bypass the cache, since they would evict everything else */
#define CACHE_LIMIT (1u << 20)

/* The bits of GENCAP that an operation needs. */
static uint64_t needed_capabilities(const struct sva_op *op)
{
	uint32_t flags = sva_desc_flags(&op->desc);

	switch (sva_desc_opcode(&op->desc)) {
	case SVA_OPCODE_FILL:
		return flags & SVA_DESC_FILL16 ? SVA_GENCAP_FILL16 : 0;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		return flags & SVA_DESC_CRC64 ? SVA_GENCAP_CRC64 : 0;
	case SVA_OPCODE_MEMMOVE:
		return op->desc.dst < op->desc.src + op->length &&
				       op->desc.src < op->desc.dst + op->length ?
			       SVA_GENCAP_OVERLAP_COPY :
			       0;
	default:
		return 0;
	}
}

static bool has_operation(const struct sva_bond *bond, unsigned int opcode)
{
	return __atomic_load_n(&bond->op_cap[opcode / 64], __ATOMIC_RELAXED) >> (opcode % 64) & 1;
}

bool sva_caps_can_do(const struct sva_bond *bond, const struct sva_op *op)
{
	uint64_t needed = needed_capabilities(op);

	return has_operation(bond, sva_desc_opcode(&op->desc)) &&
	       !(needed & ~__atomic_load_n(&bond->gen_cap, __ATOMIC_RELAXED));
}

uint32_t sva_caps_word(const struct sva_bond *bond, const struct sva_op *op)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint32_t policy = op->flags & SVA_OP_FAULT_MASK;
	uint32_t flags = 0;

	if (sva_kind_of(op)->writes && (bond->gen_cap & SVA_GENCAP_CACHE_CONTROL) &&
	    !(op->flags & SVA_OP_NO_CACHE) &&
	    ((op->flags & SVA_OP_CACHE) || op->length <= CACHE_LIMIT))
		flags |= SVA_DESC_CC;
	if (!policy)
		policy = p->policy->fault_policy;
	if (policy == SVA_FAULT_BLOCK && bond->block_on_fault &&
	    (sva_kind_of(op)->shape == SVA_SHAPE_BYTES ||
	     sva_kind_of(op)->shape == SVA_SHAPE_WHOLE))
		flags |= SVA_DESC_BOF;
	return p->word | flags;
}

void sva_caps_forget_operation(struct sva_bond *bond, unsigned int opcode)
{
	if (opcode < 256)
		__atomic_and_fetch(&bond->op_cap[opcode / 64], ~(1ull << (opcode % 64)),
				   __ATOMIC_RELAXED);
}

void sva_caps_forget_overlap(struct sva_bond *bond)
{
	__atomic_and_fetch(&bond->gen_cap, ~SVA_GENCAP_OVERLAP_COPY, __ATOMIC_RELAXED);
}
