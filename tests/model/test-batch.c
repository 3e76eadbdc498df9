/* SPDX-License-Identifier: MIT */
/*
 * Batches: fences, records that stay untouched, what counts as a failure, faults of the list,
 * continuation, other orders, lost records with and without an event log, and the errors that the
 * user of the model gets.
 */
#include "trial.h"

#define MAX 32

static struct sva_model_profile profile;
static struct space space;
static struct trials trials;
static uint32_t random_state = 3;

/* Entries of a batch: each has a record of its own, and one writes what the next one reads. */
static struct sva_desc entry(unsigned int n, uint32_t flags)
{
	struct sva_desc desc = trial_desc(SVA_OPCODE_FILL, flags, 0x0101010101010101 * (n + 1),
					  DST_AT + 64 * n, 64);

	desc.completion_addr = REC_AT + PAGE + 64 * n;
	return desc;
}

static struct sva_desc failing(unsigned int n, int how)
{
	struct sva_desc desc = entry(n, 0);

	switch (how) {
	case 0: /* a check */
		desc.size = 0;
		break;
	case 1: /* a fault */
		desc.dst = 0x10000000;
		break;
	case 2: /* done, but the result is not the expected one */
		desc = trial_desc(SVA_OPCODE_COMPARE, SVA_DESC_CR, SRC_AT, DST2_AT, 64);
		desc.completion_addr = REC_AT + PAGE + 64 * n;
		break;
	case 3: /* not allowed in a batch */
		desc.flags_opcode = sva_desc_word(SVA_OPCODE_DRAIN, SVA_DESC_CRAV | SVA_DESC_RCR);
		desc.src = desc.dst = desc.size = 0;
		break;
	case 4: /* the same with another one */
		desc = trial_desc(SVA_OPCODE_BATCH, 0, LIST_AT, 0, 2);
		desc.completion_addr = REC_AT + PAGE + 64 * n;
		break;
	case 5: /* a record that cannot be aligned */
		desc.completion_addr += 8;
		break;
	case 6: /* a record in a page that is not there */
		desc.completion_addr = 0x20000000;
		break;
	}
	return desc;
}
#define FAILURES 7

static struct sva_desc batch_of(unsigned int count)
{
	return trial_desc(SVA_OPCODE_BATCH, 0, LIST_AT, 0, count);
}

static void put_list(const struct sva_desc *list, unsigned int count)
{
	space_put(&space, LIST_AT, list, count * sizeof(*list));
}

static bool run(unsigned int count)
{
	struct sva_desc batch = batch_of(count);

	memset(space_at(&space, REC_AT), 0, 2 * PAGE);
	return trial(&trials, &profile, &space, &batch);
}

static uint8_t status_of(unsigned int n)
{
	return *space_at(&space, REC_AT + PAGE + 64 * n);
}

/* A failure of each kind at each place, a fence at each place. */
static void fences(void)
{
	unsigned long stopped = 0, wrong = 0;
	struct sva_desc list[6];

	for (int how = 0; how < FAILURES; how++) {
		for (unsigned int bad = 0; bad < 6; bad++) {
			for (unsigned int fence = 0; fence <= 6; fence++) {
				const bool stops =
					fence < 6 && fence > bad && (how < 6 || !profile.event_log);
				const struct sva_comp *comp = &trials.outcome.comp;

				for (unsigned int n = 0; n < 6; n++) {
					list[n] = n == bad ? failing(n, how) : entry(n, 0);
					if (n == fence)
						list[n].flags_opcode |= SVA_DESC_FENCE;
				}
				put_list(list, 6);
				run(6);
				/* Against the facts once more, in words of the batch. */
				wrong += comp->bytes != (stops ? fence : 6);
				for (unsigned int n = 0; n < 6; n++)
					wrong += n >= fence && stops && status_of(n);
				stopped += stops;
			}
		}
	}
	ok(!wrong && stopped, "%lu batches were stopped by a fence, %lu wrong", stopped, wrong);
	trials_done(&trials, "a failure and a fence at each place");
}

