/* SPDX-License-Identifier: MIT */
/*
 * Batches. Descriptors behind a fence start when all before it are complete; if one of those was
 * anything but a success (0x02 counts as failure), the fence's descriptor and all later ones are
 * dropped, their records untouched. Without fences any order is lawful: the profile can ask for
 * another one than the list's. Source: [S3] 3.8, 3.9, 8.3.2.
 */
#include "model/bytes.h"
#include "model/internal.h"

struct batch {
	struct model_exec *exec;
	uint32_t done;
	bool failed; /* stops at fences, and decides the status */
	bool noted;  /* a failure, or a lost record that is none: the result */
	bool sub_error;
};

/* Entry n of the list, or false after a fault. */
static bool read_entry(struct batch *batch, uint32_t n, struct sva_desc *desc)
{
	struct model_exec *exec = batch->exec;

	if (model_read(exec, desc, exec->desc.src + 64ull * n, sizeof(*desc), OPERAND_1) ==
	    sizeof(*desc))
		return true;
	exec->comp.status = SVA_STATUS_BATCH_PAGE_FAULT;
	return false;
}

/*
 * An error of a descriptor that SWERROR or the event log gets; the batch's outcome keeps the first.
 */
static void note_error(struct batch *batch, struct model_exec *sub, uint32_t n)
{
	struct sva_model_outcome *outcome = batch->exec->outcome;

	sub->outcome->swerror_index = n;
	sub->outcome->in_batch = true;
	sub->outcome->first_in_batch = !batch->sub_error;
	model_event(sub);
	if (!batch->sub_error) {
		outcome->swerror = sub->outcome->swerror;
		outcome->swerror_addr = sub->outcome->swerror_addr;
		outcome->swerror_index = n;
		outcome->in_batch = true;
		outcome->first_in_batch = true;
	}
	batch->sub_error = true;
}

static void run_entry(struct batch *batch, uint32_t n, const struct sva_desc *desc)
{
	struct model_exec *exec = batch->exec, sub;
	struct sva_model_outcome outcome;

	model_bytes_zero(&sub, sizeof(sub));
	model_bytes_zero(&outcome, sizeof(outcome));
	sub.profile = exec->profile;
	sub.mem = exec->mem;
	sub.in_batch = true;
	sub.priv = exec->priv;
	sub.outcome = &outcome;
	model_bytes_copy(&sub.desc, desc, sizeof(struct sva_desc));
	model_execute_one(&sub);
	if (sub.comp.status != SVA_STATUS_SUCCESS)
		batch->failed = true;
	if (outcome.swerror)
		note_error(batch, &sub, n);
	if (outcome.swerror == SVA_STATUS_COMP_FAULT) {
		/*
		 * With an event log the driver writes the record later, and turns the batch's
		 * status into a failure if it cannot. UNCERTAIN without one: here it is a failure,
		 * since the submitter cannot learn the outcome.
		 */
		batch->noted = true;
		if (exec->profile->event_log)
			exec->sub_lost = true;
		else
			batch->failed = true;
	}
}

static bool stopped_by_fence(const struct batch *batch, const struct sva_desc *desc)
{
	return batch->failed && (sva_desc_flags(desc) & SVA_DESC_FENCE);
}

static void run_in_order(struct batch *batch)
{
	struct sva_desc desc;

	for (; batch->done < batch->exec->desc.size; batch->done++) {
		if (!read_entry(batch, batch->done, &desc) || stopped_by_fence(batch, &desc))
			return;
		run_entry(batch, batch->done, &desc);
	}
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/*
 * The k-th of n in another order: backwards, or steps of a stride that has no factor in common with
 * n.
 */
static uint32_t shuffled(uint32_t k, uint32_t n, uint32_t seed)
{
	uint32_t mixed = seed * 0x9e3779b1u >> 8, stride = mixed % n + 1;

	if (!seed)
		return n - 1 - k;
	while (gcd(stride, n) != 1)
		stride++;
	return (uint32_t)(((uint64_t)k * stride + mixed / n) % n);
}

/* Each run of descriptors without a fence inside it, in another order. */
static void run_shuffled(struct batch *batch)
{
	const uint32_t count = batch->exec->desc.size, seed = batch->exec->profile->batch_seed;
	struct sva_desc desc;
	bool fault = false;

	while (batch->done < count && !fault) {
		uint32_t first = batch->done, end = first + 1;

		if (!read_entry(batch, first, &desc) || stopped_by_fence(batch, &desc))
			return;
		for (; end < count; end++) {
			fault = !read_entry(batch, end, &desc);
			if (fault || (sva_desc_flags(&desc) & SVA_DESC_FENCE))
				break;
		}
		for (uint32_t k = 0; k < end - first; k++) {
			uint32_t n = first + shuffled(k, end - first, seed);

			/*
			 * It could be read just now; if it no longer can, none of this run counts
			 * as done.
			 */
			if (!read_entry(batch, n, &desc))
				return;
			run_entry(batch, n, &desc);
		}
		batch->done = end;
	}
}

void model_batch(struct model_exec *exec)
{
	struct batch batch = { .exec = exec };

	batch.failed = model_flags(exec) & SVA_DESC_BATCH_ERROR;
	if (exec->profile->batch_backwards)
		run_shuffled(&batch);
	else
		run_in_order(&batch);
	exec->comp.bytes = batch.done;
	if (exec->comp.status == SVA_STATUS_SUCCESS && batch.failed)
		exec->comp.status = SVA_STATUS_BATCH_FAIL;
	if (exec->profile->gen_cap & SVA_GENCAP_BATCH_CONTINUE)
		exec->comp.result = batch.failed || batch.noted;
}
