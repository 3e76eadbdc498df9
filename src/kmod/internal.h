/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of this module share.
 *
 * The road of an operation: file.c takes the argument; op.c checks it and makes a request of it,
 * which has two buffers (map.c: pinned pages, mapped for the device of the channel that channel.c
 * chose); queue.c hands the request to the hardware in pieces, in the order of turns.c; and when
 * the last piece is done, op.c releases the buffers and reports it: to a thread that waits in the
 * driver, to the completion ring (ring.c) or to io_uring (uring.c).
 *
 * Locks, outermost first. A thread of a program meets none of the first two: they are for workers
 * and for notifiers of the driver core, and are not held while hardware is waited for.
 *   sva_engine_lock (channel.c)	adding and ending channels
 *   sva_chan::dispatch		one thread at a time talks to a channel; a program's thread only tries
 *   sva_map::lock		the list of devices that a buffer is mapped for
 *   sva_dev::lock		the mappings of a device
 *   sva_chan::lock, sva_ring::lock, table_lock, users_lock (look.c), owners_lock (turns.c)
 *				spinlocks; the first two are taken in interrupts too
 */
#ifndef SVA_KMOD_INTERNAL_H
#define SVA_KMOD_INTERNAL_H

#include <linux/completion.h>
#include <linux/dma-direction.h>
#include <linux/dmaengine.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <uapi/sva_dma.h>

#define SVA_MAX_CHANNELS	64
#define SVA_MAX_ADDR_LEN	(16UL << 20)
#define SVA_MAX_MAP_LEN		(64ULL << 30)
#define SVA_MAX_OPS		1024U
#define SVA_MAX_MAPS		4096U
#define SVA_MAX_IN_FLIGHT	4096U
#define SVA_RING_ENTRIES	4096U
#define SVA_SHARED_BITS		8	/* of the hash table of a device's mappings */
#define SVA_PATIENCE		(3 * HZ)	/* with hardware that should stop */

/* What exists right now, in debugfs; all zero but "channels" when nobody has the device open. */
struct sva_stats {
	atomic_t clients;	/* open files, and closed ones whose last operation still runs */
	atomic_t channels;
	atomic_t maps;		/* pinned buffers, those of operations on plain addresses included */
	atomic_t pinned;	/* pages */
	atomic_t mapped;	/* buffers mapped for a device */
	atomic_t requests;
	atomic_t in_flight;	/* descriptors in the hardware */
};

extern struct sva_stats sva_stats;
extern struct workqueue_struct *sva_wq;
extern unsigned int sva_max_channels;
extern unsigned int sva_depth;
extern unsigned long sva_max_segment;
extern char *sva_provider;

/* ---- channel.c: the hardware ---- */

/**
 * struct sva_dev - a device with channels
 * @ref: one for each channel and mapping, one for the list
 * @link: in the list of devices
 * @dev: the device, for the DMA API
 * @leaving: its driver is being unbound: take no channel of it (table_lock)
 * @channels: how many channels of it are not finished (sva_engine_lock)
 * @lock: protects the rest
 * @dead: nothing may be mapped for it any more
 * @bounces: a mapping needed sync calls: mappings are not shared
 * @mappings: all that is mapped for it
 * @shared: those of them that buffers with the same pages share, by their pages
 */
struct sva_dev {
	struct kref ref;
	struct list_head link;
	struct device *dev;
	bool leaving;
	unsigned int channels;
	struct mutex lock;
	bool dead;
	bool bounces;
	struct list_head mappings;
	DECLARE_HASHTABLE(shared, SVA_SHARED_BITS);
};

/**
 * struct sva_chan - a channel in use
 * @ref: one until it is finished, one for each request
 * @link: in the list of channels that are not finished (sva_engine_lock)
 * @ending: in the list of those that end for want of users (look.c)
 * @leaving: in the list of those whose device goes away
 * @stopped: it takes no requests any more (sva_engine_lock)
 * @finished: nothing is left of it but references (sva_engine_lock)
 * @late: its hardware was waited for in vain
 * @dma: the channel; ours alone; NULL when it was released (changed under @dispatch)
 * @class_device: its device in the class "dma"; only compared, never followed
 * @dev: its device
 * @index: its place in the table
 * @name: in /sys/class/dma; these three are kept since the channel may go while we are asked
 * @device: name of the device
 * @driver: name of its driver
 * @node: its NUMA node
 * @align: alignment that addresses and lengths need
 * @max_segment: most bytes in a descriptor
 * @boundary: no descriptor crosses a multiple of this + 1
 * @backlog: bytes queued and in flight
 * @dispatch: held by the thread that makes descriptors, stops the hardware or releases the channel
 * @work: makes descriptors where the caller can not
 * @release: frees the structure in process context
 * @idle: woken when @in_flight becomes 0
 * @lock: protects the rest
 * @turns: users with something to do, in the order of their turns
 * @busy: requests that the hardware knows of
 * @in_flight: descriptors that the hardware holds, or is just being given
 * @moved: when one of them was done last, in jiffies
 * @dispatcher: the thread that is in the channel's driver to make a descriptor
 * @refusals: how often in a row the idle channel has given no descriptor
 * @dead: takes nothing any more
 */
