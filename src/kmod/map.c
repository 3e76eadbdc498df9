// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: pinning, counting, mapping for a device, and all of it back again.
 *
 * A buffer can be mapped for more than one device, since the two buffers of an operation need a common one. A mapping
 * ends with its last buffer or with the device, whichever goes first.
 *
 * A device maps the same pages once, however many buffers have them: mappings are of whole pages
 * and are shared. Only buffers with exactly the same pages share one, since each pins and counts
 * the pages that its mapping needs. Ranges that overlap in part get mappings of their own. The DMA
 * API allows that where there is nothing to sync, which is what DMA_ATTR_SKIP_CPU_SYNC says to its
 * debug code (CONFIG_DMA_API_DEBUG); that code also counts mappings that begin in the same cache
 * line, of all devices together, and warns of more than seven. Operations that do not write to the
 * same bytes stay below that: a page then belongs to three different ranges at most.
 *
 * Where the device needs sync calls (it bounces, or is not coherent), each buffer has a mapping of
 * its own, of exactly its bytes: what the CPU wrote beside the buffer must not be overwritten, nor
 * what the device wrote for another handle.
 */
#include <linux/capability.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/hash.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "compat.h"
#include "internal.h"

#define PATTERN_ORDER	4	/* as large as helps, but no larger than is easily found */
#define PIN_AT_ONCE	1024UL	/* pages */

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
 * open files of processes that have ended, handed to one that lives. A file opened with
 * CAP_IPC_LOCK does not count for the user, nor is a caller who has it limited.
 */
static int charge(const struct sva_client *client, unsigned long pages)
{
	unsigned long limit =
		capable(CAP_IPC_LOCK) ? LONG_MAX : rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (!mm_charge(client->mm, pages, limit))
		return -ENOMEM;
	if (!client->counted || user_charge(client->user, pages, limit))
		return 0;
	atomic64_sub(pages, &client->mm->pinned_vm);
	return -ENOMEM;
}

/* Of a buffer that was not made: the caller's references are enough. */
static void uncharge(const struct sva_client *client, unsigned long pages)
{
	if (client->counted)
		atomic_long_sub(pages, &client->user->locked_vm);
	atomic64_sub(pages, &client->mm->pinned_vm);
}

/* A buffer can outlive its client, so it keeps those whom it is counted for. */
static void map_charge_keep(struct sva_map *map, const struct sva_client *client)
{
	mmgrab(client->mm);
	map->mm = client->mm;
	map->user = client->counted ? get_uid(client->user) : NULL;
}

