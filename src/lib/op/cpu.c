/* SPDX-License-Identifier: MIT */
/*
 * One operation on the CPU: which descriptors this code knows, how it executes them, and how it
 * finishes an operation that a device has begun. It does not know flags, fields and sizes that a
 * device refuses: the model does these, and reports the status that it always did.
 */
#include <string.h>

#include "lib/base/memory.h"
#include "lib/op/cpu.h"
#include "lib/op/kinds.h"

/* ------------------------------------------------------------------ known descriptors */

#define RECORD (SVA_DESC_CRAV | SVA_DESC_RCR | SVA_DESC_CRTCS)
#define WRITES (SVA_DESC_CC | SVA_DESC_DRDBK | SVA_DESC_STORD)
#define TCS12 (SVA_DESC_TCS1 | SVA_DESC_TCS2)
#define CRC_BITS \
	(SVA_DESC_CRC_SEED_MEM | SVA_DESC_CRC_BYPASS_INV | SVA_DESC_CRC_BYPASS_REF | SVA_DESC_CRC64)

#define NO_SRC 1u
#define NO_DST 2u

#define NONE 0ull
#define ALL UINT64_MAX
#define BYTE0 0xffull
#define LOW 0xffffffffull

/*
 * Flags that an operation may have beside RECORD, on the largest device, and the bits of bytes 16
 * to 63 that have a meaning. Cache control and traffic classes have none for a CPU. Source: DSA
 * specification rev 3.0, tables 5-3 and 8-3, and 8.3, as in src/model/flags.c and ops.c.
 */
static const struct known {
	uint32_t flags;
	uint8_t unused; /* NO_SRC, NO_DST: must be 0 */
	bool is_known;
	uint64_t fields[3]; /* bytes 40-47, 48-55, 56-63 */
} known[64] = {
	[SVA_OPCODE_NOOP] = {0, NO_SRC | NO_DST, true, {NONE, NONE, NONE}},
	[SVA_OPCODE_DRAIN] = {SVA_DESC_DRAIN_NO_TCA | SVA_DESC_DRAIN_NO_TCB,
			      NO_SRC | NO_DST,
			      true,
			      {NONE, NONE, NONE}},
	[SVA_OPCODE_MEMMOVE] = {WRITES | TCS12, 0, true, {NONE, NONE, NONE}},
	[SVA_OPCODE_FILL] = {WRITES | SVA_DESC_TCS2 | SVA_DESC_FILL16, 0, true, {ALL, NONE, NONE}},
	[SVA_OPCODE_COMPARE] = {SVA_DESC_CR | TCS12, 0, true, {BYTE0, NONE, NONE}},
	[SVA_OPCODE_COMPARE_PATTERN] = {SVA_DESC_CR | SVA_DESC_TCS1, 0, true, {BYTE0, NONE, NONE}},
	[SVA_OPCODE_CREATE_DELTA] = {SVA_DESC_CR | WRITES | TCS12 | SVA_DESC_TCS3,
				     0,
				     true,
				     {ALL, LOW, BYTE0}},
	[SVA_OPCODE_APPLY_DELTA] = {WRITES | TCS12, 0, true, {LOW, NONE, NONE}},
	[SVA_OPCODE_DUALCAST] = {WRITES | TCS12 | SVA_DESC_TCS3, 0, true, {ALL, NONE, NONE}},
	[SVA_OPCODE_TRANSLATION_FETCH] = {SVA_DESC_STRIDE, NO_DST, true, {NONE, LOW, NONE}},
	[SVA_OPCODE_CRC] = {SVA_DESC_TCS1 | SVA_DESC_TCS3 | CRC_BITS,
			    NO_DST,
			    true,
			    {ALL, ALL, NONE}},
	[SVA_OPCODE_COPY_CRC] = {WRITES | TCS12 | SVA_DESC_TCS3 | CRC_BITS,
				 0,
				 true,
				 {ALL, ALL, NONE}},
	/* Bytes 40, 41 and 42 are flags: those of the source, of the destination, of both. */
	[SVA_OPCODE_DIF_CHECK] = {SVA_DESC_TCS1, NO_DST, true, {0x0f00ff, ALL, NONE}},
	[SVA_OPCODE_DIF_INSERT] = {WRITES | TCS12, 0, true, {0x0ff800, NONE, ALL}},
	[SVA_OPCODE_DIF_STRIP] = {WRITES | TCS12, 0, true, {0x0f00ff, ALL, NONE}},
	[SVA_OPCODE_DIF_UPDATE] = {WRITES | TCS12, 0, true, {0x0ff8ff, ALL, ALL}},
	[SVA_OPCODE_DIX_GENERATE] = {WRITES | TCS12, 0, true, {0x0ff800, NONE, ALL}},
	[SVA_OPCODE_CACHE_FLUSH] = {SVA_DESC_DRDBK | SVA_DESC_STORD | SVA_DESC_TCS2,
				    NO_SRC,
				    true,
				    {NONE, NONE, NONE}},
};

