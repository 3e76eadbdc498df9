/* SPDX-License-Identifier: MIT */
/*
 * The synchronous calls. Short work and work without a device never becomes a descriptor: it is memmove(3) and a few words noted. What one descriptor
 * can carry takes the quick road: descriptor and record lie ready in the thread's pages, one lease carries it, and there is no lock, no locked instruction, no
 * allocation and no system call on it. Everything else, and everything that goes wrong on the quick road, is an operation like any other.
 */
#include <sched.h>
#include <string.h>

#include "submit.h"

static void note(uint8_t path, uint64_t bytes, const struct sva_identity *id)
{
	struct sva_tls *tls = &sva_tls;

	tls->last_path = path;
	tls->last_bytes = bytes;
	tls->last_id = id;
}

/* The result of an operation becomes this thread's last one. */
static int note_op(const struct sva_op *op, int error)
{
	struct sva_tls *tls = &sva_tls;

	tls->last = *sva_op_result(op);
	tls->last_path = SVA_PATH_COUNT;
	return error;
}

/* A call that became no operation. */
static int note_error(int error, uint32_t reason, uint64_t addr, bool write)
{
	struct sva_tls *tls = &sva_tls;

	memset(&tls->last, 0, sizeof(tls->last));
	tls->last.error = error;
	tls->last.path = SVA_PATH_CPU;
	tls->last.reason = reason;
	tls->last.fault_addr = addr;
	tls->last.fault_write = write;
	tls->last_path = SVA_PATH_COUNT;
	return error;
}

static int run(struct sva_thread *thread, struct sva *key, struct sva_op *op)
{
	uint64_t since = 0;
	int err;

	if (unlikely(thread->ticks < 2))
		sva_path_refresh(thread);
	else
		thread->ticks--;
	while ((err = sva_submit_sync(thread, key, op)) == -EAGAIN) {
		uint64_t now = sva_now_ns();

		if (!since)
			since = now;
		else if (now - since > (uint64_t)thread->ctx->policy.record_timeout_ms * 1000000u)
			break;
		sched_yield();
	}
	if (err)
		return note_error(err, err == -ENODEV ? sva_path_reason(thread->ctx) : 0, 0, false);
	return note_op(op, sva_wait(op, -1));
}

int sva_run(struct sva *sva, struct sva_op *op)
{
	struct sva_thread *thread;
	int err;

	if (!op)
		return note_error(-EINVAL, 0, 0, false);
	thread = sva_thread_get(sva, &err);
	if (unlikely(!thread))
		return note_error(err, err == -ESTALE ? SVA_REASON_FORKED : 0, 0, false);
	return run(thread, sva, op);
}

/* ------------------------------------------------------------------ the quick road */

enum quick { QUICK_DONE, QUICK_NOT_TAKEN, QUICK_UNFINISHED };

/* One descriptor, synchronously, on the lead lease. */
static inline enum quick quick(struct sva_thread *thread, struct sva_lease *lease, uint32_t word, uint64_t src,
			       uint64_t dst, size_t len)
{
	struct sva_desc *desc = &thread->quick.desc;
	struct sva_comp *comp = &thread->quick.comp;
	uint8_t status;
	int err;

	desc->flags_opcode = word;
	desc->src = src;
	desc->dst = dst;
	desc->size = (uint32_t)len;
	sva_record_clear(comp);
	sva_bias_enter(&thread->bias);
	if (unlikely(lease->credits <= 0)) {
		sva_bias_exit(&thread->bias);
		return QUICK_NOT_TAKEN;
	}
	lease->credits--;
	err = lease->submit(lease, desc);
	if (unlikely(err))
		lease->credits++;
	sva_bias_exit(&thread->bias);
	if (unlikely(err))
		return QUICK_NOT_TAKEN;
	/* A look or two, then somebody with a clock. */
	status = sva_record_status(comp);
	if (!status)
		status = sva_complete_await(lease->bond, comp, 0);
	if (unlikely(status != SVA_STATUS_SUCCESS))
		return QUICK_UNFINISHED;
	if (lease->counted) {
		sva_bias_enter(&thread->bias);
		lease->credits++;
		sva_bias_exit(&thread->bias);
	}
	note(lease->path, len, lease->id);
	return QUICK_DONE;
}

/* What was begun quickly goes on as an operation: its descriptor has been submitted, its record tells of a fault or of nothing at all. */
static int finish_slowly(struct sva_thread *thread, struct sva *key, struct sva_lease *lease)
{
	struct sva_op *op = &thread->op;
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	op->length = thread->quick.desc.size;
	op->flags = 0;
	op->desc = thread->quick.desc;
	op->comp = thread->quick.comp;
	op->desc.flags_opcode &= 0xff000000u; /* the queue's flags come back when it is issued again */
	sva_progress_begin(op);
	sva_progress_next(op, lease->max_transfer);
	p->key = key;
	p->policy = &thread->ctx->policy;
	p->generation = sva_process_generation();
	p->lease = lease;
	p->bond = lease->bond;
	p->sync = true;
	p->result.chunks = 1;
	op->state = SVA_OP_IN_FLIGHT;
	return note_op(op, sva_wait(op, -1));
}

