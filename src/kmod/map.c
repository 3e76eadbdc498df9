// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: pinning, counting, mapping for a device, and all of it back again.
 *
 * A buffer can be mapped for more than one device, since the two buffers of an operation need a common one. A mapping
 * ends with the buffer or with the device, whichever goes first.
 */
#include <linux/capability.h>
#include <linux/dma-mapping.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "compat.h"
#include "internal.h"

#define PATTERN_ORDER	4	/* as large as helps, but no larger than is easily found */
#define PIN_AT_ONCE	1024UL	/* pages */

/* Pages are counted where RDMA counts them: it takes no lock, and /proc/PID/status shows it as VmPin. */
static int charge(struct mm_struct *mm, unsigned long pages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if ((u64)atomic64_add_return(pages, &mm->pinned_vm) <= limit || capable(CAP_IPC_LOCK))
		return 0;
	atomic64_sub(pages, &mm->pinned_vm);
	return -ENOMEM;
}

static void uncharge(struct mm_struct *mm, unsigned long pages)
{
	atomic64_sub(pages, &mm->pinned_vm);
}

/* Not too many at a time: the fast way goes through them with interrupts off. */
static int pin_some(u64 addr, unsigned long pages, unsigned int flags, struct page **to)
{
	return pin_user_pages_fast(addr, min(pages, PIN_AT_ONCE), flags, to);
}

/*
 * Pinning for reading must take the page that the program will go on using. Before Linux 6.2 that was so only if a
 * private page was broken out of its sharing first, which pinning for writing does.
 */
static int pin_for_reading(u64 addr, unsigned long pages, unsigned int flags, struct page **to)
{
#ifdef SVA_HAVE_OLD_UNSHARE
	int got = pin_some(addr, pages, flags | FOLL_WRITE, to);

	if (got > 0)
		return got;
#endif
	return pin_some(addr, pages, flags, to);
}

static int pin(struct sva_map *map, u64 *fault)
{
	bool write = map->access & SVA_DMA_MAP_WRITE;
	unsigned int flags = map->longterm ? FOLL_LONGTERM : 0;
	u64 first = map->addr & PAGE_MASK, at;
	unsigned long done = 0;
	int got;

	while (done < map->nr_pages) {
		at = first + ((u64)done << PAGE_SHIFT);
		if (write)
			got = pin_some(at, map->nr_pages - done, flags | FOLL_WRITE, map->pages + done);
		else
			got = pin_for_reading(at, map->nr_pages - done, flags, map->pages + done);
		if (got <= 0) {
			/* Memory that could be used, but not kept, is another matter than memory that is not there. */
			if (got == -EFAULT && map->longterm &&
			    pin_some(at, 1, write ? FOLL_WRITE : 0, map->pages + done) == 1) {
				unpin_user_page(map->pages[done]);
				got = -EOPNOTSUPP;
			}
			unpin_user_pages(map->pages, done);
			if (!got)
				got = -EFAULT;
			if (got == -EFAULT)
				*fault = max(at, map->addr);
			return got;
		}
		done += got;
		cond_resched();
	}
	return 0;
}

static struct sva_map *map_alloc(u64 addr, u64 len, u32 access)
{
	struct sva_map *map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);

	if (!map)
		return NULL;
	map->nr_pages = (offset_in_page(addr) + len + PAGE_SIZE - 1) >> PAGE_SHIFT;
	map->pages = kvmalloc_array(map->nr_pages, sizeof(*map->pages), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!map->pages) {
		kfree(map);
		return NULL;
	}
	kref_init(&map->ref);
	init_waitqueue_head(&map->unused);
	map->addr = addr;
	map->len = len;
	map->access = access;
	mutex_init(&map->lock);
	INIT_LIST_HEAD(&map->mappings);
	return map;
}

static void map_discard(struct sva_map *map)
{
	kvfree(map->pages);
	kfree(map);
}

static void map_release_work(struct work_struct *work);

/* -EFAULT and the address for a range that is empty, wraps around, or is not the program's. */
int sva_range_check(u64 addr, u64 len, u64 *fault)
{
	*fault = addr;
	if (!len || addr + len < addr || addr + len != (unsigned long)(addr + len) ||
	    !access_ok(u64_to_user_ptr(addr), len))
		return -EFAULT;
	*fault = 0;
	return 0;
}

