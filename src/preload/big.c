/* SPDX-License-Identifier: MIT */
/*
 * Calls that are long enough for a device. What the library must not or cannot do is done by libc's
 * function, from the beginning: copies of overlapping buffers, of which a device that failed may
 * have done a part, are therefore never given to it.
 */
#include <pthread.h>
#include <unistd.h>

#include "preload/preload.h"
#include "sva/sva.h"

/*
 * vfork() noted that this thread called it. The parent sees the mark too, since the child shares
 * its memory; it removes it here.
 */
static bool is_vfork_child(void)
{
	if (!preload_vforked)
		return false;
	if (getpid() != preload.pid)
		return true;
	preload_vforked = 0;
	return false;
}

/* Is it the library that copies, for this program or for one that uses it itself? */
static bool is_own(const void *caller)
{
	return preload_thread.busy ||
	       (uintptr_t)caller - preload.text < preload.text_end - preload.text;
}

/*
 * May this thread call the library now? Not in a signal handler, which may have interrupted
 * malloc(3), nor in a child of vfork(2), whose descriptors are not those of its memory.
 * Asynchronous cancellation, which memcpy(3) permits and the library does not, is off until
 * leave().
 */
static bool enter(int *cancel)
{
	struct preload_thread *me = &preload_thread;

	if (me->handlers || is_vfork_child())
		return false;
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, cancel);
	me->busy = 1;
	return true;
}

static void leave(int cancel)
{
	preload_thread.busy = 0;
	if (cancel != PTHREAD_CANCEL_DEFERRED)
		pthread_setcanceltype(cancel, &cancel);
}

static void count(enum preload_call call, size_t len, int rc)
{
	if (!preload.counts)
		return;
	if (rc < 0)
		preload_count_cpu(call, WHY_FAILED);
	else if (preload.sva_last_result()->path == SVA_PATH_CPU)
		preload_count_cpu(call, WHY_CHOICE);
	else
		preload_count_done(call, len);
}

static void count_cpu(enum preload_call call, enum preload_why why)
{
	if (preload.counts)
		preload_count_cpu(call, why);
}

void *preload_copy(void *dst, const void *src, size_t len, const void *caller,
		   enum preload_call call)
{
	int cancel, rc;

	if (unlikely(!atomic_load_explicit(&preload.started, memory_order_acquire)))
		return plain_move(dst, src, len);
	if (is_own(caller))
		return preload.memmove(dst, src, len);
	if ((uintptr_t)dst - (uintptr_t)src < len || (uintptr_t)src - (uintptr_t)dst < len) {
		count_cpu(call, WHY_OVERLAP);
	} else if (!enter(&cancel)) {
		count_cpu(call, WHY_CONTEXT);
	} else {
		rc = preload.sva_memcpy(NULL, dst, src, len);
		count(call, len, rc);
		leave(cancel);
		if (rc == 0)
			return dst;
	}
	return preload.memmove(dst, src, len);
}

/* A fill with a pattern of 8 bytes; false: libc's function has to do it. */
static bool fill(void *dst, uint64_t pattern, size_t len, const void *caller)
{
	int cancel, rc;

	if (is_own(caller))
		return false;
	if (!enter(&cancel)) {
		count_cpu(CALL_MEMSET, WHY_CONTEXT);
		return false;
	}
	rc = preload.sva_memfill(NULL, dst, pattern, len);
	count(CALL_MEMSET, len, rc);
	leave(cancel);
	return rc == 0;
}

void *preload_fill(void *dst, int value, size_t len, const void *caller)
{
	if (unlikely(!atomic_load_explicit(&preload.started, memory_order_acquire)))
		return plain_fill(dst, value, len);
	if (fill(dst, (unsigned char)value * 0x0101010101010101u, len, caller))
		return dst;
	return preload.memset(dst, value, len);
}

wchar_t *preload_wide_fill(wchar_t *dst, wchar_t value, size_t n, const void *caller)
{
	if (unlikely(!atomic_load_explicit(&preload.started, memory_order_acquire)))
		return plain_wide_fill(dst, value, n);
	if (fill(dst, (uint32_t)value * 0x100000001u, n * sizeof(wchar_t), caller))
		return dst;
	return preload.wmemset(dst, value, n);
}

/*
 * How many bytes at the begin of two buffers are known to be equal, so that libc's function need
 * only look at the rest, which gives the sign. 0 if the library could not compare.
 */
static size_t equal_bytes(const void *a, const void *b, size_t len, const void *caller)
{
	size_t offset = 0;
	int cancel, rc;

	if (is_own(caller))
		return 0;
	if (!enter(&cancel)) {
		count_cpu(CALL_MEMCMP, WHY_CONTEXT);
		return 0;
	}
	rc = preload.sva_compare(NULL, a, b, len, &offset);
	count(CALL_MEMCMP, len, rc);
	leave(cancel);
	return rc < 0 ? 0 : offset;
}

int preload_compare(const void *a, const void *b, size_t len, const void *caller)
{
	size_t equal;

	if (unlikely(!atomic_load_explicit(&preload.started, memory_order_acquire)))
		return plain_compare(a, b, len);
	equal = equal_bytes(a, b, len, caller);
	return preload.memcmp((const char *)a + equal, (const char *)b + equal, len - equal);
}

int preload_wide_compare(const wchar_t *a, const wchar_t *b, size_t n, const void *caller)
{
	size_t equal;

	if (unlikely(!atomic_load_explicit(&preload.started, memory_order_acquire)))
		return plain_wide_compare(a, b, n);
	equal = equal_bytes(a, b, n * sizeof(wchar_t), caller) / sizeof(wchar_t);
	return preload.wmemcmp(a + equal, b + equal, n - equal);
}
