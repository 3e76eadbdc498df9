/* SPDX-License-Identifier: MIT */
/* The functions behind those that the preload library puts in front of libc's. */
#include <dlfcn.h>

#include "emu/preload/interpose.h"

void *emu_next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}