/**
 * sva_map_create - pin a range of the caller's memory
 * @mm: the caller's address space, where it is counted
 * @addr: where it begins
 * @len: its length, within the limits that the caller checked
 * @access: what the device may do with it
 * @longterm: the program decides for how long; else it lasts for one operation, like the pages of direct I/O
 * @fault: the first address that can not be used
 *
 * Return: a buffer with one reference, or an error pointer
 */
struct sva_map *sva_map_create(struct mm_struct *mm, u64 addr, u64 len, u32 access, bool longterm, u64 *fault)
{
	struct sva_map *map;
	int ret = sva_range_check(addr, len, fault);

	if (ret)
		return ERR_PTR(ret);
	/* Counted before anything of that size is allocated. */
	ret = charge(mm, (offset_in_page(addr) + len + PAGE_SIZE - 1) >> PAGE_SHIFT);
	if (ret)
		return ERR_PTR(ret);
	map = map_alloc(addr, len, access);
	if (!map) {
		uncharge(mm, (offset_in_page(addr) + len + PAGE_SIZE - 1) >> PAGE_SHIFT);
		return ERR_PTR(-ENOMEM);
	}
	INIT_WORK(&map->release, map_release_work);
	map->longterm = longterm;
	ret = pin(map, fault);
	if (ret) {
		uncharge(mm, map->nr_pages);
		map_discard(map);
		return ERR_PTR(ret);
	}
	mmgrab(mm);
	map->mm = mm;
	atomic_inc(&sva_stats.maps);
	atomic_add(map->nr_pages, &sva_stats.pinned);
	return map;
}

/**
 * sva_map_pattern - a buffer of ours that holds a pattern, to be copied over and over
 * @mm: whom it is counted for, as if it were pinned: many fills in flight have many of them
 * @pattern: eight bytes
 * @len: how much of it would be useful
 *
 * dmaengine knows how to set memory, but next to no memory copier offers that.
 *
 * Return: a buffer with one reference, or an error pointer
 */
struct sva_map *sva_map_pattern(struct mm_struct *mm, u64 pattern, u64 len)
{
	unsigned int order = min_t(unsigned int, get_order(min_t(u64, len, PAGE_SIZE << PATTERN_ORDER)), PATTERN_ORDER);
	struct sva_map *map;
	struct page *page;
	unsigned long i;

	do {
		page = alloc_pages(GFP_KERNEL_ACCOUNT | (order ? __GFP_NOWARN | __GFP_NORETRY : 0), order);
	} while (!page && order--);
	if (!page)
		return ERR_PTR(-ENOMEM);
	if (charge(mm, 1UL << order))
		goto fail;
	map = map_alloc(0, PAGE_SIZE << order, SVA_DMA_MAP_READ);
	if (!map) {
		uncharge(mm, 1UL << order);
		goto fail;
	}
	INIT_WORK(&map->release, map_release_work);
	mmgrab(mm);
	map->mm = mm;
	map->pattern = true;
	map->order = order;
	for (i = 0; i < map->nr_pages; i++)
		map->pages[i] = page + i;
	memset64(page_address(page), pattern, map->len / sizeof(pattern));
	atomic_inc(&sva_stats.maps);
	return map;

fail:
	__free_pages(page, order);
	return ERR_PTR(-ENOMEM);
}

/* Called with sva_dev::lock held: the device may be about to go. */
static void mapping_end(struct sva_mapping *mapping)
{
	if (!mapping->live)
		return;
	mapping->live = false;
	list_del(&mapping->of_dev);
	dma_unmap_sgtable(mapping->dev->dev, &mapping->sgt, mapping->dir, 0);
	atomic_dec(&sva_stats.mapped);
}

void sva_dev_unmap_all(struct sva_dev *dev)
{
	struct sva_mapping *mapping, *next;

	mutex_lock(&dev->lock);
	dev->dead = true;
	list_for_each_entry_safe(mapping, next, &dev->mappings, of_dev)
		mapping_end(mapping);
	mutex_unlock(&dev->lock);
}

