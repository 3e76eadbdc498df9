// SPDX-License-Identifier: GPL-2.0
/*
 * The completion ring: written here, in interrupts as well, and read by the program without a
 * system call.
 *
 * The driver relies on nothing that the program writes: it keeps counters of its own, and the
 * program's head only limits how many more operations the driver accepts.
 */
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "compat.h"
#include "ring.h"

unsigned int svad_ring_bytes(void)
{
	return PAGE_ALIGN(sizeof(struct sva_dma_ring) +
			  SVAD_RING_ENTRIES * sizeof(struct sva_dma_cqe));
}

void svad_ring_free(struct svad_ring *ring)
{
	unsigned int i;

	if (!ring)
		return;
	if (ring->shared)
		vunmap(ring->shared);
	for (i = 0; i < ring->nr_pages; i++)
		__free_page(ring->pages[i]);
	kfree(ring->pages);
	kfree(ring);
}

struct svad_ring *svad_ring_create(void)
{
	unsigned int pages = svad_ring_bytes() >> PAGE_SHIFT;
	struct svad_ring *ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);

	if (!ring)
		return NULL;
	spin_lock_init(&ring->lock);
	init_waitqueue_head(&ring->wait);
	ring->pages = kcalloc(pages, sizeof(*ring->pages), GFP_KERNEL_ACCOUNT);
	if (!ring->pages)
		goto fail;
	for (; ring->nr_pages < pages; ring->nr_pages++) {
		ring->pages[ring->nr_pages] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!ring->pages[ring->nr_pages])
			goto fail;
	}
	ring->shared = vmap(ring->pages, pages, VM_MAP, PAGE_KERNEL);
	if (ring->shared)
		return ring;
fail:
	svad_ring_free(ring);
	return NULL;
}

/* VM_DONTCOPY: a forked child does not get the mapping, so it cannot take completions. */
int svad_ring_map(struct svad_ring *ring, struct vm_area_struct *vma)
{
	svad_vma_set_flags(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	return vm_map_pages(vma, ring->pages, ring->nr_pages);
}

/*
 * Promises room for one completion. The completions that were promised or written, and that the
 * program has not taken yet, never exceed the ring.
 */
int svad_ring_reserve(struct svad_ring *ring)
{
	int ret = -EAGAIN;

	spin_lock_irq(&ring->lock);
	if (ring->reserved - READ_ONCE(ring->shared->head) < SVAD_RING_ENTRIES) {
		ring->reserved++;
		ret = 0;
	}
	spin_unlock_irq(&ring->lock);
	return ret;
}

/* Wakes the waiters: a thread may be waiting for the completion that will not come now. */
void svad_ring_unreserve(struct svad_ring *ring)
{
	spin_lock_irq(&ring->lock);
	ring->reserved--;
	spin_unlock_irq(&ring->lock);
	wake_up_all(&ring->wait);
}

void svad_ring_post(struct svad_ring *ring, u64 user_data, s32 result, u32 channel)
{
	struct sva_dma_cqe cqe = { .user_data = user_data, .result = result, .channel = channel };
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	ring->shared->cqe[ring->tail & (SVAD_RING_ENTRIES - 1)] = cqe;
	/* A program that reads the new tail reads the completion as well. */
	smp_store_release(&ring->shared->tail, ++ring->tail);
	spin_unlock_irqrestore(&ring->lock, flags);
	wake_up_poll(&ring->wait, EPOLLIN | EPOLLRDNORM);
}

/* How many completions the program can take, and how many more were promised. */
u32 svad_ring_available(struct svad_ring *ring, u32 *promised)
{
	u32 available;

	spin_lock_irq(&ring->lock);
	available = min(ring->tail - READ_ONCE(ring->shared->head), SVAD_RING_ENTRIES);
	*promised = ring->reserved - ring->tail;
	spin_unlock_irq(&ring->lock);
	return available;
}
