/* SPDX-License-Identifier: MIT */
/* Why a queue cannot be used, as enum sva_reason. */
#ifndef SVA_QUEUE_REASON_H
#define SVA_QUEUE_REASON_H

#include "lib/find/discover.h"

#pragma GCC visibility push(hidden)

/* OK, UNTRUSTED or TRUST_UNKNOWN. */
uint32_t sva_trust_reason(const struct sva_queue *queue, bool strict, bool untrusted);
/* What keeps a queue from a path before anything is opened: policy, state, CPU; OK: nothing. */
uint32_t sva_static_reason(const struct sva_config *config, const struct sva_queue *queue,
			   int path);

#pragma GCC visibility pop

#endif
