/* SPDX-License-Identifier: MIT */
/* Input that must be refused, each with its error, before anything is submitted. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "storm/storm.h"

static uint8_t bytes[2 * PAGE] __attribute__((aligned(4096)));
static uint8_t untouched[2 * PAGE];

/* What submission answers to an operation that one field makes bad. */
struct bad_operation {
	const char *name;
	void (*prepare)(struct sva_op *op);
	int error;
};

static void bad_flags(struct sva_op *op)
{
	sva_prep_noop(op);
	op->flags = 0x80;
}

static void bad_cache(struct sva_op *op)
{
	sva_prep_memcpy(op, bytes, bytes + 512, 16);
	op->flags = SVA_OP_CACHE | SVA_OP_NO_CACHE;
}

static void bad_fence(struct sva_op *op)
{
	sva_prep_noop(op);
	op->flags = SVA_OP_FENCE;
}

static void bad_check(struct sva_op *op)
{
	sva_prep_memcpy(op, bytes, bytes + 512, 16);
	op->flags = SVA_OP_CHECK;
}

static void bad_null(struct sva_op *op)
{
	sva_prep_memcpy(op, bytes, NULL, 16);
}

static void bad_null_destination(struct sva_op *op)
{
	sva_prep_memfill(op, NULL, 1, 16);
}

static void bad_wrap(struct sva_op *op)
{
	sva_prep_memcpy(op, bytes, (void *)(UINTPTR_MAX - 4), 16);
}

static void bad_length(struct sva_op *op)
{
	sva_prep_memcpy(op, bytes, bytes + 512, SIZE_MAX);
}

static void bad_state(struct sva_op *op)
{
	sva_prep_noop(op);
	op->state = 7;
}

static void bad_opcode(struct sva_op *op)
{
	sva_prep(op, SVA_OPCODE_GATHER_REDUCE, 0, 0, 0);
}

static void bad_dualcast(struct sva_op *op)
{
	sva_prep_dualcast(op, bytes, bytes + 520, bytes + 2048, 16);
}

static void bad_dualcast_overlap(struct sva_op *op)
{
	sva_prep_dualcast(op, bytes, bytes + PAGE, bytes + 8, 16);
}

static void bad_crc_overlap(struct sva_op *op)
{
	sva_prep_copy_crc(op, bytes, bytes + 8, 16, 0, 0);
}

static void bad_delta_alignment(struct sva_op *op)
{
	sva_prep_create_delta(op, bytes + 1, bytes + 512, 64, bytes + 1024, 80);
}

static void bad_delta_room(struct sva_op *op)
{
	sva_prep_create_delta(op, bytes, bytes + 512, 64, bytes + 1024, 85);
}

static void bad_delta_length(struct sva_op *op)
{
	sva_prep_create_delta(op, bytes, bytes + 512, 60, bytes + 1024, 80);
}

static void bad_delta_record(struct sva_op *op)
{
	sva_prep_apply_delta(op, bytes, 64, bytes + 512, 9);
}

static void bad_blocks(struct sva_op *op)
{
	static const struct sva_desc_dif dif = {.flags = SVA_DIF_BLOCK_512};

	sva_prep_dif_insert(op, bytes + PAGE, bytes, 513, &dif);
}

static void bad_batch_of_none(struct sva_op *op)
{
	static struct sva_op *none[1];

	sva_prep_batch(op, none, 0);
}

static void bad_batch_entry(struct sva_op *op)
{
	static struct sva_op *none[2];

	sva_prep_batch(op, none, 2);
}

