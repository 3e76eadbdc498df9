// SPDX-License-Identifier: GPL-2.0
/*
 * Devices, and pages that are mapped for them.
 *
 * A mapping ends with its last buffer or with the device, whichever ends first.
 *
 * A device maps the same pages once, however many buffers have them: mappings are of whole pages
 * and are shared. Only buffers with exactly the same pages share one, since each pins and counts
 * the pages that its mapping needs. Ranges that overlap in part get mappings of their own. The DMA
 * API allows that where there is nothing to sync; DMA_ATTR_SKIP_CPU_SYNC declares it to the API's
 * debug code (CONFIG_DMA_API_DEBUG). That code also counts mappings that begin in the same cache
 * line, of all devices together, and warns of more than seven. Operations that do not write to the
 * same bytes stay below that: a page then belongs to three different ranges at most.
 *
 * Where the device needs sync calls (it bounces, or is not coherent), each buffer has a mapping of
 * its own, of exactly its bytes: a sync must overwrite neither what the CPU wrote beside the
 * buffer nor what the device wrote for another handle.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <uapi/sva_dma.h>
#include "base.h"
#include "mapping.h"

/* ---- devices ---- */

struct svad_dev *svad_dev_create(struct device *device)
{
	struct svad_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return NULL;
	kref_init(&dev->ref);
	dev->dev = get_device(device);
	mutex_init(&dev->lock);
	INIT_LIST_HEAD(&dev->mappings);
	hash_init(dev->shared);
	return dev;
}

static void dev_free(struct kref *ref)
{
	struct svad_dev *dev = container_of(ref, struct svad_dev, ref);

	put_device(dev->dev);
	kfree(dev);
}

void svad_dev_get(struct svad_dev *dev)
{
	kref_get(&dev->ref);
}

void svad_dev_put(struct svad_dev *dev)
{
	kref_put(&dev->ref, dev_free);
}

/* ---- mappings ---- */

static void mapping_end(struct svad_mapping *mapping)
{
	lockdep_assert_held(&mapping->dev->lock);
	if (!mapping->live)
		return;
	mapping->live = false;
	list_del(&mapping->of_dev);
	hash_del(&mapping->by_pages);
	dma_unmap_sgtable(mapping->dev->dev, &mapping->sgt, mapping->dir, mapping->attrs);
	atomic_dec(&svad_stats.mapped);
}

/* The device is about to go: ends its mappings, and refuses new ones. */
void svad_dev_unmap_all(struct svad_dev *dev)
{
	struct svad_mapping *mapping, *next;

	mutex_lock(&dev->lock);
	dev->dead = true;
	list_for_each_entry_safe(mapping, next, &dev->mappings, of_dev)
		mapping_end(mapping);
	mutex_unlock(&dev->lock);
}

static void mapping_free(struct svad_mapping *mapping)
{
	svad_dev_put(mapping->dev);
	sg_free_table(&mapping->sgt);
	kvfree(mapping->segs);
	svad_pages_put(mapping->pages);
	kfree(mapping);
}

void svad_mapping_put(struct svad_mapping *mapping)
{
	struct svad_dev *dev = mapping->dev;
	bool last;

	mutex_lock(&dev->lock);
	last = !--mapping->refs;
	if (last)
		mapping_end(mapping);
	mutex_unlock(&dev->lock);
	if (last)
		mapping_free(mapping);
}

/*
 * Neighbours are joined even across the limits of a segment, since queue.c cuts descriptors to the
 * limits of the channel. They are not joined where the DMA API bounces: each bounce buffer must be
 * synced on its own. @needs_sync is set if there is one.
 */