/* The page with the list ends, or is not there, at each entry; then the rest is continued. */
static void list_faults(void)
{
	unsigned long faults = 0, wrong = 0;
	struct sva_desc list[8], batch;

	for (unsigned int at = 0; at <= 8; at++) {
		for (unsigned int bad = 0; bad < 10; bad++) {
			const bool can_continue = profile.gen_cap & SVA_GENCAP_BATCH_CONTINUE;
			const struct sva_comp *comp = &trials.outcome.comp;

			for (unsigned int n = 0; n < 8; n++)
				list[n] = n == bad ? failing(n, 0) :
						     entry(n, n == 6 ? SVA_DESC_FENCE : 0);
			batch = batch_of(8);
			batch.src = LIST_AT + PAGE - 64 * at;
			space_put(&space, batch.src, list, sizeof(list));
			memset(space_at(&space, REC_AT), 0, 2 * PAGE);
			space_use(&space, LIST_AT + PAGE, 0);
			trial(&trials, &profile, &space, &batch);
			space_use(&space, LIST_AT + PAGE, PAGE_RW);
			if (comp->status != SVA_STATUS_BATCH_PAGE_FAULT)
				continue;
			faults++;
			wrong += comp->bytes != at || comp->fault_addr != LIST_AT + PAGE;
			if (!can_continue || 8 - at < 2)
				continue;
			batch.src += 64 * comp->bytes;
			batch.size -= comp->bytes;
			if (comp->result)
				batch.flags_opcode |= SVA_DESC_BATCH_ERROR;
			trial(&trials, &profile, &space, &batch);
			wrong += comp->status !=
				 (bad < 8 ? SVA_STATUS_BATCH_FAIL : SVA_STATUS_SUCCESS);
			wrong += (status_of(6) != 0) != (bad >= 6);
			wrong += (status_of(7) != 0) != (bad >= 6);
		}
	}
	ok(faults > 50 && !wrong, "%lu faults on the list, %lu wrong", faults, wrong);
	trials_done(&trials, "faults of the list");
}

static void counts(void)
{
	struct sva_desc list[2 * MAX], batch;

	for (unsigned int n = 0; n < 2 * MAX; n++)
		list[n] = entry(n % 16, n % 3 ? 0 : SVA_DESC_FENCE);
	put_list(list, 2 * MAX);
	for (unsigned int count = 0; count < 2 * MAX; count++)
		run(count);
	for (unsigned int at = 0; at < 128; at++) {
		batch = batch_of(2);
		batch.src += at;
		trial(&trials, &profile, &space, &batch);
		batch.flags_opcode = sva_desc_word(SVA_OPCODE_BATCH, at & 1 ? SVA_DESC_CRAV : 0);
		batch.completion_addr = at & 1 ? REC_AT : 0;
		trial(&trials, &profile, &space, &batch);
	}
	trials_done(&trials, "counts and alignment of the list");
}

/* Any order is lawful: each entry is done once, in whichever order, and never across a fence. */
static void other_orders(void)
{
	struct sva_desc list[MAX], batch;
	unsigned long same = 0;

	profile.batch_backwards = true;
	for (uint32_t seed = 0; seed < 300; seed++) {
		const unsigned int count = 2 + random_below(&random_state, MAX - 1);

		for (unsigned int n = 0; n < count; n++) {
			list[n] = entry(n, 0);
			if (!random_below(&random_state, 40))
				list[n] = failing(n, (int)random_below(&random_state, FAILURES));
			if (!random_below(&random_state, 8))
				list[n].flags_opcode |= SVA_DESC_FENCE;
		}
		put_list(list, count);
		profile.batch_seed = seed;
		run(count);
	}
	/* Without fences, the order is not that of the list. */
	for (uint32_t seed = 0; seed < 40; seed++) {
		bool in_order = true;

		for (unsigned int n = 0; n < 7; n++)
			list[n] = entry(n, 0);
		put_list(list, 7);
		profile.batch_seed = seed;
		run(7);
		for (int i = 1; i < 7; i++)
			in_order &= space.records[i].addr > space.records[i - 1].addr;
		same += in_order;
		for (int i = 1; i < 7 && !seed; i++) /* seed 0: strictly backwards */
			same += space.records[i].addr > space.records[i - 1].addr ? 40 : 0;
	}
	ok(same < 5, "without fences %lu of 40 ran in the list's order", same);
	/* The end of the list is not there. */
	for (unsigned int at = 0; at <= 8; at++) {
		for (unsigned int n = 0; n < 8; n++)
			list[n] = entry(n, n == 3 ? SVA_DESC_FENCE : 0);
		batch = batch_of(8);
		batch.src = LIST_AT + PAGE - 64 * at;
		space_put(&space, batch.src, list, sizeof(list));
		space_use(&space, LIST_AT + PAGE, 0);
		trial(&trials, &profile, &space, &batch);
		space_use(&space, LIST_AT + PAGE, PAGE_RW);
	}
	profile.batch_backwards = false;
	trials_done(&trials, "other orders");
}

