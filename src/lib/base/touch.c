/* SPDX-License-Identifier: MIT */
/*
 * Fault pages in and find out whether that is possible, by calls that return an errno instead of
 * raising a signal. They run in the calling thread, so its memory policy decides where a new page
 * goes; a fault of the device would be served by a kernel worker with another policy.
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

/* the smallest page of x86; touching larger pages several times does no harm */
#define PAGE 4096u

/*
 * Each function returns 0: the page was touched; -EFAULT: it cannot be; REFUSED: the call is not
 * available here and says nothing about the page.
 */
#define REFUSED 1

/*
 * futex(2) reads a word, or atomically adds 0 to it, which is a write fault like any other: the
 * word does not change, whatever other threads do to it meanwhile. The comparisons and counts are
 * such that no waiter on it is woken or moved.
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
	 * EAGAIN: a value other than 0 was read. EINVAL: a waiter of another kind waits on the
	 * word, which the kernel checks after it read the word.
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
 * Without madvise(2): before Linux 5.14, or in a sandbox that refuses it. Where every call is
 * refused, assume that the page is good: failing on a good buffer would be worse than missing the
 * errno of a bad one.
 */
static int touch_byte(uint64_t page, bool write)
{
	int answer = write ? touch_by_futex(page, true) : touch_by_copy(page);

	if (answer == REFUSED)
		answer = write ? touch_by_copy(page) : touch_by_futex(page, false);
	return answer == REFUSED ? 0 : answer;
}

/* Returns 0 or madvise(2)'s -errno. */
static int populate_pages(uint64_t start, uint64_t len, bool write)
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
 * Does this errno of madvise(2) say something about the page? EINVAL comes from an older kernel,
 * from a mapping of device memory, and from one without the permission; ENOMEM from a hole and from
 * a shortage of memory; any other from a sandbox. Touching a byte distinguishes these.
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
	err = populate_pages(start, end - start + 1, write);
	/* Find the first page that cannot be touched. */
	for (page = start; err; page += PAGE) {
		int one = alone ? err : populate_pages(page, PAGE, write);

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
