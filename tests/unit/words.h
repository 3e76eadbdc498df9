/* SPDX-License-Identifier: MIT */
/*
 * is_path(), is_reason(): is() for a path or a reason of the library; the name of the test ends
 * with the name of the path or the text of the reason that was asked for.
 */
#ifndef SVA_TESTS_UNIT_WORDS_H
#define SVA_TESTS_UNIT_WORDS_H

#include "sva/info.h"
#include "tap.h"

#define is_path(got, want, name) \
	tap_is((long long)(got), (long long)(want), __FILE__, __LINE__, "%s: %s", (name), \
	       sva_path_name((int)(want)))

#define is_reason(got, want, name) \
	tap_is((long long)(got), (long long)(want), __FILE__, __LINE__, "%s: %s", (name), \
	       sva_reason_text((want)))

#endif
