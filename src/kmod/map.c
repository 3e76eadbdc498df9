// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers: pinned memory of a program, or memory of the driver that holds a pattern.
 *
 * A buffer can be mapped for more than one device, since the two buffers of an operation need a
 * common one.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/sva_dma.h>
#include "base.h"
#include "map.h"

#define PATTERN_ORDER	4	/* large enough to help, small enough to be found easily */

static void map_release_work(struct work_struct *work);

/* Counts the pages before anything of that size is allocated. */
static struct svad_map *map_alloc(const struct svad_account *account, u64 addr, u64 len,
				  u32 access)
{
	unsigned long nr = svad_range_pages(addr, len);
	struct svad_map *map;

	if (svad_account_charge(account, nr))
		return NULL;
	map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	if (!map)
		goto fail;
	map->range.pages = svad_pages_alloc(nr);
	if (!map->range.pages)
		goto fail;
	map->range.addr = addr;
	map->range.len = len;
	map->range.access = access;
	svad_account_copy(&map->account, account);
	kref_init(&map->ref);
	init_waitqueue_head(&map->unused);
	INIT_WORK(&map->release, map_release_work);
	mutex_init(&map->lock);
	INIT_LIST_HEAD(&map->views);
	return map;

fail:
	kfree(map);
	svad_account_uncharge(account, nr);
	return NULL;
}

/* A buffer without pages in it. */
static void map_discard(struct svad_map *map)
{
	svad_account_uncharge(&map->account, map->range.pages->nr);
	svad_account_drop(&map->account);
	svad_pages_put(map->range.pages);
	kfree(map);
}

/**
 * svad_map_create - pin a range of the caller's memory
 * @account: the address space and the user that it is counted for
 * @addr: where it begins
 * @len: its length, within the limits that the caller checked
 * @access: what the device may do with it
 * @longterm: the program decides how long it stays pinned; else it is pinned for one operation,
 *	as the pages of direct I/O are
 * @fault: the first address that cannot be used
 *
 * Return: a buffer with one reference, or an error pointer
 */
struct svad_map *svad_map_create(const struct svad_account *account, u64 addr, u64 len, u32 access,
				 bool longterm, u64 *fault)
{
	struct svad_map *map;
	int ret = svad_range_check(addr, len, fault);

	if (ret)
		return ERR_PTR(ret);
	map = map_alloc(account, addr, len, access);
	if (!map)
		return ERR_PTR(-ENOMEM);
	map->range.longterm = longterm;
	ret = svad_range_pin(&map->range, fault);
	if (ret) {
		map_discard(map);
		return ERR_PTR(ret);
	}
	atomic_inc(&svad_stats.maps);
	atomic_add(map->range.pages->nr, &svad_stats.pinned);
	return map;
}

/* Contiguous pages of the driver, as many as @order says if they are found easily, else fewer. */
static struct page *pattern_alloc(unsigned int *order)
{
	struct page *page;

	for (;; --*order) {
		page = alloc_pages(GFP_KERNEL_ACCOUNT |
					   (*order ? __GFP_NOWARN | __GFP_NORETRY : 0),
				   *order);
		if (page || !*order)
			return page;
	}
}

/**
 * svad_map_pattern - a buffer of the driver that holds a pattern, which is copied repeatedly
 * @account: it is counted like pinned memory: each fill in flight has such a buffer
 * @pattern: eight bytes
 * @len: how much of it would be useful
 *
 * dmaengine has an operation that sets memory, but hardly any driver of a memory copier offers it.
 *
 * Return: a buffer with one reference, or an error pointer
 */
struct svad_map *svad_map_pattern(const struct svad_account *account, u64 pattern, u64 len)
{
	unsigned int order = get_order(min_t(u64, len, PAGE_SIZE << PATTERN_ORDER));
	struct svad_map *map;
	struct page *page;
	unsigned long i;

	page = pattern_alloc(&order);
	if (!page)
		return ERR_PTR(-ENOMEM);
	map = map_alloc(account, 0, PAGE_SIZE << order, SVA_DMA_MAP_READ);
	if (!map) {
		__free_pages(page, order);
		return ERR_PTR(-ENOMEM);
	}
	map->pattern = true;
	map->order = order;
	for (i = 0; i < map->range.pages->nr; i++)
		map->range.pages->page[i] = page + i;
	memset64(page_address(page), pattern, map->range.len / sizeof(pattern));
	atomic_inc(&svad_stats.maps);
	return map;
}

