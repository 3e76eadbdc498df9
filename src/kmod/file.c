// SPDX-License-Identifier: GPL-2.0
/*
 * The device file: opening, closing, mapping the ring, and the calls, whose arguments all go the same way.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "compat.h"
#include "internal.h"

#define CLOSE_PATIENCE	(2 * HZ)

static void client_free_work(struct work_struct *work)
{
	struct sva_client *client = container_of(work, struct sva_client, release);

	bool abandoned = client->abandoned;

	sva_owner_put(client->owner);
	free_uid(client->user);
	mmdrop(client->mm);
	sva_ring_free(client->ring);
	kvfree(client);
	sva_users_idle();
	/* The module may go after this; what comes after it is waited for with the workqueue. */
	atomic_dec(&sva_stats.clients);
	if (abandoned)
		module_put(THIS_MODULE);
}

static void client_free(struct kref *ref)
{
	queue_work(sva_wq, &container_of(ref, struct sva_client, ref)->release);
}

/* Any context: the last reference can be that of a request which ends in an interrupt. */
void sva_client_put(struct sva_client *client)
{
	kref_put(&client->ref, client_free);
}

static int sva_open(struct inode *inode, struct file *file)
{
	struct sva_client *client;
	int ret;

	if (!current->mm)
		return -EINVAL;
	client = kvzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	if (!client)
		return -ENOMEM;
	client->owner = sva_owner_get(current_user(), current->mm);
	if (!client->owner) {
		kvfree(client);
		return -ENOMEM;
	}
	ret = sva_users_get();
	if (ret) {
		sva_owner_put(client->owner);
		kvfree(client);
		return ret;
	}
	kref_init(&client->ref);
	mmgrab(current->mm);
	client->mm = current->mm;
	client->user = get_uid(current_user());
	client->counted = !capable(CAP_IPC_LOCK);
	xa_init_flags(&client->maps, XA_FLAGS_ALLOC1);
	mutex_init(&client->ring_lock);
	init_waitqueue_head(&client->idle);
	INIT_WORK(&client->release, client_free_work);
	sva_turns_init(client->turns, client->owner->turns);
	atomic_inc(&sva_stats.clients);
	/* misc_open() left its device here. */
	file->private_data = client;
	return nonseekable_open(inode, file);
}

/* Whether each channel that has requests of the file has finished nothing for a while. */
static bool client_is_stuck(struct sva_client *client)
{
	struct sva_chan *chan;
	bool stuck = true;
	unsigned int i;

	for (i = 0; i < SVA_MAX_CHANNELS && stuck; i++) {
		chan = atomic_read(&client->given[i]) ? sva_chan_at(i) : NULL;
		if (!chan)
			continue;
		stuck = sva_chan_is_stuck(chan);
		sva_chan_put(chan);
	}
	return stuck;
}

/*
 * A program that closes a file may use the memory for something else at once, so closing waits for
 * the hardware: for CLOSE_PATIENCE at most, not where the hardware is known to have stopped, and
 * not once the thread is killed. When the address space is gone, as it is when a process has ended,
 * there is nothing to wait for: the pages stay pinned until the hardware is done with them.
 */
static void wait_for_hardware(struct sva_client *client)
{
	unsigned long until = jiffies + CLOSE_PATIENCE;

	while (atomic_read(&client->in_flight) && atomic_read(&client->mm->mm_users) &&
	       time_before(jiffies, until) && !client_is_stuck(client)) {
		if (wait_event_killable_timeout(client->idle, !atomic_read(&client->in_flight),
						HZ / 10) < 0)
			return;
	}
}

/* What is late is released by the request that still uses it; until then the module stays. */
static int sva_release(struct inode *inode, struct file *file)
{
	struct sva_client *client = file->private_data;
	struct sva_map *map;
	unsigned long handle;

	sva_queue_cancel(client);
	wait_for_hardware(client);
	xa_for_each(&client->maps, handle, map)
		sva_map_put(map, true);
	xa_destroy(&client->maps);
	if (atomic_read(&client->in_flight)) {
		client->abandoned = true;
		__module_get(THIS_MODULE);
	}
	sva_client_put(client);
	sva_users_put();
	return 0;
}