/* Fields whose use depends on a flag. */
static bool knows_fill(const struct sva_desc *desc)
{
	return (desc->flags_opcode & SVA_DESC_FILL16) || !desc->op.fill.pattern_high;
}

static bool knows_crc(const struct sva_desc *desc)
{
	const struct sva_desc_crc *crc = &desc->op.crc;
	const uint32_t flags = desc->flags_opcode;
	const bool wide = flags & SVA_DESC_CRC64;

	if (flags & SVA_DESC_CRC_SEED_MEM)
		return !crc->seed && crc->seed_addr && crc->seed_addr % (wide ? 8 : 4) == 0;
	return !crc->seed_addr && !(flags & SVA_DESC_TCS3) && (wide || crc->seed <= UINT32_MAX);
}

static bool knows_fetch(const struct sva_desc *desc)
{
	const uint32_t stride = desc->op.fetch.stride;

	if (desc->flags_opcode & SVA_DESC_STRIDE)
		return stride >= 4096 && !(stride & (stride - 1));
	return !stride;
}

/* Sizes of delta records count against the largest transfer, too. */
#define LONGEST (1u << 31)

static bool knows_delta(const struct sva_desc *desc, bool create)
{
	const struct sva_desc_delta *delta = &desc->op.delta;
	const uint32_t size = (uint32_t)delta->addr_or_size;

	if ((desc->size | desc->dst | (create ? desc->src : 0)) & 7)
		return false;
	if (create)
		return delta->max_size >= SVA_DELTA_MIN_SIZE && delta->max_size <= LONGEST;
	return size >= SVA_DELTA_ENTRY_SIZE && size <= LONGEST && size % SVA_DELTA_ENTRY_SIZE == 0;
}

bool sva_cpu_knows(const struct sva_desc *desc, uint64_t len)
{
	const unsigned int opcode = sva_desc_opcode(desc);
	const struct known *row = &known[opcode % 64];
	uint64_t fields[3];

	memcpy(fields, &desc->op, sizeof(fields));
	if (opcode >= 64 || !row->is_known || (sva_desc_flags(desc) & ~(row->flags | RECORD)) ||
	    (fields[0] & ~row->fields[0]) || (fields[1] & ~row->fields[1]) ||
	    (fields[2] & ~row->fields[2]) || (desc->pasid_priv & 0xfff00000u) || desc->int_handle ||
	    desc->reserved)
		return false;
	if (((row->unused & NO_SRC) && desc->src) || ((row->unused & NO_DST) && desc->dst))
		return false;
	switch (opcode) {
	case SVA_OPCODE_NOOP:
	case SVA_OPCODE_DRAIN:
		return !desc->size;
	case SVA_OPCODE_FILL:
		return knows_fill(desc);
	case SVA_OPCODE_CREATE_DELTA:
	case SVA_OPCODE_APPLY_DELTA:
		return knows_delta(desc, opcode == SVA_OPCODE_CREATE_DELTA);
	case SVA_OPCODE_TRANSLATION_FETCH:
		return len <= LONGEST && knows_fetch(desc);
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		return knows_crc(desc);
	default:
		return true;
	}
}

/* ------------------------------------------------------------------ execution */

static void *at(uint64_t addr)
{
	return (void *)(uintptr_t)addr;
}

