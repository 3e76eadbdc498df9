/* SPDX-License-Identifier: MIT */
#ifndef SVA_QUEUE_CHECK_H
#define SVA_QUEUE_CHECK_H

#include "lib/find/discover.h"

#define SVA_NODE_MAX  256  /* of a device node's path, with the terminator */
#define SVA_LABEL_MAX 1024 /* of a label, as in the idxd driver; longer ones are cut */


/*
 * Checks what a plug-in reports of a queue. Returns NULL, or the name of the first field with an
 * impossible value. Limits that are unknown are accepted.
 */
const char *sva_queue_check(const struct sva_accfg_queue *queue);

/* Is text fit to be printed: UTF-8 without control characters, shorter than max? */
bool sva_text_valid(const char *text, size_t max);

#endif
