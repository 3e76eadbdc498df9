/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR MIT) */
/*
 * The interface of /dev/sva_dma: memory operations done by a dmaengine channel on buffers that the
 * kernel has mapped for the channel's device with the DMA API. It needs no shared virtual
 * addressing.
 *
 * How it is used
 *
 *   open		The file belongs to the address space that opened it. Every call from
 *			another one (a forked child, a process that was passed the descriptor) fails
 *			with -EPERM.
 *   SVA_DMA_INFO	Version, features and limits. A file that fails it with -ENOTTY is not this
 *			driver.
 *   SVA_DMA_COPY,	One operation on plain addresses, finished when the call returns: pin, map,
 *   SVA_DMA_FILL	run, unmap, unpin.
 *   SVA_DMA_MAP	Pins and maps a buffer once and gives it a handle; SVA_DMA_UNMAP ends that,
 *			SVA_DMA_SYNC passes the memory between CPU and device.
 *   SVA_DMA_SUBMIT	Runs an array of operations, each on handles, on addresses or on one of
 *			each. It either waits for them, or their completions arrive in a ring.
 *   mmap		Maps that ring (struct sva_dma_ring). Reading it takes no system call;
 *			poll(2) and SVA_DMA_WAIT block until it has a completion.
 *   io_uring		IORING_OP_URING_CMD with SVA_DMA_OP_CMD runs one operation; its result
 *			arrives in the caller's own ring.
 *
 * Rules for all arguments
 *
 *   Each argument structure begins with its own size, so that it can grow: a program older than
 *   the driver passes a smaller structure and gets the meaning of zero for the rest; a newer one
 *   passes a larger structure, and if fields that the driver does not know are not zero, the call
 *   fails with -E2BIG. A size below that of the first version is -EINVAL. The fields marked "out"
 *   are written back for success and for failure, unless the structure could not be read, or the
 *   error is one of -EINVAL, -E2BIG, -EPERM and -ENOTTY. Flags and reserved fields that are not
 *   known, and not zero, are -EINVAL. No field's meaning depends on the word size of the caller.
 *
 * Errors, besides those named at each call
 *
 *   -EFAULT		an address of the caller does not exist, must not be accessed in that
 *			direction, or is not memory that a device may access (I/O memory, kernel
 *			addresses)
 *   -EOPNOTSUPP	a correct operation that this driver leaves to the CPU: source and
 *			destination overlap, or an address or length is not aligned as
 *			sva_dma_info::align demands
 *   -ENOMEM		no memory, or the pages to be pinned exceed RLIMIT_MEMLOCK. They are counted
 *			for the address space (VmPin of /proc/PID/status) and, if the file was
 *			opened without CAP_IPC_LOCK, for the user who opened it, together with the
 *			pages of io_uring and others for that user; neither sum may exceed the limit
 *			of the calling process
 *   -EAGAIN		a limit of operations in flight is reached: take completions out of the ring
 *			and try again
 *   -ENODEV		there is no channel, or the device went away before the operation was done
 *   -EIO		the device reported an error; the content of the destination is not defined
 *   -EINTR		a signal (only a fatal one ends open, COPY, FILL and a waiting SUBMIT; the
 *			device may still be writing then, but the process that could see it is gone)
 *
 * Closing
 *
 *   Operations that the device has not begun are cancelled. While the address space exists, close
 *   waits for those that it has begun: for two seconds at most, not where the device has finished
 *   nothing for as long, and not once the thread is killed. When the process has ended, close does
 *   not wait. Pages that the device may still use stay pinned, and counted, until it is done or
 *   its driver is unbound.
 */
#ifndef _UAPI_SVA_DMA_H
#define _UAPI_SVA_DMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * SVA_DMA_VERSION_MAJOR - changes when a program written for the old interface would not work any
 * more
 */
#define SVA_DMA_VERSION_MAJOR	1
/**
 * SVA_DMA_VERSION_MINOR - changes when something was added
 */
#define SVA_DMA_VERSION_MINOR	0
#define SVA_DMA_VERSION		((SVA_DMA_VERSION_MAJOR << 16) | SVA_DMA_VERSION_MINOR)

/*
 * The size of an argument is in the argument, so it is not in the number of the call, which stays
 * the same forever.
 */