static void mapping_free(struct sva_mapping *mapping)
{
	mutex_lock(&mapping->dev->lock);
	mapping_end(mapping);
	mutex_unlock(&mapping->dev->lock);
	sva_dev_put(mapping->dev);
	sg_free_table(&mapping->sgt);
	kvfree(mapping->segs);
	kfree(mapping);
}

static void map_free(struct sva_map *map)
{
	struct sva_mapping *mapping, *next;

	list_for_each_entry_safe(mapping, next, &map->mappings, of_map)
		mapping_free(mapping);
	if (map->pattern) {
		__free_pages(map->pages[0], map->order);
	} else {
		unpin_user_pages_dirty_lock(map->pages, map->nr_pages, map->access & SVA_DMA_MAP_WRITE);
		atomic_sub(map->nr_pages, &sva_stats.pinned);
	}
	uncharge(map->mm, map->nr_pages);
	mmdrop(map->mm);
	atomic_dec(&sva_stats.maps);
	map_discard(map);
}

static void map_release_work(struct work_struct *work)
{
	map_free(container_of(work, struct sva_map, release));
}

static void map_release_later(struct kref *ref)
{
	queue_work(sva_wq, &container_of(ref, struct sva_map, ref)->release);
}

static void map_release_now(struct kref *ref)
{
	map_free(container_of(ref, struct sva_map, ref));
}

void sva_map_put(struct sva_map *map, bool may_sleep)
{
	kref_put(&map->ref, may_sleep ? map_release_now : map_release_later);
}

void sva_map_use(struct sva_map *map)
{
	kref_get(&map->ref);
	atomic_inc(&map->users);
}

/* The waiter of @unused holds a reference of its own, so the wait queue outlives the wake-up. */
void sva_map_unuse(struct sva_map *map, bool may_sleep)
{
	if (atomic_dec_and_test(&map->users))
		wake_up_all(&map->unused);
	sva_map_put(map, may_sleep);
}

/*
 * Neighbours are joined even across the limits of a segment, since queue.c cuts to what the channel takes. Not where
 * the DMA API bounces: each of its buffers must be synced on its own.
 */
static int join_segments(struct sva_mapping *mapping)
{
	struct sva_seg *seg = NULL;
	struct scatterlist *sg;
	unsigned int i;
	u64 begin = 0;

	mapping->segs = kvmalloc_array(mapping->sgt.nents, sizeof(*mapping->segs), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!mapping->segs)
		return -ENOMEM;
	for_each_sgtable_dma_sg(&mapping->sgt, sg, i) {
		if (seg && seg->addr + seg->len == sg_dma_address(sg) &&
		    !dma_need_sync(mapping->dev->dev, sg_dma_address(sg))) {
			seg->len += sg_dma_len(sg);
		} else {
			seg = &mapping->segs[mapping->nr_segs++];
			seg->addr = sg_dma_address(sg);
			seg->begin = begin;
			seg->len = sg_dma_len(sg);
		}
		begin += sg_dma_len(sg);
	}
	return 0;
}

/*
 * A buffer with a handle is seldom written from end to end. Both directions, so that where it bounces, what the device
 * does not write is still there afterwards, and the CPU can write to the rest of it and hand that over.
 */
static enum dma_data_direction direction(const struct sva_map *map)
{
	if (!(map->access & SVA_DMA_MAP_WRITE))
		return DMA_TO_DEVICE;
	return map->longterm ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE;
}

