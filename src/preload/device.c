/* SPDX-License-Identifier: MIT */
/*
 * May there be a device? Only where a driver has made nodes, or an administrator has named queues,
 * is the library worth loading, which then knows better. Both sva-preload and the library ask.
 */
#include <stdlib.h>
#include <unistd.h>

#include "preload/preload.h"

bool preload_may_be_device(void)
{
	static const char *const places[] = {
		"/dev/dsa", "/dev/iax", "/dev/sva_dma", SVA_CONFIG_FILE,
	};
	const char *file = secure_getenv("SVA_QUEUE_FILE");

	if (file && *file)
		return true;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], F_OK) == 0)
			return true;
	return false;
}