/* Set the status of a comparison by whether its result is among the accepted ones. */
static void judge_result(const struct sva_desc *desc, struct sva_comp *comp, unsigned int accepted)
{
	if ((desc->flags_opcode & SVA_DESC_CR) && !(accepted >> comp->result & 1))
		comp->status = SVA_STATUS_SUCCESS_PRED;
}

static uint64_t end_compare(const struct sva_desc *desc, uint64_t len, uint64_t same,
			    struct sva_comp *comp)
{
	comp->result = same < len;
	judge_result(desc, comp, 1u << (desc->op.compare.expected & 1));
	return same;
}

static uint64_t run_crc(const struct sva_desc *desc, uint64_t len, bool copy, struct sva_comp *comp)
{
	const uint32_t flags = desc->flags_opcode;
	uint64_t seed = desc->op.crc.seed;

	if (flags & SVA_DESC_CRC_SEED_MEM)
		memcpy(&seed, at(desc->op.crc.seed_addr), flags & SVA_DESC_CRC64 ? 8 : 4);
	comp->op.crc = copy ? sva_cpu_copy_crc(at(desc->dst), at(desc->src), len, seed, flags) :
			      sva_cpu_crc(at(desc->src), len, seed, flags);
	return len;
}

static uint64_t run_create_delta(const struct sva_desc *desc, struct sva_comp *comp)
{
	const struct sva_desc_delta *delta = &desc->op.delta;
	size_t covered;

	comp->result = sva_cpu_create_delta(at(desc->src), at(desc->dst), desc->size,
					    at(delta->addr_or_size), delta->max_size,
					    &comp->op.delta_size, &covered);
	judge_result(desc, comp, delta->expected);
	return covered;
}

static uint64_t run_apply_delta(const struct sva_desc *desc, struct sva_comp *comp)
{
	const uint32_t size = (uint32_t)desc->op.delta.addr_or_size;
	uint32_t done;

	comp->status = sva_cpu_apply_delta(at(desc->dst), desc->size, at(desc->src), size, &done);
	return comp->status == SVA_STATUS_SUCCESS ? desc->size : done;
}

/* Read a byte of each page, or of each stride, which brings the page in. */
static uint64_t read_pages(const struct sva_desc *desc, uint64_t len)
{
	const bool strided = desc->flags_opcode & SVA_DESC_STRIDE;

	for (uint64_t done = 0; done < len;
	     done += strided ? desc->op.fetch.stride : 4096 - (desc->src + done) % 4096)
		(void)*(volatile const uint8_t *)at(desc->src + done);
	return len;
}

static uint64_t run_fill(const struct sva_desc *desc, uint64_t len)
{
	if (desc->flags_opcode & SVA_DESC_FILL16)
		sva_cpu_fill16(at(desc->dst), desc->src, desc->op.fill.pattern_high, len);
	else
		sva_cpu_fill(at(desc->dst), desc->src, len);
	return len;
}

static uint64_t execute_known(const struct sva_desc *desc, uint64_t len, struct sva_comp *comp)
{
	switch (sva_desc_opcode(desc)) {
	case SVA_OPCODE_MEMMOVE:
		memmove(at(desc->dst), at(desc->src), len);
		return len;
	case SVA_OPCODE_FILL:
		return run_fill(desc, len);
	case SVA_OPCODE_COMPARE:
		return end_compare(desc, len, sva_cpu_compare(at(desc->src), at(desc->dst), len),
				   comp);
	case SVA_OPCODE_COMPARE_PATTERN:
		return end_compare(desc, len,
				   sva_cpu_compare_pattern(at(desc->src), desc->dst, len), comp);
	case SVA_OPCODE_CREATE_DELTA:
		return run_create_delta(desc, comp);
	case SVA_OPCODE_APPLY_DELTA:
		return run_apply_delta(desc, comp);
	case SVA_OPCODE_DUALCAST:
		sva_cpu_dualcast(at(desc->dst), at(desc->op.dualcast.dst2), at(desc->src), len);
		return len;
	case SVA_OPCODE_TRANSLATION_FETCH:
		return read_pages(desc, len);
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		return run_crc(desc, len, sva_desc_opcode(desc) == SVA_OPCODE_COPY_CRC, comp);
	case SVA_OPCODE_DIF_CHECK:
	case SVA_OPCODE_DIF_INSERT:
	case SVA_OPCODE_DIF_STRIP:
	case SVA_OPCODE_DIF_UPDATE:
	case SVA_OPCODE_DIX_GENERATE:
		return sva_cpu_dif(desc, len, comp);
	case SVA_OPCODE_CACHE_FLUSH:
		sva_cpu_flush(at(desc->dst), len);
		return len;
	default: /* no-op and drain: whatever was submitted earlier is done */
		return len;
	}
}