#define SVA_DMA_IOC		0xDA
#define SVA_DMA_INFO		_IO(SVA_DMA_IOC, 0)	/* struct sva_dma_info */
#define SVA_DMA_CHANNEL		_IO(SVA_DMA_IOC, 1)	/* struct sva_dma_channel */
#define SVA_DMA_COPY		_IO(SVA_DMA_IOC, 2)	/* struct sva_dma_copy_args */
#define SVA_DMA_FILL		_IO(SVA_DMA_IOC, 3)	/* struct sva_dma_fill_args */
#define SVA_DMA_MAP		_IO(SVA_DMA_IOC, 4)	/* struct sva_dma_map_args */
#define SVA_DMA_UNMAP		_IO(SVA_DMA_IOC, 5)	/* struct sva_dma_unmap_args */
#define SVA_DMA_SYNC		_IO(SVA_DMA_IOC, 6)	/* struct sva_dma_sync_args */
#define SVA_DMA_SUBMIT		_IO(SVA_DMA_IOC, 7)	/* struct sva_dma_submit_args */
#define SVA_DMA_WAIT		_IO(SVA_DMA_IOC, 8)	/* struct sva_dma_wait_args */
/* cmd_op of io_uring's uring_cmd: struct sva_dma_uring_cmd */
#define SVA_DMA_OP_CMD		_IO(SVA_DMA_IOC, 9)

/* Let the driver choose: the node of the buffer (destination first). */
#define SVA_DMA_NODE_ANY	(-1)
/* No channel took part. */
#define SVA_DMA_CHANNEL_NONE	0xffffffffU

/* sva_dma_info::features */
#define SVA_DMA_FEATURE_URING	(1U << 0)	/* SVA_DMA_OP_CMD works */
/* operations not yet started are cancelled when their io_uring goes */
#define SVA_DMA_FEATURE_CANCEL	(1U << 1)
#define SVA_DMA_FEATURE_PASID	(1U << 2)	/* sva_dma_info::pasid is valid */
#define SVA_DMA_FEATURES	0x7U

/**
 * struct sva_dma_info - argument of SVA_DMA_INFO
 * @size: sizeof(struct sva_dma_info)
 * @flags: 0
 * @version: out: SVA_DMA_VERSION of the driver; a program works with any driver of the same major
 *	number
 * @features: out: SVA_DMA_FEATURE_*
 * @nr_channels: out: channels in use by the driver; indices for SVA_DMA_CHANNEL are below
 *	@channel_limit
 * @channel_limit: out: highest channel index that can occur, plus one
 * @nodes: out: bit n: there is a channel on NUMA node n (only SVA_DMA_CHANNEL reports nodes from 64
 *	on)
 * @pasid: out: the PASID of the caller's address space, if SVA_DMA_FEATURE_PASID is set
 * @align: out: alignment that addresses and lengths need, a power of two, 1 on almost every machine
 * @max_addr_len: out: longest operation of SVA_DMA_SUBMIT and io_uring that names a plain address;
 *	COPY and FILL take any length
 * @max_map_len: out: longest buffer that SVA_DMA_MAP takes
 * @max_ops: out: most operations in one SVA_DMA_SUBMIT
 * @max_maps: out: most handles of one file
 * @max_in_flight: out: most operations in flight on one file
 * @ring_entries: out: entries of the completion ring, a power of two
 * @ring_bytes: out: length to give to mmap
 * @reserved: out: 0
 *
 * With no channel the call succeeds and @nr_channels is 0; everything that needs one answers
 * -ENODEV.
 */
struct sva_dma_info {
	__u32 size;
	__u32 flags;
	__u32 version;
	__u32 features;
	__u32 nr_channels;
	__u32 channel_limit;
	__u64 nodes;
	__u32 pasid;
	__u32 align;
	__u64 max_addr_len;
	__u64 max_map_len;
	__u32 max_ops;
	__u32 max_maps;
	__u32 max_in_flight;
	__u32 ring_entries;
	__u32 ring_bytes;
	__u32 reserved;
};

