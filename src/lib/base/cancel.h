/* SPDX-License-Identifier: MIT */
/* Cancellation of threads (pthread_cancel(3)). */
#ifndef SVA_BASE_CANCEL_H
#define SVA_BASE_CANCEL_H

#include "lib/base/lib.h"

/*
 * No function of the library is a cancellation point: a thread cancelled inside it would leave
 * locks and descriptors behind, and operations that a device still writes for. So every caller of a
 * cancellation point of libc (open, close, read, write, a wait, a program's own log function) holds
 * cancellation off meanwhile. In a process with a single thread nothing can be cancelled, and these
 * functions do nothing; glibc reports when a second thread exists.
 */
#if defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define SVA_SINGLE_THREADED __libc_single_threaded
#endif
#endif
#ifndef SVA_SINGLE_THREADED
#define SVA_SINGLE_THREADED 0
#endif

static inline int sva_cancel_hold(void)
{
	int before = PTHREAD_CANCEL_DISABLE;

	if (!SVA_SINGLE_THREADED)
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

/* before: what sva_cancel_hold() returned. */
static inline void sva_cancel_release(int before)
{
	int now;

	if (before != PTHREAD_CANCEL_DISABLE)
		pthread_setcancelstate(before, &now);
}

#endif
