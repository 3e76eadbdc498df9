/* SPDX-License-Identifier: MIT */
/*
 * An operation on the short road has the result that it would have had on the long one, field by
 * field: every operation, with every flag that the short road folds into the descriptor, pending
 * and ended, asynchronous and synchronous, by write(2) and through a portal. Which road an
 * operation takes is decided by whether its thread has a lease that took the last one.
 */
#include <errno.h>

#include "lib/base/machine.h"
#include "lib/op/kinds.h"
#include "lib/run/run.h"
#include "sva/ops.h"
#include "tap.h"
#include "unit/doorbell.h"
#include "unit/load.h"
#include "unit/rig.h"

#define KEYS "max-transfer=4096 op-cap=0x100bf07f8 gen-cap=0x40915f0fff block-on-fault=yes numa=0"

#define A  (from)
#define B  (from + 16384)
#define D1 (to)
#define D2 (to + 8192)

static const struct sva_desc_dif tags = { .dst_ref = 7, .dst_app = 3 };
static const struct sva_desc_dif checks = { .src_ref = 7, .src_app = 3 };
static const struct sva_desc_dif seeds = { .src_app = 3, .dst_app = 5, .src_ref = 7, .dst_ref = 9 };

/* The operations; differs: with something to find. */
static void prep_copy(struct sva_op *op, bool differs)
{
	/* Overlapping, to higher addresses: the record's result byte is the direction. */
	sva_prep_memcpy(op, differs ? D1 + 64 : D1, differs ? D1 : A, 1000);
}

static void prep_fill(struct sva_op *op, bool differs)
{
	(void)differs;
	sva_prep_memfill(op, D1, 0x1234567812345678, 777);
}

static void prep_fill16(struct sva_op *op, bool differs)
{
	(void)differs;
	sva_prep_memfill16(op, D1, 1, 2, 800);
}

static void prep_compare(struct sva_op *op, bool differs)
{
	memcpy(B, A, 3000);
	B[2222] ^= differs;
	sva_prep_compare(op, A, B, 3000);
}

static void prep_compare_pattern(struct sva_op *op, bool differs)
{
	memset(D1, 0x41, 3000);
	D1[1111] ^= differs;
	sva_prep_compare_pattern(op, D1, 0x4141414141414141, 3000);
}

static void prep_create_delta(struct sva_op *op, bool differs)
{
	memcpy(B, A, 2048);
	for (unsigned int i = 0; i < 3; i++)
		B[512 * i] ^= differs;
	sva_prep_create_delta(op, A, B, 2048, D1, 2560);
}

static void prep_delta_overflow(struct sva_op *op, bool differs)
{
	memcpy(B, A, 2048);
	for (unsigned int i = 0; i < 2048; i += 8)
		B[i] ^= differs;
	sva_prep_create_delta(op, A, B, 2048, D1, 100);
}

static void prep_apply_delta(struct sva_op *op, bool differs)
{
	memset(D2, 0, 40);
	D2[0] = 1;
	D2[10] = 3;
	memset(D2 + 2, differs ? 0x77 : 0, 8);
	sva_prep_apply_delta(op, D1, 2048, D2, 20);
}

static void prep_dualcast(struct sva_op *op, bool differs)
{
	(void)differs;
	sva_prep_dualcast(op, D1, D2, A, 4000);
}

static void prep_crc(struct sva_op *op, bool differs)
{
	sva_prep_crc(op, A, 4001, differs ? 0x55555555 : 0, 0);
}

static void prep_crc64(struct sva_op *op, bool differs)
{
	sva_prep_crc(op, A, 4001, 7, differs ? SVA_CRC_64 | SVA_CRC_BYPASS_INVERSION : SVA_CRC_64);
}

static void prep_copy_crc(struct sva_op *op, bool differs)
{
	sva_prep_copy_crc(op, D1, A, 99, 7, differs ? SVA_CRC_BYPASS_REFLECTION : 0);
}

/* Two blocks with protection information. */
static uint8_t blocks[1040];

static void make_blocks(void)
{
	static struct sva_op insert;
	struct sva *plain = rig_open("cpu", 0);

	sva_prep_dif_insert(&insert, blocks, A, 1024, &tags);
	if (sva_run(plain, &insert))
		ok(false, "protection information for the operations that check it");
	sva_close(plain);
}

