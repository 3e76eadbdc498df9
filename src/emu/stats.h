/* SPDX-License-Identifier: MIT */
/* The counters of a run, for people and for programs. */
#ifndef EMU_STATS_H
#define EMU_STATS_H

#include "state.h"

/* To stderr as text, or to a file as JSON. */
void emu_stats_print(const struct emu_state *state, const char *file);

#endif