/* A handle's buffer, in use from now on, or NULL. */
struct sva_map *sva_client_map(struct sva_client *client, u32 handle)
{
	struct sva_map *map;

	xa_lock(&client->maps);
	map = xa_load(&client->maps, handle);
	if (map)
		sva_map_use(map);
	xa_unlock(&client->maps);
	return map;
}

static int call_info(struct sva_client *client, void *arg)
{
	struct sva_dma_info *info = arg;

	if (info->flags)
		return -EINVAL;
	*info = (struct sva_dma_info) {
		.size = info->size,
		.version = SVA_DMA_VERSION,
		.features = sva_uring_features(),
		.pasid = sva_mm_pasid(current->mm),
		.max_addr_len = SVA_MAX_ADDR_LEN,
		.max_map_len = SVA_MAX_MAP_LEN,
		.max_ops = SVA_MAX_OPS,
		.max_maps = SVA_MAX_MAPS,
		.max_in_flight = SVA_MAX_IN_FLIGHT,
		.ring_entries = SVA_RING_ENTRIES,
		.ring_bytes = sva_ring_bytes(),
	};
	if (info->pasid == (u32)-1)
		info->pasid = 0;
	else
		info->features |= SVA_DMA_FEATURE_PASID;
	sva_channels_tell(info);
	return 0;
}

static int call_channel(struct sva_client *client, void *arg)
{
	struct sva_dma_channel *args = arg;
	struct sva_chan *chan;

	if (args->flags)
		return -EINVAL;
	chan = sva_chan_at(args->index);
	if (!chan)
		return -ENOENT;
	args->node = chan->node;
	args->max_segment = chan->max_segment;
	args->in_flight = READ_ONCE(chan->in_flight);
	args->align = chan->align;
	memcpy(args->name, chan->name, sizeof(args->name));
	memcpy(args->device, chan->device, sizeof(args->device));
	memcpy(args->driver, chan->driver, sizeof(args->driver));
	sva_chan_put(chan);
	return 0;
}

static int call_copy(struct sva_client *client, void *arg)
{
	struct sva_dma_copy_args *args = arg;

	if (args->flags || sva_node_check(args->node))
		return -EINVAL;
	return sva_copy(client, args);
}

static int call_fill(struct sva_client *client, void *arg)
{
	struct sva_dma_fill_args *args = arg;

	if (args->flags || sva_node_check(args->node))
		return -EINVAL;
	return sva_fill(client, args);
}

static int call_map(struct sva_client *client, void *arg)
{
	struct sva_dma_map_args *args = arg;
	struct sva_mapping *mapping;
	struct sva_chan *chan;
	struct sva_map *map;
	u64 fault;
	int ret;

	args->handle = 0;
	args->segments = 0;
	args->state = 0;
	if (!args->flags || args->flags & ~SVA_DMA_MAP_FLAGS || !args->len || sva_node_check(args->node))
		return -EINVAL;
	if (args->len > SVA_MAX_MAP_LEN)
		return -EMSGSIZE;
	map = sva_map_create(client, args->addr, args->len, args->flags, true, &fault);
	if (IS_ERR(map))
		return PTR_ERR(map);
	chan = sva_chan_choose(args->node == SVA_DMA_NODE_ANY ? page_to_nid(map->pages->page[0]) :
								args->node,
			       NULL, NULL);
	ret = -ENODEV;
	if (!chan)
		goto fail;
	mapping = sva_map_for(map, chan->dev, false);
	sva_chan_put(chan);
	ret = PTR_ERR_OR_ZERO(mapping);
	if (ret)
		goto fail;
	args->segments = mapping->nr_segs;
	if (sva_map_needs_sync(map))
		args->state |= SVA_DMA_STATE_NEEDS_SYNC;
	ret = xa_alloc(&client->maps, &args->handle, map, XA_LIMIT(1, SVA_MAX_MAPS), GFP_KERNEL_ACCOUNT);
	if (!ret)
		return 0;
	if (ret == -EBUSY)
		ret = -ENOSPC;
fail:
	sva_map_put(map, true);
	return ret;
}