uint64_t sva_cpu_execute(const struct sva_desc *desc, uint64_t len, struct sva_comp *comp)
{
	uint64_t done;

	memset(comp, 0, sizeof(*comp));
	comp->status = SVA_STATUS_SUCCESS;
	done = execute_known(desc, len, comp);
	comp->bytes = done < len || comp->status > SVA_STATUS_SUCCESS_PRED ? (uint32_t)done : 0;
	return done;
}

/* ------------------------------------------------------------------ finishing an operation */

/*
 * What is left of an operation. A copy that a device has begun may have two parts: the rest of its
 * current chunk, and all other chunks.
 */
struct rest {
	const struct sva_desc *desc;
	uint64_t len, done;
	uint64_t more_src, more_dst, more_len;
	struct sva_comp comp;
	struct sva_range range[SVA_GUARD_RANGES];
	unsigned int ranges;
};

static void find_copy(struct sva_op *op, struct rest *rest)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);
	uint64_t skip = p->backward ? 0 : op->desc.size + p->chunk_rest;

	if (!p->mid_chunk) {
		op->desc.src = p->src;
		op->desc.dst = p->dst;
		rest->len = p->remaining;
		return;
	}
	rest->len = op->desc.size;
	rest->more_src = p->src + skip;
	rest->more_dst = p->dst + skip;
	rest->more_len = p->remaining - rest->len;
}

/* Make the descriptor that of everything that is left. */
static void find_rest(struct sva_op *op, struct rest *rest)
{
	const struct sva_op_private *p = SVA_OP_PRIVATE(op);

	/* One by one: clearing the rest of it would take longer than a short copy. */
	rest->desc = &op->desc;
	rest->len = op->desc.size;
	rest->more_len = 0;
	op->desc.flags_opcode = p->word;
	if (sva_desc_opcode(&op->desc) == SVA_OPCODE_MEMMOVE) {
		find_copy(op, rest);
	} else if (sva_kind_of(op)->shape == SVA_SHAPE_BYTES) {
		/* What is not in the current chunk follows it. */
		if (!p->mid_chunk)
			sva_progress_next(op, LONGEST);
		rest->len = p->remaining;
	}
}

static void find_ranges(struct rest *rest)
{
	rest->ranges = sva_kind_ranges(rest->desc, rest->len, rest->range);
	if (!rest->more_len)
		return;
	rest->range[rest->ranges++] = (struct sva_range){rest->more_src, rest->more_len, false};
	rest->range[rest->ranges++] = (struct sva_range){rest->more_dst, rest->more_len, true};
}

static void execute_rest(void *arg)
{
	struct rest *rest = arg;

	rest->done = sva_cpu_execute(rest->desc, rest->len, &rest->comp);
	if (rest->more_len) {
		memmove(at(rest->more_dst), at(rest->more_src), rest->more_len);
		rest->done += rest->more_len;
	}
}

/* Would a second attempt from the beginning give a wrong result, after a part has been done? */
static bool must_be_once(const struct rest *rest)
{
	const struct sva_desc *desc = rest->desc;

	switch (sva_desc_opcode(desc)) {
	case SVA_OPCODE_MEMMOVE:
		return desc->dst - desc->src < rest->len || desc->src - desc->dst < rest->len ||
		       rest->more_len;
	case SVA_OPCODE_COPY_CRC:
		return desc->flags_opcode & SVA_DESC_CRC_SEED_MEM;
	default:
		return false;
	}
}

static bool can_touch(const struct rest *rest)
{
	unsigned int which;
	uint64_t bad;

	return !sva_touch_all(rest->range, rest->ranges, &bad, &which);
}

/*
 * The guard met a bad address, but touching finds none: it has become good meanwhile, or the kernel
 * does not report it. It is unknown how much was done.
 */
