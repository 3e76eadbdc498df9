/* SPDX-License-Identifier: MIT */
/*
 * Execution of one descriptor by the model.
 *
 * Inside the program the model works on memory directly. Each page of a window is probed first (one
 * byte is read, or rewritten by a locked OR with 0), which also makes the kernel page it in. If
 * another thread unmaps the page between the probe and the use, the whole descriptor is executed
 * once more through bounce buffers, where each copy may fail on its own. The tracer of --ptrace
 * always uses bounce buffers.
 */
#include "emu/device/execute.h"
#include "emu/host/memory.h"

/*
 * The size of a direct window: large enough that opening it costs little, small enough to stay in
 * the cache.
 */
#define WINDOW (256u << 10)

struct execution {
	const struct sva_model_profile *profile;
	const struct sva_desc *desc;
	struct sva_model_mem mem;
	struct sva_model_outcome *outcome;
};

static void run_model(void *arg)
{
	struct execution *execution = arg;

	sva_model_execute(execution->profile, &execution->mem, execution->desc, execution->outcome);
}

static void *map_direct(void *ctx, uint64_t addr, size_t *len, unsigned int how, uint64_t *fault)
{
	struct emu_access *access = ctx;
	size_t want = *len < WINDOW ? *len : WINDOW, got;

	if ((how & SVA_MODEL_RECORD) && access->sabotage && *len == sizeof(access->scratch))
		return emu_access_scratch(access, addr, fault);
	got = emu_access_reach(access, addr, want, how, fault);
	if (got == 0 || ((how & SVA_MODEL_RECORD) && got < *len))
		return NULL;
	*len = got;
	return (void *)(uintptr_t)addr;
}

static void unmap_direct(void *ctx, void *host, size_t used, unsigned int how)
{
	struct emu_access *access = ctx;

	if (host == &access->scratch)
		emu_access_unscratch(access);
	else if (!(how & SVA_MODEL_RECORD))
		emu_access_flip(access, host, used, how);
}

void emu_execute(const struct sva_model_profile *profile, const struct sva_desc *desc,
		 struct emu_access *access, struct sva_model_outcome *outcome)
{
	struct execution execution = {
		.profile = profile,
		.desc = desc,
		.mem = {.map = map_direct,
			.unmap = unmap_direct,
			.ctx = access,
			.event = access->event},
		.outcome = outcome,
	};

	if (emu_memory_direct(run_model, &execution))
		return;
	/*
	 * Bytes that an overlapping copy has moved already are moved once more; a program that
	 * unmaps memory under a running descriptor cannot expect its content to be defined.
	 */
	access->open = 0;
	access->pages = (struct emu_pages){ .oldest = 0 };
	execution.mem.map = emu_access_map;
	execution.mem.unmap = emu_access_unmap;
	run_model(&execution);
}
