// SPDX-License-Identifier: GPL-2.0
/*
 * The device file: opening, closing, mapping the ring, and the ioctls, whose arguments are all read
 * and written in the same way.
 */
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include "base.h"
#include "call.h"
#include "channel.h"
#include "client.h"
#include "compat.h"
#include "file.h"
#include "op.h"
#include "queue.h"
#include "table.h"
#include "uring.h"
#include "users.h"

#define CLOSE_PATIENCE	(2 * HZ)

static int file_open(struct inode *inode, struct file *file)
{
	struct svad_client *client;
	int ret;

	if (!current->mm)
		return -EINVAL;
	ret = svad_users_get(svad_chans_taken());
	if (ret)
		return ret;
	client = svad_client_create();
	if (!client) {
		svad_users_put();
		return -ENOMEM;
	}
	/* misc_open() left its device here. */
	file->private_data = client;
	return nonseekable_open(inode, file);
}

/* Whether each channel that has requests of the file is stuck. */
static bool client_is_stuck(struct svad_client *client)
{
	struct svad_chan *chan;
	bool stuck = true;
	unsigned int i;

	for (i = 0; i < SVAD_MAX_CHANNELS && stuck; i++) {
		chan = atomic_read(&client->given[i]) ? svad_chan_at(i) : NULL;
		if (!chan)
			continue;
		stuck = svad_chan_is_stuck(chan);
		svad_chan_put(chan);
	}
	return stuck;
}

/*
 * A program that closes a file may use the memory for something else at once, so closing waits for
 * the hardware: for CLOSE_PATIENCE at most, not where the hardware is known to have stopped, and
 * not after the thread was killed. When a process has ended its address space is gone, and there is
 * nothing to wait for: the pages stay pinned until the hardware is done with them.
 */
static void wait_for_hardware(struct svad_client *client)
{
	unsigned long until = jiffies + CLOSE_PATIENCE;

	while (atomic_read(&client->in_flight) && atomic_read(&client->account.mm->mm_users) &&
	       time_before(jiffies, until) && !client_is_stuck(client)) {
		if (wait_event_killable_timeout(client->idle, !atomic_read(&client->in_flight),
						HZ / 10) < 0)
			return;
	}
}

/* Memory that is still in use is released by the last request that uses it; it keeps the module. */
static int file_release(struct inode *inode, struct file *file)
{
	struct svad_client *client = file->private_data;
	struct svad_map *map;
	unsigned long handle;

	svad_queue_cancel(client);
	wait_for_hardware(client);
	xa_for_each(&client->maps, handle, map)
		svad_map_put(map, true);
	xa_destroy(&client->maps);
	if (atomic_read(&client->in_flight)) {
		client->abandoned = true;
		__module_get(THIS_MODULE);
	}
	svad_client_put(client);
	svad_users_put();
	return 0;
}

static int call_info(struct svad_client *client, void *arg)
{
	struct sva_dma_info *info = arg;

	if (info->flags)
		return -EINVAL;
	*info = (struct sva_dma_info) {
		.size = info->size,
		.version = SVA_DMA_VERSION,
		.features = svad_uring_features(),
		.pasid = svad_mm_pasid(current->mm),
		.max_addr_len = SVAD_MAX_ADDR_LEN,
		.max_map_len = SVAD_MAX_MAP_LEN,
		.max_ops = SVAD_MAX_OPS,
		.max_maps = SVAD_MAX_MAPS,
		.max_in_flight = SVAD_MAX_IN_FLIGHT,
		.ring_entries = SVAD_RING_ENTRIES,
		.ring_bytes = svad_ring_bytes(),
	};
	if (info->pasid == (u32)-1)
		info->pasid = 0;
	else
		info->features |= SVA_DMA_FEATURE_PASID;
	svad_table_describe(info);
	return 0;
}

static int call_channel(struct svad_client *client, void *arg)
{
	struct sva_dma_channel *args = arg;
	struct svad_chan *chan;

	if (args->flags)
		return -EINVAL;
	chan = svad_chan_at(args->index);
	if (!chan)
		return -ENOENT;
	args->node = chan->node;
	args->max_segment = chan->max_segment;
	args->in_flight = READ_ONCE(chan->in_flight);
	args->align = chan->align;
	memcpy(args->name, chan->name, sizeof(args->name));
	memcpy(args->device, chan->device, sizeof(args->device));
	memcpy(args->driver, chan->driver, sizeof(args->driver));
	svad_chan_put(chan);
	return 0;
}

static int call_copy(struct svad_client *client, void *arg)
{
	struct sva_dma_copy_args *args = arg;

	if (args->flags || svad_node_check(args->node))
		return -EINVAL;
	return svad_call_copy(client, args);
}

static int call_fill(struct svad_client *client, void *arg)
{
	struct sva_dma_fill_args *args = arg;

	if (args->flags || svad_node_check(args->node))
		return -EINVAL;
	return svad_call_fill(client, args);
}

/* Maps a new buffer for a device near to @node, and gives it a handle. */
static int map_for_handle(struct svad_client *client, struct svad_map *map,
			  struct sva_dma_map_args *args)
{
	int node = args->node == SVA_DMA_NODE_ANY ? svad_map_node(map) : args->node;
	struct svad_chan *chan = svad_chan_choose(node, NULL, NULL);
	struct svad_mapping *mapping;
	int ret;

	if (!chan)
		return -ENODEV;
	mapping = svad_map_for(map, chan->dev, false);
	svad_chan_put(chan);
	if (IS_ERR(mapping))
		return PTR_ERR(mapping);
	args->segments = mapping->nr_segs;
	if (svad_map_needs_sync(map))
		args->state |= SVA_DMA_STATE_NEEDS_SYNC;
	ret = xa_alloc(&client->maps, &args->handle, map, XA_LIMIT(1, SVAD_MAX_MAPS),
		       GFP_KERNEL_ACCOUNT);
	return ret == -EBUSY ? -ENOSPC : ret;
}

