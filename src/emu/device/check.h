/* SPDX-License-Identifier: MIT */
/* --check: what a program does that the specification forbids, in words, and where. */
#ifndef EMU_DEVICE_CHECK_H
#define EMU_DEVICE_CHECK_H

#include "emu/device/state.h"

/* Print what is wrong with an executed descriptor, for this device or a later one. */
void emu_check_outcome(emu_queue_id queue, const struct sva_desc *desc,
		       const struct sva_model_outcome *outcome, uint64_t site);

/*
 * A descriptor was not accepted. why is NULL if the program did nothing wrong: a shared queue was
 * full.
 */
void emu_check_refused(emu_queue_id queue, const char *why, uint64_t site);

/* Print something else that a program does wrong. */
void emu_check_say(uint64_t site, const char *fmt, ...);

#endif
