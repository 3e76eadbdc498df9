/* SPDX-License-Identifier: MIT */
/*
 * Page faults: at every page of every operand of every operation, with block on fault and without,
 * through windows of all manners. Then what the fault interrupted is continued by the published
 * rules, and the end must be as without a fault.
 */
#include "trial.h"

#define PAGES 6
/* whole blocks of every DIF operation of 520 and of 512 + 8, and three pages */
#define SIZE  (520u * 16)

static struct sva_model_profile profile;
static struct space space;
static struct trials trials;

/* The cases: an operation, its flags, where its operands are. */
struct fault_case {
	const char *name;
	enum sva_opcode opcode;
	uint32_t flags;
	uint64_t src, dst;
};

static const struct fault_case cases[] = {
	{"memmove", SVA_OPCODE_MEMMOVE, 0, SRC_AT + 1001, DST_AT + 17},
	{"memmove, overlap upwards", SVA_OPCODE_MEMMOVE, 0, SRC_AT + 300, SRC_AT + 1500},
	{"memmove, overlap upwards by pages", SVA_OPCODE_MEMMOVE, 0, SRC_AT + 77,
	 SRC_AT + 77 + 4096},
	{"memmove, overlap downwards", SVA_OPCODE_MEMMOVE, 0, SRC_AT + 1500, SRC_AT + 300},
	{"memmove to the bytes behind", SVA_OPCODE_MEMMOVE, 0, SRC_AT + 300, SRC_AT + 300 + SIZE},
	{"memmove in place", SVA_OPCODE_MEMMOVE, 0, SRC_AT + 1500, SRC_AT + 1500},
	{"fill", SVA_OPCODE_FILL, 0, 0x0706050403020100, DST_AT + 1003},
	{"fill of 16", SVA_OPCODE_FILL, SVA_DESC_FILL16, 0x0706050403020100, DST_AT + 1003},
	{"compare", SVA_OPCODE_COMPARE, 0, SRC_AT + 1001, DST_AT + 17},
	{"compare pattern", SVA_OPCODE_COMPARE_PATTERN, 0, SRC_AT + 1001, 0x1716151413121110},
	{"create delta", SVA_OPCODE_CREATE_DELTA, 0, SRC_AT + 1000, DST_AT + 24},
	{"apply delta", SVA_OPCODE_APPLY_DELTA, 0, LIST_AT + 3, DST_AT + 24},
	{"dualcast", SVA_OPCODE_DUALCAST, 0, SRC_AT + 1001, DST_AT + 17},
	{"translation fetch", SVA_OPCODE_TRANSLATION_FETCH, 0, SRC_AT + 1001, 0},
	{"translation fetch, strides", SVA_OPCODE_TRANSLATION_FETCH, SVA_DESC_STRIDE, SRC_AT + 1001,
	 0},
	{"CRC", SVA_OPCODE_CRC, 0, SRC_AT + 1001, 0},
	{"CRC, bypass", SVA_OPCODE_CRC, SVA_DESC_CRC_BYPASS_INV | SVA_DESC_CRC_BYPASS_REF,
	 SRC_AT + 1001, 0},
	{"CRC, seed from memory", SVA_OPCODE_CRC, SVA_DESC_CRC_SEED_MEM, SRC_AT + 1001, 0},
	{"CRC-64", SVA_OPCODE_CRC, SVA_DESC_CRC64 | SVA_DESC_CRC_BYPASS_INV, SRC_AT + 1001, 0},
	{"copy with CRC", SVA_OPCODE_COPY_CRC, 0, SRC_AT + 1001, DST_AT + 17},
	{"copy with CRC-64, seed from memory", SVA_OPCODE_COPY_CRC,
	 SVA_DESC_CRC64 | SVA_DESC_CRC_SEED_MEM, SRC_AT + 1001, DST_AT + 17},
	{"DIF check", SVA_OPCODE_DIF_CHECK, 0, SRC_AT + 1001, 0},
	{"DIF check, tuples across pages", SVA_OPCODE_DIF_CHECK, 0, SRC_AT + 1500, 0},
	{"DIF update, tuples on pages", SVA_OPCODE_DIF_UPDATE, 0, SRC_AT + 1504, DST_AT + 17},
	{"DIF insert", SVA_OPCODE_DIF_INSERT, 0, SRC_AT + 1001, DST_AT + 17},
	{"DIF strip", SVA_OPCODE_DIF_STRIP, 0, SRC_AT + 1001, DST_AT + 17},
	{"DIF update", SVA_OPCODE_DIF_UPDATE, 0, SRC_AT + 1001, DST_AT + 17},
	{"DIX generate", SVA_OPCODE_DIX_GENERATE, 0, SRC_AT + 1001, DST_AT + 4096 - 40},
	{"cache flush", SVA_OPCODE_CACHE_FLUSH, 0, 0, DST_AT + 1003},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

/* Protection information behind each block of 512 bytes, so that the checks succeed. */
static void add_tuples(uint64_t at, uint32_t size, uint32_t ref)
{
	for (uint32_t block = 0; block < size / 520; block++) {
		uint64_t guard = 0;
		uint8_t *tuple = space_at(&space, at + block * 520 + 512);

		for (int i = 0; i < 512; i++)
			guard = ref_crc_bits(guard, 16, 0x8bb7,
					     *space_at(&space, at + block * 520 + (unsigned int)i),
					     false);
		tuple[0] = (uint8_t)(guard >> 8);
		tuple[1] = (uint8_t)guard;
		tuple[2] = 0x22;
		tuple[3] = 0x11;
		tuple[4] = tuple[5] = 0;
		tuple[6] = (uint8_t)((ref + block) >> 8);
		tuple[7] = (uint8_t)(ref + block);
	}
}

/* A delta record of 600 entries over the destination, straddling pages of its own. */
static uint32_t add_delta_record(uint64_t at)
{
	uint32_t entries = 600;

	for (uint32_t i = 0; i < entries; i++) {
		uint16_t offset = (uint16_t)(i + i / 3 + i / 5);

		space_put(&space, at + i * 10, &offset, 2);
	}
	return entries * 10;
}

/* Fill the space for a case, and make its descriptor. */
static struct sva_desc prepare(const struct fault_case *c)
{
	struct sva_desc desc = trial_plain(c->opcode, c->src, c->dst, SIZE);

	space_free(&space);
	trial_space(&space, PAGES, 99);
	desc.src = c->src;
	desc.dst = c->dst;
	desc.flags_opcode |= c->flags;
	switch (c->opcode) {
	case SVA_OPCODE_FILL:
		desc.op.fill.pattern_high = c->flags ? 0x0f0e0d0c0b0a0908 : 0;
		break;
	case SVA_OPCODE_COMPARE:
		memcpy(space_at(&space, c->dst), space_at(&space, c->src), SIZE);
		break;
	case SVA_OPCODE_COMPARE_PATTERN:
		for (unsigned int i = 0; i < SIZE; i++)
			*space_at(&space, c->src + i) = ((uint8_t *)&desc.dst)[i % 8];
		break;
	case SVA_OPCODE_CREATE_DELTA:
		memcpy(space_at(&space, c->dst), space_at(&space, c->src), SIZE);
		for (unsigned int i = 0; i < SIZE; i += 8 + i % 5)
			*space_at(&space, c->dst + i) ^= 0x5a;
		desc.op.delta.addr_or_size = LIST_AT + 1003;
		desc.op.delta.max_size = SIZE / 8 * 10;
		break;
	case SVA_OPCODE_APPLY_DELTA:
		desc.op.delta.addr_or_size = add_delta_record(c->src);
		break;
	case SVA_OPCODE_TRANSLATION_FETCH:
		desc.op.fetch.stride = c->flags ? 4096 : 0;
		break;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		if (c->flags & SVA_DESC_CRC_SEED_MEM)
			desc.op.crc.seed_addr = LIST_AT + 4096 + 8;
		else
			desc.op.crc.seed = 0x12345678;
		break;
	case SVA_OPCODE_DIF_CHECK:
	case SVA_OPCODE_DIF_STRIP:
	case SVA_OPCODE_DIF_UPDATE:
		add_tuples(c->src, SIZE, 1000);
		desc.op.dif.src_ref = 1000;
		desc.op.dif.src_app = 0x2211;
		break;
	case SVA_OPCODE_DIF_INSERT:
	case SVA_OPCODE_DIX_GENERATE:
		desc.op.dif.flags = SVA_DIF_BLOCK_520;
		desc.op.dif.dst_flags = SVA_DIF_DST_APP_INC;
		break;
	default:
		break;
	}
	return desc;
}

/* ---- how an interrupted operation continues (facts, B.3) ---- */

struct progress {
	uint32_t before;     /* bytes of the sources done in earlier rounds */
	uint32_t delta_size; /* of the record created so far */
	uint64_t delta_addr;
};

static void rotate(uint64_t *low, uint64_t *high, uint32_t by)
{
	uint8_t old[16], new[16];

	memcpy(old, low, 8);
	memcpy(old + 8, high, 8);
	for (unsigned int i = 0; i < 16; i++)
		new[i] = old[(i + by) % 16];
	memcpy(low, new, 8);
	memcpy(high, new + 8, 8);
}

static void resume_delta(struct sva_desc *desc, const struct sva_comp *comp,
			 struct progress *progress)
{
	desc->src += comp->bytes;
	desc->dst += comp->bytes;
	desc->size -= comp->bytes;
	desc->op.delta.addr_or_size += comp->op.delta_size;
	desc->op.delta.max_size -= comp->op.delta_size;
	progress->delta_size += comp->op.delta_size;
	progress->before += comp->bytes;
}

static void resume_dif(struct sva_desc *desc, const struct sva_comp *comp)
{
	const uint32_t block = desc->op.dif.flags & SVA_DIF_BLOCK_520 ? 520 : 512;
	const unsigned int opcode = sva_desc_opcode(desc);
	const bool bare = opcode == SVA_OPCODE_DIF_INSERT || opcode == SVA_OPCODE_DIX_GENERATE;
	const uint32_t blocks = comp->bytes / (bare ? block : block + 8);

	desc->src += comp->bytes;
	desc->size -= comp->bytes;
	if (opcode == SVA_OPCODE_DIF_INSERT || opcode == SVA_OPCODE_DIF_UPDATE)
		desc->dst += blocks * (block + 8);
	else if (opcode == SVA_OPCODE_DIF_STRIP)
		desc->dst += blocks * block;
	else if (opcode == SVA_OPCODE_DIX_GENERATE)
		desc->dst += blocks * 8;
	if (!bare) {
		desc->op.dif.src_ref = comp->op.dif.src_ref;
		desc->op.dif.src_app = comp->op.dif.src_app;
	}
	if (bare || opcode == SVA_OPCODE_DIF_UPDATE) {
		desc->op.dif.dst_ref = comp->op.dif.dst_ref;
		desc->op.dif.dst_app = comp->op.dif.dst_app;
	}
}

static void resume(struct sva_desc *desc, const struct sva_comp *comp, struct progress *progress)
{
	const uint32_t done = comp->bytes;

	switch (sva_desc_opcode(desc)) {
	case SVA_OPCODE_MEMMOVE:
		desc->src += comp->result ? 0 : done;
		desc->dst += comp->result ? 0 : done;
		desc->size -= done;
		return;
	case SVA_OPCODE_FILL:
		if (!(sva_desc_flags(desc) & SVA_DESC_FILL16)) {
			uint64_t high = desc->src;

			rotate(&desc->src, &high, done);
		} else {
			rotate(&desc->src, &desc->op.fill.pattern_high, done);
		}
		desc->dst += done;
		break;
	case SVA_OPCODE_COMPARE_PATTERN: {
		uint64_t high = desc->dst;

		rotate(&desc->dst, &high, done);
		desc->src += done;
		break;
	}
	case SVA_OPCODE_CREATE_DELTA:
		resume_delta(desc, comp, progress);
		return;
	case SVA_OPCODE_APPLY_DELTA:
		desc->src += done;
		desc->op.delta.addr_or_size -= done;
		return;
	case SVA_OPCODE_DUALCAST:
		desc->op.dualcast.dst2 += done;
		/* fall through */
	case SVA_OPCODE_COMPARE:
		desc->src += done;
		desc->dst += done;
		break;
	case SVA_OPCODE_CRC:
	case SVA_OPCODE_COPY_CRC:
		if (!done)
			return;
		desc->op.crc.seed = comp->op.crc;
		desc->op.crc.seed_addr = 0;
		desc->flags_opcode &= ~SVA_DESC_CRC_SEED_MEM;
		desc->src += done;
		desc->dst += sva_desc_opcode(desc) == SVA_OPCODE_COPY_CRC ? done : 0;
		break;
	case SVA_OPCODE_CACHE_FLUSH:
		desc->dst += done;
		break;
	case SVA_OPCODE_TRANSLATION_FETCH:
		return;
	default:
		resume_dif(desc, comp);
		return;
	}
	desc->size -= done;
}

/*
 * Entries of a record that was made in rounds count from the start of their own round: put that
 * right.
 */
static void shift_entries(uint64_t from, uint64_t to, uint32_t words)
{
	for (; from < to; from += 10) {
		uint16_t offset;

		space_get(&space, from, &offset, 2);
		offset = (uint16_t)(offset + words);
		space_put(&space, from, &offset, 2);
	}
}

/*
 * Touch the page that faulted, as a program does, and go on until it is done. How many rounds; 0:
 * it never ends.
 */
static int finish(struct sva_desc *desc, struct sva_comp *last)
{
	struct progress progress = { .delta_addr = desc->op.delta.addr_or_size };
	const bool delta = sva_desc_opcode(desc) == SVA_OPCODE_CREATE_DELTA;
	int rounds = 0;

	for (;;) {
		const uint32_t before = progress.before, size = progress.delta_size;
		struct sva_comp *comp = &trials.outcome.comp;

		if (++rounds > 100 || !trial(&trials, &profile, &space, desc))
			return 0;
		*last = *comp;
		if (delta)
			shift_entries(progress.delta_addr + size,
				      progress.delta_addr + size + comp->op.delta_size, before / 8);
		if ((comp->status & SVA_STATUS_MASK) != SVA_STATUS_PAGE_FAULT &&
		    (comp->status & SVA_STATUS_MASK) != SVA_STATUS_PAGE_FAULT_IR)
			break;
		space_use(&space, comp->fault_addr, PAGE_RW);
		resume(desc, comp, &progress);
	}
	last->op.delta_size += progress.delta_size;
	return rounds;
}

/* A case as it begins, and as it ends without a fault. */
struct plan {
	const struct fault_case *c;
	struct sva_desc desc;
	struct space start, end;
	struct sva_comp expected;
};

static void plan(struct plan *plan, const struct fault_case *c)
{
	plan->c = c;
	plan->desc = prepare(c);
	space_clone(&plan->start, &space);
	trial(&trials, &profile, &space, &plan->desc);
	plan->expected = trials.outcome.comp;
	space_clone(&plan->end, &space);
	space_free(&space);
}

static void unplan(struct plan *plan)
{
	space_free(&plan->start);
	space_free(&plan->end);
}

/*
 * Same end as without faults: memory (less the record), status, result, what the operation reports.
 */
static bool same_end(const struct plan *plan, const struct sva_comp *got)
{
	const struct sva_comp *expected = &plan->expected;
	const struct fault_case *c = plan->c;
	uint64_t where;

	memcpy(space_at(&space, REC_AT), space_at(&plan->end, REC_AT), sizeof(*got));
	if (!space_equal(&space, &plan->end, &where)) {
		printf("# %s: memory differs at %#llx after resuming\n", c->name,
		       (unsigned long long)where);
		return false;
	}
	if (got->status == expected->status && got->result == expected->result &&
	    !memcmp(&got->op, &expected->op, sizeof(got->op)))
		return true;
	printf("# %s: record differs after resuming\n", c->name);
	return false;
}

/* One case with one page unusable. */
static bool one_page(const struct plan *plan, uint64_t page, uint8_t use, bool bof, int manner,
		     int *faults)
{
	struct sva_desc desc = plan->desc;
	struct sva_comp got;
	bool good;
	int rounds;

	space_clone(&space, &plan->start);
	space_use(&space, page, use);
	space.window = manner == 1 ? 1000 : manner == 2 ? 61 : 0;
	space.odd = manner == 2;
	space.copies = manner != 0;
	space.masked = manner == 1;
	if (bof)
		desc.flags_opcode |= SVA_DESC_BOF;
	rounds = finish(&desc, &got);
	*faults += rounds > 1;
	good = rounds && same_end(plan, &got);
	space_free(&space);
	return good;
}

static void every_page(const struct fault_case *c)
{
	static const uint64_t regions[] = { SRC_AT, DST_AT, DST2_AT, LIST_AT };
	static const uint8_t uses[] = { 0, PAGE_READ, PAGE_LAZY };
	int wrong = 0, faults = 0;
	struct plan p;

	plan(&p, c);
	for (int r = 0; r < 4; r++) {
		for (uint64_t page = 0; page < (r == 3 ? 4 : PAGES); page++) {
			for (int manner = 0; manner < 3; manner++) {
				for (int use = 0; use < 3; use++)
					wrong += !one_page(&p, regions[r] + page * PAGE, uses[use],
							   (manner + use) % 2, manner, &faults);
			}
		}
	}
	unplan(&p);
	ok(!wrong && faults, "%s: resumed after each of %d faults, %d ended otherwise", c->name,
	   faults, wrong);
	trials_done(&trials, c->name);
}

/* Several pages at once, one after the other on the way. */
static void many_pages(void)
{
	uint32_t random = 42;
	int wrong = 0, faults = 0;

	for (int i = 0; i < 400; i++) {
		const struct fault_case *c = &cases[random_below(&random, CASES)];
		struct sva_comp got;
		struct sva_desc desc;
		struct plan p;

		plan(&p, c);
		desc = p.desc;
		space_clone(&space, &p.start);
		for (int n = 0; n < 8; n++) {
			uint64_t region = SRC_AT + 0x100000ull * random_below(&random, 5);

			if (region != REC_AT)
				space_use(&space, region + PAGE * random_below(&random, 4),
					  (uint8_t)random_below(&random, 3));
		}
		space.window = random_below(&random, 2) ? 100 : 0;
		space.odd = random_below(&random, 2);
		space.copies = random_below(&random, 2);
		faults += finish(&desc, &got) > 1;
		wrong += !same_end(&p, &got);
		unplan(&p);
	}
	ok(!wrong && faults > 100, "%d of 400 had several faults on their way, %d ended otherwise",
	   faults, wrong);
	trials_done(&trials, "several faults");
}

int main(void)
{
	profile = sva_model_dsa2;
	profile.block_on_fault = true;
	space_init(&space);
	for (size_t i = 0; i < CASES; i++)
		every_page(&cases[i]);
	many_pages();
	space_free(&space);
	return trials_end();
}
