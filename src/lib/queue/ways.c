/* SPDX-License-Identifier: MIT */
/* The submission table itself, and what its two portal rows share. */
#include "lib/queue/ways.h"

#include <sys/mman.h>

static const struct sva_submit_ops *const table[SVA_PATH_COUNT] = {
	[SVA_PATH_ENQCMD] = &sva_submit_enqcmd,
	[SVA_PATH_MOVDIR64B] = &sva_submit_movdir64b,
	[SVA_PATH_WRITE] = &sva_submit_write,
	[SVA_PATH_DMA] = &sva_submit_dma,
	[SVA_PATH_SOFT] = &sva_submit_soft,
};

const struct sva_submit_ops *sva_submit_ops_of(int path)
{
	return table[path];
}

int sva_portal_map(struct sva_bond *bond, uint32_t *reason)
{
	void *portal;

	if (bond->portal)
		return 0;
	portal = mmap(NULL, SVA_PORTAL_SIZE, PROT_WRITE, MAP_SHARED | MAP_POPULATE, bond->file.fd, 0);
	if (portal == MAP_FAILED) {
		int err = errno;

		*reason = err == EPERM ? SVA_REASON_NEED_RAWIO : SVA_REASON_MAP_FAILED;
		return err == EPERM ? -EACCES : -err;
	}
	/* The kernel does so itself for a portal; an emulated one gets the same. */
	(void)madvise(portal, SVA_PORTAL_SIZE, MADV_DONTFORK);
	bond->portal = portal;
	return 0;
}
