/* SPDX-License-Identifier: MIT */
/* --check: what is unlawful in a descriptor, in words, and where it was submitted from. */
#ifndef EMU_DEVICE_CHECK_H
#define EMU_DEVICE_CHECK_H

#include "emu/device/state.h"

/* Look at an executed descriptor and say what the device, or a later one, would hold against it. */
void emu_check_outcome(emu_queue_id queue, const struct sva_desc *desc,
		       const struct sva_model_outcome *outcome, uint64_t site);

/* A descriptor was not taken. why is NULL for what is lawful, a full shared queue. */
void emu_check_refused(emu_queue_id queue, const char *why, uint64_t site);

/* Anything else that a program does wrong. */
void emu_check_say(uint64_t site, const char *fmt, ...);

#endif
