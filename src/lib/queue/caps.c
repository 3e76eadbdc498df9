/* SPDX-License-Identifier: MIT */
/*
 * Whether a queue can do an operation: the capabilities that it needs; and the flags that its
 * descriptor gets there.
 */
#include "lib/op/kinds.h"
#include "lib/queue/bond.h"

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

bool sva_caps_has_batch(const struct sva_bond *bond)
{
	return has_operation(bond, SVA_OPCODE_BATCH);
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
	    ((op->flags & SVA_OP_CACHE) || op->length <= SVA_CAPS_CACHE_LIMIT))
		flags |= SVA_DESC_CC;
	if (!policy)
		policy = p->policy->fault_policy;
	if (policy == SVA_FAULT_BLOCK && bond->block_on_fault &&
	    (sva_kind_of(op)->shape == SVA_SHAPE_BYTES ||
	     sva_kind_of(op)->shape == SVA_SHAPE_WHOLE))
		flags |= SVA_DESC_BOF;
	return p->word | flags;
}

void sva_caps_fill_words(struct sva_lease *lease)
{
	const struct sva_bond *bond = lease->bond;
	bool block = lease->lessee->policy->fault_policy == SVA_FAULT_BLOCK && bond->block_on_fault;

	for (unsigned int opcode = 0; opcode < SVA_LEASE_WORDS; opcode++) {
		const struct sva_kind *kind = &sva_kinds[opcode];
		uint32_t flags = SVA_DESC_CRAV | SVA_DESC_RCR;

		if (kind->fast == SVA_FAST_NEVER || !has_operation(bond, opcode))
			continue;
		if (kind->writes && (bond->gen_cap & SVA_GENCAP_CACHE_CONTROL))
			flags |= SVA_DESC_CC;
		if (block)
			flags |= SVA_DESC_BOF;
		lease->words[opcode] = sva_desc_word((enum sva_opcode)opcode, flags);
	}
}

void sva_caps_forget_operation(struct sva_bond *bond, unsigned int opcode)
{
	if (opcode >= 256)
		return;
	__atomic_and_fetch(&bond->op_cap[opcode / 64], ~(1ull << (opcode % 64)), __ATOMIC_RELAXED);
	if (opcode >= SVA_LEASE_WORDS)
		return;
	pthread_mutex_lock(&bond->lock);
	for (struct sva_lease *lease = bond->leases; lease; lease = lease->next)
		__atomic_store_n(&lease->words[opcode], 0, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&bond->lock);
}

void sva_caps_forget_overlap(struct sva_bond *bond)
{
	__atomic_and_fetch(&bond->gen_cap, ~SVA_GENCAP_OVERLAP_COPY, __ATOMIC_RELAXED);
}
