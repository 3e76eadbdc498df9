/* SPDX-License-Identifier: GPL-2.0 */
/*
 * map.c: buffers, and the devices that they are mapped for. Calls mapping.c and pages.c.
 */
#ifndef SVA_KMOD_MAP_H
#define SVA_KMOD_MAP_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "mapping.h"
#include "pages.h"

#define SVAD_MAX_ADDR_LEN	(16UL << 20)
#define SVAD_MAX_MAP_LEN	(64ULL << 30)
#define SVAD_MAX_MAPS		4096U

/**
 * struct svad_view - that a buffer is mapped for a device
 * @of_map: in the list of the buffer
 * @mapping: the mapping
 */
struct svad_view {
	struct list_head of_map;
	struct svad_mapping *mapping;
};

/**
 * struct svad_map - pinned memory of a program, or memory of the driver that holds a pattern
 * @ref: one for the handle, one for each request
 * @users: requests that use it
 * @unused: woken when @users becomes 0
 * @range: its bytes
 * @account: the address space and the user that its pages are counted for
 * @pattern: its pages belong to the driver, and hold a pattern
 * @order: of their allocation then
 * @home: the device that it was mapped for last; only compared, never followed
 * @coherent: SVA_DMA_MAP reported to the program that it needs no sync calls
 * @release: frees it in process context
 * @lock: protects @views
 * @views: the devices that it is mapped for
 */
struct svad_map {
	struct kref ref;
	atomic_t users;
	wait_queue_head_t unused;
	struct svad_range range;
	struct svad_account account;
	bool pattern;
	unsigned int order;
	const struct svad_dev *home;
	bool coherent;
	struct work_struct release;
	struct mutex lock;
	struct list_head views;
};

struct svad_map *svad_map_create(const struct svad_account *account, u64 addr, u64 len, u32 access,
				 bool longterm, u64 *fault);
struct svad_map *svad_map_pattern(const struct svad_account *account, u64 pattern, u64 len);
struct svad_mapping *svad_map_for(struct svad_map *map, struct svad_dev *dev, bool nonblock);
int svad_map_node(const struct svad_map *map);
bool svad_map_needs_sync(struct svad_map *map);
void svad_map_sync(struct svad_map *map, u64 offset, u64 len, u32 flags);
void svad_map_use(struct svad_map *map);
void svad_map_unuse(struct svad_map *map, bool may_sleep);
void svad_map_put(struct svad_map *map, bool may_sleep);

#endif /* SVA_KMOD_MAP_H */