/* The same at B, the second one wrong. */
static void protect(bool differs)
{
	memcpy(B, blocks, sizeof(blocks));
	B[600] ^= differs;
}

static void prep_dif_check(struct sva_op *op, bool differs)
{
	protect(differs);
	sva_prep_dif_check(op, B, 1040, &checks);
}

static void prep_dif_insert(struct sva_op *op, bool differs)
{
	(void)differs;
	sva_prep_dif_insert(op, D1, A, 1024, &tags);
}

static void prep_dif_strip(struct sva_op *op, bool differs)
{
	protect(differs);
	sva_prep_dif_strip(op, D1, B, 1040, &checks);
}

static void prep_dif_update(struct sva_op *op, bool differs)
{
	protect(differs);
	sva_prep_dif_update(op, D1, B, 1040, &seeds);
}

static void prep_dix_generate(struct sva_op *op, bool differs)
{
	(void)differs;
	sva_prep_dix_generate(op, D1, A, 1024, &tags);
}

static void prep_flush(struct sva_op *op, bool differs)
{
	(void)differs;
	sva_prep_cache_flush(op, D1, 3000);
}

static const struct {
	const char *name;
	void (*prepare)(struct sva_op *op, bool differs);
} kinds[] = {
	{ "copy", prep_copy },
	{ "fill", prep_fill },
	{ "fill of 16 bytes", prep_fill16 },
	{ "compare", prep_compare },
	{ "compare with a pattern", prep_compare_pattern },
	{ "create delta", prep_create_delta },
	{ "create delta, too small", prep_delta_overflow },
	{ "apply delta", prep_apply_delta },
	{ "dualcast", prep_dualcast },
	{ "CRC", prep_crc },
	{ "CRC of 64 bits", prep_crc64 },
	{ "copy with CRC", prep_copy_crc },
	{ "DIF check", prep_dif_check },
	{ "DIF insert", prep_dif_insert },
	{ "DIF strip", prep_dif_strip },
	{ "DIF update", prep_dif_update },
	{ "DIX generate", prep_dix_generate },
	{ "cache flush", prep_flush },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const uint32_t flags[] = {
	0,
	SVA_OP_CACHE,
	SVA_OP_NO_CACHE,
	SVA_OP_CHECK,
	SVA_OP_STRICT_ORDER,
	SVA_OP_FAULT_TOUCH,
	SVA_OP_FAULT_BLOCK,
	SVA_OP_FAULT_CPU,
	SVA_OP_NODE(0), /* the queue's */
	SVA_OP_CACHE | SVA_OP_CHECK | SVA_OP_STRICT_ORDER | SVA_OP_FAULT_BLOCK,
};

#define FLAGS (sizeof(flags) / sizeof(flags[0]))

/* ------------------------------------------------------------------ two roads */

struct outcome {
	int submitted, polled, ran, again, after; /* after: what polling it says then */
	bool fast;
	uint32_t word; /* of the descriptor that the device got */
	struct sva_result pending, ended, run, last;
	uint8_t bytes[16384];
};

static unsigned int seen_fast, seen_difference, seen_failure;

static void run(struct outcome *out, unsigned int kind, uint32_t flag, bool differs, bool long_road)
{
	static struct sva_op op;
	struct sva_lease *recent = sva_tls.current->recent, *lead = sva_tls.current->lead;

	memset(out, 0, sizeof(*out));
	memcpy(to, from + 30000, 20000);
	kinds[kind].prepare(&op, differs);
	op.flags = flag;
	if (long_road)
		sva_tls.current->recent = NULL;
	queue->taken = 0;
	queue->mode = KERNEL_HELD;
	out->submitted = sva_submit(sva, &op);
	out->fast = sva_op_is_in(&op, SVA_OP_FAST);
	out->word = queue->log[0];
	out->pending = *sva_op_result(&op);
	queue->mode = KERNEL_AT_ONCE;
	kernel_run(queue, 1);
	out->polled = out->submitted ? 0 : sva_poll(&op);
	out->ended = *sva_op_result(&op);
	memcpy(out->bytes, to, sizeof(out->bytes));

	/* Once more, synchronously. */
	memcpy(to, from + 30000, 20000);
	kinds[kind].prepare(&op, differs);
	op.flags = flag;
	if (long_road)
		sva_tls.current->lead = NULL;
	out->ran = sva_run(sva, &op);
	out->last = *sva_last_result();
	out->run = *sva_op_result(&op);
	out->after = sva_poll(&op);
	out->again = sva_run(sva, &op);
	sva_tls.current->recent = recent;
	sva_tls.current->lead = lead;
	sva_tls.current->ticks = 1000;
}

static bool same_result(const struct sva_result *a, const struct sva_result *b, const char *when)
{
	const char *field = NULL;

#define COMPARE(f) (field = !field && memcmp(&a->f, &b->f, sizeof(a->f)) ? #f : field)
	COMPARE(error);
	COMPARE(status);
	COMPARE(result);
	COMPARE(path);
	COMPARE(fault_write);
	COMPARE(bytes);
	COMPARE(path_bytes);
	COMPARE(fault_addr);
	COMPARE(value);
	COMPARE(queue);
	COMPARE(device);
	COMPARE(faults);
	COMPARE(retries);
	COMPARE(chunks);
	COMPARE(reason);
	COMPARE(dif);
	COMPARE(reserved);
#undef COMPARE
	if (field)
		printf("# %s: %s differs\n", when, field);
	return !field;
}

static bool same_outcome(const struct outcome *a, const struct outcome *b)
{
	return a->submitted == b->submitted && a->polled == b->polled && a->ran == b->ran &&
	       a->after == b->after && a->again == -EINVAL && b->again == -EINVAL &&
	       a->word == b->word && same_result(&a->pending, &b->pending, "pending") &&
	       same_result(&a->ended, &b->ended, "ended") &&
	       same_result(&a->run, &b->run, "after sva_run()") &&
	       same_result(&a->last, &b->last, "sva_last_result()") &&
	       !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static void compare_roads(const char *path, unsigned int kind)
{
	static struct outcome fast, slow;
	unsigned int bad = 0, on_fast = 0, cases = 0;

	for (unsigned int i = 0; i < 2 * FLAGS; i++) {
		run(&slow, kind, flags[i / 2], i % 2, true);
		run(&fast, kind, flags[i / 2], i % 2, false);
		cases += !fast.submitted;
		on_fast += fast.fast && !slow.fast;
		seen_fast += fast.fast;
		seen_difference += fast.ended.result == 1;
		seen_failure += fast.polled < 0;
		if (same_outcome(&slow, &fast))
			continue;
		printf("# flags %#x, %s: %d %d %d, words %#x and %#x\n", flags[i / 2],
		       i % 2 ? "differs" : "equal", fast.submitted, fast.polled, fast.ran,
		       slow.word, fast.word);
		bad++;
	}
	subject("%s, %s", path, kinds[kind].name);
	is(bad, 0, "on both roads it has the same result, in each state and with each flag");
	ok(on_fast == cases && cases >= 14,
	   "the short road was taken by each that was submitted (%u of %u)", on_fast, cases);
}

static void begin(const char *path)
{
	kernel_begin();
	kernel_cpu = SVA_CPU_MOVDIR64B;
	queue = kernel_add("wq0.0", true, 16, KEYS);
	queue->rings = !strcmp(path, "movdir64b");
	queue->profile = sva_model_dsa2;
	queue->profile.block_on_fault = true;
	sva = rig_open_opts(path, load_timeout);
	load_prepare(1);
	if (sva_run(sva, &ops[0]))
		ok(false, "the first operation, which opens the queue");
	load_prepare(1);
	if (sva_submit(sva, &ops[0]) || load_finish(1) != 1)
		ok(false, "the first operation that is submitted");
}

int main(void)
{
	static const char *const paths[] = { "write", "movdir64b" };

	rig_begin();
	doorbell_begin();
	load_init();
	make_blocks();
	for (unsigned int p = 0; p < 2; p++) {
		begin(paths[p]);
		for (unsigned int kind = 0; kind < KINDS; kind++)
			compare_roads(paths[p], kind);
		sva_close(sva);
	}
	subject("the cases");
	ok(seen_fast > 300, "operations took the short road (%u)", seen_fast);
	ok(seen_difference > 20, "some found a difference (%u)", seen_difference);
	ok(seen_failure > 20, "some failed (%u)", seen_failure);
	return done();
}
