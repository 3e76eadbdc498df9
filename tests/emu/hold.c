/* SPDX-License-Identifier: MIT */
/* Run under sva-emu: fills a shared queue, says how many entries it got, and keeps them until it is killed. */
#include <stdio.h>

#include "client.h"

int main(void)
{
	static struct sva_desc desc[256];
	static struct sva_comp comp[256];
	void *portal = map_queue("/dev/dsa/wq0.0", NULL);
	unsigned int n = 0;

	if (portal == MAP_FAILED)
		return 3;
	for (;;) {
		prep(&desc[n], &comp[n], SVA_OPCODE_NOOP, NULL, NULL, 0);
		if (n == 255 || enqcmd(portal, &desc[n]))
			break;
		n++;
	}
	printf("%u\n", n);
	fflush(stdout);
	pause();
	return 0;
}
