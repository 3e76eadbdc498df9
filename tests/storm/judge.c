/* SPDX-License-Identifier: MIT */
/* Compares every byte, and every field of the result, of an operation that has ended. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "storm/storm.h"

static const char *const way_names[] = {"synchronous call", "sva_run",	       "sva_submit",
					"sva_submit_many",  "sva_bond_submit", "entry of a batch"};

/* One thread reports; the others wait for the end of the process. */
static void begin_report(void)
{
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&once);
	fflush(stdout);
	fprintf(stderr, "storm: FAILED, seed %llu: ", (unsigned long long)options.seed);
}

static void __attribute__((noreturn)) end_report(void)
{
	fprintf(stderr, "\n");
	fflush(stderr);
	_exit(1);
}

static void show_result(const struct sva_result *r)
{
	fprintf(stderr,
		"\n  result: error %d, status 0x%02x, result %u, path %s, queue %s, bytes %llu, "
		"faults %u at 0x%llx, retries %u, chunks %u, reason %s, value %llu\n  by path:",
		r->error, r->status, r->result, sva_path_name(r->path),
		r->queue ? r->queue : "none", (unsigned long long)r->bytes, r->faults,
		(unsigned long long)r->fault_addr, r->retries, r->chunks,
		sva_reason_name(r->reason), (unsigned long long)r->value);
	for (int path = 0; path < SVA_PATH_COUNT; path++)
		if (r->path_bytes[path])
			fprintf(stderr, " %s %llu", sva_path_name(path),
				(unsigned long long)r->path_bytes[path]);
}

static void show_job(const struct job *job)
{
	fprintf(stderr,
		"\n  thread %u, operation %llu: %s of %zu bytes by %s, flags 0x%x, on %s, "
		"paths 0x%x",
		job->owner->number, (unsigned long long)job->number,
		job->kind ? job->kind->name : "?", job->length, way_names[job->way], job->flags,
		job->queue ? job->queue :
		job->place ? "a context" :
			     "no context",
		job->paths);
	for (unsigned int i = 0; i < BUFFERS; i++)
		if (job->buffer[i].used)
			fprintf(stderr, "\n  buffer %u: %zu bytes at %p", i, job->buffer[i].len,
				(void *)(job->buffer[i].live + job->buffer[i].at));
	if (job->expect.fault)
		fprintf(stderr, "\n  page 0x%llx of buffer %u cannot be reached",
			(unsigned long long)job->expect.fault, job->bad_buffer);
	if (job->way != WAY_SYNC)
		show_result(sva_op_result(&job->op));
}

void fail(const struct job *job, const char *fmt, ...)
{
	va_list ap;

	begin_report();
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	show_job(job);
	end_report();
}

void fail_plainly(const char *fmt, ...)
{
	va_list ap;

	begin_report();
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	end_report();
}

static void __attribute__((noreturn))
fail_result(const struct job *job, const struct sva_result *r, const char *what)
{
	begin_report();
	fprintf(stderr, "%s", what);
	show_job(job);
	if (r != sva_op_result(&job->op))
		show_result(r);
	end_report();
}

/* ------------------------------------------------------------------ the operation itself */

static bool all_are(const uint8_t *bytes, size_t n, uint8_t byte)
{
	while (n--)
		if (*bytes++ != byte)
			return false;
	return true;
}

static void check_operation(struct job *job)
{
	if (!all_are(job->before, GUARD, 0xc5) || !all_are(job->after, GUARD, 0xc5))
		fail(job, "something wrote beside the operation");
	if (job->op.user_data != job->data)
		fail(job, "user_data was changed");
	if (job->op.flags != job->flags)
		fail(job, "the flags of the operation were changed to 0x%x", job->op.flags);
}

/* ------------------------------------------------------------------ the route */

static const char *check_queue(const struct job *job, const struct sva_result *r)
{
	if (!r->queue)
		return r->device	       ? "the result names a device but no queue" :
		       r->path != SVA_PATH_CPU ? "the result names a path but no queue" :
						 NULL;
	if (!r->device)
		return "the result names a queue but no device";
	if (job->queue && strcmp(r->queue, job->queue))
		return "the result names another queue than that of the bond";
	if (r->path == SVA_PATH_SOFT && strcmp(r->queue, "soft") && r->chunks == 1)
		return "the result names a queue that is not soft";
	for (unsigned int i = 0; i < queue_count(); i++)
		if (!strcmp(r->queue, queue_name(i)))
			return NULL;
	return strcmp(r->queue, "soft") ? "the result names a queue that does not exist" : NULL;
}