struct sva_chan {
	struct kref ref;
	struct list_head link;
	struct list_head ending;
	struct list_head leaving;
	bool stopped;
	bool finished;
	bool late;
	struct dma_chan *dma;
	struct device *class_device;
	struct sva_dev *dev;
	unsigned int index;
	char name[32];
	char device[32];
	char driver[32];
	int node;
	u32 align;
	u64 max_segment;
	u64 boundary;
	atomic64_t backlog;
	struct mutex dispatch;
	struct delayed_work work;
	struct work_struct release;
	wait_queue_head_t idle;
	spinlock_t lock;
	struct list_head turns;
	struct list_head busy;
	unsigned int in_flight;
	unsigned long moved;
	struct task_struct *dispatcher;
	unsigned int refusals;
	bool dead;
};

struct sva_client;
struct sva_map;
struct sva_req;

extern struct mutex sva_engine_lock;
extern unsigned int sva_taken;
int sva_chan_add(struct dma_chan *dma);
void sva_chans_finish(void);
void sva_chans_end_idle(void);
bool sva_chans_exist(void);
void sva_devs_forget(void);
void sva_dev_leaves(struct device *device);
void sva_dev_left(struct device *device);
bool sva_dev_is_leaving(struct device *device);
void sva_chan_leaves(struct device *device);
struct sva_chan *sva_chan_choose(int node, struct sva_map *dst, struct sva_map *src);
struct sva_chan *sva_chan_at(unsigned int index);
void sva_chan_put(struct sva_chan *chan);
void sva_dev_get(struct sva_dev *dev);
void sva_dev_put(struct sva_dev *dev);
void sva_channels_tell(struct sva_dma_info *info);

/* ---- look.c: finding the hardware ---- */

int sva_users_get(void);
void sva_users_put(void);
void sva_users_idle(void);
void sva_look_soon(void);
void sva_channels_exit(void);

/* ---- turns.c: who is next ---- */

/**
 * struct sva_turn - a place in the turns of a channel: of a user, of a process or of an open file
 * @link: in @below of the level above, or in sva_chan::turns, while there is something to do
 * @below: the places of the level below; of an open file: its requests
 * @above: the place of the level above, or NULL
 * @credit: bytes that it may submit before it is the next one's turn
 */
struct sva_turn {
	struct list_head link;
	struct list_head below;
	struct sva_turn *above;
	s64 credit;
};

/**
 * struct sva_owner - a user, or a process of a user, that has the device open
 * @link: in the list of owners
 * @refs: one for each owner below it, or for each open file
 * @key: the user or the address space; only compared, never followed
 * @above: the user of a process, or NULL
 * @turns: one for each channel (sva_chan::lock)
 */
struct sva_owner {
	struct list_head link;
	unsigned int refs;
	const void *key;
	struct sva_owner *above;
	struct sva_turn turns[SVA_MAX_CHANNELS];
};

struct sva_owner *sva_owner_get(const struct user_struct *user, const struct mm_struct *mm);
void sva_owner_put(struct sva_owner *owner);
void sva_turns_init(struct sva_turn *turns, struct sva_turn *above);
void sva_turn_add(struct sva_req *req);
void sva_turn_remove(struct sva_req *req);
void sva_turn_charge(struct sva_req *req, u64 bytes);
struct sva_req *sva_turn_next(struct sva_chan *chan);

/* ---- map.c: memory ---- */

/**
 * struct sva_pages - the pages of a buffer
 * @ref: one for the buffer, one for each mapping that was made for it
 * @nr: how many
 * @page: the pages; only buffers pin them
 */
struct sva_pages {
	struct kref ref;
	unsigned long nr;
	struct page *page[];
};

/**
 * struct sva_seg - a piece of a mapping that is contiguous for the device
 * @addr: where it begins for the device
 * @begin: where it begins, from the beginning of the first page
 * @len: its length
 */
struct sva_seg {
	dma_addr_t addr;
	u64 begin;
	u64 len;
};

