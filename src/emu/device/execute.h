/* SPDX-License-Identifier: MIT */
/* The model executes a descriptor on the memory of the program. */
#ifndef EMU_DEVICE_EXECUTE_H
#define EMU_DEVICE_EXECUTE_H

#include "emu/device/access.h"

/* sva_model_execute() on the program's memory, as the members of access say. */
void emu_execute(const struct sva_model_profile *profile, const struct sva_desc *desc,
		 struct emu_access *access, struct sva_model_outcome *outcome);

#endif
