/* SPDX-License-Identifier: MIT */
/*
 * Bring pages in and find out whether that is possible, by calls that answer with an errno instead
 * of a signal. They run in the calling thread, so its memory policy decides where a new page goes;
 * a fault that the device takes would be served by a kernel worker with another policy.
 */
#include <linux/futex.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/memory.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

/* the smallest that x86 has; touching twice does no harm where pages are larger */
#define PAGE 4096u

/*
 * What a call says of a page: it is touched (0), it cannot be (-EFAULT), or the call is refused
 * here and says nothing.
 */
#define REFUSED 1

/*
 * futex(2) reads a word, or adds 0 to it in one atomic step, which is a write fault like any other:
 * nothing is changed, whatever other threads do to the word meanwhile. The comparisons and counts
 * are such that no waiter on it is woken or moved.
 */
static int touch_by_futex(uint64_t page, bool write)
{
	uint32_t *word = (uint32_t *)(uintptr_t)page, own = 0;
	long ret;

	if (write)
		ret = syscall(SYS_futex, &own, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, word,
			      FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0x5a5));
	else
		ret = syscall(SYS_futex, word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 0, 0, &own,
			      0);
	/*
	 * Another value than 0 was read; EINVAL: a waiter of another kind is on it, which is looked
	 * at after the word.
	 */
	if (ret >= 0 || errno == EAGAIN || errno == EINVAL)
		return 0;
	return errno == EFAULT ? -EFAULT : REFUSED;
}

static int touch_by_copy(uint64_t page)
{
	char byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)(uintptr_t)page, 1 };

	if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1)
		return 0;
	return errno == EFAULT ? -EFAULT : REFUSED;
}

/*
 * Without madvise: before Linux 5.14, or in a sandbox that refuses it. Where every call is refused,
 * the page is taken to be good: a good buffer is worth more than the errno for a bad one.
 */
static int touch_byte(uint64_t page, bool write)
{
	int answer = write ? touch_by_futex(page, true) : touch_by_copy(page);

	if (answer == REFUSED)
		answer = write ? touch_by_copy(page) : touch_by_futex(page, false);
	return answer == REFUSED ? 0 : answer;
}

/* 0 or -errno of madvise. */
static int populate(uint64_t start, uint64_t len, bool write)
{
	int err;

	do {
		if (!madvise((void *)(uintptr_t)start, len,
			     write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ))
			return 0;
		err = errno;
	} while (err == EINTR || err == EAGAIN);
	return -err;
}

/*
 * Only these speak of the page. EINVAL is an older kernel, a mapping of device memory, or one
 * without that permission; ENOMEM a hole, or a moment without memory; anything else is a sandbox.
 * The byte tells them apart.
 */
static bool is_verdict(int err)
{
	return !err || err == -EFAULT || err == -EHWPOISON;
}

int sva_touch(uint64_t addr, uint64_t len, bool write, uint64_t *bad)
{
	uint64_t start = addr & ~(uint64_t)(PAGE - 1), end, page;
	int saved = errno, err;
	bool alone;

	if (!len)
		return 0;
	if (__builtin_add_overflow(addr, len - 1, &end)) {
		*bad = addr;
		return -EFAULT;
	}
	end |= PAGE - 1;
	alone = end - start < PAGE;
	err = populate(start, end - start + 1, write);
	/* Something in it cannot be touched: which is the first? */
	for (page = start; err; page += PAGE) {
		int one = alone ? err : populate(page, PAGE, write);

		if (!is_verdict(one))
			one = touch_byte(page, write);
		if (one) {
			*bad = page < addr ? addr : page;
			errno = saved;
			return -EFAULT;
		}
		if (page + (PAGE - 1) >= end)
			break;
	}
	errno = saved;
	return 0;
}
