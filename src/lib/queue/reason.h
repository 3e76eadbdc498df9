/* SPDX-License-Identifier: MIT */
/* Why a queue cannot be used, as enum sva_reason. */
#ifndef SVA_QUEUE_REASON_H
#define SVA_QUEUE_REASON_H

#include "lib/find/discover.h"

#pragma GCC visibility push(hidden)

/* OK, UNTRUSTED or TRUST_UNKNOWN. */
uint32_t sva_trust_reason(const struct sva_queue *queue, bool strict, bool untrusted);
/*
 * The reason why a path cannot use a queue, found without opening it (policy, state, CPU), or OK.
 */
uint32_t sva_static_reason(const struct sva_config *config, const struct sva_queue *queue,
			   int path);

#pragma GCC visibility pop

#endif
