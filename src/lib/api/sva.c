/* SPDX-License-Identifier: MIT */
/*
 * The synchronous calls. Short work and work without a device never becomes a descriptor: it is
 * memmove(3), and two fields are set for the result. What one descriptor can carry takes the fast
 * path: descriptor and record are ready in the thread's pages, one lease takes the descriptor, and
 * there is no lock, no locked instruction, no allocation and no system call. All other work, and
 * every failure on the fast path, becomes an operation like any other.
 */
#include <sched.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/memory.h"
#include "lib/api/api.h"
#include "lib/op/kinds.h"
#include "lib/run/fast.h"

/* Note a call that succeeded on one path. */
static inline void note_success(const struct sva_identity *id, uint64_t bytes)
{
	struct sva_tls *tls = &sva_tls;

	tls->last_id = id;
	tls->last_bytes = bytes;
}

/* The same, of an operation whose record says more than that. */
static inline void note_record(const struct sva_op *op, const struct sva_identity *id)
{
	struct sva_tls *tls = &sva_tls;

	tls->last_comp = op->comp;
	tls->last_word = SVA_OP_PRIVATE(op)->prepared_word;
	tls->last_id = (const struct sva_identity *)((uintptr_t)id | SVA_TLS_RECORD);
	tls->last_bytes = op->length;
}

/* The result of an operation becomes this thread's last one. */
static int note_op(const struct sva_op *op, int error)
{
	struct sva_tls *tls = &sva_tls;

	tls->last = *sva_op_result(op);
	tls->last_id = NULL;
	return error;
}

/* Note the failure of a call that became no operation. */
static __attribute__((cold)) int note_error(int error, uint32_t reason, uint64_t addr, bool write)
{
	struct sva_tls *tls = &sva_tls;

	memset(&tls->last, 0, sizeof(tls->last));
	tls->last.error = error;
	tls->last.path = SVA_PATH_CPU;
	tls->last.reason = reason;
	tls->last.fault_addr = addr;
	tls->last.fault_write = write;
	tls->last_id = NULL;
	return error;
}

static __attribute__((cold)) int note_no_thread(int error)
{
	uint32_t reason = error == -ESTALE	 ? SVA_REASON_FORKED :
			  sva_is_shortage(error) ? SVA_REASON_SHORTAGE :
						   SVA_REASON_OK;

	return note_error(error, reason, 0, false);
}

/* The reason to report for an operation that was not submitted. */
static uint32_t refusal_reason(const struct sva_thread *thread, int err)
{
	if (err == -EOPNOTSUPP)
		return SVA_REASON_NO_OPERATION;
	return err == -ENODEV ? sva_choose_reason(thread->ctx) : (uint32_t)SVA_REASON_OK;
}

/*
 * An operation was refused for a null pointer: is that of a destination? The operands are checked
 * in this order.
 */
static bool null_is_written(const struct sva_op *op)
{
	const struct sva_kind *kind = sva_kind_of(op);

	if (kind->src == SVA_OPERAND_READ && !op->desc.src)
		return false;
	return op->desc.dst ? kind->third == SVA_OPERAND_WRITE : kind->dst == SVA_OPERAND_WRITE;
}

static int run_slowly(struct sva_thread *thread, struct sva_op *op)
{
	uint64_t since = 0;
	int err;

	if (!thread->ticks || !--thread->ticks)
		sva_choose_refresh(thread);
	while ((err = sva_start(thread, op, NULL, true)) == -EAGAIN) {
		uint64_t now = sva_now_ns();

		if (!since)
			since = now;
		else if (now - since > (uint64_t)thread->ctx->policy.record_timeout_ms * 1000000u)
			break;
		sched_yield();
	}
	if (err)
		return note_error(err, refusal_reason(thread, err), 0,
				  err == -EFAULT && null_is_written(op));
	return note_op(op, sva_wait(op, -1));
}

/* The lease that short calls may use now, or NULL. */
static inline struct sva_lease *lead_lease(struct sva_thread *thread)
{
	struct sva_lease *lease = thread->lead;

	return unlikely(!lease) || unlikely(!--thread->ticks) ? NULL : lease;
}

/*
 * The descriptor of a fast operation was taken, and its record reports something else than success,
 * or nothing yet: from here on it is an operation like any other.
 */
static __attribute__((noinline, cold)) int wait_slowly(struct sva_thread *thread, struct sva_op *op)
{
	struct sva_op_private *p = SVA_OP_PRIVATE(op);

	p->thread = NULL;
	sva_operation_unfold(op, p->lease->bond, thread->ctx, &thread->ctx->policy);
	p->sync = true;
	return note_op(op, sva_wait(op, -1));
}

