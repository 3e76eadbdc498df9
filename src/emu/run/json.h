/* SPDX-License-Identifier: MIT */
/* --config FILE: the devices as accel-config's save-config and load-config write and read them. */
#ifndef EMU_RUN_JSON_H
#define EMU_RUN_JSON_H

#include "emu/device/state.h"

/*
 * Configure the devices, and enable them, as accel-config load-config -e does. 0, or -EINVAL after
 * a message.
 */
int emu_json_configure(struct emu_state *state, const char *file);

#endif