static int mapping_begin(struct sva_mapping *mapping, struct sva_map *map)
{
	struct device *device = mapping->dev->dev;
	size_t max = min_t(size_t, dma_get_max_seg_size(device), dma_max_mapping_size(device));
	int ret;

	max = min_t(size_t, max, UINT_MAX) & PAGE_MASK;
	if (!max)
		return -EOPNOTSUPP;
	ret = sg_alloc_table_from_pages_segment(&mapping->sgt, map->pages, map->nr_pages, offset_in_page(map->addr),
						map->len, max, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (ret)
		return ret;
	mapping->dir = direction(map);
	mutex_lock(&mapping->dev->lock);
	ret = mapping->dev->dead ? -ENODEV : dma_map_sgtable(device, &mapping->sgt, mapping->dir, 0);
	if (!ret) {
		mapping->live = true;
		list_add(&mapping->of_dev, &mapping->dev->mappings);
		atomic_inc(&sva_stats.mapped);
		ret = join_segments(mapping);
		if (ret)
			mapping_end(mapping);
	}
	mutex_unlock(&mapping->dev->lock);
	if (ret)
		sg_free_table(&mapping->sgt);
	return ret;
}

static bool mapping_needs_sync(struct sva_mapping *mapping)
{
	bool needs = false;
	unsigned int i;

	mutex_lock(&mapping->dev->lock);
	for (i = 0; i < mapping->nr_segs && mapping->live && !needs; i++)
		needs = dma_need_sync(mapping->dev->dev, mapping->segs[i].addr);
	mutex_unlock(&mapping->dev->lock);
	return needs;
}

/**
 * sva_map_for - the buffer as a device sees it
 * @map: the buffer
 * @dev: the device
 * @nonblock: only if it is mapped already
 *
 * Return: the mapping, which lives as long as the buffer, or an error pointer
 */
struct sva_mapping *sva_map_for(struct sva_map *map, struct sva_dev *dev, bool nonblock)
{
	struct sva_mapping *mapping;
	int ret;

	mutex_lock(&map->lock);
	list_for_each_entry(mapping, &map->mappings, of_map) {
		if (mapping->dev == dev)
			goto out;
	}
	mapping = nonblock ? ERR_PTR(-EAGAIN) : kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		mapping = ERR_PTR(-ENOMEM);
	if (IS_ERR(mapping))
		goto out;
	mapping->dev = dev;
	ret = mapping_begin(mapping, map);
	if (ret) {
		kfree(mapping);
		mapping = ERR_PTR(ret);
		goto out;
	}
	sva_dev_get(dev);
	if (map->coherent && mapping_needs_sync(mapping)) {
		/* The owner makes no sync calls, so a device that would need them is not for this buffer. */
		mapping_free(mapping);
		mapping = ERR_PTR(-EOPNOTSUPP);
		goto out;
	}
	list_add(&mapping->of_map, &map->mappings);
	WRITE_ONCE(map->home, dev);
out:
	mutex_unlock(&map->lock);
	return mapping;
}

/* What is answered here is a promise for all devices to come. */
bool sva_map_needs_sync(struct sva_map *map)
{
	struct sva_mapping *mapping;
	bool needs = false;

	mutex_lock(&map->lock);
	list_for_each_entry(mapping, &map->mappings, of_map)
		needs |= mapping_needs_sync(mapping);
	map->coherent = !needs;
	mutex_unlock(&map->lock);
	return needs;
}

static void mapping_sync(struct sva_mapping *mapping, u64 offset, u64 len, u32 flags)
{
	struct device *device = mapping->dev->dev;
	struct sva_seg *seg;
	u64 from, to;
	unsigned int i;

	for (i = 0; i < mapping->nr_segs && mapping->live; i++) {
		seg = &mapping->segs[i];
		from = max(offset, seg->begin);
		to = min(offset + len, seg->begin + seg->len);
		if (from >= to || !dma_need_sync(device, seg->addr))
			continue;
		/* Not the whole list: where it bounces, that would undo what the CPU wrote elsewhere in the buffer. */
		if (flags & SVA_DMA_SYNC_CPU)
			dma_sync_single_range_for_cpu(device, seg->addr, from - seg->begin, to - from, mapping->dir);
		else
			dma_sync_single_range_for_device(device, seg->addr, from - seg->begin, to - from, mapping->dir);
	}
}

void sva_map_sync(struct sva_map *map, u64 offset, u64 len, u32 flags)
{
	struct sva_mapping *mapping;

	mutex_lock(&map->lock);
	list_for_each_entry(mapping, &map->mappings, of_map) {
		mutex_lock(&mapping->dev->lock);
		mapping_sync(mapping, offset, len, flags);
		mutex_unlock(&mapping->dev->lock);
	}
	mutex_unlock(&map->lock);
}