/* The lease that quick calls may use for this length, or NULL. */
static inline struct sva_lease *quick_lease(struct sva_thread *thread, size_t len)
{
	struct sva_lease *lease = thread->lead;

	if (unlikely(!lease || len > lease->max_transfer || --thread->ticks < 2))
		return NULL;
	return lease;
}

/* ------------------------------------------------------------------ copy */

static int refuse(uint64_t addr, bool write)
{
	/* Null is a bad pointer; a range that wraps around is no range. */
	return addr ? note_error(-EINVAL, 0, 0, false) : note_error(-EFAULT, 0, addr, write);
}

/* Does [addr, addr + len) start at null or wrap around? One addition tells. */
static inline bool bad_range(uintptr_t addr, size_t len)
{
	uintptr_t end;

	return __builtin_add_overflow(addr - 1, len, &end);
}

static int copy_guarded(void *dst, const void *src, size_t len)
{
	uint64_t bad;
	int err = sva_guard_move(dst, src, len, &bad);

	if (!err)
		return 0;
	return note_error(err, 0, bad, bad - (uintptr_t)dst < len && bad - (uintptr_t)src >= len);
}

static int copy_on_cpu(struct sva_thread *thread, void *dst, const void *src, size_t len)
{
	sva_tls.last_reason = thread->cpu_reason;
	note(SVA_PATH_CPU, len, NULL);
	if (unlikely(!len))
		return 0;
	if (unlikely(bad_range((uintptr_t)dst, len)))
		return refuse((uintptr_t)dst, true);
	if (unlikely(bad_range((uintptr_t)src, len)))
		return refuse((uintptr_t)src, false);
	if (unlikely(thread->guard))
		return copy_guarded(dst, src, len);
	memmove(dst, src, len);
	return 0;
}

static int copy_slowly(struct sva_thread *thread, struct sva *key, void *dst, const void *src, size_t len)
{
	sva_prep_memcpy(&thread->op, dst, src, len);
	return run(thread, key, &thread->op);
}

int sva_memcpy(struct sva *sva, void *dst, const void *src, size_t len)
{
	struct sva_thread *thread;
	struct sva_lease *lease;
	int err;

	thread = sva_thread_get(sva, &err);
	if (unlikely(!thread))
		return note_error(err, err == -ESTALE ? SVA_REASON_FORKED : 0, 0, false);
	if (len < thread->threshold)
		return copy_on_cpu(thread, dst, src, len);
	lease = quick_lease(thread, len);
	if (likely(lease)) {
		switch (quick(thread, lease, lease->move_word, (uintptr_t)src, (uintptr_t)dst, len)) {
		case QUICK_DONE:
			return 0;
		case QUICK_UNFINISHED:
			return finish_slowly(thread, sva, lease);
		case QUICK_NOT_TAKEN:
			break;
		}
	}
	return copy_slowly(thread, sva, dst, src, len);
}

/* ------------------------------------------------------------------ fill */

static int fill_on_cpu(struct sva_thread *thread, void *dst, uint64_t pattern, size_t len)
{
	uint64_t bad;
	int err;

	sva_tls.last_reason = thread->cpu_reason;
	note(SVA_PATH_CPU, len, NULL);
	if (unlikely(!len))
		return 0;
	if (unlikely(bad_range((uintptr_t)dst, len)))
		return refuse((uintptr_t)dst, true);
	if (unlikely(thread->guard)) {
		err = sva_guard_fill(dst, pattern, len, &bad);
		return err ? note_error(err, 0, bad, true) : 0;
	}
	sva_cpu_fill(dst, pattern, len);
	return 0;
}

static int fill_slowly(struct sva_thread *thread, struct sva *key, void *dst, uint64_t pattern, size_t len)
{
	sva_prep_memfill(&thread->op, dst, pattern, len);
	return run(thread, key, &thread->op);
}

int sva_memfill(struct sva *sva, void *dst, uint64_t pattern, size_t len)
{
	struct sva_thread *thread;
	struct sva_lease *lease;
	int err;

	thread = sva_thread_get(sva, &err);
	if (unlikely(!thread))
		return note_error(err, err == -ESTALE ? SVA_REASON_FORKED : 0, 0, false);
	if (len < thread->threshold)
		return fill_on_cpu(thread, dst, pattern, len);
	lease = quick_lease(thread, len);
	if (likely(lease)) {
		switch (quick(thread, lease, lease->fill_word, pattern, (uintptr_t)dst, len)) {
		case QUICK_DONE:
			return 0;
		case QUICK_UNFINISHED:
			return finish_slowly(thread, sva, lease);
		case QUICK_NOT_TAKEN:
			break;
		}
	}
	return fill_slowly(thread, sva, dst, pattern, len);
}
