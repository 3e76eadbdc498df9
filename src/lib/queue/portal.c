/* SPDX-License-Identifier: MIT */
/*
 * The portal paths: a mapped page of the queue, to which one instruction writes a descriptor.
 *
 * - enqcmd: a shared queue. The instruction reports whether the queue accepted the descriptor.
 * - movdir64b: a dedicated queue. A full one silently drops the descriptor, so each submission
 *   needs a credit (lease.c).
 *
 * Every store goes to the same 64 bytes of the page: the device keeps descriptors in order only if
 * they come through one address, and drain relies on that order (DSA specification rev 3.0, 3.9).
 */
#include <sys/mman.h>

#include "lib/base/machine.h"
#include "lib/queue/node.h"
#include "lib/queue/ways.h"

static int map_portal(struct sva_bond *bond, uint32_t *reason)
{
	void *portal;

	if (bond->portal)
		return 0;
	portal = mmap(NULL, SVA_PORTAL_SIZE, PROT_WRITE, MAP_SHARED | MAP_POPULATE, bond->file.fd,
		      0);
	if (portal == MAP_FAILED) {
		int err = errno;

		*reason = err == EPERM	       ? SVA_REASON_NEED_RAWIO :
			  sva_is_shortage(err) ? SVA_REASON_SHORTAGE :
						 SVA_REASON_MAP_FAILED;
		return err == EPERM ? -EACCES : -err;
	}
	/* The kernel does so itself for a portal, but not for an emulated one. */
	(void)madvise(portal, SVA_PORTAL_SIZE, MADV_DONTFORK);
	bond->portal = portal;
	return 0;
}

static int open_portal(struct sva_bond *bond, const struct sva_submit_ops *ops, uint32_t *reason)
{
	if (sva_cpu_features() & ops->cpu_features)
		return map_portal(bond, reason);
	*reason = SVA_HAVE_PORTALS ? ops->no_cpu : (uint32_t)SVA_REASON_NOT_BUILT;
	return -EOPNOTSUPP;
}

static int open_enqcmd(struct sva_bond *bond, const struct sva_config *config, uint32_t *reason)
{
	(void)config;
	return open_portal(bond, &sva_submit_enqcmd, reason);
}

static int submit_enqcmd(struct sva_lease *lease, const struct sva_desc *desc)
{
	sva_publish_to_device();
	if (sva_enqcmd(lease->portal, desc))
		return -EAGAIN;
	return 0;
}

const struct sva_submit_ops sva_submit_enqcmd = {
	.path = SVA_PATH_ENQCMD,
	.mode = SVA_MODE_SHARED,
	.cpu_features = SVA_CPU_ENQCMD,
	.no_cpu = SVA_REASON_NO_ENQCMD,
	.foreign = SVA_REASON_NOT_A_QUEUE,
	.batch_opcode = true,
	.full_may_mean_stuck = true,
	.open_reason = sva_node_open_reason,
	.store = SVA_STORE_ENQCMD,
	.open = open_enqcmd,
	.submit = submit_enqcmd,
};

static int open_movdir64b(struct sva_bond *bond, const struct sva_config *config, uint32_t *reason)
{
	(void)config;
	return open_portal(bond, &sva_submit_movdir64b, reason);
}

static int submit_movdir64b(struct sva_lease *lease, const struct sva_desc *desc)
{
	sva_publish_to_device();
	sva_movdir64b(lease->portal, desc);
	return 0;
}

const struct sva_submit_ops sva_submit_movdir64b = {
	.path = SVA_PATH_MOVDIR64B,
	.mode = SVA_MODE_DEDICATED,
	.cpu_features = SVA_CPU_MOVDIR64B,
	.no_cpu = SVA_REASON_NO_MOVDIR64B,
	.foreign = SVA_REASON_NOT_A_QUEUE,
	.batch_opcode = true,
	.open_reason = sva_node_open_reason,
	.store = SVA_STORE_MOVDIR64B,
	.open = open_movdir64b,
	.submit = submit_movdir64b,
};
