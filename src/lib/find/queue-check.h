/* SPDX-License-Identifier: MIT */
#ifndef SVA_QUEUE_CHECK_H
#define SVA_QUEUE_CHECK_H

#include "lib/find/discover.h"

#define SVA_NODE_MAX  256  /* of a device node's path, with the terminator */
/* of a label, with the terminator; what the idxd driver takes. Longer ones are cut */
#define SVA_LABEL_MAX 1024

/*
 * Whether what a plug-in says of a queue can be true: NULL, or the name of the first field that can
 * not. Limits that are unknown are accepted.
 */
const char *sva_queue_check(const struct sva_accfg_queue *queue);

/* Whether text may be shown to people: UTF-8 without control characters, shorter than max. */
bool sva_text_valid(const char *text, size_t max);

#endif