static void map_free(struct svad_map *map)
{
	struct svad_view *view, *next;

	list_for_each_entry_safe(view, next, &map->views, of_map) {
		svad_mapping_put(view->mapping);
		kfree(view);
	}
	if (map->pattern) {
		__free_pages(map->range.pages->page[0], map->order);
	} else {
		svad_range_unpin(&map->range);
		atomic_sub(map->range.pages->nr, &svad_stats.pinned);
	}
	atomic_dec(&svad_stats.maps);
	map_discard(map);
}

static void map_release_work(struct work_struct *work)
{
	map_free(container_of(work, struct svad_map, release));
}

static void map_release_later(struct kref *ref)
{
	queue_work(svad_wq, &container_of(ref, struct svad_map, ref)->release);
}

static void map_release_now(struct kref *ref)
{
	map_free(container_of(ref, struct svad_map, ref));
}

void svad_map_put(struct svad_map *map, bool may_sleep)
{
	kref_put(&map->ref, may_sleep ? map_release_now : map_release_later);
}

void svad_map_use(struct svad_map *map)
{
	kref_get(&map->ref);
	atomic_inc(&map->users);
}

/* The thread that waits for @unused has a reference, so the wait queue outlives the wake-up. */
void svad_map_unuse(struct svad_map *map, bool may_sleep)
{
	if (atomic_dec_and_test(&map->users))
		wake_up_all(&map->unused);
	svad_map_put(map, may_sleep);
}

/**
 * svad_map_for - a buffer as a device sees it
 * @map: the buffer
 * @dev: the device
 * @nonblock: only if it is mapped already; else -EAGAIN
 *
 * Return: the mapping, which lives as long as the buffer, or an error pointer
 */
struct svad_mapping *svad_map_for(struct svad_map *map, struct svad_dev *dev, bool nonblock)
{
	struct svad_mapping *mapping;
	struct svad_view *view;

	mutex_lock(&map->lock);
	list_for_each_entry(view, &map->views, of_map) {
		mapping = view->mapping;
		if (mapping->dev == dev)
			goto out;
	}
	mapping = ERR_PTR(-EAGAIN);
	if (nonblock)
		goto out;
	mapping = ERR_PTR(-ENOMEM);
	view = kzalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	if (!view)
		goto out;
	mapping = svad_mapping_get(&map->range, dev);
	if (!IS_ERR(mapping) && map->coherent && svad_mapping_needs_sync(mapping)) {
		/* The program makes no sync calls, so this device cannot use the buffer. */
		svad_mapping_put(mapping);
		mapping = ERR_PTR(-EOPNOTSUPP);
	}
	if (IS_ERR(mapping)) {
		kfree(view);
		goto out;
	}
	view->mapping = mapping;
	list_add(&view->of_map, &map->views);
	WRITE_ONCE(map->home, dev);
out:
	mutex_unlock(&map->lock);
	return mapping;
}

/* The NUMA node of its first page. */
int svad_map_node(const struct svad_map *map)
{
	return page_to_nid(map->range.pages->page[0]);
}

/* The result holds for all devices that the buffer will be mapped for: see svad_map_for(). */
bool svad_map_needs_sync(struct svad_map *map)
{
	struct svad_view *view;
	bool needs = false;

	mutex_lock(&map->lock);
	list_for_each_entry(view, &map->views, of_map)
		needs |= svad_mapping_needs_sync(view->mapping);
	map->coherent = !needs;
	mutex_unlock(&map->lock);
	return needs;
}

void svad_map_sync(struct svad_map *map, u64 offset, u64 len, u32 flags)
{
	struct svad_view *view;

	mutex_lock(&map->lock);
	list_for_each_entry(view, &map->views, of_map)
		svad_mapping_sync(view->mapping, offset_in_page(map->range.addr) + offset, len,
				  flags);
	mutex_unlock(&map->lock);
}
