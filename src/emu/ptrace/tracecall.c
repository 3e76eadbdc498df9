/* SPDX-License-Identifier: MIT */
/* The system calls of a traced program that concern the device. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "emu/device/engine.h"
#include "emu/device/node.h"
#include "emu/device/trace.h"
#include "emu/host/memory.h"
#include "emu/ptrace/tracecall.h"
#include "emu/ptrace/tracesignal.h"
#include "emu/sysfs/paths.h"

const unsigned int tracecall_numbers[] = {
	SYS_open,	    SYS_openat,	      SYS_openat2,
	SYS_creat,	    SYS_close,	      SYS_dup,
	SYS_dup2,	    SYS_dup3,	      SYS_fcntl,
	SYS_mmap,	    SYS_munmap,	      SYS_write,
	SYS_pwrite64,	    SYS_writev,	      SYS_stat,
	SYS_fstat,	    SYS_lstat,	      SYS_newfstatat,
	SYS_statx,	    SYS_access,	      SYS_faccessat,
	SYS_faccessat2,	    SYS_readlink,     SYS_readlinkat,
	SYS_chdir,

	SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_rt_sigreturn,
	SYS_rt_sigsuspend,  SYS_ppoll,	      SYS_pselect6,
	SYS_epoll_pwait,    SYS_epoll_pwait2, 0,
};

/* Which argument is a path? -1: none. */
static int path_argument(unsigned long long nr)
{
	switch (nr) {
	case SYS_open:
	case SYS_creat:
	case SYS_stat:
	case SYS_lstat:
	case SYS_access:
	case SYS_readlink:
	case SYS_chdir:
		return 0;
	case SYS_openat:
	case SYS_openat2:
	case SYS_newfstatat:
	case SYS_statx:
	case SYS_faccessat:
	case SYS_faccessat2:
	case SYS_readlinkat:
		return 1;
	default:
		return -1;
	}
}

/* Replace a path of the device by one into the directory of the run. */
static void change_path(struct tracee *tracee, struct user_regs_struct *regs)
{
	unsigned long long *arg;
	char path[1024], buf[EMU_PATH_MAX];
	const char *instead;
	uint64_t at;
	size_t got;

	if (!emu.state->opt.redirect || path_argument(regs->orig_rax) < 0)
		return;
	arg = path_argument(regs->orig_rax) ? &regs->rsi : &regs->rdi;
	got = sizeof(path) - 1 - emu_fetch(path, *arg, sizeof(path) - 1, NULL);
	path[got] = '\0';
	if (strlen(path) == got)
		return; /* too long, or not all of it is mapped: not a path of the device */
	instead = emu_path_in(path, buf);
	if (instead == path)
		return;
	at = tracee_scratch(regs);
	if (emu_store(at, instead, strlen(instead) + 1, NULL))
		return;
	*arg = at;
	tracee_change(tracee, regs);
}

static emu_queue_id find_queue(struct tracee *tracee, int fd)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", tracee->tid, fd);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? emu_node_find(st.st_dev, st.st_ino) :
							     0;
}

/* The entry of a queue that this address space opened under fd, or -1. */
static int find_slot(const struct space *space, int fd)
{
	int i;

	for (i = 0; i < TRACEE_FILES; i++)
		if (space->file[i].queue && space->file[i].fd == fd)
			return i;
	return -1;
}

static void note_file(struct space *space, int fd, emu_queue_id queue)
{
	int i = find_slot(space, fd);

	for (i = i < 0 ? 0 : i; i < TRACEE_FILES; i++) {
		if (space->file[i].queue && space->file[i].fd != fd)
			continue;
		if (!space->file[i].queue)
			emu_client_add(emu_queue_wq(emu.state, queue), space->pid, 1);
		space->file[i].fd = fd;
		space->file[i].queue = queue;
		return;
	}
}

static void forget_file(struct space *space, int fd)
{
	int i = find_slot(space, fd);

	if (i < 0)
		return;
	emu_client_add(emu_queue_wq(emu.state, space->file[i].queue), space->pid, -1);
	space->file[i].queue = 0;
}

static void forget_portals(uint64_t addr, uint64_t len)
{
	while (emu_portals_remove(addr, len))
		;
}

