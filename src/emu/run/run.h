/* SPDX-License-Identifier: MIT */
/* One run: its directory, the program, its end. */
#ifndef EMU_RUN_RUN_H
#define EMU_RUN_RUN_H

#include "emu/run/options.h"

/*
 * sva-emu run …; argv[0] is "run". The program's exit status, 128 + its signal, or 125 to 127 if it
 * never ran.
 */
int emu_run(int argc, char **argv);

/*
 * Make the run's directory, with the shared state and the tree in it; launch->state becomes the
 * shared one. 0 or -errno.
 */
int emu_run_prepare(struct emu_launch *launch);
void emu_run_remove(const struct emu_state *state);

/* Where the preload library is. 0 or -errno. */
int emu_run_library(char *path, size_t size);

#endif
