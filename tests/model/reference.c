/* SPDX-License-Identifier: MIT */
/* See reference.h: the road of a descriptor, batches, and the judgement of a record. */
#include "reference.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define S(code) (1ull << (code))

static bool __attribute__((format(printf, 2, 3))) fail(struct ref *ref, const char *fmt, ...)
{
	va_list ap;

	if (!ref->why[0]) {
		va_start(ap, fmt);
		vsnprintf(ref->why, sizeof(ref->why), fmt, ap);
		va_end(ap);
	}
	return false;
}

static bool is_fault(unsigned int status)
{
	return status == 0x03 || status == 0x04 || status == 0x06 || status == 0x1f;
}

/* Is it one of the faults that may be reported? Addresses may have lost their low 12 bits. */
static bool fault_lawful(const struct ref *ref, const struct ref_expect *expect,
			 const struct sva_comp *comp)
{
	const uint64_t grain = expect->page_only || ref->model->masked ? PAGE : 1;
	const bool info = ref->profile->gen_cap >> 12 & 1;

	for (int i = 0; i < expect->nfaults; i++) {
		const struct ref_fault *fault = &expect->faults[i];

		if (fault->addr / grain == comp->fault_addr / grain &&
		    fault->write == comp->status >> 7 &&
		    (!info || comp->fault_info >> 1 == fault->operand))
			return true;
	}
	return false;
}

static bool judge(struct ref *ref, const struct ref_expect *expect, const struct sva_comp *comp)
{
	const unsigned int status = comp->status & 0x3f;
	const bool checks_failed = status >= 0x10 && status != 0x1f;

	if (!(expect->statuses >> status & 1))
		return fail(ref, "status %#x, lawful are %#llx", comp->status,
			    (unsigned long long)expect->statuses);
	if (!is_fault(status) && comp->status & 0xc0)
		return fail(ref, "status %#x with bits of a fault", comp->status);
	if (!is_fault(status) && (comp->fault_addr || comp->fault_info))
		return fail(ref, "status %#x with a fault at %#llx", comp->status,
			    (unsigned long long)comp->fault_addr);
	if (status == 0x11 && comp->op.invalid_flags != expect->invalid_flags)
		return fail(ref, "invalid flags %#x, not %#x", comp->op.invalid_flags,
			    expect->invalid_flags);
	if (checks_failed)
		return comp->bytes == 0 ||
		       fail(ref, "bytes completed %u of a descriptor that did not run",
			    comp->bytes);
	if (is_fault(status) && !fault_lawful(ref, expect, comp))
		return fail(ref, "fault at %#llx, status %#x, info %#x",
			    (unsigned long long)comp->fault_addr, comp->status, comp->fault_info);
	if (expect->check_result && comp->result != expect->result)
		return fail(ref, "result %u, not %u", comp->result, expect->result);
	if (expect->check_bytes && comp->bytes != expect->bytes &&
	    !(expect->check_at_most && comp->bytes < expect->bytes))
		return fail(ref, "bytes completed %u, not %u", comp->bytes, expect->bytes);
	for (int i = 0; i < 16; i++) {
		if ((comp->op.bytes16[i] ^ expect->specific[i]) & expect->specific_known[i])
			return fail(ref, "byte %d of the record is %02x, not %02x", 16 + i,
				    comp->op.bytes16[i], expect->specific[i]);
	}
	return true;
}

/*
 * The record that the model wrote next to that address, or NULL. A shuffled batch writes them in
 * any order.
 */
static const struct sva_comp *next_record(struct ref *ref, uint64_t addr)
{
	const int last =
		ref->profile->batch_backwards ? ref->model->nrecords : ref->next_record + 1;

	for (int i = ref->next_record; i < last && i < ref->model->nrecords; i++) {
		if (ref->taken[i] || ref->model->records[i].addr != addr)
			continue;
		ref->taken[i] = true;
		while (ref->next_record < SPACE_RECORDS && ref->taken[ref->next_record])
			ref->next_record++;
		return &ref->model->records[i].comp;
	}
	return NULL;
}

/*
 * One descriptor, in a batch or not. Its status goes to *status (0: it is not known, as there is no
 * record).
 */
struct run {
	uint8_t desc[64];
	bool in_batch, priv;
	const struct sva_comp *known; /* what the model's outcome says, if it is not in a batch */
	struct ref_expect expect;
	enum sva_model_end end;
	uint8_t swerror;
	bool sub_lost, success;
};

static bool run_one(struct ref *ref, struct run *run);

/* What the facts say of a batch's entries, in order. */
struct batch {
	uint32_t count, done;
	uint64_t list;
	bool failed, noted, sub_lost, fault;
	struct ref_fault where;
};

static bool run_entry(struct ref *ref, struct batch *batch, const uint8_t *desc, bool priv)
{
	struct run sub;

	memset(&sub, 0, sizeof(sub));
	memcpy(sub.desc, desc, 64);
	sub.in_batch = true;
	sub.priv = priv;
	if (!run_one(ref, &sub))
		return false;
	batch->failed |= !sub.success;
	if (sub.swerror == 0x1a) {
		batch->noted = true;
		if (ref->profile->event_log)
			batch->sub_lost = true;
		else
			batch->failed = true;
	}
	return true;
}

