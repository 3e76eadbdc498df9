/* SPDX-License-Identifier: MIT */
/* What every file of the library includes: types, errno, limits. */
#ifndef SVA_BASE_LIB_H
#define SVA_BASE_LIB_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sva/info.h"
#include "sva/plugin.h"
#include "sva/sva.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* configure refuses other machines: code may rely on addresses of 64 bits. */
_Static_assert(sizeof(void *) == 8 && sizeof(size_t) == 8 &&
		       __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "libsva needs a 64-bit little-endian machine");

#define SVA_NAME_MAX 64 /* of a queue or device, with the terminator */

#endif
