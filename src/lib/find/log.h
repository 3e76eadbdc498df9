/* SPDX-License-Identifier: MIT */
/* Messages to the program. */
#ifndef SVA_FIND_LOG_H
#define SVA_FIND_LOG_H

#include "lib/base/lib.h"

/* Nothing of this is exported. Stated here too, so that callers reach it without an indirection. */
#pragma GCC visibility push(hidden)

struct sva_config;

void sva_log(const struct sva_config *config, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#pragma GCC visibility pop

#endif