static bool run_batch(struct ref *ref, struct run *run)
{
	struct ref_expect *expect = &run->expect;
	struct batch batch = {.list = ref_field(run->desc, 16, 8),
			      .count = (uint32_t)ref_field(run->desc, 32, 4)};
	uint8_t desc[64];

	batch.failed = run->desc[6] & 1;
	for (; batch.done < batch.count && !ref->loose; batch.done++) {
		for (int i = 0; i < 64 && !batch.fault; i++) {
			uint64_t addr = batch.list + 64ull * batch.done + (unsigned int)i;

			batch.fault = !space_allows(ref->space, addr, SVA_MODEL_READ);
			batch.where = (struct ref_fault){ .addr = addr, .operand = 1 };
			if (!batch.fault)
				desc[i] = *space_at(ref->space, addr);
		}
		if (batch.fault || ((desc[4] & 1) && batch.failed))
			break;
		if (!run_entry(ref, &batch, desc, run->priv))
			return false;
	}
	expect->statuses = batch.fault ? S(0x06) : batch.failed ? S(0x05) : S(0x01);
	expect->faults[0] = batch.where;
	expect->nfaults = batch.fault;
	expect->check_bytes = true;
	expect->bytes = batch.done;
	expect->check_result = ref->profile->gen_cap >> 15 & 1;
	expect->result = batch.failed || batch.noted;
	run->sub_lost = batch.sub_lost;
	return true;
}

/* What becomes of the record: written, lawfully not, or lost. */
static bool deliver(struct ref *ref, struct run *run, const struct sva_comp *known)
{
	const uint64_t addr = ref_field(run->desc, 8, 8), quiet = S(0x01) | S(0x02) | S(0x05);
	const bool crav = run->desc[4] & 4, rcr = run->desc[4] & 8;
	const struct sva_comp *comp;

	run->end = SVA_MODEL_SILENT;
	if (run->expect.statuses & S(0x19) && known && known->status == 0x19)
		run->swerror = 0x19;
	if (!crav || (!rcr && !(run->expect.statuses & ~quiet)))
		return true;
	run->end = SVA_MODEL_LOST;
	if (ref->profile->event_log && run->desc[7] == 0x02 && ref->profile->prs_disable) {
		run->swerror = 0x26;
	} else if (ref->profile->event_log && run->sub_lost) {
		run->swerror = 0x27;
	} else if (!space_allows(ref->space, addr, SVA_MODEL_WRITE | SVA_MODEL_RECORD)) {
		run->swerror = 0x1a;
	} else {
		run->end = SVA_MODEL_RECORDED;
		comp = next_record(ref, addr);
		if (!comp)
			return fail(ref, "no record at %#llx", (unsigned long long)addr);
		if (!judge(ref, &run->expect, comp))
			return false;
		space_put(ref->space, addr, comp, sizeof(*comp));
		if (comp->status == 0x19)
			run->swerror = 0x19;
	}
	return true;
}

static bool run_one(struct ref *ref, struct run *run)
{
	const uint64_t addr = ref_field(run->desc, 8, 8);
	const bool crav = run->desc[4] & 4;
	uint32_t invalid;

	if (run->priv && !ref->profile->priv)
		run->swerror = 0x1d;
	else if (crav && addr % 32)
		run->swerror = 0x1b;
	if (run->swerror) {
		run->end = SVA_MODEL_LOST;
		run->expect.statuses = S(run->swerror);
		return true;
	}
	run->expect.statuses =
		ref_broken_rules(ref->profile, run->desc, run->in_batch, run->priv, &invalid);
	run->expect.invalid_flags = invalid;
	if (!run->expect.statuses) {
		const struct sva_comp *known = run->known;
		struct ref_op op = {
			.ref = ref,
			.desc = run->desc,
			.in_batch = run->in_batch,
			.expect = &run->expect,
			.bof = run->desc[4] & 2 ? SVA_MODEL_BOF : 0,
		};

		/* In a batch the record is the next one at that address. */
		for (int i = ref->next_record;
		     run->in_batch && crav && !known && i < ref->model->nrecords; i++) {
			if (!ref->taken[i] && ref->model->records[i].addr == addr)
				known = &ref->model->records[i].comp;
		}
		op.known = known;
		if (run->desc[7] == 0x01 ? !run_batch(ref, run) : (ref_operate(&op), false))
			return false;
	}
	run->success = run->expect.statuses == S(0x01);
	return ref->loose || deliver(ref, run, run->known);
}

bool ref_run(struct ref *ref, const struct sva_desc *desc)
{
	const struct sva_model_outcome *outcome = ref->outcome;
	struct run run;
	uint64_t where;

	memset(&run, 0, sizeof(run));
	memcpy(run.desc, desc, 64);
	run.priv = run.desc[3] & 0x80;
	run.known = &outcome->comp;
	if (!run_one(ref, &run))
		return false;
	if (!outcome->in_batch && outcome->swerror_index)
		return fail(ref, "place %u of a batch, but in none", outcome->swerror_index);
	if (ref->loose)
		return true;
	if (!judge(ref, &run.expect, &outcome->comp))
		return false;
	if (outcome->end != run.end)
		return fail(ref, "end %d, not %d", outcome->end, run.end);
	if (run.swerror && (outcome->swerror != run.swerror || outcome->in_batch))
		return fail(ref, "error %#x, not %#x", outcome->swerror, run.swerror);
	if (ref->next_record != ref->model->nrecords)
		return fail(ref, "%d records, not %d", ref->model->nrecords, ref->next_record);
	if (!space_equal(ref->model, ref->space, &where))
		return fail(ref, "memory differs at %#llx", (unsigned long long)where);
	if (ref->model->wrong)
		return fail(ref, "accessor: %s", ref->model->wrong);
	if (ref->model->open)
		return fail(ref, "%d windows left open", ref->model->open);
	return true;
}