/**
 * struct sva_dma_channel - argument of SVA_DMA_CHANNEL: describes one channel
 * @size: sizeof(struct sva_dma_channel)
 * @flags: 0
 * @index: which channel, from 0
 * @node: out: its NUMA node, or -1 if the machine does not report it
 * @max_segment: out: most bytes in one descriptor of this channel
 * @in_flight: out: descriptors that the hardware holds now, of all openers
 * @align: out: alignment that this channel needs
 * @name: out: name of the channel in /sys/class/dma, ends with a zero byte
 * @device: out: name of its device on its bus
 * @driver: out: name of the driver of the device
 *
 * -ENOENT: no channel with this index (indices can have holes after a device was removed)
 */
struct sva_dma_channel {
	__u32 size;
	__u32 flags;
	__u32 index;
	__s32 node;
	__u64 max_segment;
	__u32 in_flight;
	__u32 align;
	__u8 name[32];
	__u8 device[32];
	__u8 driver[32];
};

/**
 * struct sva_dma_copy_args - argument of SVA_DMA_COPY
 * @size: sizeof(struct sva_dma_copy_args)
 * @flags: 0
 * @dst: address to copy to
 * @src: address to copy from; the two ranges must not overlap
 * @len: how many bytes; 0 does nothing
 * @done: out: bytes copied, counted from the beginning, whatever the call answers; a caller can
 *	continue from there
 * @fault: out: for -EFAULT the first address that could not be used, else 0
 * @node: NUMA node whose channels to prefer, or SVA_DMA_NODE_ANY
 * @channel: out: index of the channel that did the last part, or SVA_DMA_CHANNEL_NONE
 */
struct sva_dma_copy_args {
	__u32 size;
	__u32 flags;
	__u64 dst;
	__u64 src;
	__u64 len;
	__u64 done;
	__u64 fault;
	__s32 node;
	__u32 channel;
};

/**
 * struct sva_dma_fill_args - argument of SVA_DMA_FILL
 * @size: sizeof(struct sva_dma_fill_args)
 * @flags: 0
 * @dst: address to fill
 * @pattern: eight bytes, repeated from @dst on in the order in which they lie in memory; the last
 *	repetition may be cut
 * @len: how many bytes; 0 does nothing
 * @done: out: bytes filled
 * @fault: out: for -EFAULT the first address that could not be used, else 0
 * @node: NUMA node whose channels to prefer, or SVA_DMA_NODE_ANY
 * @channel: out: index of the channel that did the last part, or SVA_DMA_CHANNEL_NONE
 */
struct sva_dma_fill_args {
	__u32 size;
	__u32 flags;
	__u64 dst;
	__u64 pattern;
	__u64 len;
	__u64 done;
	__u64 fault;
	__s32 node;
	__u32 channel;
};

/* sva_dma_map_args::flags: at least one of the two */
/* the device reads the buffer: it can be a source */
#define SVA_DMA_MAP_READ	(1U << 0)
/* the device writes the buffer: it can be a destination */
#define SVA_DMA_MAP_WRITE	(1U << 1)
#define SVA_DMA_MAP_FLAGS	0x3U

/* sva_dma_map_args::state */
/* without SVA_DMA_SYNC, CPU and device see different bytes */
#define SVA_DMA_STATE_NEEDS_SYNC (1U << 0)

/**
 * struct sva_dma_map_args - argument of SVA_DMA_MAP
 * @size: sizeof(struct sva_dma_map_args)
 * @flags: SVA_DMA_MAP_READ, SVA_DMA_MAP_WRITE or both
 * @addr: beginning of the buffer
 * @len: its length, not 0
 * @node: NUMA node whose device to map for, or SVA_DMA_NODE_ANY
 * @handle: out: the handle, not 0; it is known to this file alone
 * @segments: out: how many pieces the device sees, 1 at best
 * @state: out: SVA_DMA_STATE_*
 *
 * The pages stay pinned, and counted against RLIMIT_MEMLOCK, until the handle is unmapped or the
 * file is closed; what the caller maps at @addr later has nothing to do with the handle. Errors:
 * -ENOSPC: too many handles; -EMSGSIZE: longer than sva_dma_info::max_map_len; -EFAULT;
 * -EOPNOTSUPP: memory that cannot be pinned for long (some file systems).
 */
