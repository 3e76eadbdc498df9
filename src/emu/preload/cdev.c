/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "emu/device/async.h"
#include "emu/preload/calls.h"
#include "emu/preload/cdev.h"
#include "emu/preload/dispatch.h"
#include "emu/device/engine.h"
#include "emu/host/maps.h"
#include "emu/device/node.h"
#include "emu/host/process.h"
#include "emu/base/raw.h"
#include "emu/preload/signals.h"
#include "emu/base/text.h"

#define PAGE 4096u
#define MAX_FDS 4096u  /* descriptors above are not ours to know: programs open their queues early */
#define MAX_PORTALS 64u

/*
 * One word for each descriptor, so that reading it needs no lock: kind (4), queue (8), open id (20), address space
 * (32).
 */
static uint64_t fds[MAX_FDS];
static uint32_t last_open_id;

/* A portal: address, and a word as above whose kind has the two properties. */
#define PORTAL_USED     1u
#define PORTAL_READONLY 2u
#define PORTAL_SWALLOW  4u
static struct { uint64_t addr, word; } portals[MAX_PORTALS];

static uint64_t pack(unsigned int kind, emu_queue_id queue, uint32_t open_id, uint32_t mm)
{
	return (uint64_t)kind << 60 | (uint64_t)queue << 52 | (uint64_t)(open_id & 0xfffff) << 32 | mm;
}

static unsigned int word_kind(uint64_t word)
{
	return (unsigned int)(word >> 60);
}

static emu_queue_id word_queue(uint64_t word)
{
	return (emu_queue_id)(word >> 52 & 0xff);
}

static uint32_t word_open(uint64_t word)
{
	return (uint32_t)(word >> 32 & 0xfffff);
}

/* Which file is behind fd, if it is one of the tree's? */
static enum emu_file identify(int fd, emu_queue_id *queue)
{
	struct stat st;

	if (raw_syscall2(SYS_fstat, fd, &st) != 0 || !S_ISREG(st.st_mode))
		return EMU_FILE_OTHER;
	*queue = emu_node_find(st.st_dev, st.st_ino);
	if (*queue)
		return EMU_FILE_NODE;
	return emu.state->opt.plain_attrs && st.st_dev == emu.state->tree_dev ? EMU_FILE_ATTR : EMU_FILE_OTHER;
}

/* What the driver does in its open: the errors in its order. */
static int node_open(int fd, emu_queue_id queue)
{
	struct emu_wq *wq = emu_queue_wq(emu.state, queue);
	uint32_t open_id;

	if (!wq->enabled || wq->type != EMU_WQ_USER)
		return -ENXIO;
	if (wq->dedicated && raw_syscall2(SYS_flock, fd, LOCK_EX | LOCK_NB) != 0)
		return -EBUSY;
	if (emu.state->opt.refuse_sva)
		return -EOPNOTSUPP;
	emu_signals_check();
	emu_dispatch_arm();
	if (emu_engine_prepare())
		return -ENOMEM;
	open_id = __atomic_add_fetch(&last_open_id, 1, __ATOMIC_RELAXED);
	if ((unsigned int)fd < MAX_FDS)
		__atomic_store_n(&fds[fd], pack(EMU_FILE_NODE, queue, open_id, emu_mm_id()), __ATOMIC_RELEASE);
	__atomic_store_n(&emu.mm->pasid, 1, __ATOMIC_RELEASE);
	emu_client_add(wq, emu_pid(), 1);
	emu_calls_opened();
	return fd;
}

int emu_cdev_opened(int fd, int flags)
{
	emu_queue_id queue = 0;
	int ret = fd;

	if (flags & O_PATH)
		return fd;
	switch (identify(fd, &queue)) {
	case EMU_FILE_NODE:
		ret = node_open(fd, queue);
		if (ret < 0)
			raw_close(fd);
		break;
	case EMU_FILE_ATTR:
		if ((flags & O_ACCMODE) != O_RDONLY && (unsigned int)fd < MAX_FDS)
			__atomic_store_n(&fds[fd], pack(EMU_FILE_ATTR, 0, 0, 0), __ATOMIC_RELEASE);
		break;
	default:
		if ((unsigned int)fd < MAX_FDS && EMU_UNLIKELY(fds[fd]))
			__atomic_store_n(&fds[fd], 0, __ATOMIC_RELEASE);
	}
	return ret;
}

