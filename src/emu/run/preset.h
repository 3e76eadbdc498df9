/* SPDX-License-Identifier: MIT */
/* Machines by name, for --machine: each stands for options that could also be given one by one. */
#ifndef EMU_RUN_PRESET_H
#define EMU_RUN_PRESET_H

#include "emu/run/options.h"

/* Set what the machine of this name has; later options change it. False: no such machine. */
bool emu_preset_apply(struct emu_launch *launch, const char *name);

/* Print the machines, for sva-emu machines. Returns the exit status. */
int emu_preset_list(void);

#endif
