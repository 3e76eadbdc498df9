/* SPDX-License-Identifier: MIT */
/*
 * The short road, as far as it takes calls: operations that need more checks or have flags, and
 * paths without a portal.
 */
#include "lib/op/cpu.h"
#include "lib/run/fast.h"

/*
 * The checks of sva_progress_check(), in the few instructions that an operation of one descriptor
 * leaves of them; tests/unit/t-run-fast.c compares both. An operation that does not pass goes to
 * the long road, which returns its error.
 */

/* Can one or several ranges start at null, wrap around, or leave the user addresses? */
static inline bool is_unusual(uint64_t before, uint64_t len)
{
	/*
	 * before: the addresses less 1, or-ed. No carry of the addition gets to the sign: len has
	 * 32 bits, and the addresses of a program are far below it.
	 */
	return (int64_t)(before | (before + len)) < 0;
}

static inline bool are_apart(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a - b >= b_len && b - a >= a_len;
}

static inline bool is_right_dualcast(const struct sva_desc *desc, uint64_t len)
{
	uint64_t src = desc->src, dst = desc->dst, third = desc->op.dualcast.dst2;

	return !is_unusual((src - 1) | (dst - 1) | (third - 1), len) && !((dst ^ third) % 4096) &&
	       are_apart(src, len, dst, len) && are_apart(src, len, third, len) &&
	       are_apart(dst, len, third, len);
}

static bool is_right_delta(const struct sva_desc *desc, uint64_t len, uint64_t max_transfer)
{
	uint64_t src = desc->src, dst = desc->dst, third = desc->op.delta.addr_or_size;
	uint32_t most = desc->op.delta.max_size;

	if (len > SVA_DELTA_MAX_REGION || (dst | len) % 8)
		return false;
	if (sva_desc_opcode(desc) == SVA_OPCODE_APPLY_DELTA) /* third: bytes of the record, src */
		return third >= SVA_DELTA_ENTRY_SIZE && third <= UINT32_MAX &&
		       !is_unusual(src - 1, third) && !is_unusual(dst - 1, len) &&
		       are_apart(src, third, dst, len);
	return !(src % 8) && most >= SVA_DELTA_MIN_SIZE && most % SVA_DELTA_ENTRY_SIZE == 0 &&
	       most <= max_transfer && !is_unusual((src - 1) | (dst - 1), len) &&
	       !is_unusual(third - 1, most) && are_apart(src, len, third, most) &&
	       are_apart(dst, len, third, most);
}

static bool is_right_blocks(const struct sva_desc *desc, uint64_t len)
{
	static const uint16_t sizes[4] = { 512, 520, 4096, 4104 };
	const uint32_t block = sizes[desc->op.dif.flags & 3], tagged = block + 8;
	uint64_t src = desc->src, dst = desc->dst, dst_len = len;
	uint32_t opcode = sva_desc_opcode(desc), blocks, unit = tagged;

	if (opcode == SVA_OPCODE_DIF_INSERT || opcode == SVA_OPCODE_DIX_GENERATE)
		unit = block;
	blocks = (uint32_t)len / unit;
	if (len != (uint64_t)blocks * unit || is_unusual(src - 1, len))
		return false;
	switch (opcode) {
	case SVA_OPCODE_DIF_CHECK:
		return true;
	case SVA_OPCODE_DIF_INSERT:
		dst_len = (uint64_t)blocks * tagged;
		break;
	case SVA_OPCODE_DIF_STRIP:
		dst_len = (uint64_t)blocks * block;
		break;
	case SVA_OPCODE_DIX_GENERATE:
		dst_len = (uint64_t)blocks * 8;
		if (dst % 8)
			return false;
		break;
	default:
		break;
	}
	return !is_unusual(dst - 1, dst_len) && are_apart(src, len, dst, dst_len);
}

/* len is at most max_transfer. */
static inline bool is_right(const struct sva_desc *desc, uint8_t fast, uint64_t len,
			    uint64_t max_transfer)
{
	switch (fast) {
	case SVA_FAST_WRITE:
		return !is_unusual(desc->dst - 1, len);
	case SVA_FAST_READ:
		return !is_unusual(desc->src - 1, len);
	case SVA_FAST_BOTH:
		return !is_unusual((desc->dst - 1) | (desc->src - 1), len);
	case SVA_FAST_APART:
		return !is_unusual((desc->dst - 1) | (desc->src - 1), len) &&
		       are_apart(desc->dst, len, desc->src, len);
	case SVA_FAST_THREE:
		return is_right_dualcast(desc, len);
	case SVA_FAST_DELTA:
		return is_right_delta(desc, len, max_transfer);
	case SVA_FAST_BLOCKS:
		return is_right_blocks(desc, len);
	default:
		return false;
	}
}