static inline int end_run(struct sva_thread *thread, const struct sva_lease *lease,
			  struct sva_op *op, enum sva_went went)
{
	switch (went) {
	case SVA_WENT_WELL:
		SVA_OP_PRIVATE(op)->last = lease->id;
		op->state = thread->fast_ended;
		note_record(op, lease->id);
		return 0;
	case SVA_WENT_ON:
		return wait_slowly(thread, op);
	default:
		sva_fast_undo(op);
		return run_slowly(thread, op);
	}
}

static __attribute__((noinline)) int run_by_call(struct sva_thread *thread,
						 struct sva_lease *lease, struct sva_op *op)
{
	/* What pins memory has errors of its own, which the long road heeds. */
	uint32_t word = lease->ops->pins ? 0 : sva_fast_word(lease, op);

	if (!word)
		return run_slowly(thread, op);
	sva_fast_prepare(lease, op, word);
	return end_run(thread, lease, op, sva_fast_call(thread, lease, &op->desc, &op->comp));
}

static int run_operation(struct sva_thread *thread, struct sva_op *op)
{
	struct sva_lease *lease = lead_lease(thread);
	uint32_t word;

	if (unlikely(!lease))
		return run_slowly(thread, op);
	if (unlikely(lease->store == SVA_STORE_CALL))
		return run_by_call(thread, lease, op);
	word = sva_fast_plain(lease, op);
	if (!word)
		word = sva_fast_word(lease, op);
	if (unlikely(!word))
		return run_slowly(thread, op);
	sva_fast_prepare(lease, op, word);
	return end_run(thread, lease, op, sva_fast_run(thread, lease, &op->desc, &op->comp));
}

int sva_run(struct sva *sva, struct sva_op *op)
{
	struct sva_thread *thread;
	int err;

	if (sva_op_is_bad(op))
		return note_error(-EINVAL, 0, 0, false);
	thread = sva_thread_get(sva, &err);
	if (unlikely(!thread))
		return note_no_thread(err);
	return run_operation(thread, op);
}

/* ------------------------------------------------------------------ the short road */

/* The descriptor was not taken: full, or the lease is dead. It goes another way. */
static __attribute__((noinline, cold)) int go_slowly(struct sva_thread *thread)
{
	const struct sva_desc *desc = &thread->quick.desc;

	sva_prep(&thread->op, (enum sva_opcode)sva_desc_opcode(desc), desc->src, desc->dst,
		 desc->size);
	return run_slowly(thread, &thread->op);
}

/* Does one of its ranges wrap around the address space? A null pointer does not. */
static bool quick_wraps(const struct sva_desc *desc)
{
	uint64_t end;

	return __builtin_add_overflow(desc->dst, desc->size - 1, &end) ||
	       (sva_desc_opcode(desc) == SVA_OPCODE_MEMMOVE &&
		__builtin_add_overflow(desc->src, desc->size - 1, &end));
}

/* The same as wait_slowly(), of the thread's own descriptor and record. */
static __attribute__((noinline, cold)) int finish_slowly(struct sva_thread *thread,
							 struct sva_lease *lease)
{
	const struct sva_desc *desc = &thread->quick.desc;
	struct sva_op *op = &thread->op;
	struct sva_op_private *p = SVA_OP_PRIVATE(op);
	int err;

	if (!sva_record_status(&thread->quick.comp))
		(void)sva_complete_await(lease->bond, &thread->quick.comp, 0);
	op->length = desc->size;
	op->flags = 0;
	op->desc = *desc;
	op->comp = thread->quick.comp;
	/* the queue's flags come back when it is issued again */
	p->prepared_word = desc->flags_opcode & 0xff000000u;
	p->lease = lease;
	err = wait_slowly(thread, op);
	/* The fast path skips the range check; make up for it here: a wrapping range is -EINVAL. */
	if (err == -EFAULT && quick_wraps(desc))
		sva_tls.last.error = err = -EINVAL;
	return err;
}

/*
 * One descriptor, synchronously, on the lead lease. Values that are needed again afterwards are
 * read from the descriptor, so that they need no registers meanwhile.
 */
static inline __attribute__((always_inline)) int run_quickly(struct sva_thread *thread,
							     struct sva_lease *lease, uint32_t word,
							     uint64_t src, uint64_t dst, size_t len)
{
	struct sva_desc *desc = &thread->quick.desc;
	struct sva_comp *comp = &thread->quick.comp;
	enum sva_went went;

	desc->flags_opcode = word;
	desc->src = src;
	desc->dst = dst;
	desc->size = (uint32_t)len;
	sva_record_clear(comp);
	went = sva_fast_run(thread, lease, desc, comp);
	if (likely(went == SVA_WENT_WELL)) {
		note_success(lease->id, desc->size);
		return 0;
	}
	return went == SVA_WENT_ON ? finish_slowly(thread, lease) : go_slowly(thread);
}

