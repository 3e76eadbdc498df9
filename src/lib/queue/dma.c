/* SPDX-License-Identifier: MIT */
/*
 * dma: /dev/sva_dma, the sva_dma module, which maps buffers with the DMA API and runs copies and
 * fills on dmaengine channels. The kernel reports completions in a ring; pump_dma() turns them into
 * completion records, so that code above does not know the difference.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/cancel.h"
#include "lib/queue/dma.h"
#include "lib/queue/proof.h"
#include "lib/queue/ways.h"
#include "uapi/sva_dma.h"

#define NODE "/dev/sva_dma"
#define MISC_MAJOR 10 /* Source: Linux devices.txt */
#define GROUP 32u /* operations in one call */

/*
 * The ring of one open file. This process owns its head; a thread takes completions out with lock
 * held.
 */
struct sva_dma_side {
	pthread_mutex_t lock;
	struct sva_dma_ring *ring;
	size_t ring_bytes;
	uint32_t entries;
	uint32_t head;
	uint32_t features; /* SVA_DMA_FEATURE_* */
	bool lost; /* the program has closed the file: unmap the ring after the last completion */
	uint32_t completed;
	atomic_uint submitted;
};

/* ------------------------------------------------------------------ what the module offers */

static uint32_t node_reason(int err, const char *node)
{
	(void)node;
	if (sva_is_shortage(err))
		return SVA_REASON_SHORTAGE;
	return err == EACCES || err == EPERM ? SVA_REASON_MODULE_PERMISSION :
					       SVA_REASON_MODULE_ABSENT;
}

static int get_info(int fd, struct sva_dma_info *info, uint32_t *reason)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	if (ioctl(fd, SVA_DMA_INFO, info)) {
		*reason = errno == ENOTTY ? SVA_REASON_MODULE_FOREIGN : SVA_REASON_MODULE_VERSION;
		return -ENODEV;
	}
	if (info->version >> 16 != SVA_DMA_VERSION_MAJOR) {
		*reason = SVA_REASON_MODULE_VERSION;
		return -ENODEV;
	}
	return 0;
}

/*
 * The same request has another meaning for another driver, and handles for another open file of the
 * module: so each call checks that the descriptor is still ours.
 */
int sva_dma_call(struct sva_bond *bond, unsigned long request, void *args)
{
	int saved = errno, err = 0;

	if (!sva_file_ours(&bond->file))
		return -SVA_LOST;
	if (ioctl(bond->file.fd, request, args))
		err = errno == EBADF && !sva_file_ours(&bond->file) ? -SVA_LOST : -errno;
	errno = saved;
	return err;
}

static const struct sva_queue *dma_queue(void)
{
	static char node[] = NODE, none[] = "";
	static const struct sva_queue queue = {
		.name = "sva_dma",
		.device = "sva_dma",
		.plugin = "",
		.node = node,
		.label = none,
		.mode = SVA_MODE_UNKNOWN,
		.entries = 1,
		.trust = SVA_TRUST_YES,
		.numa_node = -1,
		.max_transfer = 1u << 20,
		.max_batch = 1,
		.op_cap = {1ull << SVA_OPCODE_MEMMOVE | 1ull << SVA_OPCODE_FILL |
			   1ull << SVA_OPCODE_DMA_COPY | 1ull << SVA_OPCODE_DMA_FILL},
	};

	return &queue;
}

/* Get the module's description without a bond. */
static int read_info(struct sva_dma_info *info, uint32_t *reason)
{
	int cancel = sva_cancel_hold(), fd, err = -ENODEV;

	*reason = SVA_REASON_OK;
	fd = sva_proof_open(dma_queue(), &sva_submit_dma, reason);
	if (fd >= 0) {
		err = get_info(fd, info, reason);
		close(fd);
	} else if (*reason == SVA_REASON_OK) {
		*reason = node_reason(-fd, NODE);
	}
	if (fd < 0 && sva_is_shortage(fd))
		err = fd;
	sva_cancel_release(cancel);
	return err;
}

static int probe_dma(uint32_t *reason)
{
	struct sva_dma_info info;
	int saved = errno, err = read_info(&info, reason);

	if (!err && !info.nr_channels)
		*reason = SVA_REASON_MODULE_NO_CHANNEL;
	errno = saved;
	return sva_is_shortage(err) ? err : 0;
}

int sva_dma_pasid(uint32_t *pasid)
{
	struct sva_dma_info info;
	uint32_t reason;
	int saved = errno;
	int err = read_info(&info, &reason);

	errno = saved;
	if (err || !(info.features & SVA_DMA_FEATURE_PASID))
		return sva_is_shortage(err) ? err : -ENODATA;
	*pasid = info.pasid;
	return 0;
}

/* ------------------------------------------------------------------ open and close */

/* The device is named after that of the first channel, such as "dsa0", which users know. */
static void name_device(struct sva_bond *bond)
{
	struct sva_dma_channel channel = { .size = sizeof(channel) };
	char name[sizeof(channel.device) + 1] = "";
	const char *interned;

	if (ioctl(bond->file.fd, SVA_DMA_CHANNEL, &channel))
		return;
	memcpy(name, channel.device, sizeof(channel.device));
	interned = name[0] ? sva_intern(name) : NULL;
	if (interned)
		bond->device = interned;
	bond->numa_node = channel.node;
}

