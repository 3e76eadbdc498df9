/* SPDX-License-Identifier: MIT */
/*
 * lsmod, modprobe and rmmod as a program in a run finds them: scripts ask them for the driver,
 * which is not a module of this machine. They are links to sva-emu in the run's directory, in front
 * of the others in PATH.
 */
#ifndef EMU_RUN_MODULES_H
#define EMU_RUN_MODULES_H

#include <stdbool.h>

#include "emu/device/state.h"

/* Make the links, and put their directory into PATH. 0 or -errno. */
int emu_modules_offer(const struct emu_state *state);

/* Copy /proc/modules to a file, with a line for the driver. 0 or -errno. */
int emu_modules_list(const char *path);

/* Was this program started as one of them? Then *status is what it ends with. */
bool emu_modules_main(int argc, char **argv, int *status);

#endif