/* The word of a short call of this length; 0: it takes the long road. */
static inline uint32_t quick_word(const struct sva_lease *lease, enum sva_opcode opcode, size_t len)
{
	if (unlikely(len > lease->fast_max) || unlikely(lease->store == SVA_STORE_CALL))
		return 0;
	return __atomic_load_n(&lease->words[opcode], __ATOMIC_RELAXED);
}

/*
 * Can any queue take the prepared operation? If none can, and the CPU may, then the CPU does it as
 * plainly as it can, which the model that stands in for a device elsewhere would not.
 */
static bool has_candidate(struct sva_thread *thread)
{
	unsigned int pos = 0;
	uint32_t reason;

	if (!thread->ctx->policy.cpu_allowed ||
	    sva_choose_next(thread, &pos, &thread->op, true, -1))
		return true;
	reason = sva_choose_reason(thread->ctx);
	if (reason == SVA_REASON_OK)
		reason = SVA_REASON_NO_OPERATION; /* the first choice works, for other operations */
	if (thread->cpu_id->reason != reason) {
		const struct sva_identity *id = sva_identify(NULL, NULL, SVA_PATH_CPU, reason);

		if (id)
			thread->cpu_id = id;
	}
	return false;
}

/* Did a path without a portal take the last synchronous call, and nothing is to be refreshed? */
static bool leads_by_call(const struct sva_thread *thread)
{
	const struct sva_lease *lead = thread->lead;

	return lead && lead->store == SVA_STORE_CALL && !lead->ops->pins && thread->ticks > 1;
}

/* ------------------------------------------------------------------ copy */

/* Does [addr, addr + len) start at null or wrap around? One addition finds out. */
static inline bool bad_range(uintptr_t addr, size_t len)
{
	uintptr_t end;

	return __builtin_add_overflow(addr - 1, len, &end);
}

/* A null pointer is -EFAULT; a range that wraps around is -EINVAL. */
static __attribute__((cold)) int refuse_ranges(uintptr_t dst, uintptr_t src, size_t len)
{
	if (!len)
		return 0;
	if (!dst || !src)
		return note_error(-EFAULT, 0, 0, !dst);
	return note_error(-EINVAL, 0, bad_range(dst, len) ? dst : src, bad_range(dst, len));
}

static int copy_on_cpu(struct sva_thread *thread, void *dst, const void *src, size_t len)
{
	uint64_t bad;
	int err;

	note_success(thread->cpu_id, len);
	if (!len || bad_range((uintptr_t)dst, len) || bad_range((uintptr_t)src, len))
		return refuse_ranges((uintptr_t)dst, (uintptr_t)src, len);
	if (!(thread->ctx->config.flags & SVA_OPEN_GUARD)) {
		memmove(dst, src, len);
		return 0;
	}
	err = sva_guard_move(dst, src, len, &bad);
	if (!err)
		return 0;
	return note_error(err, 0, bad, bad - (uintptr_t)dst < len && bad - (uintptr_t)src >= len);
}

static __attribute__((noinline)) int copy_slowly(struct sva_thread *thread, void *dst,
						 const void *src, size_t len)
{
	if (len < thread->cpu_below)
		return copy_on_cpu(thread, dst, src, len);
	sva_prep_memcpy(&thread->op, dst, src, len);
	if (leads_by_call(thread))
		return run_by_call(thread, thread->lead, &thread->op);
	if (len <= PTRDIFF_MAX && !has_candidate(thread))
		return copy_on_cpu(thread, dst, src, len);
	return run_slowly(thread, &thread->op);
}

static __attribute__((noinline)) int copy_quickly(struct sva_thread *thread, void *dst,
						  const void *src, size_t len)
{
	struct sva_lease *lease = lead_lease(thread);
	uint32_t word;

	/* Under the guard short copies get here, too. */
	if (unlikely(!lease) || unlikely(len < thread->cpu_below))
		return copy_slowly(thread, dst, src, len);
	word = quick_word(lease, SVA_OPCODE_MEMMOVE, len);
	if (unlikely(!word))
		return copy_slowly(thread, dst, src, len);
	return run_quickly(thread, lease, word, (uintptr_t)src, (uintptr_t)dst, len);
}

/* May the CPU do the work without a share of a context, when there is no memory for one? */
static bool can_do_without(const struct sva *sva, int err)
{
	return sva_is_shortage(err) &&
	       (!sva || (sva->policy.cpu_allowed && !(sva->config.flags & SVA_OPEN_GUARD)));
}

static const struct sva_identity without_share = {.path = SVA_PATH_CPU,
						  .reason = SVA_REASON_SHORTAGE};

