/* SPDX-License-Identifier: MIT */
/* The state that all processes of a run share: queue entries, clients, limits. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/device/state.h"

char *emu_queue_name(emu_queue_id id, char buf[16])
{
	struct emu_text text;

	text_init(&text, buf, 16);
	text_add(&text, "wq%u.%u", (id - 1) / EMU_MAX_WQS, (id - 1) % EMU_MAX_WQS);
	return buf;
}

struct emu_state *emu_state_attach(const char *dir)
{
	struct emu_state *state;
	struct emu_text text;
	char path[256];
	long addr;
	int fd;

	text_init(&text, path, sizeof(path));
	text_add(&text, "%s/state", dir);
	fd = raw_openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return NULL;
	/* The mapping keeps the lock: while it exists, the directory of the run is in use. */
	raw_syscall2(SYS_flock, fd, LOCK_SH | LOCK_NB);
	addr = raw_syscall6(SYS_mmap, 0, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	raw_close(fd);
	if (raw_failed(addr))
		return NULL;
	state = (struct emu_state *)addr;
	if (state->magic != EMU_MAGIC || state->size != sizeof(*state)) {
		raw_syscall2(SYS_munmap, addr, sizeof(*state));
		return NULL;
	}
	return state;
}

static bool process_gone(int pid)
{
	return raw_syscall2(SYS_kill, pid, 0) == -ESRCH;
}

int emu_queue_take(struct emu_wq *wq, unsigned int limit, int pid)
{
	int32_t seen;
	unsigned int i;
	int round;

	if (limit > EMU_MAX_ENTRIES)
		limit = EMU_MAX_ENTRIES;
	for (round = 0; round < 2; round++) {
		for (i = 0; i < limit; i++) {
			seen = __atomic_load_n(&wq->owner[i], __ATOMIC_RELAXED);
			/*
			 * The second round is for a full queue: some of its holders may have been
			 * killed.
			 */
			if (seen != 0 && !(round == 1 && seen != pid && process_gone(seen)))
				continue;
			if (__atomic_compare_exchange_n(&wq->owner[i], &seen, pid, false,
							__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
				return (int)i;
		}
	}
	return -EAGAIN;
}

void emu_queue_put(struct emu_wq *wq, int entry)
{
	__atomic_store_n(&wq->owner[entry], 0, __ATOMIC_RELEASE);
}

static struct emu_client *client_of(struct emu_wq *wq, int pid)
{
	struct emu_client *client;
	int32_t seen;
	unsigned int i;

	for (i = 0; i < EMU_CLIENTS; i++)
		if (__atomic_load_n(&wq->client[i].pid, __ATOMIC_ACQUIRE) == pid)
			return &wq->client[i];
	for (i = 0; i < EMU_CLIENTS; i++) {
		client = &wq->client[i];
		seen = __atomic_load_n(&client->pid, __ATOMIC_ACQUIRE);
		if (seen != 0 && !process_gone(seen))
			continue;
		if (__atomic_compare_exchange_n(&client->pid, &seen, pid, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED)) {
			__atomic_store_n(&client->opens, 0, __ATOMIC_RELEASE);
			return client;
		}
	}
	/* more processes than have room: the number of clients that sysfs shows is too small */
	return NULL;
}

void emu_client_add(struct emu_wq *wq, int pid, int change)
{
	struct emu_client *client = client_of(wq, pid);

	if (client)
		__atomic_fetch_add(&client->opens, (uint32_t)change, __ATOMIC_ACQ_REL);
}

unsigned int emu_clients(struct emu_wq *wq)
{
	unsigned int i, n = 0;

	for (i = 0; i < EMU_CLIENTS; i++) {
		int32_t pid = __atomic_load_n(&wq->client[i].pid, __ATOMIC_ACQUIRE);

		if (pid != 0 && !process_gone(pid))
			n += __atomic_load_n(&wq->client[i].opens, __ATOMIC_ACQUIRE);
	}
	return n;
}

const struct sva_model_profile *emu_device_profile(const struct emu_device *dev)
{
	const struct sva_model_profile *profile = sva_model_profile_find(dev->profile);

	return profile ? profile : &sva_model_dsa1;
}

void emu_profile(const struct emu_device *dev, const struct emu_wq *wq,
		 struct sva_model_profile *profile)
{
	unsigned int i;

	*profile = *emu_device_profile(dev);
	profile->max_transfer = wq->max_transfer;
	profile->max_batch = wq->max_batch;
	profile->block_on_fault = wq->block_on_fault;
	for (i = 0; i < 4; i++)
		profile->op_cap[i] &= wq->op_config[i];
}
