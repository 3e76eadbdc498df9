// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges of a program's memory: checking, counting and pinning their pages.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/sva_dma.h>
#include "compat.h"
#include "pages.h"

#define PIN_AT_ONCE	1024UL	/* pages */

/* ---- counting ---- */

static bool mm_charge(struct mm_struct *mm, unsigned long pages, u64 limit)
{
	s64 old = atomic64_read(&mm->pinned_vm);

	do {
		if (old + pages > limit)
			return false;
	} while (!atomic64_try_cmpxchg(&mm->pinned_vm, &old, old + pages));
	return true;
}

static bool user_charge(struct user_struct *user, unsigned long pages, unsigned long limit)
{
	long old = atomic_long_read(&user->locked_vm);

	do {
		if (old + pages > limit)
			return false;
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &old, old + pages));
	return true;
}

/*
 * Pages are counted twice: for the address space, where RDMA counts them and /proc/PID/status shows
 * them as VmPin, and for the user, as io_uring and perf do. The first alone could be evaded with
 * open files of processes that have ended, passed to one that lives. A file opened with
 * CAP_IPC_LOCK does not count for the user, and a caller who has it is not limited.
 */
int svad_account_charge(const struct svad_account *account, unsigned long pages)
{
	unsigned long limit =
		capable(CAP_IPC_LOCK) ? LONG_MAX : rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (!mm_charge(account->mm, pages, limit))
		return -ENOMEM;
	if (!account->user || user_charge(account->user, pages, limit))
		return 0;
	atomic64_sub(pages, &account->mm->pinned_vm);
	return -ENOMEM;
}

void svad_account_uncharge(const struct svad_account *account, unsigned long pages)
{
	if (account->user)
		atomic_long_sub(pages, &account->user->locked_vm);
	atomic64_sub(pages, &account->mm->pinned_vm);
}

/* With references of its own: a buffer can outlive the open file that it was made through. */
void svad_account_copy(struct svad_account *to, const struct svad_account *from)
{
	mmgrab(from->mm);
	to->mm = from->mm;
	to->user = from->user ? get_uid(from->user) : NULL;
}

void svad_account_drop(struct svad_account *account)
{
	free_uid(account->user);
	mmdrop(account->mm);
}

/* ---- pages ---- */

struct svad_pages *svad_pages_alloc(unsigned long nr)
{
	struct svad_pages *pages = kvmalloc(struct_size(pages, page, nr),
					    GFP_KERNEL_ACCOUNT | __GFP_NOWARN);

	if (!pages)
		return NULL;
	kref_init(&pages->ref);
	pages->nr = nr;
	return pages;
}

static void pages_free(struct kref *ref)
{
	kvfree(container_of(ref, struct svad_pages, ref));
}

void svad_pages_put(struct svad_pages *pages)
{
	kref_put(&pages->ref, pages_free);
}

/* ---- ranges ---- */

/* -EFAULT and the address for a range that is empty, wraps around, or is outside user memory. */
int svad_range_check(u64 addr, u64 len, u64 *fault)
{
	*fault = addr;
	if (!len || addr + len < addr || addr + len != (unsigned long)(addr + len) ||
	    !access_ok(u64_to_user_ptr(addr), len))
		return -EFAULT;
	*fault = 0;
	return 0;
}

unsigned long svad_range_pages(u64 addr, u64 len)
{
	return (offset_in_page(addr) + len + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* A limited number in each call: the fast path walks the page tables with interrupts off. */
static int pin_some(u64 addr, unsigned long pages, unsigned int flags, struct page **to)
{
	return pin_user_pages_fast(addr, min(pages, PIN_AT_ONCE), flags, to);
}

/*
 * Pinning for reading must pin the page that the program goes on using. Before Linux 6.2 that was
 * so only if the sharing of a private page was broken first, which pinning for writing does.
 */
static int pin_for_reading(u64 addr, unsigned long pages, unsigned int flags, struct page **to)
{
#ifdef SVAD_HAVE_OLD_UNSHARE
	int got = pin_some(addr, pages, flags | FOLL_WRITE, to);

	if (got > 0)
		return got;
#endif
	return pin_some(addr, pages, flags, to);
}

/*
 * Why nothing could be pinned at an address. Memory that can be pinned for one operation, but not
 * for long, is -EOPNOTSUPP: that is another matter than memory that is not there.
 */
static int pin_error(const struct svad_range *range, u64 addr, int error, struct page **spare)
{
	unsigned int flags = range->access & SVA_DMA_MAP_WRITE ? FOLL_WRITE : 0;

	if (error == -EFAULT && range->longterm && pin_some(addr, 1, flags, spare) == 1) {
		unpin_user_page(*spare);
		return -EOPNOTSUPP;
	}
	return error ? error : -EFAULT;
}

/**
 * svad_range_pin - pin the pages of a range of the caller's memory
 * @range: the range; its pages are set
 * @fault: the first address that cannot be used, if the result is -EFAULT
 *
 * Return: 0 or an error; then nothing is pinned
 */
int svad_range_pin(struct svad_range *range, u64 *fault)
{
	unsigned int flags = range->longterm ? FOLL_LONGTERM : 0;
	bool write = range->access & SVA_DMA_MAP_WRITE;
	struct svad_pages *pages = range->pages;
	u64 first = range->addr & PAGE_MASK, at;
	unsigned long done = 0, left;
	int got;

	while (done < pages->nr) {
		at = first + ((u64)done << PAGE_SHIFT);
		left = pages->nr - done;
		if (write)
			got = pin_some(at, left, flags | FOLL_WRITE, pages->page + done);
		else
			got = pin_for_reading(at, left, flags, pages->page + done);
		if (got <= 0) {
			got = pin_error(range, at, got, pages->page + done);
			unpin_user_pages(pages->page, done);
			if (got == -EFAULT)
				*fault = max(at, range->addr);
			return got;
		}
		done += got;
		cond_resched();
	}
	return 0;
}

void svad_range_unpin(struct svad_range *range)
{
	unpin_user_pages_dirty_lock(range->pages->page, range->pages->nr,
				    range->access & SVA_DMA_MAP_WRITE);
}