/*
 * An accessor whose list goes away after so many reads: nothing of a run that was not finished
 * counts as done.
 */
static int reads_left;

static void *vanishing_map(void *ctx, uint64_t addr, size_t *len, unsigned int access,
			   uint64_t *fault)
{
	struct sva_model_mem mem = space_mem(ctx);

	if (addr - LIST_AT < PAGE && !reads_left--) {
		*fault = addr;
		reads_left = 0;
		return NULL;
	}
	return mem.map(ctx, addr, len, access, fault);
}

static void vanishing_list(void)
{
	struct sva_model_mem mem = space_mem(&space);
	struct sva_desc list[4], batch = batch_of(4);
	struct sva_model_outcome outcome;
	unsigned long wrong = 0;

	for (unsigned int n = 0; n < 4; n++)
		list[n] = entry(n, n == 2 ? SVA_DESC_FENCE : 0);
	put_list(list, 4);
	mem.map = vanishing_map;
	profile.batch_backwards = true;
	/*
	 * Two runs of two. Each entry is read to find the fences and to be run, that of the fence
	 * once more.
	 */
	for (int reads = 0; reads < 9; reads++) {
		reads_left = reads;
		sva_model_execute(&profile, &mem, &batch, &outcome);
		wrong += outcome.comp.status != SVA_STATUS_BATCH_PAGE_FAULT ||
			 outcome.comp.bytes != (reads < 5 ? 0u : 2u);
	}
	profile.batch_backwards = false;
	ok(!wrong, "(chosen) a list that goes away in the middle: %lu wrong", wrong);
}

/* ---- errors that only SWERROR or the event log gets ---- */

static struct {
	struct sva_desc desc;
	struct sva_model_outcome outcome;
} events[16];
static int nevents;

static void event(void *ctx, const struct sva_desc *desc, const struct sva_model_outcome *outcome)
{
	(void)ctx;
	events[nevents].desc = *desc;
	events[nevents++].outcome = *outcome;
}

