/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring.c: the completion ring of an open file. Calls no other file of the module.
 */
#ifndef SVA_KMOD_RING_H
#define SVA_KMOD_RING_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <uapi/sva_dma.h>

#define SVAD_RING_ENTRIES	4096U

struct page;
struct vm_area_struct;

/**
 * struct svad_ring - a completion ring
 * @shared: the part that the program sees
 * @pages: its pages
 * @nr_pages: how many
 * @lock: protects the rest
 * @tail: how many completions were written
 * @reserved: how many were written or promised
 * @wait: threads that wait for completions
 */
struct svad_ring {
	struct sva_dma_ring *shared;
	struct page **pages;
	unsigned int nr_pages;
	spinlock_t lock;
	u32 tail;
	u32 reserved;
	wait_queue_head_t wait;
};

unsigned int svad_ring_bytes(void);
struct svad_ring *svad_ring_create(void);
void svad_ring_free(struct svad_ring *ring);
int svad_ring_map(struct svad_ring *ring, struct vm_area_struct *vma);
int svad_ring_reserve(struct svad_ring *ring);
void svad_ring_unreserve(struct svad_ring *ring);
void svad_ring_post(struct svad_ring *ring, u64 user_data, s32 result, u32 channel);
u32 svad_ring_available(struct svad_ring *ring, u32 *promised);

#endif /* SVA_KMOD_RING_H */
