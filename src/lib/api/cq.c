/* SPDX-License-Identifier: MIT */
/* Completion queues, as programs call them. */
#include "lib/api/api.h"
#include "lib/run/cq.h"

int sva_cq_open(struct sva *sva, unsigned int flags, struct sva_cq **cq)
{
	struct sva *ctx;
	int err;

	if (!cq || flags)
		return -EINVAL;
	ctx = sva_context_complete(sva, &err);
	return ctx ? sva_cq_make(ctx, cq) : err;
}

void sva_cq_close(struct sva_cq *cq)
{
	/* In a forked child it belongs to the parent. */
	if (!sva_cq_check(cq))
		sva_cq_end(cq);
}

int sva_cq_submit(struct sva_cq *cq, struct sva_op *op)
{
	int rc = sva_cq_check(cq);

	if (rc)
		return rc;
	if (sva_op_is_bad(op))
		return -EINVAL;
	rc = sva_cq_start(cq, &op, 1);
	return rc < 0 ? rc : 0;
}

int sva_cq_submit_many(struct sva_cq *cq, struct sva_op **ops, unsigned int n)
{
	int err = sva_cq_check(cq);

	if (err)
		return err;
	if (n > INT32_MAX || (!ops && n))
		return -EINVAL;
	return n ? sva_cq_start(cq, ops, n) : 0;
}

int sva_cq_reap(struct sva_cq *cq, struct sva_op **done, unsigned int n)
{
	int err = sva_cq_check(cq);

	if (err)
		return err;
	if (n > INT32_MAX || (!done && n))
		return -EINVAL;
	return (int)sva_cq_take(cq, done, n);
}

int sva_cq_wait(struct sva_cq *cq, struct sva_op **done, unsigned int n, int64_t timeout_ns)
{
	int err = sva_cq_check(cq);

	if (err)
		return err;
	if (n > INT32_MAX || !done || !n)
		return -EINVAL;
	return sva_cq_await(cq, done, n, timeout_ns);
}

int sva_cq_fd(struct sva_cq *cq)
{
	int err = sva_cq_check(cq);

	return err ? err : sva_cq_watch(cq);
}
