/* SPDX-License-Identifier: MIT */
/*
 * The inline functions of the public headers once more, as exported ones: for programs in languages
 * that cannot inline C.
 */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define SVA_INLINE __attribute__((visibility("default"))) extern
#include "sva/sva.h"
