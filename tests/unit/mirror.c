/* SPDX-License-Identifier: MIT */
/* A path of the tests' own; see mirror.h. */
#include <stdlib.h>
#include <string.h>

#include "unit/mirror.h"

struct side {
	pthread_mutex_t lock;
	struct sva_desc ring[MIRROR_RING];
	unsigned int count;
};

struct mirror mirror;

static const struct sva_queue *mirror_queue(void)
{
	static char none[] = "";
	static const struct sva_queue queue = {
		.name = "mirror", .device = "glass", .plugin = "", .node = none, .label = none,
		.mode = SVA_MODE_SHARED, .entries = MIRROR_RING, .trust = SVA_TRUST_YES,
		.numa_node = -1, .max_transfer = 1u << 20, .max_batch = 1,
		.op_cap = { 1ull << SVA_OPCODE_MEMMOVE | 1ull << SVA_OPCODE_FILL },
	};

	return &queue;
}

static int look(uint32_t *reason)
{
	*reason = mirror.reason;
	return mirror.shortage;
}

static int open_mirror(struct sva_bond *bond, const struct sva_config *config, uint32_t *reason)
{
	struct side *side = calloc(1, sizeof(*side));

	(void)config;
	if (!side) {
		*reason = SVA_REASON_SHORTAGE;
		return -ENOMEM;
	}
	pthread_mutex_init(&side->lock, NULL);
	bond->side = side;
	mirror.opened++;
	return 0;
}

static int submit_mirror(struct sva_lease *lease, const struct sva_desc *desc)
{
	struct side *side = lease->bond->side;
	int err = -EAGAIN;

	if (mirror.most && desc->size > mirror.most)
		return -ENOMEM;
	pthread_mutex_lock(&side->lock);
	if (side->count < MIRROR_RING) {
		side->ring[side->count++] = *desc;
		mirror.submitted++;
		err = 0;
	}
	pthread_mutex_unlock(&side->lock);
	return err;
}

static void execute(const struct sva_desc *desc)
{
	struct sva_comp *comp = (struct sva_comp *)(uintptr_t)desc->completion_addr;
	uint8_t *dst = (uint8_t *)(uintptr_t)desc->dst;

	if (sva_desc_opcode(desc) == SVA_OPCODE_MEMMOVE)
		memmove(dst, (const void *)(uintptr_t)desc->src, desc->size);
	else
		for (uint32_t i = 0; i < desc->size; i++)
			dst[i] = (uint8_t)(desc->src >> 8 * (i % 8));
	/* Release: the thread that sees the status sees the bytes. */
	__atomic_store_n(&comp->status, SVA_STATUS_SUCCESS, __ATOMIC_RELEASE);
}

static void pump_mirror(struct sva_bond *bond, uint64_t wait_ns)
{
	struct side *side = bond->side;

	(void)wait_ns;
	pthread_mutex_lock(&side->lock);
	mirror.pumped++;
	for (unsigned int i = 0; i < side->count && !mirror.stopped; i++)
		execute(&side->ring[i]);
	if (!mirror.stopped)
		side->count = 0;
	pthread_mutex_unlock(&side->lock);
}

static bool mend_mirror(struct sva_bond *bond)
{
	(void)bond;
	mirror.mended++;
	return mirror.is_short;
}

static void lose_mirror(struct sva_bond *bond)
{
	(void)bond;
	mirror.lost++;
}

static void retire_mirror(struct sva_bond *bond)
{
	struct side *side = bond->side;

	mirror.retired++;
	side->count = 0; /* their records never come */
}

static void close_mirror(struct sva_bond *bond)
{
	struct side *side = bond->side;

	mirror.closed++;
	pthread_mutex_destroy(&side->lock);
	free(side);
}

const struct sva_submit_ops sva_submit_mirror = {
	.path = SVA_PATH_WRITE,
	.mode = SVA_MODE_UNKNOWN,
	.always_completes = true,
	.pins = true,
	.bindable = true,
	.queue = mirror_queue,
	.probe = look,
	.open = open_mirror,
	.submit = submit_mirror,
	.pump = pump_mirror,
	.mend = mend_mirror,
	.lose = lose_mirror,
	.retire = retire_mirror,
	.close = close_mirror,
};