static int map_ring(struct sva_bond *bond, const struct sva_dma_info *info)
{
	struct sva_dma_side *side = calloc(1, sizeof(*side));

	if (!side)
		return -ENOMEM;
	side->ring_bytes = info->ring_bytes;
	side->entries = info->ring_entries;
	side->features = info->features;
	side->ring =
		mmap(NULL, side->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bond->file.fd, 0);
	if (side->ring == MAP_FAILED) {
		int err = -errno;

		free(side);
		return err;
	}
	pthread_mutex_init(&side->lock, NULL);
	side->head = __atomic_load_n(&side->ring->head, __ATOMIC_RELAXED);
	bond->side = side;
	return 0;
}

static bool is_misc_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && major(st->st_rdev) == MISC_MAJOR;
}

static int open_dma(struct sva_bond *bond, const struct sva_config *config, uint32_t *reason)
{
	struct sva_dma_info info;
	int saved = errno, err;

	(void)config;
	err = get_info(bond->file.fd, &info, reason);
	if (!err && !info.nr_channels) {
		*reason = SVA_REASON_MODULE_NO_CHANNEL;
		err = -ENODEV;
	}
	if (!err && (!info.ring_entries || info.ring_entries & (info.ring_entries - 1) ||
		     !info.max_addr_len)) {
		*reason = SVA_REASON_MODULE_VERSION;
		err = -ENODEV;
	}
	if (!err) {
		err = map_ring(bond, &info);
		if (err)
			*reason = SVA_REASON_MAP_FAILED;
	}
	if (!err) {
		bond->entries = info.max_in_flight;
		bond->max_transfer = info.max_addr_len;
		name_device(bond);
	}
	errno = saved;
	return err;
}

bool sva_dma_has_uring(const struct sva_bond *bond)
{
	const struct sva_dma_side *side = bond->ops == &sva_submit_dma ? bond->side : NULL;

	return side && (side->features & SVA_DMA_FEATURE_URING) &&
	       atomic_load_explicit(&bond->state, memory_order_acquire) == SVA_BOND_LIVE;
}

/* ------------------------------------------------------------------ submission */

static struct sva_dma_side *side_of(const struct sva_lease *lease)
{
	return lease->bond->side;
}

void sva_dma_translate(const struct sva_desc *desc, struct sva_dma_op *op)
{
	unsigned int opcode = sva_desc_opcode(desc);
	const struct sva_dma_buf *dst = (const struct sva_dma_buf *)(uintptr_t)desc->op.dma.dst;
	const struct sva_dma_buf *src = (const struct sva_dma_buf *)(uintptr_t)desc->op.dma.src;

	memset(op, 0, sizeof(*op));
	op->opcode = opcode == SVA_OPCODE_FILL || opcode == SVA_OPCODE_DMA_FILL ? SVA_DMA_OP_FILL :
										  SVA_DMA_OP_COPY;
	op->dst = desc->dst;
	op->src = desc->src;
	op->len = desc->size;
	op->user_data = desc->completion_addr;
	if (opcode == SVA_OPCODE_DMA_COPY || opcode == SVA_OPCODE_DMA_FILL) {
		op->dst_handle = dst->handle;
		op->src_handle = opcode == SVA_OPCODE_DMA_COPY ? src->handle : 0;
	}
}

static void write_record(uint64_t record, int result, uint64_t fault)
{
	struct sva_comp *comp = (struct sva_comp *)(uintptr_t)record;
	uint8_t status = SVA_STATUS_SUCCESS;

	if (result == -EFAULT)
		status = SVA_STATUS_PAGE_FAULT;
	else if (result)
		status = SVA_STATUS_HW_ERROR;
	comp->result = 0;
	comp->bytes = 0;
	comp->fault_addr = fault;
	__atomic_store_n(&comp->status, status, __ATOMIC_RELEASE);
}

/*
 * For a bad pointer, write a record like that of a device: the caller of the path then touches the
 * page, tries again, or reports the fault. What the module leaves to the CPU (an overlap), and a
 * channel that is gone, are errors of the submission, after which another candidate is tried.
 */
static int handle_answer(const struct sva_dma_op *op)
{
	if (op->result == -EFAULT) {
		write_record(op->user_data, -EFAULT, op->fault);
		return 0;
	}
	return op->result;
}

