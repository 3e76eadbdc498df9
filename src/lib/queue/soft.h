/* SPDX-License-Identifier: MIT */
/* The model, executed on this process's memory. */
#ifndef SVA_QUEUE_SOFT_H
#define SVA_QUEUE_SOFT_H

#include "lib/base/lib.h"

#pragma GCC visibility push(hidden)

struct sva_model_profile;
/*
 * Execute it in this thread. Returns 0, or -EIO if the record could not be written. comp: receives
 * a copy of the record, or NULL.
 */
int sva_soft_execute(const struct sva_model_profile *profile, const struct sva_desc *desc,
		     struct sva_comp *comp);

#pragma GCC visibility pop

#endif