void emu_cdev_inherit(void)
{
	emu_queue_id queue = 0;
	unsigned int d, w;
	int fd, pid = emu_pid();

	for (d = 0; d < emu.state->devices; d++)
		for (w = 0; w < EMU_MAX_WQS; w++)
			emu_client_add(&emu.state->device[d].wq[w], pid, 0);
	/* Whoever passes a queue on passes it as a low number; there is nothing to gain in looking further. */
	for (fd = 0; fd < 64; fd++)
		if (identify(fd, &queue) == EMU_FILE_NODE)
			fds[fd] = pack(EMU_FILE_NODE, queue, 0, 0);
}

struct emu_open emu_cdev_lookup(int fd)
{
	struct emu_open file = { EMU_FILE_OTHER, 0, false, 0 };
	emu_queue_id queue = 0;
	uint64_t word;

	if ((unsigned int)fd >= MAX_FDS || !emu.state)
		return file;
	word = __atomic_load_n(&fds[fd], __ATOMIC_ACQUIRE);
	if (EMU_LIKELY(word == 0))
		return file;
	/* libc closes and opens files without us (fclose, fopen), so what the table says is checked. */
	file.kind = identify(fd, &queue);
	if (file.kind != word_kind(word) || queue != word_queue(word)) {
		file.kind = EMU_FILE_OTHER;
		return file;
	}
	file.queue = queue;
	file.open_id = word_open(word);
	file.foreign = file.kind == EMU_FILE_NODE && (uint32_t)word != emu_mm_id();
	return file;
}

struct emu_open emu_cdev_lookup_late(int fd)
{
	struct emu_open file = emu_cdev_lookup(fd);
	emu_queue_id queue = 0;

	if (EMU_LIKELY(file.kind != EMU_FILE_OTHER || fd < 0 || identify(fd, &queue) != EMU_FILE_NODE))
		return file;
	/* It was opened by a way that was not seen: what the driver asks at open is asked now. */
	if (node_open(fd, queue) < 0)
		return (struct emu_open){ EMU_FILE_NODE, queue, true, 0 };
	return emu_cdev_lookup(fd);
}

void emu_cdev_copied(int from, int to)
{
	if ((unsigned int)to < MAX_FDS)
		__atomic_store_n(&fds[to], (unsigned int)from < MAX_FDS ? fds[from] : 0, __ATOMIC_RELEASE);
}

/* Is any descriptor or mapping of this open file left? If not the driver waits for what is under way, and lets go. */
static void maybe_released(uint64_t word)
{
	uint64_t mask = ~(0xfull << 60); /* everything but the kind, which differs between the two tables */
	unsigned int i;

	for (i = 0; i < MAX_FDS; i++)
		if ((fds[i] & mask) == (word & mask))
			return;
	for (i = 0; i < MAX_PORTALS; i++)
		if ((portals[i].word & mask) == (word & mask))
			return;
	emu_async_drain(word_queue(word));
	emu_client_add(emu_queue_wq(emu.state, word_queue(word)), emu_pid(), -1);
}

void emu_cdev_closing(int fd)
{
	uint64_t word;

	if ((unsigned int)fd >= MAX_FDS || EMU_LIKELY(!fds[fd]))
		return;
	word = __atomic_exchange_n(&fds[fd], 0, __ATOMIC_ACQ_REL);
	if (word_kind(word) == EMU_FILE_NODE && (uint32_t)word == emu_mm_id())
		maybe_released(word);
}

void emu_cdev_closing_range(unsigned int first, unsigned int last)
{
	unsigned int fd;

	for (fd = first; fd <= last && fd < MAX_FDS; fd++)
		emu_cdev_closing((int)fd);
}

