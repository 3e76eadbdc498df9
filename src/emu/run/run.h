/* SPDX-License-Identifier: MIT */
/*
 * The room "run" is the program sva-emu: options, the directory of a run, presentation, start and
 * end of the program, doctor. It may call each room, and must not touch the memory of the program
 * that it starts. This file: one run.
 */
#ifndef EMU_RUN_RUN_H
#define EMU_RUN_RUN_H

#include "emu/run/options.h"

/*
 * sva-emu run …; argv[0] is "run". Returns the exit status of the program, 128 + its signal, or 125
 * to 127 if it was not started.
 */
int emu_run(int argc, char **argv);

/*
 * Make the directory of the run, with the shared state and the tree in it; launch->state becomes
 * the shared one. 0 or -errno. And remove it.
 */
int emu_run_prepare(struct emu_launch *launch);
void emu_run_remove(const struct emu_state *state);

/* Find the preload library. 0 or -errno. */
int emu_run_library(char *path, size_t size);

#endif