/* Another context than that of this thread's last call, or its cache is stale. */
static __attribute__((noinline, cold)) int copy_uncached(struct sva *sva, void *dst,
							 const void *src, size_t len)
{
	struct sva_thread *thread;
	int err;

	thread = sva_thread_slow(sva, &err);
	if (thread && sva_thread_is_cached(sva))
		return sva_memcpy(sva, dst, src, len);
	if (thread)
		return copy_slowly(thread, dst, src, len);
	if (!can_do_without(sva, err))
		return note_no_thread(err);
	if (!len || bad_range((uintptr_t)dst, len) || bad_range((uintptr_t)src, len))
		return refuse_ranges((uintptr_t)dst, (uintptr_t)src, len);
	memmove(dst, src, len);
	note_success(&without_share, len);
	return 0;
}

int sva_memcpy(struct sva *sva, void *dst, const void *src, size_t len)
{
	struct sva_thread *thread;
	uintptr_t end;

	if (!sva_thread_is_cached(sva))
		return copy_uncached(sva, dst, src, len);
	thread = sva_tls.current;
	if (likely(len >= thread->threshold))
		return copy_quickly(thread, dst, src, len);
	note_success(thread->cpu_id, len);
	/*
	 * Below the threshold the sum of either address and len wraps around, or begins at null, if
	 * that of both or-ed does.
	 */
	if (unlikely(!len || __builtin_add_overflow(((uintptr_t)dst - 1) | ((uintptr_t)src - 1),
						    len, &end)))
		return refuse_ranges((uintptr_t)dst, (uintptr_t)src, len);
	memmove(dst, src, len);
	return 0;
}

/* ------------------------------------------------------------------ fill */

static int fill_on_cpu(struct sva_thread *thread, void *dst, uint64_t pattern, size_t len)
{
	uint64_t bad;
	int err;

	note_success(thread->cpu_id, len);
	if (unlikely(!len || bad_range((uintptr_t)dst, len)))
		return refuse_ranges((uintptr_t)dst, (uintptr_t)dst, len);
	if (unlikely(thread->ctx->config.flags & SVA_OPEN_GUARD)) {
		err = sva_guard_fill(dst, pattern, len, &bad);
		return err ? note_error(err, 0, bad, true) : 0;
	}
	sva_cpu_fill(dst, pattern, len);
	return 0;
}

static __attribute__((noinline, cold)) int fill_without_share(struct sva *sva, void *dst,
							      uint64_t pattern, size_t len, int err)
{
	if (!can_do_without(sva, err))
		return note_no_thread(err);
	if (!len || bad_range((uintptr_t)dst, len))
		return refuse_ranges((uintptr_t)dst, (uintptr_t)dst, len);
	sva_cpu_fill(dst, pattern, len);
	note_success(&without_share, len);
	return 0;
}

int sva_memfill(struct sva *sva, void *dst, uint64_t pattern, size_t len)
{
	struct sva_thread *thread;
	struct sva_lease *lease;
	uint32_t word;
	int err;

	thread = sva_thread_get(sva, &err);
	if (unlikely(!thread))
		return fill_without_share(sva, dst, pattern, len, err);
	if (len < thread->cpu_below)
		return fill_on_cpu(thread, dst, pattern, len);
	lease = lead_lease(thread);
	word = likely(lease) ? quick_word(lease, SVA_OPCODE_FILL, len) : 0;
	if (likely(word))
		return run_quickly(thread, lease, word, pattern, (uintptr_t)dst, len);
	sva_prep_memfill(&thread->op, dst, pattern, len);
	if (leads_by_call(thread))
		return run_by_call(thread, thread->lead, &thread->op);
	if (len <= PTRDIFF_MAX && !has_candidate(thread))
		return fill_on_cpu(thread, dst, pattern, len);
	return run_slowly(thread, &thread->op);
}

/* The fast path notes two fields; here they become a result. */
const struct sva_result *sva_last_result(void)
{
	struct sva_tls *tls = &sva_tls;

	const struct sva_identity *id = tls->last_id;

	if (!id)
		return &tls->last;
	if ((uintptr_t)id & SVA_TLS_RECORD) {
		id = (const struct sva_identity *)((uintptr_t)id & ~(uintptr_t)SVA_TLS_RECORD);
		sva_result_read(&tls->last, &tls->last_comp, tls->last_word, tls->last_bytes, id);
	} else {
		memset(&tls->last, 0, sizeof(tls->last));
		tls->last.path = id->path;
		tls->last.reason = id->reason;
		tls->last.queue = id->queue;
		tls->last.device = id->device;
		tls->last.bytes = tls->last_bytes;
		tls->last.path_bytes[id->path] = tls->last_bytes;
		tls->last.status = id->queue ? SVA_STATUS_SUCCESS : SVA_STATUS_NONE;
		tls->last.chunks = id->queue ? 1 : 0;
	}
	tls->last_id = NULL;
	return &tls->last;
}
