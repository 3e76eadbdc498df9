/* SPDX-License-Identifier: MIT */
/*
 * The checks of the short road (run/fast.c) against those of the long one (op/check.c): over random
 * and directed operations of every kind, the short road never takes one that the long one refuses,
 * refuses none that one descriptor can carry, and gives the descriptor the same flags.
 */
#include <errno.h>

#include "lib/op/kinds.h"
#include "lib/run/fast.h"
#include "tap.h"
#include "unit/rig.h"

#define LIMIT  (1u << 21) /* the queue's largest transfer */
#define ROUNDS 4000000u
#define HIGH   0x7fffffffffff0000ull /* near the end of the user addresses */

static struct sva_policy policy = { .fault_policy = SVA_FAULT_TOUCH };
static struct sva_lessee lessee = { .policy = &policy };
static struct sva_bond bond;
static struct sva_lease lease;
static struct sva_op op;
static uint64_t seed = 1;

static uint64_t next(uint64_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % below;
}

/* ------------------------------------------------------------------ random operations */

static uint64_t some_length(void)
{
	static const uint64_t units[] = { 1, 8, 10, 64, 512, 520, 528, 4096, 4104, 4112 };
	static const uint64_t odd[] = { 0, 1, 7, LIMIT, LIMIT + 8, 1u << 20, (1u << 20) + 8,
					SVA_DELTA_MAX_REGION, SVA_DELTA_MAX_REGION + 8, UINT32_MAX,
					UINT64_MAX, 1ull << 63 };

	if (!next(16))
		return odd[next(sizeof(odd) / sizeof(odd[0]))];
	return units[next(sizeof(units) / sizeof(units[0]))] * (1 + next(20)) + (!next(8));
}

/* Near each other, so that some overlap and some touch. */
static uint64_t some_address(bool *high)
{
	static const uint64_t steps[] = { 0, 1, 8, 64, 512, 520, 4096, 8192, 65536, 1u << 20 };
	uint64_t addr = 0x100000 + steps[next(sizeof(steps) / sizeof(steps[0]))] * next(24);

	switch (next(64)) {
	case 0:
		return 0;
	case 1:
		*high = true;
		return HIGH + next(0x20000);
	case 2:
		*high = true;
		return UINT64_MAX - next(4096);
	default:
		return addr + !next(8);
	}
}

/* Returns false if an address is one that no program has: refusing that needs no agreement. */
static bool make_operation(void)
{
	static const uint32_t sizes[] = { 0, 9, 10, 79, 80, 85, 90, 160, 4090, LIMIT / 10 * 10,
					  LIMIT + 8, UINT32_MAX };
	enum sva_opcode opcode = (enum sva_opcode)next(SVA_LEASE_WORDS + 1);
	bool high = false;

	memset(&op, 0, sizeof(op));
	sva_prep(&op, opcode, some_address(&high), some_address(&high), some_length());
	if (opcode == SVA_OPCODE_DUALCAST) {
		op.desc.op.dualcast.dst2 = next(4) ? op.desc.dst + 4096 * next(40) :
						     some_address(&high);
	} else if (opcode == SVA_OPCODE_CREATE_DELTA) {
		op.desc.op.delta.addr_or_size = some_address(&high);
		op.desc.op.delta.max_size = sizes[next(sizeof(sizes) / sizeof(sizes[0]))];
	} else if (opcode == SVA_OPCODE_APPLY_DELTA) {
		op.desc.op.delta.addr_or_size =
			next(64) ? sizes[next(sizeof(sizes) / sizeof(sizes[0]))] : UINT64_MAX;
	} else {
		op.desc.op.dif.flags = (uint8_t)next(4);
	}
	if (!next(4))
		op.flags = 1u << next(9);
	if (!next(8))
		op.flags |= 1u << next(9);
	if (!next(64))
		op.flags |= SVA_OP_NODE(next(2));
	if (!next(64))
		op.state = next(2) ? 0 : SVA_OP_IN_FLIGHT;
	return !high;
}

/* ------------------------------------------------------------------ comparison */

/* What the long road says, for operations of the kinds and flags that the short one knows. */
static bool long_road(void)
{
	int node = SVA_OP_NODE_HINT(op.flags);

	return !sva_progress_check(&op) && op.length && op.length <= LIMIT &&
	       sva_kind_of(&op)->fast != SVA_FAST_NEVER && !(op.flags & SVA_OP_FENCE) &&
	       (node < 0 || node == bond.numa_node) && sva_progress_fits_whole(&op, LIMIT);
}

static uint32_t long_word(void)
{
	struct sva_op copy = op;

	sva_operation_begin(&copy, NULL, &policy);
	return sva_caps_word(&bond, &copy);
}

static void compare_roads(const char *name)
{
	unsigned int taken[SVA_LEASE_WORDS + 1] = { 0 }, wrong = 0, refused = 0, differ = 0;
	unsigned int missing = 0, kinds = 0;

	subject("%s", name);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		bool usual = make_operation(), right = long_road();
		uint32_t word = sva_fast_word(&lease, &op);

		wrong += word && !right;
		refused += !word && right && usual;
		if (!word)
			continue;
		differ += word != long_word();
		taken[sva_desc_opcode(&op.desc)]++;
	}
	for (unsigned int opcode = 0; opcode < SVA_LEASE_WORDS; opcode++) {
		if (sva_kinds[opcode].fast == SVA_FAST_NEVER)
			continue;
		kinds++;
		missing += taken[opcode] < 100;
	}
	is(wrong, 0, "no operation that the long road refuses is taken");
	is(refused, 0, "every operation that one descriptor can carry is taken");
	is(differ, 0, "the flags of the descriptor are those of the long road");
	ok(kinds > 12 && !missing, "each of %u kinds was taken a hundred times", kinds);
}

/* The comparison finds a check that is missing: without the limit of the queue, for instance. */
static void control(void)
{
	unsigned int wrong = 0;

	lease.max_transfer = UINT32_MAX;
	for (unsigned int i = 0; i < ROUNDS / 10; i++) {
		make_operation();
		wrong += sva_fast_word(&lease, &op) && !long_road();
	}
	lease.max_transfer = LIMIT;
	ok(wrong > 0, "control: a check that is left out is noticed");
}

int main(void)
{
	bond.gen_cap = SVA_GENCAP_CACHE_CONTROL | SVA_GENCAP_OVERLAP_COPY;
	bond.op_cap[0] = UINT64_MAX;
	bond.max_transfer = LIMIT;
	bond.numa_node = 0;
	lease.bond = &bond;
	lease.lessee = &lessee;
	lease.max_transfer = LIMIT;
	sva_caps_fill_words(&lease);
	compare_roads("touch on fault, no blocking");
	control();
	policy.fault_policy = SVA_FAULT_BLOCK;
	bond.block_on_fault = true;
	sva_caps_fill_words(&lease);
	compare_roads("block on fault");
	return done();
}