static int join_segments(struct svad_mapping *mapping, bool *needs_sync)
{
	struct device *device = mapping->dev->dev;
	struct svad_seg *seg = NULL;
	struct scatterlist *sg;
	unsigned int i;
	u64 begin = mapping->sgt.sgl->offset;
	bool needs;

	mapping->segs = kvmalloc_array(mapping->sgt.nents, sizeof(*mapping->segs),
				       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!mapping->segs)
		return -ENOMEM;
	*needs_sync = false;
	for_each_sgtable_dma_sg(&mapping->sgt, sg, i) {
		needs = dma_need_sync(device, sg_dma_address(sg));
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
 * A shared mapping serves buffers for reading and for writing. A buffer with a handle is seldom
 * written from end to end, so it is mapped in both directions: where it bounces, the bytes that the
 * device does not write keep their values, and the CPU can write to them and sync them.
 */
static enum dma_data_direction direction_of(const struct svad_range *range, bool share)
{
	if (!(range->access & SVA_DMA_MAP_WRITE))
		return DMA_TO_DEVICE;
	return share || range->longterm ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE;
}

static u32 shared_key(const struct svad_pages *pages)
{
	return hash_ptr(pages->page[0], 32) ^ (u32)pages->nr;
}

/*
 * The device's shared mapping of a buffer's pages, with one more reference, or NULL. A writable
 * mapping serves for reading as well.
 */
static struct svad_mapping *shared_find(struct svad_dev *dev, const struct svad_range *range)
{
	bool write = range->access & SVA_DMA_MAP_WRITE;
	const struct svad_pages *pages = range->pages;
	struct svad_mapping *mapping;

	lockdep_assert_held(&dev->lock);
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

/* Maps for the device. Returns -EAGAIN if it cannot be shared because it needs sync calls. */
static int mapping_start(struct svad_mapping *mapping, bool share)
{
	struct svad_dev *dev = mapping->dev;
	bool needs_sync;
	int ret;

	lockdep_assert_held(&dev->lock);
	if (dev->dead)
		return -ENODEV;
	ret = dma_map_sgtable(dev->dev, &mapping->sgt, mapping->dir, mapping->attrs);
	if (ret)
		return ret;
	mapping->live = true;
	list_add(&mapping->of_dev, &dev->mappings);
	atomic_inc(&svad_stats.mapped);
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

/* Fills the table for the DMA API: the range, or for a shared mapping the whole of its pages. */
static int mapping_fill_table(struct svad_mapping *mapping, const struct svad_range *range,
			      bool share)
{
	struct device *device = mapping->dev->dev;
	size_t max = min_t(size_t, dma_get_max_seg_size(device), dma_max_mapping_size(device));
	unsigned int offset = share ? 0 : offset_in_page(range->addr);
	u64 len = share ? (u64)range->pages->nr << PAGE_SHIFT : range->len;

	max = min_t(size_t, max, UINT_MAX) & PAGE_MASK;
	if (!max)
		return -EOPNOTSUPP;
	mapping->dir = direction_of(range, share);
	mapping->attrs = share ? DMA_ATTR_SKIP_CPU_SYNC : 0;
	return sg_alloc_table_from_pages_segment(&mapping->sgt, range->pages->page,
						 range->pages->nr, offset, len, max,
						 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

static struct svad_mapping *mapping_create(const struct svad_range *range, struct svad_dev *dev,
					   bool share)
{
	struct svad_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT), *other = NULL;
	int ret;

	if (!mapping)
		return ERR_PTR(-ENOMEM);
	svad_dev_get(dev);
	mapping->dev = dev;
	mapping->refs = 1;
	kref_get(&range->pages->ref);
	mapping->pages = range->pages;
	mapping->writable = range->access & SVA_DMA_MAP_WRITE;
	ret = mapping_fill_table(mapping, range, share);
	if (!ret) {
		mutex_lock(&dev->lock);
		/* Another thread may have made one since. */
		other = share ? shared_find(dev, range) : NULL;
		if (!other)
			ret = mapping_start(mapping, share);
		mutex_unlock(&dev->lock);
	}
	if (!ret && !other)
		return mapping;
	mapping_free(mapping);
	return ret ? ERR_PTR(ret) : other;
}

/**
 * svad_mapping_get - the pages of a buffer as a device sees them
 * @range: the buffer
 * @dev: the device
 *
 * Return: a mapping, shared or not, with a reference for the caller; or an error pointer
 */
struct svad_mapping *svad_mapping_get(const struct svad_range *range, struct svad_dev *dev)
{
	struct svad_mapping *mapping = NULL;
	bool share;

	mutex_lock(&dev->lock);
	share = !dev->bounces && dev_is_dma_coherent(dev->dev);
	if (share)
		mapping = shared_find(dev, range);
	mutex_unlock(&dev->lock);
	if (share && !mapping)
		mapping = mapping_create(range, dev, true);
	if (!share || mapping == ERR_PTR(-EAGAIN))
		mapping = mapping_create(range, dev, false);
	return mapping;
}

bool svad_mapping_needs_sync(struct svad_mapping *mapping)
{
	bool needs = false;
	unsigned int i;

	mutex_lock(&mapping->dev->lock);
	for (i = 0; i < mapping->nr_segs && mapping->live && !needs; i++)
		needs = dma_need_sync(mapping->dev->dev, mapping->segs[i].addr);
	mutex_unlock(&mapping->dev->lock);
	return needs;
}

/* One call for a part of a segment. */
static void seg_sync(struct svad_mapping *mapping, const struct svad_seg *seg, u64 from, u64 to,
		     u32 flags)
{
	struct device *device = mapping->dev->dev;

	if (flags & SVA_DMA_SYNC_CPU)
		dma_sync_single_range_for_cpu(device, seg->addr, from - seg->begin, to - from,
					      mapping->dir);
	else
		dma_sync_single_range_for_device(device, seg->addr, from - seg->begin, to - from,
						 mapping->dir);
}

/**
 * svad_mapping_sync - sync a part of a buffer for the CPU or for the device
 * @mapping: the mapping
 * @offset: where the part begins, from the beginning of the first page
 * @len: its length
 * @flags: SVA_DMA_SYNC_CPU or SVA_DMA_SYNC_DEVICE
 *
 * Only that part: where a mapping bounces, syncing all of it would undo what the CPU wrote in the
 * rest of the buffer.
 */
void svad_mapping_sync(struct svad_mapping *mapping, u64 offset, u64 len, u32 flags)
{
	struct svad_seg *seg;
	unsigned int i;
	u64 from, to;

	mutex_lock(&mapping->dev->lock);
	for (i = 0; i < mapping->nr_segs && mapping->live; i++) {
		seg = &mapping->segs[i];
		from = max(offset, seg->begin);
		to = min(offset + len, seg->begin + seg->len);
		if (from < to && dma_need_sync(mapping->dev->dev, seg->addr))
			seg_sync(mapping, seg, from, to, flags);
	}
	mutex_unlock(&mapping->dev->lock);
}