static int call_unmap(struct sva_client *client, void *arg)
{
	struct sva_dma_unmap_args *args = arg;
	struct sva_map *map;
	int ret;

	if (args->flags || args->reserved)
		return -EINVAL;
	map = xa_erase(&client->maps, args->handle);
	if (!map)
		return -EBADF;
	ret = wait_event_killable(map->unused, !atomic_read(&map->users));
	sva_map_put(map, true);
	return ret ? -EINTR : 0;
}

static int call_sync(struct sva_client *client, void *arg)
{
	struct sva_dma_sync_args *args = arg;
	struct sva_map *map;
	int ret = 0;

	if ((args->flags != SVA_DMA_SYNC_CPU && args->flags != SVA_DMA_SYNC_DEVICE) || args->reserved || !args->len)
		return -EINVAL;
	map = sva_client_map(client, args->handle);
	if (!map)
		return -EBADF;
	if (args->offset > map->len || args->len > map->len - args->offset)
		ret = -ERANGE;
	else
		sva_map_sync(map, args->offset, args->len, args->flags);
	sva_map_unuse(map, true);
	return ret;
}

static int call_submit(struct sva_client *client, void *arg)
{
	return sva_submit(client, arg);
}

/* There are enough completions, or there never will be. */
static bool wait_over(struct sva_ring *ring, struct sva_dma_wait_args *args, u32 *promised)
{
	args->available = sva_ring_available(ring, promised);
	return args->available >= args->min || args->available + *promised < args->min;
}

static int call_wait(struct sva_client *client, void *arg)
{
	struct sva_dma_wait_args *args = arg;
	struct sva_ring *ring = smp_load_acquire(&client->ring);	/* pairs with ring_get() */
	ktime_t timeout = args->timeout_ns < 0 ? KTIME_MAX : ns_to_ktime(args->timeout_ns);
	u32 promised;
	int ret = 0;

	if (args->flags || !args->min)
		return -EINVAL;
	args->available = 0;
	if (!ring)
		return -ENXIO;
	if (!wait_over(ring, args, &promised)) {
		ret = -ETIME;
		if (args->timeout_ns)
			ret = wait_event_interruptible_hrtimeout(ring->wait, wait_over(ring, args, &promised), timeout);
	}
	if (ret == -ERESTARTSYS)
		return -EINTR;
	if (ret)
		return ret;
	return args->available >= args->min ? 0 : -EDEADLK;
}

/**
 * struct call - how a call is made
 * @run: does it
 * @size: of its argument in this version
 * @first: of its argument in the first version
 */
struct call {
	int (*run)(struct sva_client *client, void *arg);
	size_t size;
	size_t first;
};

static const struct call calls[] = {
	[_IOC_NR(SVA_DMA_INFO)] = { call_info, sizeof(struct sva_dma_info), 80 },
	[_IOC_NR(SVA_DMA_CHANNEL)] = { call_channel, sizeof(struct sva_dma_channel), 128 },
	[_IOC_NR(SVA_DMA_COPY)] = { call_copy, sizeof(struct sva_dma_copy_args), 56 },
	[_IOC_NR(SVA_DMA_FILL)] = { call_fill, sizeof(struct sva_dma_fill_args), 56 },
	[_IOC_NR(SVA_DMA_MAP)] = { call_map, sizeof(struct sva_dma_map_args), 40 },
	[_IOC_NR(SVA_DMA_UNMAP)] = { call_unmap, sizeof(struct sva_dma_unmap_args), 16 },
	[_IOC_NR(SVA_DMA_SYNC)] = { call_sync, sizeof(struct sva_dma_sync_args), 32 },
	[_IOC_NR(SVA_DMA_SUBMIT)] = { call_submit, sizeof(struct sva_dma_submit_args), 32 },
	[_IOC_NR(SVA_DMA_WAIT)] = { call_wait, sizeof(struct sva_dma_wait_args), 24 },
};

