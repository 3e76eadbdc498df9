/* SPDX-License-Identifier: MIT */
/*
 * Run under sva-emu: fills a shared queue, prints how many entries it got, and keeps them until it
 * is killed. hold has enqcmd|movdir64b|waitpkg: the exit status is 0 if this CPU has that.
 */
#include <cpuid.h>
#include <stdio.h>

#include "client.h"

static bool cpu_has(const char *name)
{
	unsigned int a, b, c = 0, d;

	__get_cpuid_count(7, 0, &a, &b, &c, &d);
	return c >> (!strcmp(name, "enqcmd") ? 29 : !strcmp(name, "movdir64b") ? 28 : 5) & 1;
}

int main(int argc, char **argv)
{
	static struct sva_desc desc[256];
	static struct sva_comp comp[256];
	unsigned int n = 0;
	void *portal;

	if (argc == 3)
		return !cpu_has(argv[2]);
	portal = map_queue("/dev/dsa/wq0.0", NULL);
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