static const struct bad_operation operations[] = {
	{"an unknown flag", bad_flags, -EINVAL},
	{"both cache flags", bad_cache, -EINVAL},
	{"a fence outside of a batch", bad_fence, -EINVAL},
	{"a check of a copy", bad_check, -EINVAL},
	{"a null source", bad_null, -EFAULT},
	{"a null destination", bad_null_destination, -EFAULT},
	{"a source that wraps around", bad_wrap, -EINVAL},
	{"a length beyond all memory", bad_length, -EINVAL},
	{"a state that is none", bad_state, -EINVAL},
	{"an operation that no device has", bad_opcode, -EOPNOTSUPP},
	{"a dualcast with unequal offsets in the page", bad_dualcast, -EINVAL},
	{"a dualcast that overlaps", bad_dualcast_overlap, -EINVAL},
	{"a copy with CRC that overlaps", bad_crc_overlap, -EINVAL},
	{"a misaligned create delta", bad_delta_alignment, -EINVAL},
	{"a room for a delta record that is no multiple of 10", bad_delta_room, -EINVAL},
	{"a delta of a length that is no multiple of 8", bad_delta_length, -EINVAL},
	{"a delta record of 9 bytes", bad_delta_record, -EINVAL},
	{"no whole number of blocks", bad_blocks, -EINVAL},
	{"a batch of none", bad_batch_of_none, -EINVAL},
	{"a batch with a null entry", bad_batch_entry, -EFAULT},
};

/*
 * A synchronous copy of a bad range goes to a device, whose page fault shows that it is bad: there
 * it can meet an injected error, or lose its record, first.
 */
static void check(const char *what, const char *call, int got, int want)
{
	if (options.errors && got == -EIO && sva_last_result()->status == SVA_STATUS_HW_ERROR)
		return;
	if (options.losses && got == -EIO && sva_last_result()->reason == SVA_REASON_RETIRED)
		return;
	if (got != want)
		fail_plainly("%s: %s returned %d instead of %d", what, call, got, want);
}

static void refuse_operation(struct worker *worker, struct job *job)
{
	const struct bad_operation *bad = &operations[chance_below(
		&worker->chance, sizeof(operations) / sizeof(operations[0]))];
	struct place *place = place_pick(worker);
	struct tie *tie = &worker->tie[chance_below(&worker->chance, options.ties)];
	struct sva_op *op = &job->op, *list[1] = {op};

	bad->prepare(op);
	switch (chance_below(&worker->chance, 4)) {
	case 0:
		check(bad->name, "sva_submit()", sva_submit(place->sva, op), bad->error);
		break;
	case 1:
		check(bad->name, "sva_submit_many()", sva_submit_many(place->sva, list, 1),
		      bad->error);
		break;
	case 2:
		check(bad->name, "sva_run()", sva_run(place->sva, op), bad->error);
		check(bad->name, "sva_last_result()", sva_last_result()->error, bad->error);
		break;
	default:
		if (tie->bond && (!options.losses || sva_bond_path(tie->bond) >= 0))
			check(bad->name, "sva_bond_submit()", sva_bond_submit(tie->bond, op),
			      bad->error);
		break;
	}
	check(bad->name, "sva_op_result()", sva_op_result(op)->error, -EINVAL);
	check(bad->name, "sva_poll()", sva_poll(op), -EINVAL);
	check(bad->name, "sva_wait()", sva_wait(op, 0), -EINVAL);
}

/* What is in flight is not submitted again, and an entry is not looked at by itself. */
static void refuse_twice(struct worker *worker)
{
	struct place *place = place_pick(worker);
	struct job *job;

	if (!worker->flying_count)
		return;
	job = worker->flying[chance_below(&worker->timing, worker->flying_count)];
	if (sva_op_result(&job->op)->error == -EINPROGRESS)
		check("an operation in flight", "sva_submit()", sva_submit(place->sva, &job->op),
		      -EBUSY);
	if (job->entries)
		check("an entry of a batch", "sva_submit()",
		      sva_submit(place->sva, job->list[0]) == -EBUSY ? -EBUSY : 0,
		      sva_op_result(job->list[0])->error == -EINPROGRESS ? -EBUSY : 0);
	if (job->mapped[0] && sva_dma_is_mapped(job->mapped[0]) >= 0 &&
	    sva_op_result(&job->op)->error == -EINPROGRESS)
		check("a mapped buffer in use", "sva_dma_unmap()", sva_dma_unmap(job->mapped[0]),
		      -EBUSY);
}