static int report_fault(struct sva_op *op, const struct rest *rest, uint64_t bad)
{
	struct sva_result *result = &SVA_OP_PRIVATE(op)->result;

	result->status = SVA_STATUS_PAGE_FAULT;
	result->fault_addr = bad;
	for (unsigned int i = 0; i < rest->ranges; i++)
		if (bad - rest->range[i].addr < rest->range[i].len)
			result->fault_write = rest->range[i].write;
	return -EFAULT;
}

static void count_bytes(struct sva_op *op, const struct rest *rest)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	switch (sva_desc_opcode(&op->desc)) {
	case SVA_OPCODE_COMPARE:
	case SVA_OPCODE_COMPARE_PATTERN:
		if (rest->comp.result)
			p->result.value = p->result.bytes + rest->done;
		break;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		p->result.value = rest->comp.op.crc;
		break;
	case SVA_OPCODE_DIF_CHECK:
	case SVA_OPCODE_DIF_INSERT:
	case SVA_OPCODE_DIF_STRIP:
	case SVA_OPCODE_DIF_UPDATE:
	case SVA_OPCODE_DIX_GENERATE:
		if (rest->comp.status == SVA_STATUS_SUCCESS)
			p->result.dif = rest->comp.op.dif;
		break;
	default:
		break;
	}
	p->result.bytes += rest->done;
	p->result.path_bytes[SVA_PATH_CPU] += rest->done;
	p->remaining -= rest->done;
}

static int count_rest(struct sva_op *op, const struct rest *rest)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	const unsigned int status = rest->comp.status;
	const bool good = status == SVA_STATUS_SUCCESS || status == SVA_STATUS_SUCCESS_PRED;

	op->comp = rest->comp;
	p->mid_chunk = false;
	p->result.status = (uint8_t)status;
	p->result.result = rest->comp.result;
	if (sva_kind_of(op)->shape == SVA_SHAPE_BYTES)
		count_bytes(op, rest);
	else if (good)
		(void)sva_progress_chunk_done(op, SVA_PATH_CPU);
	return good ? sva_progress_verdict(op) : -sva_status_errno(status);
}

bool sva_cpu_finish(struct sva_op *op, unsigned int how, int *error)
{
	struct rest rest;
	uint64_t bad;

	find_rest(op, &rest);
	if (!sva_cpu_knows(&op->desc, rest.len))
		return false;
	if (likely(!how)) {
		execute_rest(&rest);
		*error = count_rest(op, &rest);
		return true;
	}
	find_ranges(&rest);
	if ((!(how & SVA_CPU_GUARD) || must_be_once(&rest)) && !can_touch(&rest))
		return false;
	if (!(how & SVA_CPU_GUARD)) {
		execute_rest(&rest);
	} else if (sva_guard_run(rest.range, rest.ranges, execute_rest, &rest, &bad)) {
		if (!can_touch(&rest))
			return false; /* the model finds out how much can be done */
		*error = report_fault(op, &rest, bad);
		return true;
	}
	*error = count_rest(op, &rest);
	return true;
}

/* ------------------------------------------------------------------ the shortest calls, guarded */

struct move {
	void *dst;
	const void *src;
	size_t len;
};

static void do_move(void *arg)
{
	const struct move *move = arg;

	memmove(move->dst, move->src, move->len);
}

int sva_guard_move(void *dst, const void *src, size_t len, uint64_t *bad)
{
	struct move move = {dst, src, len};
	struct sva_range range[2] = {
		{(uintptr_t)dst, len, true},
		{(uintptr_t)src, len, false},
	};

	return sva_guard_run(range, 2, do_move, &move, bad);
}

struct fill {
	void *dst;
	uint64_t pattern;
	size_t len;
};

static void do_fill(void *arg)
{
	const struct fill *fill = arg;

	sva_cpu_fill(fill->dst, fill->pattern, fill->len);
}

int sva_guard_fill(void *dst, uint64_t pattern, size_t len, uint64_t *bad)
{
	struct fill fill = {dst, pattern, len};
	struct sva_range range = {(uintptr_t)dst, len, true};

	return sva_guard_run(&range, 1, do_fill, &fill, bad);
}
