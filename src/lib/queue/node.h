/* SPDX-License-Identifier: MIT */
/* The node of a queue in this process: what an error of open(2) means. */
#ifndef SVA_QUEUE_NODE_H
#define SVA_QUEUE_NODE_H

#include "lib/base/lib.h"

#pragma GCC visibility push(hidden)

/* What an errno of open(2) on the node of a queue means, as enum sva_reason. */
uint32_t sva_node_open_reason(int err, const char *node);

#pragma GCC visibility pop

#endif