static void lost_records(bool log)
{
	struct sva_model_mem mem = space_mem(&space);
	struct sva_model_outcome outcome;
	struct sva_desc list[4], batch = batch_of(4);

	profile.event_log = log;
	mem.event = event;
	nevents = 0;
	subject("a batch with lost records, %s event log", log ? "with an" : "without");
	for (unsigned int n = 0; n < 4; n++)
		list[n] = n == 1 || n == 2 ? failing(n, n == 1 ? 6 : 5) : entry(n, 0);
	put_list(list, 4);
	sva_model_execute(&profile, &mem, &batch, &outcome);
	is(events[0].outcome.swerror, SVA_STATUS_COMP_FAULT, "a fault of a record is reported");
	is(events[0].outcome.swerror_addr, 0x20000000, "a fault of a record: its address");
	is(events[0].outcome.swerror_index, 1, "a fault of a record: the place in the batch");
	ok(events[0].outcome.in_batch && events[0].outcome.first_in_batch,
	   "a fault of a record: it is the first error of the batch");
	is(events[0].outcome.comp.status, SVA_STATUS_SUCCESS,
	   "a fault of a record: the record that was not written");
	is(events[0].desc.completion_addr, 0x20000000, "a fault of a record: the descriptor");
	is(events[1].outcome.swerror, SVA_STATUS_COMP_ALIGN, "a misaligned record is reported");
	ok(events[1].outcome.in_batch && !events[1].outcome.first_in_batch,
	   "a misaligned record: it is not the first error of the batch");
	is(outcome.comp.status, SVA_STATUS_BATCH_FAIL,
	   "the batch failed, since one entry was not executed");
	if (log) {
		is(nevents, 3, "three errors are reported");
		is(events[2].outcome.swerror, 0x27, "the batch's own record is reported, too");
		ok(outcome.end == SVA_MODEL_LOST && !outcome.in_batch && outcome.swerror == 0x27,
		   "the batch's own record is not written");
		is(outcome.swerror_addr, REC_AT, "the batch's own record: its address");
		is(events[2].desc.src, LIST_AT, "the batch's own record: its descriptor");
	} else {
		is(nevents, 2, "two errors are reported");
		is(outcome.end, SVA_MODEL_RECORDED, "the batch's own record is written");
		ok(outcome.in_batch && outcome.first_in_batch &&
			   outcome.swerror == SVA_STATUS_COMP_FAULT && outcome.swerror_index == 1 &&
			   outcome.swerror_addr == 0x20000000,
		   "the outcome of the batch keeps the first error");
	}
	/* An entry that succeeds, and whose record is lost. */
	list[2] = entry(2, SVA_DESC_FENCE);
	put_list(list, 4);
	sva_model_execute(&profile, &mem, &batch, &outcome);
	is(outcome.comp.status, log ? SVA_STATUS_SUCCESS : SVA_STATUS_BATCH_FAIL,
	   log ? "a lost record that the driver may write later is no failure" :
		 "a lost record that is never written is a failure (chosen)");
	profile.event_log = false;
}

static void drains(void)
{
	struct sva_model_mem mem = space_mem(&space);
	struct sva_desc drain = trial_desc(SVA_OPCODE_DRAIN, 0, 0, 0, 0);
	struct sva_model_outcome outcome;

	subject("drain");
	for (int i = 0; i < 4; i++) {
		profile.event_log = i & 1;
		profile.prs_disable = i & 2;
		nevents = 0;
		mem.event = event;
		sva_model_execute(&profile, &mem, &drain, &outcome);
		ok(i == 3 ? nevents == 1 && events[0].outcome.swerror == 0x26 &&
				    outcome.end == SVA_MODEL_LOST :
			    !nevents && outcome.end == SVA_MODEL_RECORDED,
		   "a drain with event log %d, PRS off %d, ends as it should", i & 1, i >> 1);
		trial(&trials, &profile, &space, &drain);
	}
	profile.event_log = profile.prs_disable = false;
	drain.flags_opcode |= SVA_DESC_DRAIN_RDBK1 | SVA_DESC_DRAIN_RDBK2;
	for (int i = 0; i < 16; i++) {
		drain.src = i & 1 ? SRC_AT : 0x10000000;
		drain.dst = i & 2 ? SRC_AT + 100 : 0x10000000;
		drain.flags_opcode ^= i & 4 ? SVA_DESC_DRAIN_RDBK1 : SVA_DESC_DRAIN_RDBK2;
		trial(&trials, &profile, &space, &drain);
	}
	trials_done(&trials, "drains");
}

int main(void)
{
	static const struct sva_model_profile *const devices[] = {&sva_model_dsa1, &sva_model_dsa2,
								  &sva_model_dsa3};

	trial_space(&space, 2, 13);
	for (int i = 0; i < 6; i++) {
		profile = *devices[i % 3];
		profile.event_log = i > 3;
		printf("# %s, event log %s\n", profile.name, profile.event_log ? "on" : "off");
		fences();
		list_faults();
		counts();
		other_orders();
		vanishing_list();
		lost_records(false);
		lost_records(true);
		drains();
	}
	space_free(&space);
	return trials_end();
}
