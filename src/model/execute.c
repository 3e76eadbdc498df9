/* SPDX-License-Identifier: MIT */
/*
 * From a descriptor to its completion record.
 *
 * The record's address comes first, as nothing can be reported without it: a descriptor with a bad
 * one is not executed. Then the checks (check.c), then the operation, then the record is written:
 * its tail first, its status last with release order.
 *
 * This file, ops.c and batch.c call each other in a circle, on purpose: an entry of a batch is a
 * descriptor that is executed like any other. No batch is within a batch (check.c refuses it), so
 * the recursion is two levels deep.
 */
#include "model/bytes.h"
#include "model/internal.h"

static bool is_success(uint8_t status)
{
	return status == SVA_STATUS_SUCCESS || status == SVA_STATUS_SUCCESS_PRED ||
	       status == SVA_STATUS_BATCH_FAIL;
}

/* The record will not be written: only SWERROR or the event log knows. */
static void lose(struct model_exec *exec, uint8_t swerror, uint64_t addr)
{
	exec->outcome->end = SVA_MODEL_LOST;
	exec->outcome->swerror = swerror;
	exec->outcome->swerror_addr = addr;
	exec->outcome->swerror_index = 0;
	exec->outcome->in_batch = false;
}

static bool record_address_good(struct model_exec *exec)
{
	uint8_t status = 0;

	if (exec->priv && !exec->profile->priv)
		status = SVA_STATUS_PRIV;
	else if ((model_flags(exec) & SVA_DESC_CRAV) &&
		 exec->desc.completion_addr % sizeof(struct sva_comp))
		status = SVA_STATUS_COMP_ALIGN;
	if (!status)
		return true;
	exec->comp.status = status;
	lose(exec, status, exec->desc.completion_addr);
	return false;
}

static void write_record(struct model_exec *exec)
{
	const unsigned int access = SVA_MODEL_WRITE | SVA_MODEL_RECORD;
	const struct sva_model_mem *mem = exec->mem;
	uint64_t fault = exec->desc.completion_addr;
	size_t len = sizeof(exec->comp);
	uint8_t *host;

	host = mem->map(mem->ctx, fault, &len, access, &fault);
	if (!host) {
		lose(exec, SVA_STATUS_COMP_FAULT, fault);
		return;
	}
	model_bytes_copy(host + 8, (const uint8_t *)&exec->comp + 8, sizeof(exec->comp) - 8);
	model_bytes_copy(host + 1, (const uint8_t *)&exec->comp + 1, 7);
	__atomic_store_n(host, exec->comp.status, __ATOMIC_RELEASE);
	if (mem->unmap)
		mem->unmap(mem->ctx, host, sizeof(exec->comp), access);
	exec->outcome->end = SVA_MODEL_RECORDED;
}

/*
 * With an event log some records go through it instead, and the driver writes them: that of a drain
 * where the queue cannot ask for pages, as earlier records may still wait in the log; and that of a
 * batch one of whose records is in the log.
 */
static uint8_t logged_instead(const struct model_exec *exec)
{
	if (!exec->profile->event_log)
		return 0;
	if (sva_desc_opcode(&exec->desc) == SVA_OPCODE_DRAIN && exec->profile->prs_disable)
		return MODEL_EVL_DRAIN;
	return exec->sub_lost ? MODEL_EVL_BATCH : 0;
}

static void deliver(struct model_exec *exec)
{
	uint32_t flags = model_flags(exec);
	uint8_t log;

	exec->outcome->end = SVA_MODEL_SILENT;
	if (exec->comp.status == SVA_STATUS_INT_HANDLE)
		exec->outcome->swerror = SVA_STATUS_INT_HANDLE;
	if (!(flags & SVA_DESC_CRAV) || (!(flags & SVA_DESC_RCR) && is_success(exec->comp.status)))
		return;
	log = logged_instead(exec);
	if (log)
		lose(exec, log, exec->desc.completion_addr);
	else
		write_record(exec);
}

void model_execute_one(struct model_exec *exec)
{
	const struct model_op *op = model_op_find(exec->profile, sva_desc_opcode(&exec->desc));

	exec->outcome->priv = exec->priv;
	if (record_address_good(exec)) {
		if (model_flags(exec) & SVA_DESC_BOF)
			exec->access = SVA_MODEL_BOF;
		exec->comp.status = model_check(exec, op);
		if (!exec->comp.status) {
			exec->comp.status = SVA_STATUS_SUCCESS;
			op->run(exec);
		}
		deliver(exec);
	}
	model_bytes_copy(&exec->outcome->comp, &exec->comp, sizeof(exec->comp));
}

void model_event(const struct model_exec *exec)
{
	if (exec->mem->event)
		exec->mem->event(exec->mem->ctx, &exec->desc, exec->outcome);
}

void sva_model_execute(const struct sva_model_profile *profile, const struct sva_model_mem *mem,
		       const struct sva_desc *desc, struct sva_model_outcome *outcome)
{
	struct model_exec exec;

	model_bytes_zero(&exec, sizeof(exec));
	model_bytes_zero(outcome, sizeof(*outcome));
	exec.profile = profile;
	exec.mem = mem;
	exec.outcome = outcome;
	model_bytes_copy(&exec.desc, desc, sizeof(struct sva_desc));
	exec.priv = exec.desc.pasid_priv & MODEL_PRIV;
	model_execute_one(&exec);
	if (outcome->swerror && !outcome->in_batch)
		model_event(&exec);
}