static void log_nothing(void *arg, int level, const char *text)
{
	(void)arg;
	(void)level;
	(void)text;
}

static void refuse_calls(struct worker *worker)
{
	struct place *place = place_pick(worker);
	struct sva_opts opts = SVA_OPTS_INIT;
	struct iovec piece = {bytes, 16};
	struct sva_bond *bond = NULL;
	struct sva_dma_buf *buf = NULL;
	struct sva *sva = NULL;

	check("a queue that is none", "sva_bind()", sva_bind(place->sva, "wq77.7", 0, &bond),
	      -ENOENT);
	check("an unknown flag", "sva_bind()", sva_bind(place->sva, "soft", 0x80, &bond), -EINVAL);
	check("no name", "sva_bind()", sva_bind(place->sva, NULL, 0, &bond), -EINVAL);
	opts.log = log_nothing;
	opts.flags = 0x80000000u;
	check("an unknown flag", "sva_open()", sva_open(&sva, &opts), -EINVAL);
	check("no list", "sva_reap()", sva_reap(place->sva, NULL, 1), -EINVAL);
	check("no list", "sva_submit_many()", sva_submit_many(place->sva, NULL, 1), -EINVAL);
	check("no length", "sva_dma_map()", sva_dma_map(place->sva, bytes, 0, 0, &buf), -EINVAL);
	check("an unknown flag", "sva_dma_map()", sva_dma_map(place->sva, bytes, 1, 8, &buf),
	      -EINVAL);
	check("no CRC", "sva_crc32c()", sva_crc32c(place->sva, bytes, 16, NULL), -EINVAL);
	check("no size", "sva_create_delta()",
	      sva_create_delta(place->sva, bytes, bytes + 64, 64, bytes + 512, 80, NULL), -EINVAL);
	check("too many pieces", "sva_copyv()",
	      sva_copyv(place->sva, &piece, 1025, &piece, 1, NULL), -EINVAL);
	check("a null source", "sva_memcpy()", sva_memcpy(place->sva, bytes, NULL, 16), -EFAULT);
	check("a null source", "sva_compare()", sva_compare(place->sva, bytes, NULL, 16, NULL),
	      -EFAULT);
	check("a destination that wraps around", "sva_memfill()",
	      sva_memfill(place->sva, (void *)(UINTPTR_MAX - 4), 1, 16), -EINVAL);
	if (bond || buf || sva)
		fail_plainly("a call that was refused stored something");
}

/* A misaligned operation, and one that was never prepared. */
static void refuse_memory(struct worker *worker)
{
	static const uint8_t zeros[2 * SVA_OP_SIZE] __attribute__((aligned(64)));
	struct place *place = place_pick(worker);
	struct sva_op *op = (struct sva_op *)(void *)(uintptr_t)(zeros + 8);

	check("a misaligned operation", "sva_submit()", sva_submit(place->sva, op), -EINVAL);
	check("a misaligned operation", "sva_poll()", sva_poll(op), -EINVAL);
	op = (struct sva_op *)(void *)(uintptr_t)zeros;
	check("an operation of zeros", "sva_submit()", sva_submit(place->sva, op), -EINVAL);
	check("an operation of zeros", "sva_wait()", sva_wait(op, -1), -EINVAL);
	check("no operation", "sva_submit()", sva_submit(place->sva, NULL), -EINVAL);
	check("no operation", "sva_poll()", sva_poll(NULL), -EINVAL);
}

void act_bad(struct worker *worker)
{
	struct job *job;

	switch (chance_below(&worker->chance, 6)) {
	case 0:
		refuse_twice(worker);
		break;
	case 1:
		refuse_calls(worker);
		break;
	case 2:
		refuse_memory(worker);
		break;
	default:
		job = job_take(worker);
		refuse_operation(worker, job);
		job_recycle(worker, job);
		break;
	}
	if (memcmp(bytes, untouched, sizeof(bytes)))
		fail_plainly("an operation that was refused wrote something");
	atomic_fetch_add_explicit(&worker->alive, 1, memory_order_relaxed);
}