/* writev(2): write piece after piece, until one is not accepted whole. */
static long write_pieces(emu_queue_id queue, uint64_t iov, uint64_t n)
{
	struct iovec piece;
	long ret, sum = 0;
	uint64_t i;

	for (i = 0; i < n; i++) {
		if (emu_fetch(&piece, iov + i * sizeof(piece), sizeof(piece), NULL))
			return sum ? sum : -EFAULT;
		ret = emu_node_write(queue, (uintptr_t)piece.iov_base, piece.iov_len);
		if (ret < 0)
			return sum ? sum : ret;
		sum += ret;
		if ((size_t)ret != piece.iov_len)
			break;
	}
	return sum;
}

bool tracecall_enter(struct tracee *tracee)
{
	struct user_regs_struct *regs = &tracee->entry, changed;
	emu_queue_id queue;
	int fd;

	if (ptrace(PTRACE_GETREGS, tracee->tid, NULL, regs))
		return false;
	fd = (int)regs->rdi;
	tracee->changed = false;
	switch (regs->orig_rax) {
	case SYS_write:
	case SYS_pwrite64:
	case SYS_writev:
		queue = find_queue(tracee, fd);
		if (!queue)
			return false;
		changed = *regs;
		emu_trace_site(regs->rip);
		if (find_slot(tracee->space, fd) < 0)
			tracee_answer(tracee, &changed, -EPERM);
		else if (regs->orig_rax == SYS_writev)
			tracee_answer(tracee, &changed, write_pieces(queue, regs->rsi, regs->rdx));
		else
			tracee_answer(tracee, &changed,
				      emu_node_write(queue, regs->rsi, regs->rdx));
		return false;
	case SYS_close:
		forget_file(tracee->space, fd);
		return false;
	case SYS_fcntl:
		return regs->rsi == F_DUPFD || regs->rsi == F_DUPFD_CLOEXEC;
	case SYS_rt_sigprocmask:
	case SYS_rt_sigaction:
	case SYS_rt_sigreturn:
	case SYS_rt_sigsuspend:
	case SYS_ppoll:
	case SYS_pselect6:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
		changed = *regs;
		return tracesignal_enter(tracee, &changed);
	default:
		changed = *regs;
		change_path(tracee, &changed);
		return true;
	}
}

/*
 * Do what the driver does in open. The call has been made, so the file is closed again if the
 * driver would refuse.
 */
static long finish_open(struct tracee *tracee, int fd, uint64_t flags)
{
	emu_queue_id queue = find_queue(tracee, fd);
	struct emu_wq *wq;
	long ret = fd;

	forget_file(tracee->space, fd);
	if (!queue || (flags & O_PATH))
		return fd;
	wq = emu_queue_wq(emu.state, queue);
	if (!wq->enabled || wq->type != EMU_WQ_USER)
		ret = -ENXIO;
	else if (wq->dedicated &&
		 tracee_call(tracee, SYS_flock, (uint64_t)fd, LOCK_EX | LOCK_NB, 0))
		ret = -EBUSY;
	else if (emu.state->opt.refuse_sva)
		ret = -EOPNOTSUPP;
	if (ret < 0) {
		tracee_call(tracee, SYS_close, (uint64_t)fd, 0, 0);
		return ret;
	}
	emu_mm_id();
	tracee->space->mm.pasid = 1;
	note_file(tracee->space, fd, queue);
	return fd;
}

/*
 * Do what the driver does in mmap. The call has been made, so the page is unmapped again if the
 * driver would refuse.
 */
static long finish_mmap(struct tracee *tracee, uint64_t addr)
{
	const struct user_regs_struct *regs = &tracee->entry;
	emu_queue_id queue = regs->r10 & MAP_ANONYMOUS ? 0 : find_queue(tracee, (int)regs->r8);
	long ret = 0;

	forget_portals(addr, regs->rsi);
	if (!queue)
		return (long)addr;
	if (!emu_node_may_map() || find_slot(tracee->space, (int)regs->r8) < 0)
		ret = -EPERM;
	else if (regs->rsi > 4096)
		ret = -EINVAL;
	if (ret == 0)
		ret = emu_portals_add(addr, queue, 0, (int)regs->rdx, (int)regs->r10);
	if (ret) {
		tracee_call(tracee, SYS_munmap, addr, regs->rsi, 0);
		return ret;
	}
	tracee_call(tracee, SYS_madvise, addr, 4096, MADV_DONTFORK);
	return (long)addr;
}