static int call_map(struct svad_client *client, void *arg)
{
	struct sva_dma_map_args *args = arg;
	struct svad_map *map;
	u64 fault;
	int ret;

	args->handle = 0;
	args->segments = 0;
	args->state = 0;
	if (!args->flags || args->flags & ~SVA_DMA_MAP_FLAGS || !args->len ||
	    svad_node_check(args->node))
		return -EINVAL;
	if (args->len > SVAD_MAX_MAP_LEN)
		return -EMSGSIZE;
	map = svad_map_create(&client->account, args->addr, args->len, args->flags, true, &fault);
	if (IS_ERR(map))
		return PTR_ERR(map);
	ret = map_for_handle(client, map, args);
	if (ret)
		svad_map_put(map, true);
	return ret;
}

static int call_unmap(struct svad_client *client, void *arg)
{
	struct sva_dma_unmap_args *args = arg;
	struct svad_map *map;
	int ret;

	if (args->flags || args->reserved)
		return -EINVAL;
	map = xa_erase(&client->maps, args->handle);
	if (!map)
		return -EBADF;
	ret = wait_event_killable(map->unused, !atomic_read(&map->users));
	svad_map_put(map, true);
	return ret ? -EINTR : 0;
}

static int call_sync(struct svad_client *client, void *arg)
{
	struct sva_dma_sync_args *args = arg;
	struct svad_map *map;
	int ret = 0;

	if (args->flags != SVA_DMA_SYNC_CPU && args->flags != SVA_DMA_SYNC_DEVICE)
		return -EINVAL;
	if (args->reserved || !args->len)
		return -EINVAL;
	map = svad_client_map(client, args->handle);
	if (!map)
		return -EBADF;
	if (args->offset > map->range.len || args->len > map->range.len - args->offset)
		ret = -ERANGE;
	else
		svad_map_sync(map, args->offset, args->len, args->flags);
	svad_map_unuse(map, true);
	return ret;
}

static int call_submit(struct svad_client *client, void *arg)
{
	return svad_call_submit(client, arg);
}

/* There are enough completions, or too few were promised to make them enough. */
static bool wait_over(struct svad_ring *ring, struct sva_dma_wait_args *args, u32 *promised)
{
	args->available = svad_ring_available(ring, promised);
	return args->available >= args->min || args->available + *promised < args->min;
}

static int call_wait(struct svad_client *client, void *arg)
{
	struct sva_dma_wait_args *args = arg;
	struct svad_ring *ring = svad_client_ring(client);
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
			ret = wait_event_interruptible_hrtimeout(
				ring->wait, wait_over(ring, args, &promised), timeout);
	}
	if (ret == -ERESTARTSYS)
		return -EINTR;
	if (ret)
		return ret;
	return args->available >= args->min ? 0 : -EDEADLK;
}

/**
 * struct call - an ioctl
 * @run: runs it
 * @size: of its argument in this version
 * @first: of its argument in the first version
 */
struct call {
	int (*run)(struct svad_client *client, void *arg);
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

union args {
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

static int argument_read(const struct call *call, void __user *from, union args *args)
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

static long file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct svad_client *client = file->private_data;
	void __user *user = (void __user *)arg;
	const struct call *call;
	union args args;
	struct svad_map *map;
	u32 size;
	int ret;

	if (_IOC_TYPE(cmd) != SVA_DMA_IOC || _IOC_NR(cmd) >= ARRAY_SIZE(calls) ||
	    cmd != _IO(SVA_DMA_IOC, _IOC_NR(cmd)))
		return -ENOTTY;
	if (client->account.mm != current->mm)
		return -EPERM;
	call = &calls[_IOC_NR(cmd)];
	ret = argument_read(call, user, &args);
	if (ret)
		return ret;
	/* The size was read twice, and the program may have changed it in between: check again. */
	size = min_t(size_t, args.size, call->size);
	if (args.size < call->first)
		return -EINVAL;
	ret = call->run(client, &args);
	if (ret == -EINVAL || !copy_to_user(user, &args, size))
		return ret;
	/* The program does not get the handle, unless it guessed it and has unmapped it already. */
	map = cmd == SVA_DMA_MAP && !ret ? xa_erase(&client->maps, args.map.handle) : NULL;
	if (map)
		svad_map_put(map, true);
	return -EFAULT;
}

static int file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct svad_client *client = file->private_data;
	struct svad_ring *ring;

	if (client->account.mm != current->mm)
		return -EPERM;
	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != svad_ring_bytes() ||
	    !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	ring = svad_client_make_ring(client);
	return ring ? svad_ring_map(ring, vma) : -ENOMEM;
}

static __poll_t file_poll(struct file *file, struct poll_table_struct *table)
{
	struct svad_client *client = file->private_data;
	struct svad_ring *ring = svad_client_ring(client);
	u32 promised;

	if (!ring || client->account.mm != current->mm)
		return EPOLLERR;
	poll_wait(file, &ring->wait, table);
	return svad_ring_available(ring, &promised) ? EPOLLIN | EPOLLRDNORM : 0;
}

const struct file_operations svad_fops = {
	.owner = THIS_MODULE,
	.open = file_open,
	.release = file_release,
	.unlocked_ioctl = file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = file_mmap,
	.poll = file_poll,
	.uring_cmd = svad_uring_cmd,
	.uring_cmd_iopoll = svad_uring_iopoll,
};