static int submit_many_dma(struct sva_lease *lease, const struct sva_desc *descs, unsigned int n)
{
	struct sva_dma_op ops[GROUP];
	struct sva_dma_submit_args args = {
		.size = sizeof(args),
		.ops = (uint64_t)(uintptr_t)ops,
		.op_size = sizeof(ops[0]),
		.node = SVA_DMA_NODE_ANY,
	};
	unsigned int taken, submitted = 0;
	int err;

	args.nr = n < GROUP ? n : GROUP;
	for (unsigned int i = 0; i < args.nr; i++)
		sva_dma_translate(&descs[i], &ops[i]);
	err = sva_dma_call(lease->bond, SVA_DMA_SUBMIT, &args);
	if (err)
		return err == -EINTR ? -EAGAIN : err;
	for (unsigned int i = 0; i < args.taken; i++)
		submitted += !ops[i].result;
	atomic_fetch_add(&side_of(lease)->submitted, submitted);
	/*
	 * The last ones were not accepted if RLIMIT_MEMLOCK has no room for them beside the others.
	 */
	for (taken = args.taken; taken && ops[taken - 1].result == -ENOMEM; taken--)
		;
	/*
	 * An operation that was refused for another reason gets a page fault with nothing done, so
	 * that it is submitted again on its own.
	 */
	for (unsigned int i = 0; i < taken; i++)
		if (ops[i].result)
			write_record(ops[i].user_data, -EFAULT, ops[i].fault);
	return taken ? (int)taken : -EAGAIN;
}

static int submit_dma(struct sva_lease *lease, const struct sva_desc *desc)
{
	struct sva_dma_op op;
	struct sva_dma_submit_args args = {
		.size = sizeof(args),
		.ops = (uint64_t)(uintptr_t)&op,
		.nr = 1,
		.op_size = sizeof(op),
		.node = SVA_DMA_NODE_ANY,
	};
	int err;

	sva_dma_translate(desc, &op);
	err = sva_dma_call(lease->bond, SVA_DMA_SUBMIT, &args);
	if (err)
		return err == -EINTR ? -EAGAIN : err;
	if (args.taken && !op.result)
		atomic_fetch_add(&side_of(lease)->submitted, 1);
	return args.taken ? handle_answer(&op) : -EAGAIN;
}

/* ------------------------------------------------------------------ completion */

static bool drain_ring(struct sva_dma_side *side)
{
	/*
	 * Acquire: the entries up to tail have been written. Release: the driver sees the new head
	 * only after the entries have been read.
	 */
	uint32_t tail = __atomic_load_n(&side->ring->tail, __ATOMIC_ACQUIRE);
	bool any = side->head != tail;

	while (side->head != tail) {
		const struct sva_dma_cqe *cqe = &side->ring->cqe[side->head & (side->entries - 1)];

		write_record(cqe->user_data, cqe->result, 0);
		side->head++;
		side->completed++;
	}
	__atomic_store_n(&side->ring->head, side->head, __ATOMIC_RELEASE);
	return any;
}

static void unmap_ring(struct sva_dma_side *side)
{
	if (side->ring)
		munmap(side->ring, side->ring_bytes);
	side->ring = NULL;
}

/* The mapping keeps the file open: unmap it, so that close(2) ends what is in flight. */
static void retire_dma(struct sva_bond *bond)
{
	struct sva_dma_side *side = bond->side;

	pthread_mutex_lock(&side->lock);
	if (side->ring)
		drain_ring(side);
	unmap_ring(side);
	pthread_mutex_unlock(&side->lock);
}

/*
 * With side->lock held. Only the ring keeps a lost file open: unmapping it after the last
 * completion lets the module unpin everything.
 */
static void end_lost(struct sva_dma_side *side)
{
	if (side->lost && side->completed == atomic_load(&side->submitted))
		unmap_ring(side);
}

static void lose_dma(struct sva_bond *bond)
{
	struct sva_dma_side *side = bond->side;

	pthread_mutex_lock(&side->lock);
	side->lost = true;
	if (side->ring)
		drain_ring(side);
	end_lost(side);
	pthread_mutex_unlock(&side->lock);
}

static void close_dma(struct sva_bond *bond)
{
	struct sva_dma_side *side = bond->side;

	unmap_ring(side);
	pthread_mutex_destroy(&side->lock);
	free(side);
}

static void pump_dma(struct sva_bond *bond, uint64_t wait_ns)
{
	struct sva_dma_side *side = bond->side;
	struct sva_dma_wait_args args = {
		.size = sizeof(args), .min = 1, .timeout_ns = (int64_t)wait_ns};
	int saved = errno;

	/* Another thread is draining the ring and will deliver this completion as well. */
	if (pthread_mutex_trylock(&side->lock))
		return;
	if (side->ring && !drain_ring(side) && wait_ns) {
		/* Without the descriptor the thread can only poll the ring. */
		if (sva_dma_call(bond, SVA_DMA_WAIT, &args) == -SVA_LOST)
			sched_yield();
		drain_ring(side);
	}
	end_lost(side);
	pthread_mutex_unlock(&side->lock);
	errno = saved;
}

const struct sva_submit_ops sva_submit_dma = {
	.path = SVA_PATH_DMA,
	.mode = SVA_MODE_UNKNOWN,
	.foreign = SVA_REASON_MODULE_FOREIGN,
	.pins = true,
	.queue = dma_queue,
	.probe = probe_dma,
	.is_node = is_misc_device,
	.open_reason = node_reason,
	.open = open_dma,
	.submit = submit_dma,
	.submit_many = submit_many_dma,
	.pump = pump_dma,
	.lose = lose_dma,
	.retire = retire_dma,
	.close = close_dma,
};