static const char *check_route(const struct job *job, const struct sva_result *r)
{
	uint64_t sum = 0;

	if (r->path >= SVA_PATH_COUNT)
		return "the path is none";
	/* The CPU ends what has no bytes. */
	if (!(job->paths & 1u << r->path) && (r->path != SVA_PATH_CPU || r->bytes))
		return "the path is not permitted";
	for (int path = 0; path < 8; path++) {
		sum += r->path_bytes[path];
		if (r->path_bytes[path] && !(job->paths & 1u << path))
			return "bytes went a path that is not permitted";
		if (r->path_bytes[path] > r->path_bytes[r->path])
			return "another path did more than the one that is named";
	}
	if (sum != r->bytes)
		return "the bytes by path do not add up to the bytes";
	if (r->bytes > r->path_bytes[SVA_PATH_CPU] && !r->chunks)
		return "a queue did something, without a descriptor";
	if (r->reason >= SVA_REASON_COUNT_)
		return "the reason is none";
	if (r->reserved[0] || r->reserved[1])
		return "reserved fields are not zero";
	return check_queue(job, r);
}

static bool in_buffers(const struct job *job, uint64_t addr)
{
	for (unsigned int i = 0; i < BUFFERS; i++) {
		uint64_t from = (uint64_t)(uintptr_t)(job->buffer[i].live + job->buffer[i].at);

		if (job->buffer[i].used && addr >= from / PAGE * PAGE &&
		    addr < from + job->buffer[i].len)
			return true;
	}
	return job->borrowed && addr >= job->borrowed / PAGE * PAGE &&
	       addr < job->borrowed + job->length;
}

static const char *check_faults(const struct job *job, const struct sva_result *r)
{
	const struct expectation *expect = &job->expect;

	if (r->error == -EFAULT && expect->fault) {
		if (r->fault_addr / PAGE * PAGE != expect->fault)
			return "the fault address is not in the page that cannot be reached";
		return r->fault_write == expect->fault_write ? NULL : "fault_write is wrong";
	}
	/* The sum of several operations has no address of its own. */
	if (!r->faults || (job->kind == &kind_list && !r->fault_addr))
		return r->fault_addr ? "there is a fault address without a fault" : NULL;
	return in_buffers(job, r->fault_addr) ? NULL :
						"the fault address is in none of the buffers";
}

/* ------------------------------------------------------------------ the outcome */

static const char *check_tags(const struct job *job, const struct sva_comp_dif *dif)
{
	const struct expectation *expect = &job->expect;

	if (expect->has_src_dif &&
	    (dif->src_ref != expect->dif.src_ref || dif->src_app != expect->dif.src_app))
		return "the tags of the source to go on with are wrong";
	if (expect->has_dst_dif &&
	    (dif->dst_ref != expect->dif.dst_ref || dif->dst_app != expect->dif.dst_app))
		return "the tags of the destination to go on with are wrong";
	return NULL;
}

static const char *check_status(const struct job *job, const struct sva_result *r)
{
	if (r->status == SVA_STATUS_NONE)
		return r->chunks ? "there is no status, although descriptors were submitted" : NULL;
	switch (job->expect.error) {
	case 0:
	case -EBADE:
		return r->status == SVA_STATUS_SUCCESS || r->status == SVA_STATUS_SUCCESS_PRED ?
			       NULL :
			       "the status is not that of a success";
	case -EILSEQ:
		return r->status == SVA_STATUS_DIF_ERROR ? NULL :
							   "the status is not that of a DIF error";
	default:
		return sva_status_errno(r->status) == -job->expect.error ?
			       NULL :
			       "the status does not fit the error";
	}
}

