// SPDX-License-Identifier: GPL-2.0
/*
 * The completion ring: written here, in interrupts too, and read by the program without a system call.
 *
 * Nothing that the program writes is trusted: the driver counts for itself, and the head of the program only decides
 * how many more operations it may have on their way.
 */
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "compat.h"
#include "internal.h"

unsigned int sva_ring_bytes(void)
{
	return PAGE_ALIGN(sizeof(struct sva_dma_ring) + SVA_RING_ENTRIES * sizeof(struct sva_dma_cqe));
}

void sva_ring_free(struct sva_ring *ring)
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

struct sva_ring *sva_ring_create(void)
{
	unsigned int pages = sva_ring_bytes() >> PAGE_SHIFT;
	struct sva_ring *ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);

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
	sva_ring_free(ring);
	return NULL;
}

/* A child must not take its parent's completions: it does not get the mapping. */
int sva_ring_map(struct sva_ring *ring, struct vm_area_struct *vma)
{
	sva_vma_set_flags(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	return vm_map_pages(vma, ring->pages, ring->nr_pages);
}

/* Room for one completion: the number of those promised and not yet taken never exceeds the ring. */
int sva_ring_reserve(struct sva_ring *ring)
{
	int ret = -EAGAIN;

	spin_lock_irq(&ring->lock);
	if (ring->reserved - READ_ONCE(ring->shared->head) < SVA_RING_ENTRIES) {
		ring->reserved++;
		ret = 0;
	}
	spin_unlock_irq(&ring->lock);
	return ret;
}

/* A thread that waits for this completion has to learn that it will not come. */
void sva_ring_unreserve(struct sva_ring *ring)
{
	spin_lock_irq(&ring->lock);
	ring->reserved--;
	spin_unlock_irq(&ring->lock);
	wake_up_all(&ring->wait);
}

void sva_ring_post(struct sva_ring *ring, u64 user_data, s32 result, u32 channel)
{
	struct sva_dma_cqe cqe = { .user_data = user_data, .result = result, .channel = channel };
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	ring->shared->cqe[ring->tail & (SVA_RING_ENTRIES - 1)] = cqe;
	/* Whoever sees the new tail sees the completion. */
	smp_store_release(&ring->shared->tail, ++ring->tail);
	spin_unlock_irqrestore(&ring->lock, flags);
	wake_up_poll(&ring->wait, EPOLLIN | EPOLLRDNORM);
}

/* How many completions the program has not taken yet, and how many are on their way. */
u32 sva_ring_available(struct sva_ring *ring, u32 *promised)
{
	u32 available;

	spin_lock_irq(&ring->lock);
	available = min(ring->tail - READ_ONCE(ring->shared->head), SVA_RING_ENTRIES);
	*promised = ring->reserved - ring->tail;
	spin_unlock_irq(&ring->lock);
	return available;
}
