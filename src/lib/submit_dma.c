/* SPDX-License-Identifier: MIT */
/*
 * dma: /dev/sva_dma, where the kernel maps buffers with the DMA API. What can be found out about it without handing it work: whether it is there, and
 * the PASID of this process, which the module discloses.
 */
#include <fcntl.h>
#include <unistd.h>

#include "submit.h"

#define NODE "/dev/sva_dma"

static int open_module(uint32_t *reason)
{
	int saved = errno, err;
	int fd = open(NODE, O_RDWR | O_CLOEXEC);

	err = errno;
	errno = saved;
	*reason = SVA_REASON_OK;
	if (fd < 0)
		*reason = err == EACCES || err == EPERM ? SVA_REASON_MODULE_PERMISSION : SVA_REASON_MODULE_ABSENT;
	return fd;
}

uint32_t sva_dma_probe(void)
{
	uint32_t reason;
	int fd = open_module(&reason);

	if (fd >= 0) {
		close(fd);
		/* This version of the library does not speak its interface. */
		reason = SVA_REASON_MODULE_VERSION;
	}
	return reason;
}

int sva_dma_pasid(uint32_t *pasid)
{
	(void)pasid;
	return -ENODATA;
}
