/* SPDX-License-Identifier: MIT */
/*
 * movdir64b: the mapped portal of a dedicated queue. A full queue drops in silence, so nothing gets here without a credit (credit.c).
 *
 * The store goes to the same 64 bytes of the page each time: the device keeps descriptors in order only if they come through one address, and
 * drain relies on that order (DSA specification rev 3.0, 3.9).
 */
#include "lib/queue/ways.h"

static int open_movdir64b(struct sva_bond *bond, uint32_t *reason)
{
	if (!(sva_cpu_features() & SVA_CPU_MOVDIR64B)) {
		*reason = SVA_HAVE_PORTALS ? SVA_REASON_NO_MOVDIR64B : SVA_REASON_NOT_BUILT;
		return -EOPNOTSUPP;
	}
	return sva_portal_map(bond, reason);
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
	.batch_opcode = true,
	.open = open_movdir64b,
	.submit = submit_movdir64b,
};
