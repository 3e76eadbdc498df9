/* SPDX-License-Identifier: MIT */
/* The counters of a run, as text and as JSON. */
#ifndef EMU_RUN_STATS_H
#define EMU_RUN_STATS_H

#include <stdio.h>

#include "emu/device/state.h"

/* Print them to stderr as text, or as JSON to out, which is closed. */
void emu_stats_print(const struct emu_state *state, FILE *out);

#endif