static const char *check_outcome(const struct job *job, const struct sva_result *r)
{
	const struct expectation *expect = &job->expect;
	bool partly = expect->fault || expect->error == -EBADMSG;
	const char *wrong = check_status(job, r);

	if (wrong)
		return wrong;
	if (partly)
		return r->bytes > (expect->fault ? expect->bytes : job->length) ?
			       "more bytes are said to be done than can be" :
			       NULL;
	if (expect->result >= 0 && r->result != expect->result)
		return "the result byte is wrong";
	if (expect->has_value &&
	    (r->value > expect->value || r->value + expect->value_slack < expect->value))
		return "the value is wrong";
	if (r->bytes > expect->bytes || r->bytes + expect->value_slack < expect->bytes)
		return "the number of bytes is wrong";
	return check_tags(job, &r->dif);
}

/* Refused by a list of paths without soft and cpu, or since the bond was retired. */
static bool refusal_is_right(const struct job *job, int error)
{
	bool all = job->paths & (1u << SVA_PATH_CPU | 1u << SVA_PATH_SOFT);

	/* A queue that was named does what its device can. */
	if (job->queue && (options.soft_dsa1 || strcmp(job->queue, "soft")))
		all = false;
	if (error == -EIO && options.losses)
		return true;
	if (error == -ENODEV && options.losses && !all)
		return true;
	if (error == -EINVAL && job->queue && !all && has_trait(job->kind, KIND_DSA2))
		return true;
	return error == -EOPNOTSUPP && !all &&
	       has_trait(job->kind, KIND_DSA2 | KIND_WHOLE | KIND_MOVE);
}

/* Errors that come from outside: injected, or from the lists of paths and of tries. */
static bool is_excused(const struct job *job, const struct sva_result *r)
{
	bool cpu = job->paths & 1u << SVA_PATH_CPU;

	if (refusal_is_right(job, r->error))
		return true;
	if (r->error != -EIO)
		return false;
	if (options.errors && r->status == SVA_STATUS_HW_ERROR)
		return true;
	if (options.losses)
		return true;
	return !cpu && r->faults > job->fault_tries;
}

static void count(struct worker *worker, const struct job *job, const struct sva_result *r)
{
	struct stats *stats = &worker->stats;

	stats->operations++;
	stats->bytes += r->bytes;
	stats->faults += r->faults;
	stats->retries += r->retries;
	stats->chunks += r->chunks;
	stats->path[r->path < SVA_PATH_COUNT ? r->path : SVA_PATH_CPU]++;
	stats->failed += r->error && !job->expect.error;
	if (job->kind >= kinds && job->kind < kinds + kind_count)
		stats->kind[job->kind - kinds]++;
	atomic_fetch_add_explicit(&worker->alive, 1, memory_order_relaxed);
}

/* ------------------------------------------------------------------ the control */

static bool spoil_memory(struct job *job)
{
	for (unsigned int i = 0; i < BUFFERS; i++) {
		struct buffer *buffer = &job->buffer[i];
		uint8_t *live = buffer->live + buffer->at;

		if (!buffer->used || !buffer->len || buffer->loose_to != buffer->loose_from ||
		    buffer->written == (options.spoil == SPOIL_SOURCE))
			continue;
		if (options.spoil == SPOIL_GUARD)
			live[buffer->len] ^= 1;
		else
			live[buffer->len - 1] ^= 1;
		return true;
	}
	return false;
}

/* Damages what --spoil names, if this operation has it; the comparison must find it. */
static bool spoil_result(struct job *job, struct sva_result *r, int *error)
{
	switch (options.spoil) {
	case SPOIL_BYTE:
	case SPOIL_GUARD:
	case SPOIL_SOURCE:
		return spoil_memory(job);
	case SPOIL_RECORD:
		job->after[0] ^= 1;
		return true;
	case SPOIL_ERROR:
		*error = *error ? 0 : -EIO;
		return true;
	case SPOIL_BYTES:
		r->bytes += job->length;
		r->path_bytes[r->path] += job->length;
		return job->length;
	case SPOIL_SUM:
		r->path_bytes[r->path]++;
		return true;
	case SPOIL_PATH:
		r->path = SVA_PATH_DMA;
		return !(job->paths & 1u << SVA_PATH_DMA);
	case SPOIL_QUEUE:
		r->queue = "wq7.7";
		return true;
	case SPOIL_STATUS:
		r->status = SVA_STATUS_TRANSLATION;
		return true;
	case SPOIL_FAULT:
		r->fault_addr = 1;
		return !r->faults && !job->expect.fault;
	case SPOIL_VALUE:
		r->value += 1;
		return job->expect.has_value;
	default:
		return false;
	}
}