static long add_portal(uint64_t addr, uint64_t word)
{
	unsigned int i;
	uint64_t free;

	for (i = 0; i < MAX_PORTALS; i++) {
		free = __atomic_load_n(&portals[i].word, __ATOMIC_ACQUIRE);
		if (free && (uint32_t)free == (uint32_t)word)
			continue; /* in use by this address space */
		if (__atomic_compare_exchange_n(&portals[i].word, &free, 0, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED)) {
			__atomic_store_n(&portals[i].addr, addr, __ATOMIC_RELEASE);
			__atomic_store_n(&portals[i].word, word, __ATOMIC_RELEASE);
			return 0;
		}
	}
	return -ENOMEM;
}

long emu_cdev_mapped(const struct emu_open *file, long addr, size_t len, int prot, int flags)
{
	unsigned int kind = PORTAL_USED;
	long ret = 0;

	if (emu.state->opt.no_mmap || file->foreign)
		ret = -EPERM;
	else if (len > PAGE)
		ret = -EINVAL;
	if (!(prot & PROT_WRITE))
		kind |= PORTAL_READONLY;
	if ((flags & MAP_TYPE) == MAP_PRIVATE)
		kind |= PORTAL_SWALLOW;
	if (ret == 0) {
		emu_cdev_unmapped((uint64_t)addr, PAGE);
		ret = add_portal((uint64_t)addr, pack(kind, file->queue, file->open_id, emu_mm_id()));
	}
	if (ret) {
		raw_syscall2(SYS_munmap, addr, len);
		return ret;
	}
	/* As the driver's VM_DONTCOPY. */
	raw_syscall3(SYS_madvise, addr, PAGE, MADV_DONTFORK);
	return addr;
}

void emu_cdev_unmapped(uint64_t addr, size_t len)
{
	uint32_t mm = emu.mm->id;
	unsigned int i;
	uint64_t word;

	for (i = 0; i < MAX_PORTALS; i++) {
		word = __atomic_load_n(&portals[i].word, __ATOMIC_ACQUIRE);
		if (EMU_LIKELY(!word) || (uint32_t)word != mm || portals[i].addr - addr >= len)
			continue;
		if (__atomic_compare_exchange_n(&portals[i].word, &word, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			maybe_released(word);
	}
}

emu_queue_id emu_cdev_portal(uint64_t addr, bool *readonly, bool *swallow)
{
	uint32_t mm = __atomic_load_n(&emu.mm->id, __ATOMIC_RELAXED);
	unsigned int i;
	uint64_t word;

	addr &= ~(uint64_t)(PAGE - 1);
	for (i = 0; i < MAX_PORTALS; i++) {
		word = __atomic_load_n(&portals[i].word, __ATOMIC_ACQUIRE);
		if (word && (uint32_t)word == mm && portals[i].addr == addr) {
			*readonly = word_kind(word) & PORTAL_READONLY;
			*swallow = word_kind(word) & PORTAL_SWALLOW;
			return word_queue(word);
		}
	}
	return 0;
}

/*
 * A mapping that was made by a way that was not seen: from now on the process has a PASID, and the mapping is as the
 * driver's.
 */
static void adopt(emu_queue_id queue, uint64_t addr)
{
	addr &= ~(uint64_t)(PAGE - 1);
	add_portal(addr, pack(PORTAL_USED, queue, 0, emu_mm_id()));
	raw_syscall3(SYS_madvise, addr, PAGE, MADV_DONTFORK);
	__atomic_store_n(&emu.mm->pasid, 1, __ATOMIC_RELEASE);
	emu_engine_prepare();
	emu_calls_opened();
}

emu_queue_id emu_cdev_portal_search(uint64_t addr)
{
	struct emu_mapping mapping;
	emu_queue_id queue = 0;

	if (!emu.state->opt.no_mmap && !emu.state->opt.refuse_sva && emu_maps_find(addr, &mapping) && mapping.shared)
		queue = emu_node_path(mapping.path);
	if (queue)
		adopt(queue, addr);
	return queue;
}
