/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mapping.c: devices, and pages that are mapped for them. Calls pages.c.
 */
#ifndef SVA_KMOD_MAPPING_H
#define SVA_KMOD_MAPPING_H

#include <linux/dma-direction.h>
#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include "pages.h"

#define SVAD_SHARED_BITS	8	/* of the hash table of a device's mappings */

/**
 * struct svad_dev - a device with channels
 * @ref: one for each channel and mapping, one for the list
 * @link: in the list of devices
 * @dev: the device, for the DMA API
 * @unbinding: its driver is being unbound: take no channel of it (svad_engine_lock)
 * @channels: how many channels of it are not finished (svad_engine_lock)
 * @lock: protects the rest
 * @dead: nothing may be mapped for it any more
 * @bounces: a mapping needed sync calls: mappings are not shared
 * @mappings: all mappings for it
 * @shared: those of them that buffers with the same pages share, by their pages
 */
struct svad_dev {
	struct kref ref;
	struct list_head link;
	struct device *dev;
	bool unbinding;
	unsigned int channels;
	struct mutex lock;
	bool dead;
	bool bounces;
	struct list_head mappings;
	DECLARE_HASHTABLE(shared, SVAD_SHARED_BITS);
};

/**
 * struct svad_seg - a piece of a mapping that is contiguous for the device
 * @addr: where it begins for the device
 * @begin: where it begins, from the beginning of the first page
 * @len: its length
 */
struct svad_seg {
	dma_addr_t addr;
	u64 begin;
	u64 len;
};

/**
 * struct svad_mapping - pages as one device sees them
 * @of_dev: in the list of the device
 * @by_pages: in the hash table of the device, if buffers with the same pages may share it
 * @refs: how many buffers use it (svad_dev::lock)
 * @dev: the device
 * @pages: its pages
 * @writable: the device may write to them
 * @sgt: the table that was given to the DMA API
 * @dir: the direction that was given with it
 * @attrs: the attributes that were given with it
 * @segs: the addresses that the DMA API returned, with neighbours joined
 * @nr_segs: how many
 * @live: mapped; cleared when the device goes away first (svad_dev::lock)
 */
struct svad_mapping {
	struct list_head of_dev;
	struct hlist_node by_pages;
	unsigned int refs;
	struct svad_dev *dev;
	struct svad_pages *pages;
	bool writable;
	struct sg_table sgt;
	enum dma_data_direction dir;
	unsigned long attrs;
	struct svad_seg *segs;
	unsigned int nr_segs;
	bool live;
};

struct svad_dev *svad_dev_create(struct device *device);
void svad_dev_get(struct svad_dev *dev);
void svad_dev_put(struct svad_dev *dev);
void svad_dev_unmap_all(struct svad_dev *dev);

struct svad_mapping *svad_mapping_get(const struct svad_range *range, struct svad_dev *dev);
void svad_mapping_put(struct svad_mapping *mapping);
bool svad_mapping_needs_sync(struct svad_mapping *mapping);
void svad_mapping_sync(struct svad_mapping *mapping, u64 offset, u64 len, u32 flags);

#endif /* SVA_KMOD_MAPPING_H */