/**
 * struct sva_mapping - pages as one device sees them
 * @of_dev: in the list of the device
 * @by_pages: in the hash table of the device, if buffers with the same pages may share it
 * @refs: how many buffers have it (sva_dev::lock)
 * @dev: the device
 * @pages: its pages
 * @writable: the device may write to them
 * @sgt: what the DMA API was given
 * @dir: direction that it was given
 * @attrs: attributes that it was given
 * @segs: its answer, with neighbours joined
 * @nr_segs: how many
 * @live: mapped; cleared when the device goes away first (sva_dev::lock)
 */
struct sva_mapping {
	struct list_head of_dev;
	struct hlist_node by_pages;
	unsigned int refs;
	struct sva_dev *dev;
	struct sva_pages *pages;
	bool writable;
	struct sg_table sgt;
	enum dma_data_direction dir;
	unsigned long attrs;
	struct sva_seg *segs;
	unsigned int nr_segs;
	bool live;
};

/**
 * struct sva_view - that a buffer is mapped for a device
 * @of_map: in the list of the buffer
 * @mapping: the mapping
 */
struct sva_view {
	struct list_head of_map;
	struct sva_mapping *mapping;
};

/**
 * struct sva_map - pinned memory, or a buffer of our own that holds a pattern
 * @ref: one for the handle, one for each request
 * @users: requests that use it
 * @unused: woken when @users becomes 0
 * @addr: where it begins in the program
 * @len: its length
 * @access: SVA_DMA_MAP_READ, SVA_DMA_MAP_WRITE
 * @longterm: it has a handle
 * @pages: its pages
 * @mm: the address space that they are counted for
 * @user: the user whom they are counted for, or NULL
 * @pattern: they are ours, and hold a pattern
 * @order: of their allocation then
 * @home: the device that it was mapped for last; only compared, never followed
 * @coherent: the owner was told that it needs no sync calls
 * @release: frees it in process context
 * @lock: protects @views
 * @views: the devices that it is mapped for
 */
struct sva_map {
	struct kref ref;
	atomic_t users;
	wait_queue_head_t unused;
	u64 addr;
	u64 len;
	u32 access;
	bool longterm;
	struct sva_pages *pages;
	struct mm_struct *mm;
	struct user_struct *user;
	bool pattern;
	unsigned int order;
	const struct sva_dev *home;
	bool coherent;
	struct work_struct release;
	struct mutex lock;
	struct list_head views;
};

int sva_range_check(u64 addr, u64 len, u64 *fault);
struct sva_map *sva_map_create(struct sva_client *client, u64 addr, u64 len, u32 access,
			       bool longterm, u64 *fault);
struct sva_map *sva_map_pattern(struct sva_client *client, u64 pattern, u64 len);
struct sva_mapping *sva_map_for(struct sva_map *map, struct sva_dev *dev, bool nonblock);
bool sva_map_needs_sync(struct sva_map *map);
void sva_map_sync(struct sva_map *map, u64 offset, u64 len, u32 flags);
void sva_map_use(struct sva_map *map);
void sva_map_unuse(struct sva_map *map, bool may_sleep);
void sva_map_put(struct sva_map *map, bool may_sleep);
void sva_dev_unmap_all(struct sva_dev *dev);

/* ---- ring.c: the completion ring ---- */

/**
 * struct sva_ring - a completion ring
 * @shared: as the program sees it
 * @pages: its pages
 * @nr_pages: how many
 * @lock: protects the rest
 * @tail: completions written
 * @reserved: completions written and promised
 * @wait: those who wait for completions
 */
struct sva_ring {
	struct sva_dma_ring *shared;
	struct page **pages;
	unsigned int nr_pages;
	spinlock_t lock;
	u32 tail;
	u32 reserved;
	wait_queue_head_t wait;
};

unsigned int sva_ring_bytes(void);
struct sva_ring *sva_ring_create(void);
void sva_ring_free(struct sva_ring *ring);
int sva_ring_map(struct sva_ring *ring, struct vm_area_struct *vma);
int sva_ring_reserve(struct sva_ring *ring);
void sva_ring_unreserve(struct sva_ring *ring);
void sva_ring_post(struct sva_ring *ring, u64 user_data, s32 result, u32 channel);
u32 sva_ring_available(struct sva_ring *ring, u32 *promised);

/* ---- file.c: an open file ---- */

/**
 * struct sva_client - an open file
 * @ref: one for the file, one for each request
 * @mm: the address space that it belongs to
 * @user: the user that opened it
 * @counted: what it pins counts for the user (who had no CAP_IPC_LOCK)
 * @owner: the process, which has turns
 * @maps: handles
 * @ring: NULL until it is mapped
 * @ring_lock: one creation at a time
 * @in_flight: requests
 * @idle: woken when @in_flight becomes 0
 * @release: frees it in process context
 * @abandoned: it was closed with requests in flight, and holds the module
 * @turns: one for each channel (sva_chan::lock)
 * @given: how many requests each channel has
 */