/* What is ordered after others, or better off elsewhere, does not get a word. */
static bool has_odd_flags(const struct sva_bond *bond, const struct sva_op *op, uint32_t flags)
{
	int node = SVA_OP_NODE_HINT(flags);

	return (flags & ~SVA_OP_FLAGS_ALL) || (flags & SVA_OP_FENCE) ||
	       ((flags & SVA_OP_CHECK) && !sva_kind_compares(op)) ||
	       (node >= 0 && node != bond->numa_node);
}

#define EASY_FLAGS (SVA_OP_FAULT_MASK | SVA_OP_CACHE | SVA_OP_NO_CACHE | SVA_OP_STRICT_ORDER)

static inline uint32_t add_flags(const struct sva_bond *bond, const struct sva_op *op,
				 uint32_t flags, bool writes, uint32_t word)
{
	if (unlikely(flags & ~EASY_FLAGS) && has_odd_flags(bond, op, flags))
		return 0;
	if (flags & SVA_OP_NO_CACHE) {
		if (flags & SVA_OP_CACHE)
			return 0;
		word &= ~SVA_DESC_CC;
	}
	if (flags & SVA_OP_CHECK)
		word |= SVA_DESC_CR;
	if ((flags & SVA_OP_STRICT_ORDER) && writes)
		word |= SVA_DESC_STORD;
	if (flags & SVA_OP_FAULT_MASK) {
		word &= ~SVA_DESC_BOF;
		if ((flags & SVA_OP_FAULT_MASK) == SVA_OP_FAULT_BLOCK && bond->block_on_fault)
			word |= SVA_DESC_BOF;
	}
	return word;
}

/* flags: those of the operation that are to be heeded. */
static inline __attribute__((always_inline)) uint32_t
find_word(const struct sva_lease *lease, const struct sva_op *op, uint32_t flags)
{
	uint32_t opcode = sva_desc_opcode(&op->desc), extra = sva_desc_flags(&op->desc), word;
	const uint64_t len = op->length;
	const struct sva_kind *kind;

	if (unlikely(op->state != SVA_OP_PREPARED) || unlikely(opcode >= SVA_LEASE_WORDS))
		return 0;
	kind = &sva_kinds[opcode];
	word = __atomic_load_n(&lease->words[opcode], __ATOMIC_RELAXED);
	if (unlikely(!word) || unlikely(len - 1 >= lease->max_transfer) ||
	    unlikely(!is_right(&op->desc, kind->fast, len, lease->max_transfer)))
		return 0;
	if (unlikely(extra)) {
		if (!sva_caps_can_do(lease->bond, op))
			return 0;
		word |= extra;
	}
	if (len > SVA_CAPS_CACHE_LIMIT && !(flags & SVA_OP_CACHE))
		word &= ~SVA_DESC_CC;
	return flags ? add_flags(lease->bond, op, flags, kind->writes, word) : word;
}

uint32_t sva_fast_entry_word(const struct sva_lease *lease, const struct sva_op *op)
{
	uint32_t word = find_word(lease, op, op->flags & ~SVA_OP_FENCE);

	return word && (op->flags & SVA_OP_FENCE) ? word | SVA_DESC_FENCE : word;
}

uint32_t sva_fast_word(const struct sva_lease *lease, const struct sva_op *op)
{
	return find_word(lease, op, op->flags);
}

int sva_start_checked(struct sva_thread *thread, struct sva_lease *lease, struct sva_op *op)
{
	uint32_t word = find_word(lease, op, op->flags);

	if (unlikely(!word) || unlikely(lease->store == SVA_STORE_CALL) ||
	    unlikely(sva_start_word(thread, lease, op, word)))
		return -EAGAIN;
	thread->ticks--;
	return 0;
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
	uint32_t word = sva_fast_word(lease, op);
	int err = -EAGAIN;

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

/*
 * The record is looked at once: an engine in this thread has written it, and what else is behind a
 * call takes longer than a wait that looks at a clock does harm.
 */
enum sva_went sva_fast_call(struct sva_thread *thread, struct sva_lease *lease,
			    const struct sva_desc *desc, const struct sva_comp *comp)
{
	enum sva_went went = SVA_WENT_NOWHERE;

	sva_bias_enter(&thread->lessee.bias);
	if (lease->credits > 0 && !lease->ops->submit(lease, desc)) {
		lease->full_since = 0;
		went = SVA_WENT_WELL;
		if (sva_record_status(comp) != SVA_STATUS_SUCCESS) {
			lease->credits -= lease->counted;
			went = SVA_WENT_ON;
		}
	}
	sva_bias_exit(&thread->lessee.bias);
	return went;
}