struct sva_dma_map_args {
	__u32 size;
	__u32 flags;
	__u64 addr;
	__u64 len;
	__s32 node;
	__u32 handle;
	__u32 segments;
	__u32 state;
};

/**
 * struct sva_dma_unmap_args - argument of SVA_DMA_UNMAP
 * @size: sizeof(struct sva_dma_unmap_args)
 * @flags: 0
 * @handle: what to unmap
 * @reserved: 0
 *
 * The handle is gone at once; the call returns when no operation uses the memory any more. -EBADF:
 * no such handle; -EINTR: killed while it waited, the rest happens when the device is done.
 */
struct sva_dma_unmap_args {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 reserved;
};

/* sva_dma_sync_args::flags: exactly one of the two */
#define SVA_DMA_SYNC_CPU	(1U << 0)	/* the CPU will read what the device wrote */
/* the CPU wrote what the device will read, or must not write */
#define SVA_DMA_SYNC_DEVICE	(1U << 1)
#define SVA_DMA_SYNC_FLAGS	0x3U

/**
 * struct sva_dma_sync_args - argument of SVA_DMA_SYNC
 * @size: sizeof(struct sva_dma_sync_args)
 * @flags: SVA_DMA_SYNC_CPU or SVA_DMA_SYNC_DEVICE
 * @handle: which buffer
 * @reserved: 0
 * @offset: where to begin in it
 * @len: how many bytes, not 0
 *
 * Does nothing where sva_dma_map_args::state has no SVA_DMA_STATE_NEEDS_SYNC. Elsewhere the device
 * has a copy of the buffer: SVA_DMA_SYNC_CPU overwrites the range with what is there, so name what
 * the device has written, and no more; and SVA_DMA_UNMAP does it with the whole of a buffer that
 * was mapped for writing. -EBADF: no such handle; -ERANGE: beyond the end of the buffer.
 */
struct sva_dma_sync_args {
	__u32 size;
	__u32 flags;
	__u32 handle;
	__u32 reserved;
	__u64 offset;
	__u64 len;
};

/* sva_dma_op::opcode */
#define SVA_DMA_OP_COPY		1U
#define SVA_DMA_OP_FILL		2U

/**
 * struct sva_dma_op - one operation of SVA_DMA_SUBMIT or SVA_DMA_OP_CMD
 * @opcode: SVA_DMA_OP_COPY or SVA_DMA_OP_FILL
 * @flags: 0
 * @dst_handle: handle of the destination, or 0: @dst is an address of the caller
 * @src_handle: handle of the source, or 0: @src is an address of the caller; 0 for a fill
 * @dst: offset in @dst_handle, or an address
 * @src: offset in @src_handle, or an address; for a fill the pattern
 * @len: how many bytes; 0 does nothing
 * @user_data: comes back in the completion
 * @result: out: see SVA_DMA_SUBMIT; not written by SVA_DMA_OP_CMD
 * @channel: out: index of the channel, or SVA_DMA_CHANNEL_NONE
 * @fault: out: for -EFAULT the first address that could not be used, else 0
 *
 * Operations run in any order. Of two operations in flight that touch the same memory, with one of
 * them writing, the outcome is not defined: wait for the first before submitting the second.
 */
struct sva_dma_op {
	__u32 opcode;
	__u32 flags;
	__u32 dst_handle;
	__u32 src_handle;
	__u64 dst;
	__u64 src;
	__u64 len;
	__u64 user_data;
	__s32 result;
	__u32 channel;
	__u64 fault;
};

/* sva_dma_submit_args::flags */
/* return when all operations are finished; the ring is not used */
#define SVA_DMA_SUBMIT_WAIT	(1U << 0)
#define SVA_DMA_SUBMIT_FLAGS	0x1U

