/* SPDX-License-Identifier: MIT */
/*
 * lsmod, modprobe and rmmod as programs in a run find them: scripts look for the driver with them,
 * and it is not a module of this machine. They are links to sva-emu in the directory of the run,
 * which comes first in PATH.
 */
#ifndef EMU_RUN_MODULES_H
#define EMU_RUN_MODULES_H

#include <stdbool.h>

#include "emu/device/state.h"

/* Make the links, and put their directory into PATH. 0 or -errno. */
int emu_modules_offer(const struct emu_state *state);

/* Copy /proc/modules to a file, with a line for the driver. 0 or -errno. */
int emu_modules_list(const char *path);

/*
 * Was this program started under one of these names? Then the command was executed, and *status is
 * its exit status.
 */
bool emu_modules_main(int argc, char **argv, int *status);

#endif