struct sva_client {
	struct kref ref;
	struct mm_struct *mm;
	struct user_struct *user;
	bool counted;
	struct sva_owner *owner;
	struct xarray maps;
	struct sva_ring *ring;
	struct mutex ring_lock;
	atomic_t in_flight;
	wait_queue_head_t idle;
	struct work_struct release;
	bool abandoned;
	struct sva_turn turns[SVA_MAX_CHANNELS];
	atomic_t given[SVA_MAX_CHANNELS];
};

extern const struct file_operations sva_fops;
void sva_client_put(struct sva_client *client);
struct sva_map *sva_client_map(struct sva_client *client, u32 handle);

/* ---- op.c: operations ---- */

enum sva_notify {
	SVA_NOTIFY_WAITER,	/* a thread waits in the driver */
	SVA_NOTIFY_RING,
	SVA_NOTIFY_URING,
};

/* Where a request is in a mapping. */
struct sva_cursor {
	const struct sva_mapping *mapping;
	unsigned int seg;
	u64 offset;		/* in that segment */
};

/**
 * struct sva_req - a request: one operation, or one piece of a long one
 * @queued: in its flow
 * @busy: in sva_chan::busy
 * @client: whose it is
 * @chan: where it runs
 * @dst: its destination
 * @src: its source
 * @dst_at: what comes next there
 * @src_at: what comes next there
 * @src_repeats: the source is a pattern: begin again at its end
 * @transient: pinned for this request alone
 * @len: how many bytes
 * @left: how many bytes have no descriptor yet
 * @pending: descriptors in flight, plus one while it is queued
 * @error: the first error, or 0
 * @notify: whom to tell
 * @abandoned: the waiter was killed or (1) the request is done, whichever happened first
 * @done: the waiter waits here
 * @uring: the io_uring command
 * @user_data: comes back in the ring
 * @work: finishes in process context
 */
struct sva_req {
	struct list_head queued;
	struct list_head busy;
	struct sva_client *client;
	struct sva_chan *chan;
	struct sva_map *dst;
	struct sva_map *src;
	struct sva_cursor dst_at;
	struct sva_cursor src_at;
	bool src_repeats;
	bool transient;
	u64 len;
	u64 left;
	atomic_t pending;
	int error;
	enum sva_notify notify;
	atomic_t abandoned;
	struct completion done;
	struct io_uring_cmd *uring;
	u64 user_data;
	struct work_struct work;
};

int sva_op_prepare(struct sva_client *client, struct sva_dma_op *op, s32 node, enum sva_notify notify, bool nonblock,
		   struct sva_req **req);
int sva_op_read(struct sva_dma_op *op, u64 address, u32 size);
int sva_node_check(s32 node);
void sva_req_discard(struct sva_req *req);
int sva_req_wait(struct sva_req *req, u32 *channel);
void sva_req_fail(struct sva_req *req, int error);
void sva_req_done(struct sva_req *req);
int sva_op_init(void);
void sva_op_exit(void);

static inline bool sva_overlap(u64 a, u64 b, u64 len)
{
	return a < b ? b - a < len : a - b < len;
}

/* ---- call.c: the calls that run them ---- */

int sva_copy(struct sva_client *client, struct sva_dma_copy_args *args);
int sva_fill(struct sva_client *client, struct sva_dma_fill_args *args);
int sva_submit(struct sva_client *client, struct sva_dma_submit_args *args);

/* ---- queue.c: descriptors, callbacks ---- */

void sva_queue(struct sva_req *req, bool nonblock);
void sva_queue_work(struct work_struct *work);
void sva_queue_cancel(struct sva_client *client);
void sva_queue_kick(struct sva_chan *chan);
void sva_queue_stop(struct sva_chan *chan);
void sva_queue_abort(struct sva_chan *chan, int error);
bool sva_queue_drain(struct sva_chan *chan, unsigned long until);
bool sva_queue_pause(struct sva_chan *chan, unsigned long until);
void sva_queue_resume(void);
bool sva_chan_is_stuck(struct sva_chan *chan);

/* ---- pm.c ---- */

int sva_pm_init(void);
void sva_pm_exit(void);

/* ---- uring.c ---- */

int sva_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);
int sva_uring_iopoll(struct io_uring_cmd *cmd, struct io_comp_batch *iob, unsigned int flags);
void sva_uring_done(struct sva_req *req, int result);
u32 sva_uring_features(void);

#endif /* SVA_KMOD_INTERNAL_H */