static void spoil(struct worker *worker, struct job *job, struct sva_result *r, int *error)
{
	struct sva_result copy = *r;

	if (options.spoil == SPOIL_NOTHING || worker->spoiled || worker->made < options.spoil_at ||
	    job->expect.error || *error || !job->length)
		return;
	worker->spoiled = spoil_result(job, r, error);
	if (!worker->spoiled)
		*r = copy;
}

/* ------------------------------------------------------------------ the whole */

void judge(struct worker *worker, struct job *job, int error, const struct sva_result *result)
{
	struct sva_result copy = *result, *r = &copy;
	char text[200];
	const char *wrong;

	spoil(worker, job, r, &error);
	memory_restore(job);
	check_operation(job);
	if (r->error != error)
		fail(job, "%d was returned, but the result has error %d", error, r->error);
	count(worker, job, r);
	job->by_cpu = r->path == SVA_PATH_CPU && !r->chunks;
	wrong = check_route(job, r);
	if (!wrong && error != job->expect.error) {
		if (!is_excused(job, r))
			fail(job, "%d was returned instead of %d", error, job->expect.error);
		/* Only where bytes are those of the destination they say which of those are new. */
		wrong = memory_compare_partly(job, has_trait(job->kind, KIND_SIMPLE) ? r->bytes : 0,
					      r->status == SVA_STATUS_HW_ERROR &&
						      has_trait(job->kind, KIND_SIMPLE),
					      text, sizeof(text));
		if (wrong)
			fail_result(job, r, wrong);
		return;
	}
	if (!wrong)
		wrong = check_outcome(job, r);
	if (!wrong)
		wrong = check_faults(job, r);
	if (!wrong)
		wrong = job->expect.fault ?
				memory_compare_partly(job, r->bytes, false, text, sizeof(text)) :
				memory_compare(job, text, sizeof(text));
	if (wrong)
		fail_result(job, r, wrong);
}

bool may_be_refused(struct worker *worker, struct job *job, int error)
{
	char text[200];
	const char *wrong;

	if (error == -EAGAIN)
		return true;
	memory_restore(job);
	if (error != job->expect.error && !refusal_is_right(job, error))
		fail(job, "it was refused with %d", error);
	check_operation(job);
	job->expect.fault = 0;
	/* Nothing has happened. */
	wrong = memory_compare_partly(job, 0, true, text, sizeof(text));
	if (wrong)
		fail(job, "it was refused, and %s", wrong);
	worker->stats.refused++;
	atomic_fetch_add_explicit(&worker->alive, 1, memory_order_relaxed);
	return false;
}

/* Each entry ended as it must, cancelled ones included, and the batch says so. */
void judge_batch(struct worker *worker, struct job *batch, int error)
{
	const struct sva_result *r = sva_op_result(&batch->op);
	uint64_t bytes = 0, by_path[8] = {0};
	bool bad = false, cancelled = false;

	check_operation(batch);
	if (r->error != error)
		fail(batch, "%d was returned, but the result has error %d", error, r->error);
	for (unsigned int i = 0; i < batch->entries; i++) {
		struct job *job = job_of(batch->list[i]);
		const struct sva_result *one = sva_op_result(&job->op);

		bytes += one->bytes;
		for (int path = 0; path < 8; path++)
			by_path[path] += one->path_bytes[path];
		if ((job->flags & SVA_OP_FENCE) && bad)
			cancelled = true;
		/* A batch whose record was lost may have been done up to any entry. */
		if (cancelled && !(options.losses && one->error == -EIO)) {
			if (one->error != -ECANCELED || one->bytes)
				fail(job,
				     "an entry behind a fence, before which one failed, was done");
			job->expect = (struct expectation){0};
			(void)may_be_refused(worker, job, 0);
		} else {
			judge(worker, job, one->error, one);
		}
		bad |= one->error != 0;
	}
	if (error != (bad ? -EIO : 0))
		fail(batch, "the batch ended with %d", error);
	if (bytes != r->bytes || memcmp(by_path, r->path_bytes, sizeof(by_path)))
		fail(batch, "the entries did %llu bytes", (unsigned long long)bytes);
	count(worker, batch, &(struct sva_result){.path = r->path});
}
