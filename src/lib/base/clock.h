/* SPDX-License-Identifier: MIT */
/* Time, and what failed for a moment and is tried again. */
#ifndef SVA_BASE_CLOCK_H
#define SVA_BASE_CLOCK_H

#include "lib/base/fd.h"
#include "lib/base/lib.h"

#pragma GCC visibility push(hidden)

uint64_t sva_now_ns(void);

struct sva_retry {
	_Atomic uint64_t at;         /* ns; not before */
	/* ns; doubles with every failure, up to ten seconds; 0: nothing has failed */
	_Atomic uint64_t delay;
};

bool sva_retry_is_due(const struct sva_retry *retry);
void sva_retry_failed(struct sva_retry *retry);

#pragma GCC visibility pop

#endif
