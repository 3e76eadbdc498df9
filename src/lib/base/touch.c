/* SPDX-License-Identifier: MIT */
/*
 * Bring pages in and find out whether that is possible, by calls that answer with an errno instead of a signal. They run in the calling thread, so its
 * memory policy decides where a new page goes; a fault that the device takes would be served by a kernel worker with another policy.
 */
#include <linux/futex.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/road.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

#define PAGE 4096u /* the smallest that x86 has; touching twice does no harm where pages are larger */

/* One byte of one page, before Linux 5.14. Nothing is changed by either. */
static int touch_byte(uint64_t addr, bool write)
{
	char byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)(uintptr_t)addr, 1 };
	uint32_t *word = (uint32_t *)(uintptr_t)(addr & ~(uint64_t)3);

	if (!write)
		return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1 ? 0 : -EFAULT;
	/* An atomic "add 0" that the kernel does on a user's word: a write fault like any other, which answers EFAULT. */
	if (syscall(SYS_futex, word, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, word, FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0)) < 0)
		return -EFAULT;
	return 0;
}

static int populate(uint64_t start, uint64_t len, bool write)
{
	int saved = errno, err;

	for (;;) {
		if (!madvise((void *)(uintptr_t)start, len, write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ))
			return 0;
		err = errno;
		errno = saved;
		if (err != EINTR && err != EAGAIN)
			return -err;
	}
}

static int touch_page(uint64_t page, bool write)
{
	int saved = errno, err = populate(page, PAGE, write);

	/* EINVAL: an older kernel, or a mapping of device memory, which the byte tells apart. */
	if (err == -EINVAL)
		err = touch_byte(page, write);
	errno = saved;
	return err;
}

int sva_touch(uint64_t addr, uint64_t len, bool write, uint64_t *bad)
{
	uint64_t start = addr & ~(uint64_t)(PAGE - 1), end, page;

	if (!len)
		return 0;
	if (__builtin_add_overflow(addr, len - 1, &end)) {
		*bad = addr;
		return -EFAULT;
	}
	end |= PAGE - 1;
	if (start < end && !populate(start, end - start + 1, write))
		return 0;
	/* Something in it can not be: which is the first? */
	for (page = start;; page += PAGE) {
		if (touch_page(page, write)) {
			*bad = page < addr ? addr : page;
			return -EFAULT;
		}
		if (page + (PAGE - 1) >= end)
			return 0;
	}
}
