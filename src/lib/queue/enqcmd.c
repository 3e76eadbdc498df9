/* SPDX-License-Identifier: MIT */
/* enqcmd: the mapped portal of a shared queue. The queue answers whether it took the descriptor. */
#include "lib/queue/ways.h"

static int open_enqcmd(struct sva_bond *bond, uint32_t *reason)
{
	if (!(sva_cpu_features() & SVA_CPU_ENQCMD)) {
		*reason = SVA_HAVE_PORTALS ? SVA_REASON_NO_ENQCMD : SVA_REASON_NOT_BUILT;
		return -EOPNOTSUPP;
	}
	return sva_portal_map(bond, reason);
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
	.batch_opcode = true,
	.open = open_enqcmd,
	.submit = submit_enqcmd,
};