/* stat(2) reports a node as the character device that it stands for. */
static void finish_stat(uint64_t buf)
{
	struct stat st;
	emu_queue_id queue;

	if (emu_fetch(&st, buf, sizeof(st), NULL) || !S_ISREG(st.st_mode) || st.st_size)
		return;
	queue = emu_node_find(st.st_dev, st.st_ino);
	if (!queue)
		return;
	st.st_mode = (st.st_mode & ~(mode_t)S_IFMT) | S_IFCHR;
	st.st_rdev = makedev(EMU_CDEV_MAJOR, emu_queue_wq(emu.state, queue)->minor);
	emu_store(buf, &st, sizeof(st), NULL);
}

static void finish_statx(uint64_t buf)
{
	struct statx stx;
	emu_queue_id queue;

	if (emu_fetch(&stx, buf, sizeof(stx), NULL) || (stx.stx_mode & S_IFMT) != S_IFREG ||
	    stx.stx_size)
		return;
	queue = emu_node_find(makedev(stx.stx_dev_major, stx.stx_dev_minor), stx.stx_ino);
	if (!queue)
		return;
	stx.stx_mode = (uint16_t)((stx.stx_mode & ~S_IFMT) | S_IFCHR);
	stx.stx_rdev_major = EMU_CDEV_MAJOR;
	stx.stx_rdev_minor = emu_queue_wq(emu.state, queue)->minor;
	emu_store(buf, &stx, sizeof(stx), NULL);
}

/*
 * Remove the directory of the run from the result of readlink(2), of /proc/self/fd/N for example.
 */
static long finish_readlink(uint64_t buf, long len)
{
	char path[EMU_PATH_MAX];

	if (len <= 0 || len >= (long)sizeof(path) || emu_fetch(path, buf, (size_t)len, NULL))
		return len;
	path[len] = '\0';
	if (!emu_path_out(path))
		return len;
	emu_store(buf, path, strlen(path), NULL);
	return (long)strlen(path);
}

static long finish_call(struct tracee *tracee, const struct user_regs_struct *regs)
{
	const struct user_regs_struct *entry = &tracee->entry;
	long ret = (long)regs->rax;
	uint64_t flags;
	int slot;

	if (ret < 0 && ret > -4096)
		return ret;
	switch (entry->orig_rax) {
	case SYS_open:
		return finish_open(tracee, (int)ret, entry->rsi);
	case SYS_creat:
		return finish_open(tracee, (int)ret, O_WRONLY);
	case SYS_openat:
		return finish_open(tracee, (int)ret, entry->rdx);
	case SYS_openat2:
		return finish_open(tracee, (int)ret,
				   emu_fetch(&flags, entry->rdx, sizeof(flags), NULL) ? 0 : flags);
	case SYS_dup:
	case SYS_dup2:
	case SYS_dup3:
	case SYS_fcntl:
		slot = find_slot(tracee->space, (int)entry->rdi);
		if (slot >= 0)
			note_file(tracee->space, (int)ret, tracee->space->file[slot].queue);
		else
			forget_file(tracee->space, (int)ret);
		return ret;
	case SYS_mmap:
		return finish_mmap(tracee, (uint64_t)ret);
	case SYS_munmap:
		forget_portals(entry->rdi, entry->rsi);
		return ret;
	case SYS_stat:
	case SYS_lstat:
	case SYS_fstat:
		finish_stat(entry->rsi);
		return ret;
	case SYS_newfstatat:
		finish_stat(entry->rdx);
		return ret;
	case SYS_statx:
		finish_statx(entry->r8);
		return ret;
	case SYS_rt_sigaction:
		tracesignal_exit(tracee);
		return ret;
	case SYS_readlink:
		return finish_readlink(entry->rsi, ret);
	case SYS_readlinkat:
		return finish_readlink(entry->rdx, ret);
	default:
		return ret;
	}
}

void tracecall_exit(struct tracee *tracee)
{
	struct user_regs_struct regs;
	long ret;

	if (ptrace(PTRACE_GETREGS, tracee->tid, NULL, &regs))
		return;
	ret = finish_call(tracee, &regs);
	if (ret == (long)regs.rax && !tracee->changed)
		return;
	regs.rax = (unsigned long long)ret;
	if (tracee->changed) {
		regs.rdi = tracee->entry.rdi;
		regs.rsi = tracee->entry.rsi;
		regs.rdx = tracee->entry.rdx;
		regs.r10 = tracee->entry.r10;
		regs.r8 = tracee->entry.r8;
		regs.r9 = tracee->entry.r9;
	}
	ptrace(PTRACE_SETREGS, tracee->tid, NULL, &regs);
}
