/* SPDX-License-Identifier: MIT */
/* The clock, and the delay before something that failed is tried again. */
#ifndef SVA_BASE_CLOCK_H
#define SVA_BASE_CLOCK_H

#include "lib/base/fd.h"
#include "lib/base/lib.h"

#pragma GCC visibility push(hidden)

uint64_t sva_now_ns(void);

struct sva_retry {
	_Atomic uint64_t at;    /* ns; no new attempt before this time */
	_Atomic uint64_t delay; /* ns; doubles with every failure, up to ten seconds; 0: none yet */
};

bool sva_retry_is_due(const struct sva_retry *retry);
void sva_retry_failed(struct sva_retry *retry);

#pragma GCC visibility pop

#endif
