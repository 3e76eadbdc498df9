/* SPDX-License-Identifier: MIT */
/* From a submitted descriptor to its completion record. */
#include <errno.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/device/access.h"
#include "emu/device/async.h"
#include "emu/device/check.h"
#include "emu/device/engine.h"
#include "emu/device/execute.h"
#include "emu/device/trace.h"
#include "emu/host/memory.h"
#include "emu/host/process.h"

/*
 * The code in register SWERROR after a descriptor was dropped because a dedicated queue was full.
 */
#define SWERROR_DROPPED 0x53u

static const char *way_name(enum sva_model_store how, bool by_write)
{
	return by_write ? "write" : how == SVA_MODEL_ENQCMD ? "enqcmd" : "movdir64b";
}

/*
 * SWERROR keeps the first error until it is cleared: bit 0 valid, bit 1 overflow, the code in bits
 * 15:8.
 */
static void set_swerror(struct emu_device *dev, unsigned int code, uint64_t addr)
{
	uint64_t none = 0;

	if (__atomic_compare_exchange_n(&dev->swerror[0], &none, 1 | (uint64_t)code << 8, false,
					__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		__atomic_store_n(&dev->swerror[1], addr, __ATOMIC_RELAXED);
	else
		__atomic_fetch_or(&dev->swerror[0], 2, __ATOMIC_RELAXED);
}

struct execution {
	struct emu_access access; /* first: the model passes it back as its context */
	struct emu_device *dev;
};

static void on_event(void *ctx, const struct sva_desc *desc,
		     const struct sva_model_outcome *outcome)
{
	struct execution *exec = ctx;

	(void)desc;
	set_swerror(exec->dev, outcome->swerror, outcome->swerror_addr);
}

static bool is_nth(uint64_t sequence, uint32_t nth)
{
	return nth && sequence % nth == 0;
}

/* --error: the device reports a hardware error and does nothing. */
static void fail_descriptor(const struct sva_desc *desc, struct sva_model_outcome *outcome)
{
	*outcome = (struct sva_model_outcome){ .end = SVA_MODEL_SILENT };
	outcome->comp.status = SVA_STATUS_HW_ERROR;
	if (!(sva_desc_flags(desc) & SVA_DESC_CRAV))
		return;
	if (desc->completion_addr % 32 || !emu_probe(desc->completion_addr, true, NULL) ||
	    !emu_write_record(desc->completion_addr, &outcome->comp))
		outcome->end = SVA_MODEL_LOST;
	else
		outcome->end = SVA_MODEL_RECORDED;
}

/*
 * How many bytes count as processed: all of a descriptor that succeeded; of one that met a page
 * fault, what the record reports as complete. After another error nothing can be relied on.
 */
static uint32_t bytes_done(const struct sva_desc *desc, const struct sva_model_outcome *outcome)
{
	unsigned int status = outcome->comp.status & SVA_STATUS_MASK,
		     opcode = sva_desc_opcode(desc);

	if (opcode == SVA_OPCODE_NOOP || opcode == SVA_OPCODE_DRAIN)
		return 0;
	if (status == SVA_STATUS_SUCCESS || status == SVA_STATUS_SUCCESS_PRED)
		return desc->size;
	return status == SVA_STATUS_PAGE_FAULT ? outcome->comp.bytes : 0;
}

static void count_outcome(struct emu_state *state, const struct sva_desc *desc,
			  const struct sva_model_outcome *outcome)
{
	unsigned int status = outcome->comp.status & SVA_STATUS_MASK,
		     opcode = sva_desc_opcode(desc);

	emu_count(state, EMU_COUNT_EXECUTED, 1);
	if (opcode == SVA_OPCODE_BATCH)
		emu_count(state, EMU_COUNT_BATCHED,
			  outcome->comp.status == SVA_STATUS_SUCCESS ? desc->size :
								       outcome->comp.bytes);
	else
		emu_count(state, EMU_COUNT_BYTES, bytes_done(desc, outcome));
	if (outcome->end == SVA_MODEL_LOST)
		emu_count(state, EMU_COUNT_LOST, 1);
	if (status == SVA_STATUS_PAGE_FAULT || status == SVA_STATUS_PAGE_FAULT_IR ||
	    status == SVA_STATUS_BATCH_PAGE_FAULT)
		emu_count(state, EMU_COUNT_FAULTS, 1);
	else if (status > SVA_STATUS_SUCCESS_PRED)
		emu_count(state, EMU_COUNT_ERRORS, 1);
}

/* --sabotage length: the last bytes are not processed, and the record does not report it. */
static void shorten_descriptor(struct sva_desc *desc)
{
	unsigned int opcode = sva_desc_opcode(desc);

	if (opcode >= SVA_OPCODE_MEMMOVE && opcode != SVA_OPCODE_TRANSLATION_FETCH &&
	    desc->size >= 16)
		desc->size -= 8;
}

static void execute_descriptor(emu_queue_id queue, const struct sva_desc *desc, const char *way,
			       uint64_t site)
{
	struct emu_state *state = emu.state;
	struct emu_device *dev = emu_queue_device(state, queue);
	struct emu_wq *wq = emu_queue_wq(state, queue);
	uint64_t sequence = __atomic_add_fetch(&state->sequence, 1, __ATOMIC_RELAXED);
	struct execution exec = { .dev = dev };
	struct sva_model_profile profile;
	struct sva_model_outcome outcome;
	struct sva_desc copy = *desc;

	if (wq->dedicated)
		/* the device takes PASID and PRIV from the configuration of the queue */
		copy.pasid_priv = 0;
	if (is_nth(sequence, state->opt.error_every)) {
		fail_descriptor(desc, &outcome);
	} else {
		emu_profile(dev, wq, &profile);
		exec.access.strict = state->opt.strict_faults;
		exec.access.inject = is_nth(sequence, state->opt.fault_every);
		exec.access.event = on_event;
		if (is_nth(sequence, state->opt.sabotage_every))
			exec.access.sabotage = state->opt.sabotage;
		if (exec.access.sabotage == EMU_SABOTAGE_LENGTH) {
			shorten_descriptor(&copy);
			exec.access.sabotaged = copy.size != desc->size;
		}
		emu_execute(&profile, &copy, &exec.access, &outcome);
		if (exec.access.sabotaged)
			emu_count(state, EMU_COUNT_SABOTAGED, 1);
	}
	count_outcome(state, desc, &outcome);
	if (state->opt.check)
		emu_check_outcome(queue, desc, &outcome, site);
	if (state->opt.trace)
		emu_trace(queue, way, desc, EMU_FATE_EXECUTED, &outcome, site);
}

/* The queue does not accept a descriptor: count it, and report it to --check (why) and --trace. */
static int refuse_descriptor(emu_queue_id queue, enum sva_model_store how,
			     const struct sva_desc *desc, bool by_write, const char *why)
{
	struct emu_state *state = emu.state;
	bool retry = how == SVA_MODEL_ENQCMD;
	struct emu_wq *wq = emu_queue_wq(state, queue);

	emu_count(state, retry ? EMU_COUNT_RETRIED : EMU_COUNT_DROPPED, 1);
	__atomic_fetch_add(retry ? &wq->retried : &wq->dropped, 1, __ATOMIC_RELAXED);
	if (state->opt.check)
		emu_check_refused(queue, why, emu_trace_get_site());
	if (state->opt.trace)
		emu_trace(queue, way_name(how, by_write), desc,
			  retry ? EMU_FATE_RETRY : EMU_FATE_DROPPED, NULL, emu_trace_get_site());
	return retry ? -EAGAIN : 0;
}

int emu_submit(emu_queue_id queue, enum sva_model_store how, const struct sva_desc *desc,
	       bool by_write)
{
	struct emu_state *state = emu.state;
	struct emu_device *dev = emu_queue_device(state, queue);
	struct emu_wq *wq = emu_queue_wq(state, queue);
	int entry;

	if (by_write)
		emu_count(state, EMU_COUNT_WRITE, 1);
	else
		emu_count(state, how == SVA_MODEL_ENQCMD ? EMU_COUNT_ENQCMD : EMU_COUNT_MOVDIR64B,
			  1);
	if (!dev->enabled || !wq->enabled)
		return refuse_descriptor(queue, how, desc, by_write, "the queue is disabled");
	if (how == SVA_MODEL_ENQCMD && wq->dedicated)
		return refuse_descriptor(
			queue, how, desc, by_write,
			"ENQCMD to a dedicated queue is answered with retry forever");
	if (how == SVA_MODEL_MOVDIR64B && !wq->dedicated)
		return refuse_descriptor(queue, how, desc, by_write,
					 "MOVDIR64B to a shared queue is dropped");
	if (how == SVA_MODEL_ENQCMD && state->opt.retry_every &&
	    is_nth(__atomic_add_fetch(&state->retry_sequence, 1, __ATOMIC_RELAXED),
		   state->opt.retry_every))
		return refuse_descriptor(queue, how, desc, by_write, NULL);
	entry = emu_queue_take(wq, wq->dedicated ? wq->size : wq->threshold, emu_pid());
	if (entry < 0) {
		if (wq->dedicated)
			set_swerror(dev, SWERROR_DROPPED, 0);
		return refuse_descriptor(
			queue, how, desc, by_write,
			wq->dedicated ? "the dedicated queue is full: the descriptor is lost" :
					NULL);
	}
	__atomic_fetch_add(&wq->accepted, 1, __ATOMIC_RELAXED);
	if (state->opt.async && emu_async_ready()) {
		struct emu_job job = {.queue = queue,
				      .entry = entry,
				      .way = way_name(how, by_write),
				      .site = emu_trace_get_site(),
				      .desc = *desc};

		emu_async_push(&job);
		return 0;
	}
	execute_descriptor(queue, desc, way_name(how, by_write), emu_trace_get_site());
	emu_queue_put(wq, entry);
	return 0;
}

static void run_job(const struct emu_job *job)
{
	execute_descriptor(job->queue, &job->desc, job->way, job->site);
}

int emu_engine_prepare(void)
{
	return emu.state->opt.async ? emu_async_start(emu.state->opt.async, run_job) : 0;
}
