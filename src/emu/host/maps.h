/* SPDX-License-Identifier: MIT */
/* The mapping at an address, from the list that the kernel keeps (proc_pid_maps(5)). */
#ifndef EMU_HOST_MAPS_H
#define EMU_HOST_MAPS_H

#include <stdbool.h>
#include <stdint.h>

struct emu_mapping {
	uint64_t start, end, offset;
	bool readable, writable, shared;
	char path[256]; /* empty if there is none; a longer one is cut at its front */
};

/* False if nothing is mapped at addr. Safe in a signal handler; slow, as it reads the list. */
bool emu_maps_find(uint64_t addr, struct emu_mapping *mapping);

#endif