static void map_uncharge(struct sva_map *map)
{
	if (map->user) {
		atomic_long_sub(map->pages->nr, &map->user->locked_vm);
		free_uid(map->user);
	}
	atomic64_sub(map->pages->nr, &map->mm->pinned_vm);
	mmdrop(map->mm);
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
	struct sva_pages *pages = map->pages;
	unsigned long done = 0;
	int got;

	while (done < pages->nr) {
		at = first + ((u64)done << PAGE_SHIFT);
		if (write)
			got = pin_some(at, pages->nr - done, flags | FOLL_WRITE,
				       pages->page + done);
		else
			got = pin_for_reading(at, pages->nr - done, flags, pages->page + done);
		if (got <= 0) {
			/* Memory that could be used, but not kept, is another matter than memory that is not there. */
			if (got == -EFAULT && map->longterm &&
			    pin_some(at, 1, write ? FOLL_WRITE : 0, pages->page + done) == 1) {
				unpin_user_page(pages->page[done]);
				got = -EOPNOTSUPP;
			}
			unpin_user_pages(pages->page, done);
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

static void pages_free(struct kref *ref)
{
	kvfree(container_of(ref, struct sva_pages, ref));
}

static void pages_put(struct sva_pages *pages)
{
	kref_put(&pages->ref, pages_free);
}

static void map_release_work(struct work_struct *work);

static struct sva_map *map_alloc(u64 addr, u64 len, u32 access)
{
	unsigned long nr = (offset_in_page(addr) + len + PAGE_SIZE - 1) >> PAGE_SHIFT;
	struct sva_map *map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);

	if (!map)
		return NULL;
	map->pages = kvmalloc(struct_size(map->pages, page, nr), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!map->pages) {
		kfree(map);
		return NULL;
	}
	kref_init(&map->pages->ref);
	map->pages->nr = nr;
	kref_init(&map->ref);
	init_waitqueue_head(&map->unused);
	map->addr = addr;
	map->len = len;
	map->access = access;
	INIT_WORK(&map->release, map_release_work);
	mutex_init(&map->lock);
	INIT_LIST_HEAD(&map->views);
	return map;
}

static void map_discard(struct sva_map *map)
{
	pages_put(map->pages);
	kfree(map);
}

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
 * @client: the caller's open file
 * @addr: where it begins
 * @len: its length, within the limits that the caller checked
 * @access: what the device may do with it
 * @longterm: the program decides for how long; else it lasts for one operation, like the pages of direct I/O
 * @fault: the first address that can not be used
 *
 * Return: a buffer with one reference, or an error pointer
 */
struct sva_map *sva_map_create(struct sva_client *client, u64 addr, u64 len, u32 access,
			       bool longterm, u64 *fault)
{
	unsigned long nr = (offset_in_page(addr) + len + PAGE_SIZE - 1) >> PAGE_SHIFT;
	struct sva_map *map;
	int ret = sva_range_check(addr, len, fault);

	if (ret)
		return ERR_PTR(ret);
	/* Counted before anything of that size is allocated. */
	ret = charge(client, nr);
	if (ret)
		return ERR_PTR(ret);
	map = map_alloc(addr, len, access);
	if (!map) {
		uncharge(client, nr);
		return ERR_PTR(-ENOMEM);
	}
	map->longterm = longterm;
	ret = pin(map, fault);
	if (ret) {
		uncharge(client, nr);
		map_discard(map);
		return ERR_PTR(ret);
	}
	map_charge_keep(map, client);
	atomic_inc(&sva_stats.maps);
	atomic_add(nr, &sva_stats.pinned);
	return map;
}

/**
 * sva_map_pattern - a buffer of ours that holds a pattern, to be copied over and over
 * @client: it is counted as what this file has pinned: many fills in flight have many of them
 * @pattern: eight bytes
 * @len: how much of it would be useful
 *
 * dmaengine knows how to set memory, but next to no memory copier offers that.
 *
 * Return: a buffer with one reference, or an error pointer
 */
struct sva_map *sva_map_pattern(struct sva_client *client, u64 pattern, u64 len)
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
	if (charge(client, 1UL << order))
		goto fail;
	map = map_alloc(0, PAGE_SIZE << order, SVA_DMA_MAP_READ);
	if (!map) {
		uncharge(client, 1UL << order);
		goto fail;
	}
	map_charge_keep(map, client);
	map->pattern = true;
	map->order = order;
	for (i = 0; i < map->pages->nr; i++)
		map->pages->page[i] = page + i;
	memset64(page_address(page), pattern, map->len / sizeof(pattern));
	atomic_inc(&sva_stats.maps);
	return map;

fail:
	__free_pages(page, order);
	return ERR_PTR(-ENOMEM);
}

/* ---- mappings ---- */

/* Called with sva_dev::lock held: the device may be about to go. */
static void mapping_end(struct sva_mapping *mapping)
{
	if (!mapping->live)
		return;
	mapping->live = false;
	list_del(&mapping->of_dev);
	hash_del(&mapping->by_pages);
	dma_unmap_sgtable(mapping->dev->dev, &mapping->sgt, mapping->dir, mapping->attrs);
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
	sva_dev_put(mapping->dev);
	sg_free_table(&mapping->sgt);
	kvfree(mapping->segs);
	pages_put(mapping->pages);
	kfree(mapping);
}

static void mapping_put(struct sva_mapping *mapping)
{
	struct sva_dev *dev = mapping->dev;
	bool last;

	mutex_lock(&dev->lock);
	last = !--mapping->refs;
	if (last)
		mapping_end(mapping);
	mutex_unlock(&dev->lock);
	if (last)
		mapping_free(mapping);
}

static void map_free(struct sva_map *map)
{
	struct sva_pages *pages = map->pages;
	struct sva_view *view, *next;

	list_for_each_entry_safe(view, next, &map->views, of_map) {
		mapping_put(view->mapping);
		kfree(view);
	}
	if (map->pattern) {
		__free_pages(pages->page[0], map->order);
	} else {
		unpin_user_pages_dirty_lock(pages->page, pages->nr,
					    map->access & SVA_DMA_MAP_WRITE);
		atomic_sub(pages->nr, &sva_stats.pinned);
	}
	map_uncharge(map);
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
 * Neighbours are joined even across the limits of a segment, since queue.c cuts to what the channel
 * takes. Not where the DMA API bounces: each of its buffers must be synced on its own. Returns
 * whether there is any to be synced.
 */
static int join_segments(struct sva_mapping *mapping, bool *needs_sync)
{
	struct sva_seg *seg = NULL;
	struct scatterlist *sg;
	unsigned int i;
	u64 begin = mapping->sgt.sgl->offset;
	bool needs;

	mapping->segs = kvmalloc_array(mapping->sgt.nents, sizeof(*mapping->segs), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!mapping->segs)
		return -ENOMEM;
	*needs_sync = false;
	for_each_sgtable_dma_sg(&mapping->sgt, sg, i) {
		needs = dma_need_sync(mapping->dev->dev, sg_dma_address(sg));
		*needs_sync |= needs;
		if (seg && seg->addr + seg->len == sg_dma_address(sg) && !needs) {
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
 * What is shared has to serve for both. A buffer with a handle is seldom written from end to end:
 * both directions, so that where it bounces, what the device does not write is still there
 * afterwards, and the CPU can write to the rest of it and hand that over.
 */
static enum dma_data_direction direction(const struct sva_map *map, bool share)
{
	if (!(map->access & SVA_DMA_MAP_WRITE))
		return DMA_TO_DEVICE;
	return share || map->longterm ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE;
}

static u32 shared_key(const struct sva_pages *pages)
{
	return hash_ptr(pages->page[0], 32) ^ (u32)pages->nr;
}

/*
 * The device's mapping of a buffer's pages, with one more reference, or NULL. One that is writable
 * can be read, too.
 */
static struct sva_mapping *shared_find(struct sva_dev *dev, const struct sva_map *map)
{
	bool write = map->access & SVA_DMA_MAP_WRITE;
	const struct sva_pages *pages = map->pages;
	struct sva_mapping *mapping;

	hash_for_each_possible(dev->shared, mapping, by_pages, shared_key(pages)) {
		if (mapping->pages->nr == pages->nr && (mapping->writable || !write) &&
		    !memcmp(mapping->pages->page, pages->page,
			    pages->nr * sizeof(pages->page[0]))) {
			mapping->refs++;
			return mapping;
		}
	}
	return NULL;
}

/*
 * Maps for the device. Called with sva_dev::lock held. -EAGAIN: not to be shared, since it would
 * need sync calls.
 */
static int mapping_start(struct sva_mapping *mapping, bool share)
{
	struct sva_dev *dev = mapping->dev;
	bool needs_sync;
	int ret;

	ret = dev->dead ? -ENODEV :
			  dma_map_sgtable(dev->dev, &mapping->sgt, mapping->dir, mapping->attrs);
	if (ret)
		return ret;
	mapping->live = true;
	list_add(&mapping->of_dev, &dev->mappings);
	atomic_inc(&sva_stats.mapped);
	ret = join_segments(mapping, &needs_sync);
	if (!ret && share && needs_sync) {
		dev->bounces = true;
		ret = -EAGAIN;
	}
	if (ret)
		mapping_end(mapping);
	else if (share)
		hash_add(dev->shared, &mapping->by_pages, shared_key(mapping->pages));
	return ret;
}

/* The table of what is to be mapped: whole pages, if they are shared. */
static int mapping_table(struct sva_mapping *mapping, const struct sva_map *map, bool share)
{
	struct device *device = mapping->dev->dev;
	size_t max = min_t(size_t, dma_get_max_seg_size(device), dma_max_mapping_size(device));
	unsigned int offset = share ? 0 : offset_in_page(map->addr);
	u64 len = share ? (u64)map->pages->nr << PAGE_SHIFT : map->len;

	max = min_t(size_t, max, UINT_MAX) & PAGE_MASK;
	if (!max)
		return -EOPNOTSUPP;
	mapping->dir = direction(map, share);
	mapping->attrs = share ? DMA_ATTR_SKIP_CPU_SYNC : 0;
	return sg_alloc_table_from_pages_segment(&mapping->sgt, map->pages->page, map->pages->nr,
						 offset, len, max,
						 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

static struct sva_mapping *mapping_create(struct sva_map *map, struct sva_dev *dev, bool share)
{
	struct sva_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT), *other = NULL;
	int ret;

	if (!mapping)
		return ERR_PTR(-ENOMEM);
	sva_dev_get(dev);
	mapping->dev = dev;
	mapping->refs = 1;
	kref_get(&map->pages->ref);
	mapping->pages = map->pages;
	mapping->writable = map->access & SVA_DMA_MAP_WRITE;
	ret = mapping_table(mapping, map, share);
	if (!ret) {
		mutex_lock(&dev->lock);
		/* Another thread may have been faster. */
		other = share ? shared_find(dev, map) : NULL;
		if (!other)
			ret = mapping_start(mapping, share);
		mutex_unlock(&dev->lock);
	}
	if (!ret && !other)
		return mapping;
	mapping_free(mapping);
	return ret ? ERR_PTR(ret) : other;
}

static struct sva_mapping *mapping_get(struct sva_map *map, struct sva_dev *dev)
{
	struct sva_mapping *mapping = NULL;
	bool share;

	mutex_lock(&dev->lock);
	share = !dev->bounces && dev_is_dma_coherent(dev->dev);
	if (share)
		mapping = shared_find(dev, map);
	mutex_unlock(&dev->lock);
	if (share && !mapping)
		mapping = mapping_create(map, dev, true);
	if (!share || mapping == ERR_PTR(-EAGAIN))
		mapping = mapping_create(map, dev, false);
	return mapping;
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
	struct sva_view *view;

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
	mapping = mapping_get(map, dev);
	if (!IS_ERR(mapping) && map->coherent && mapping_needs_sync(mapping)) {
		/* The owner makes no sync calls, so a device that would need them is not for this buffer. */
		mapping_put(mapping);
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

/* What is answered here is a promise for all devices to come. */
bool sva_map_needs_sync(struct sva_map *map)
{
	struct sva_view *view;
	bool needs = false;

	mutex_lock(&map->lock);
	list_for_each_entry(view, &map->views, of_map)
		needs |= mapping_needs_sync(view->mapping);
	map->coherent = !needs;
	mutex_unlock(&map->lock);
	return needs;
}

/* @offset: from the beginning of the first page */
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
	struct sva_view *view;

	mutex_lock(&map->lock);
	list_for_each_entry(view, &map->views, of_map) {
		mapping = view->mapping;
		mutex_lock(&mapping->dev->lock);
		mapping_sync(mapping, offset_in_page(map->addr) + offset, len, flags);
		mutex_unlock(&mapping->dev->lock);
	}
	mutex_unlock(&map->lock);
}
