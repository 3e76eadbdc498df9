/* SPDX-License-Identifier: MIT */
/* Which file descriptors are open files of a queue; open, mmap and close of a node. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "emu/base/raw.h"
#include "emu/device/async.h"
#include "emu/device/engine.h"
#include "emu/device/node.h"
#include "emu/host/process.h"
#include "emu/insn/portals.h"
#include "emu/preload/arm.h"
#include "emu/preload/cdev.h"
#include "emu/preload/filter.h"
#include "emu/preload/signals.h"

#define PAGE 4096u
/* higher descriptors are not looked at: programs open their queues early */
#define MAX_FDS 4096u

/* A word of portals.h for each descriptor; its kind is an enum emu_file. */
static uint64_t fds[MAX_FDS];
static uint32_t last_open_id;

/* Is the file behind fd a node or an attribute of the device? */
static enum emu_file identify_file(int fd, emu_queue_id *queue)
{
	struct stat st;

	if (raw_syscall2(SYS_fstat, fd, &st) != 0 || !S_ISREG(st.st_mode))
		return EMU_FILE_OTHER;
	*queue = emu_node_find(st.st_dev, st.st_ino);
	if (*queue)
		return EMU_FILE_NODE;
	return emu.state->opt.plain_attrs && st.st_dev == emu.state->tree_dev ? EMU_FILE_ATTR :
										EMU_FILE_OTHER;
}

/* Do what the driver does in open, with its errors in its order. */
static int open_node(int fd, emu_queue_id queue)
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
	emu_arm_thread();
	if (emu_engine_prepare())
		return -ENOMEM;
	open_id = __atomic_add_fetch(&last_open_id, 1, __ATOMIC_RELAXED);
	if ((unsigned int)fd < MAX_FDS)
		__atomic_store_n(&fds[fd],
				 emu_word_pack(EMU_FILE_NODE, queue, open_id, emu_mm_id()),
				 __ATOMIC_RELEASE);
	__atomic_store_n(&emu.mm->pasid, 1, __ATOMIC_RELEASE);
	emu_client_add(wq, emu_pid(), 1);
	emu_filter_opened();
	return fd;
}

int emu_cdev_opened(int fd, int flags)
{
	emu_queue_id queue = 0;
	int ret = fd;

	if (flags & O_PATH)
		return fd;
	switch (identify_file(fd, &queue)) {
	case EMU_FILE_NODE:
		ret = open_node(fd, queue);
		if (ret < 0)
			raw_close(fd);
		break;
	case EMU_FILE_ATTR:
		if ((flags & O_ACCMODE) != O_RDONLY && (unsigned int)fd < MAX_FDS)
			__atomic_store_n(&fds[fd], emu_word_pack(EMU_FILE_ATTR, 0, 0, 0),
					 __ATOMIC_RELEASE);
		break;
	default:
		if ((unsigned int)fd < MAX_FDS && EMU_UNLIKELY(fds[fd]))
			__atomic_store_n(&fds[fd], 0, __ATOMIC_RELEASE);
	}
	return ret;
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
	/*
	 * libc closes and opens files by itself (fclose, fopen), so the entry in the table is
	 * checked.
	 */
	file.kind = identify_file(fd, &queue);
	if (file.kind != emu_word_kind(word) || queue != emu_word_queue(word)) {
		file.kind = EMU_FILE_OTHER;
		return file;
	}
	file.queue = queue;
	file.open_id = emu_word_open_id(word);
	file.foreign = file.kind == EMU_FILE_NODE && (uint32_t)word != emu_mm_id();
	return file;
}

struct emu_open emu_cdev_lookup_late(int fd)
{
	struct emu_open file = emu_cdev_lookup(fd);
	emu_queue_id queue = 0;

	if (EMU_LIKELY(file.kind != EMU_FILE_OTHER || fd < 0 ||
		       identify_file(fd, &queue) != EMU_FILE_NODE))
		return file;
	/*
	 * It was opened by a way that was not seen: what the driver checks in open is checked now.
	 */
	if (open_node(fd, queue) < 0)
		return (struct emu_open){ EMU_FILE_NODE, queue, true, 0 };
	return emu_cdev_lookup(fd);
}

void emu_cdev_copied(int from, int to)
{
	if ((unsigned int)to < MAX_FDS)
		__atomic_store_n(&fds[to], (unsigned int)from < MAX_FDS ? fds[from] : 0,
				 __ATOMIC_RELEASE);
}

/*
 * Do what the driver does when the last descriptor or mapping of an open file is gone: wait for
 * what was submitted through it.
 */
static void release_unused(uint64_t word)
{
	unsigned int i;

	for (i = 0; i < MAX_FDS; i++)
		if (emu_word_same_open(fds[i], word))
			return;
	if (emu_portals_has(word))
		return;
	emu_async_drain(emu_word_queue(word));
	emu_client_add(emu_queue_wq(emu.state, emu_word_queue(word)), emu_pid(), -1);
}

void emu_cdev_closing(int fd)
{
	uint64_t word;

	if ((unsigned int)fd >= MAX_FDS || EMU_LIKELY(!fds[fd]))
		return;
	word = __atomic_exchange_n(&fds[fd], 0, __ATOMIC_ACQ_REL);
	if (emu_word_kind(word) == EMU_FILE_NODE && (uint32_t)word == emu_mm_id())
		release_unused(word);
}

void emu_cdev_closing_range(unsigned int first, unsigned int last)
{
	unsigned int fd;

	for (fd = first; fd <= last && fd < MAX_FDS; fd++)
		emu_cdev_closing((int)fd);
}

long emu_cdev_mapped(const struct emu_open *file, long addr, size_t len, int prot, int flags)
{
	long ret = 0;

	if (!emu_node_may_map() || file->foreign)
		ret = -EPERM;
	else if (len > PAGE)
		ret = -EINVAL;
	if (ret == 0) {
		emu_cdev_unmapped((uint64_t)addr, PAGE);
		ret = emu_portals_add((uint64_t)addr, file->queue, file->open_id, prot, flags);
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
	uint64_t word;

	while ((word = emu_portals_remove(addr, len)))
		release_unused(word);
}

/*
 * A portal that was mapped by a way that was not seen: from now on the process has a PASID, and the
 * mapping is as the driver's.
 */
static void adopt_portal(emu_queue_id queue, uint64_t addr)
{
	emu_portals_add(addr, queue, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
	raw_syscall3(SYS_madvise, addr, PAGE, MADV_DONTFORK);
	__atomic_store_n(&emu.mm->pasid, 1, __ATOMIC_RELEASE);
	emu_engine_prepare();
	emu_filter_opened();
}

/* Descriptors that came with exec are in the table from the start. */
void emu_cdev_init(void)
{
	emu_queue_id queue = 0;
	unsigned int d, w;
	int fd, pid = emu_pid();

	emu_portals_on_found(adopt_portal);
	for (d = 0; d < emu.state->devices; d++)
		for (w = 0; w < EMU_MAX_WQS; w++)
			emu_client_add(&emu.state->device[d].wq[w], pid, 0);
	/*
	 * A program that passes a queue on passes it as a low number: higher ones are not looked
	 * at.
	 */
	for (fd = 0; fd < 64; fd++)
		if (identify_file(fd, &queue) == EMU_FILE_NODE)
			fds[fd] = emu_word_pack(EMU_FILE_NODE, queue, 0, 0);
}
