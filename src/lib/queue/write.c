/* SPDX-License-Identifier: MIT */
/*
 * write: write(2) on the queue's node. The kernel submits each 64 bytes of the buffer. This is the
 * path of a process that may not map the portal.
 *
 * The kernel returns (Linux idxd cdev.c) the number of bytes submitted, a multiple of 64, which is
 * less than asked for if the queue filled up; EAGAIN if it was full at the first descriptor; EINVAL
 * for a misaligned record address or a batch on DSA 1; EPERM in a process that did not open the
 * node. On a full dedicated queue it reports success and drops the descriptor, as the hardware
 * does, so credits are needed here, too.
 */
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/cancel.h"
#include "lib/queue/node.h"
#include "lib/queue/ways.h"

static int write_descs(struct sva_bond *bond, const struct sva_desc *descs, unsigned int n)
{
	/* the caller is in its bias section, and has spent credits */
	int cancel = sva_cancel_hold();
	ssize_t done;

	/*
	 * Before each write(2): the program may have closed the descriptor, and the file that has
	 * its number now must not get these bytes. If another thread closes it and opens a file of
	 * the same number between the two calls, this check does not see it; the number is a high
	 * one, which the kernel gives out last.
	 */
	if (!sva_file_same(&bond->file))
		return -SVA_LOST;
	sva_publish_to_device();
	do {
		done = write(bond->file.fd, descs, (size_t)n * sizeof(*descs));
	} while (done < 0 && errno == EINTR);
	sva_cancel_release(cancel);
	if (done < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : errno == EBADF ? -SVA_LOST : -errno;
	/* Less than one descriptor: the kernel submitted none. */
	return done < (ssize_t)sizeof(*descs) ? -EAGAIN : (int)((size_t)done / sizeof(*descs));
}

static int submit_write(struct sva_lease *lease, const struct sva_desc *desc)
{
	int saved = errno;
	int taken = write_descs(lease->bond, desc, 1);

	errno = saved;
	return taken < 0 ? taken : 0;
}

static int submit_many_write(struct sva_lease *lease, const struct sva_desc *descs, unsigned int n)
{
	int saved = errno;
	int taken = write_descs(lease->bond, descs, n);

	errno = saved;
	return taken;
}

struct probe {
	struct sva_desc desc;
	struct sva_comp comp;
};

static int wait_for_probe(struct probe *probe, uint64_t timeout_ms)
{
	uint64_t end = sva_now_ns() + timeout_ms * 1000000u;

	while (!sva_record_status(&probe->comp)) {
		if (sva_now_ns() > end)
			return -EIO;
		sva_cpu_relax();
	}
	return sva_record_status(&probe->comp) == SVA_STATUS_SUCCESS ? 0 : -EIO;
}

/* Submit a no-op: only that shows whether the kernel accepts descriptors by write(2). */
static int open_write(struct sva_bond *bond, const struct sva_config *config, uint32_t *reason)
{
	struct probe *probe = sva_arena_alloc(sizeof(*probe));
	int err;

	(void)config;
	if (!probe)
		return -ENOMEM;
	probe->desc.flags_opcode = sva_desc_word(SVA_OPCODE_NOOP, SVA_DESC_CRAV | SVA_DESC_RCR);
	probe->desc.completion_addr = (uint64_t)(uintptr_t)&probe->comp;
	for (unsigned int tries = 0;; tries++) {
		err = write_descs(bond, &probe->desc, 1);
		if (err != -EAGAIN || tries >= bond->policy.full_tries)
			break;
		for (unsigned int i = 0; i < 64; i++)
			sva_cpu_relax();
	}
	if (err > 0) {
		err = wait_for_probe(probe, bond->policy.record_timeout_ms);
		if (err) {
			/*
			 * The record may still be written. The caller closes the node, which drains
			 * it, but the page is not freed: leak it rather than let a device write
			 * into memory with another use.
			 */
			*reason = SVA_REASON_RETIRED;
			return err;
		}
	} else {
		/*
		 * A full queue is no reason against the path: the kernel would accept descriptors.
		 * Any other error is.
		 */
		if (err == -EAGAIN)
			err = 0;
		else
			*reason = SVA_REASON_WRITE_REFUSED;
		if (err == -SVA_LOST)
			err = -EIO;
		else if (err == -EPERM || err == -EINVAL)
			err = -EOPNOTSUPP;
	}
	sva_arena_free(probe, sizeof(*probe));
	return err;
}

const struct sva_submit_ops sva_submit_write = {
	.path = SVA_PATH_WRITE,
	.mode = SVA_MODE_UNKNOWN,
	.foreign = SVA_REASON_NOT_A_QUEUE,
	.full_may_mean_stuck = true,
	.open_reason = sva_node_open_reason,
	.open = open_write,
	.submit = submit_write,
	.submit_many = submit_many_write,
};
