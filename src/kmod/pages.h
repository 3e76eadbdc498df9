/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pages.c: ranges of a program's memory: checking, counting and pinning their pages. Calls no
 * other file of the module.
 */
#ifndef SVA_KMOD_PAGES_H
#define SVA_KMOD_PAGES_H

#include <linux/kref.h>
#include <linux/types.h>

struct mm_struct;
struct page;
struct user_struct;

/**
 * struct svad_account - the address space and the user that pinned pages are counted for
 * @mm: the address space
 * @user: the user, or NULL: pages are not counted for the user
 */
struct svad_account {
	struct mm_struct *mm;
	struct user_struct *user;
};

/**
 * struct svad_pages - the pages of a buffer
 * @ref: one for the buffer, one for each mapping that was made for it
 * @nr: how many
 * @page: the pages; only buffers pin them
 */
struct svad_pages {
	struct kref ref;
	unsigned long nr;
	struct page *page[];
};

/**
 * struct svad_range - the bytes of a buffer
 * @pages: their pages
 * @addr: where they begin in the program
 * @len: how many
 * @access: SVA_DMA_MAP_READ, SVA_DMA_MAP_WRITE
 * @longterm: the program decides how long they stay pinned
 */
struct svad_range {
	struct svad_pages *pages;
	u64 addr;
	u64 len;
	u32 access;
	bool longterm;
};

int svad_range_check(u64 addr, u64 len, u64 *fault);
unsigned long svad_range_pages(u64 addr, u64 len);
int svad_range_pin(struct svad_range *range, u64 *fault);
void svad_range_unpin(struct svad_range *range);

struct svad_pages *svad_pages_alloc(unsigned long nr);
void svad_pages_put(struct svad_pages *pages);

int svad_account_charge(const struct svad_account *account, unsigned long pages);
void svad_account_uncharge(const struct svad_account *account, unsigned long pages);
void svad_account_copy(struct svad_account *to, const struct svad_account *from);
void svad_account_drop(struct svad_account *account);

#endif /* SVA_KMOD_PAGES_H */