/**
 * struct sva_dma_submit_args - argument of SVA_DMA_SUBMIT
 * @size: sizeof(struct sva_dma_submit_args)
 * @flags: SVA_DMA_SUBMIT_WAIT or 0
 * @ops: address of an array of struct sva_dma_op
 * @nr: its length, from 1 to sva_dma_info::max_ops
 * @op_size: sizeof(struct sva_dma_op), the distance of its elements; grows by the same rules as
 *	@size
 * @node: NUMA node whose channels to prefer, or SVA_DMA_NODE_ANY
 * @taken: out: how many operations, from the first on, have got a result
 *
 * Results are written for the first @taken operations, each on its own: a bad one does not keep the
 * others from running. With SVA_DMA_SUBMIT_WAIT the result is 0 or a negative errno, and final.
 * Without it, 0 says that the operation was taken and its completion will arrive in the ring; a
 * negative errno is final, and nothing will arrive.
 *
 * The call answers 0 if @taken is not 0. Otherwise -EAGAIN: the ring, counting what is in flight
 * for it, is full, or sva_dma_info::max_in_flight is reached; -ENXIO: without SVA_DMA_SUBMIT_WAIT
 * the ring must be mapped first.
 *
 * Results of one operation, besides the common ones: -EINVAL: unknown opcode or flag, or a handle
 * used in a direction that it was not mapped for; -EBADF: no such handle; -ERANGE: beyond the end
 * of the handle's buffer; -EMSGSIZE: longer than sva_dma_info::max_addr_len; -ECANCELED: the file
 * was closed first.
 */
struct sva_dma_submit_args {
	__u32 size;
	__u32 flags;
	__u64 ops;
	__u32 nr;
	__u32 op_size;
	__s32 node;
	__u32 taken;
};

/**
 * struct sva_dma_wait_args - argument of SVA_DMA_WAIT: wait until the ring has completions
 * @size: sizeof(struct sva_dma_wait_args)
 * @flags: 0
 * @timeout_ns: at most so long; negative: no limit; 0: only look
 * @min: how many completions to wait for, at least 1
 * @available: out: how many there are
 *
 * 0: there are at least @min; -ETIME: the time is over; -EINTR: a signal, or the
 * system was suspended; -ENXIO: no ring; -EDEADLK: fewer than @min are in the ring or on their way
 * to it. That can become so while the call waits, when an operation of another thread is refused.
 */
struct sva_dma_wait_args {
	__u32 size;
	__u32 flags;
	__s64 timeout_ns;
	__u32 min;
	__u32 available;
};

/**
 * struct sva_dma_cqe - one completion
 * @user_data: that of the operation
 * @result: 0 or a negative errno
 * @channel: index of the channel, or SVA_DMA_CHANNEL_NONE
 */
struct sva_dma_cqe {
	__u64 user_data;
	__s32 result;
	__u32 channel;
};

/**
 * struct sva_dma_ring - the completion ring, at offset 0 of a shared mapping of
 * sva_dma_info::ring_bytes
 * @head: how many completions the program has taken since the beginning, modulo 2^32; written by
 *	the program
 * @pad0: keeps the two sides on cache lines of their own
 * @tail: how many completions the driver has written since the beginning, modulo 2^32; written by
 *	the driver
 * @pad1: the same
 * @cqe: completion number n is in cqe[n & (ring_entries - 1)]
 *
 * To take completions: load @tail with acquire; read cqe[head] up to @tail; store @head with
 * release. One thread at a time. The driver keeps counts of its own and never waits for the program
 * or loses a completion; a program that writes nonsense here harms only itself. A forked child does
 * not have the mapping.
 */
struct sva_dma_ring {
	__u32 head;
	__u32 pad0[15];
	__u32 tail;
	__u32 pad1[15];
	struct sva_dma_cqe cqe[];
};

/**
 * struct sva_dma_uring_cmd - the command bytes of an io_uring submission whose cmd_op is
 * SVA_DMA_OP_CMD
 * @op: address of one struct sva_dma_op; it must stay valid until the submission was taken from the
 *	queue and started, which its completion proves; nothing is written to it
 * @op_size: sizeof(struct sva_dma_op), by the same rules as sva_dma_submit_args::op_size
 * @node: NUMA node whose channels to prefer, or SVA_DMA_NODE_ANY
 *
 * The completion's res is 0 or a negative errno, with the meanings of struct sva_dma_submit_args.
 * It fits the 16 command bytes of an ordinary submission. Rings made with IORING_SETUP_IOPOLL work
 * as well.
 */
struct sva_dma_uring_cmd {
	__u64 op;
	__u32 op_size;
	__s32 node;
};

#endif /* _UAPI_SVA_DMA_H */