union sva_args {
	__u32 size;
	struct sva_dma_info info;
	struct sva_dma_channel channel;
	struct sva_dma_copy_args copy;
	struct sva_dma_fill_args fill;
	struct sva_dma_map_args map;
	struct sva_dma_unmap_args unmap;
	struct sva_dma_sync_args sync;
	struct sva_dma_submit_args submit;
	struct sva_dma_wait_args wait;
};

static int argument_read(const struct call *call, void __user *from, union sva_args *args)
{
	u32 size;

	if (get_user(size, (u32 __user *)from))
		return -EFAULT;
	if (size < call->first)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	memset(args, 0, sizeof(*args));
	return copy_struct_from_user(args, call->size, from, size);
}

static long sva_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct sva_client *client = file->private_data;
	void __user *user = (void __user *)arg;
	const struct call *call;
	union sva_args args;
	struct sva_map *map;
	u32 size;
	int ret;

	if (_IOC_TYPE(cmd) != SVA_DMA_IOC || _IOC_NR(cmd) >= ARRAY_SIZE(calls) || cmd != _IO(SVA_DMA_IOC, _IOC_NR(cmd)))
		return -ENOTTY;
	if (client->mm != current->mm)
		return -EPERM;
	call = &calls[_IOC_NR(cmd)];
	ret = argument_read(call, user, &args);
	if (ret)
		return ret;
	/* It was read twice: the program may have changed it in between, and the second reading is what was checked. */
	size = min_t(size_t, args.size, call->size);
	if (args.size < call->first)
		return -EINVAL;
	ret = call->run(client, &args);
	if (ret == -EINVAL || !copy_to_user(user, &args, size))
		return ret;
	/* Nobody will ever know the handle; unless somebody guessed it, and has taken it away already. */
	map = cmd == SVA_DMA_MAP && !ret ? xa_erase(&client->maps, args.map.handle) : NULL;
	if (map)
		sva_map_put(map, true);
	return -EFAULT;
}

/* Made once, and kept as long as the file. */
static struct sva_ring *ring_get(struct sva_client *client)
{
	struct sva_ring *ring;

	mutex_lock(&client->ring_lock);
	ring = client->ring;
	if (!ring) {
		ring = sva_ring_create();
		smp_store_release(&client->ring, ring);	/* others read it without the lock */
	}
	mutex_unlock(&client->ring_lock);
	return ring;
}

static int sva_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct sva_client *client = file->private_data;
	struct sva_ring *ring;

	if (client->mm != current->mm)
		return -EPERM;
	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != sva_ring_bytes() || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	ring = ring_get(client);
	return ring ? sva_ring_map(ring, vma) : -ENOMEM;
}

static __poll_t sva_poll(struct file *file, struct poll_table_struct *table)
{
	struct sva_client *client = file->private_data;
	struct sva_ring *ring = smp_load_acquire(&client->ring);	/* pairs with ring_get() */
	u32 promised;

	if (!ring || client->mm != current->mm)
		return EPOLLERR;
	poll_wait(file, &ring->wait, table);
	return sva_ring_available(ring, &promised) ? EPOLLIN | EPOLLRDNORM : 0;
}

const struct file_operations sva_fops = {
	.owner = THIS_MODULE,
	.open = sva_open,
	.release = sva_release,
	.unlocked_ioctl = sva_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = sva_mmap,
	.poll = sva_poll,
	.uring_cmd = sva_uring_cmd,
	.uring_cmd_iopoll = sva_uring_iopoll,
};
