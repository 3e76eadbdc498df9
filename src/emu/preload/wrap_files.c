/* SPDX-License-Identifier: MIT */
/* The functions of libc on file descriptors that may refer to a node or an attribute file. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/device/node.h"
#include "emu/device/trace.h"
#include "emu/host/process.h"
#include "emu/preload/cdev.h"
#include "emu/preload/files.h"
#include "emu/preload/interpose.h"
#include "emu/preload/signals.h"
#include "emu/sysfs/paths.h"
#include "emu/sysfs/tree.h"

EMU_INTERPOSE(int, close, int fd)
{
	typedef int next_fn(int);

	if (emu.state)
		emu_cdev_closing(fd);
	return EMU_NEXT(next_fn *, "close")(fd);
}

EMU_INTERPOSE(int, close_range, unsigned int first, unsigned int last, int flags)
{
	typedef int next_fn(unsigned int, unsigned int, int);

	if (emu.state && flags == 0)
		emu_cdev_closing_range(first, last);
	return EMU_NEXT(next_fn *, "close_range")(first, last, flags);
}

EMU_INTERPOSE(void, closefrom, int first)
{
	typedef void next_fn(int);

	if (emu.state)
		emu_cdev_closing_range(first < 0 ? 0 : (unsigned int)first, ~0u);
	EMU_NEXT(next_fn *, "closefrom")(first);
}

static int note_copy(int from, int to)
{
	if (to >= 0 && emu.state)
		emu_cdev_copied(from, to);
	return to;
}

EMU_INTERPOSE(int, dup, int fd)
{
	typedef int next_fn(int);

	return note_copy(fd, EMU_NEXT(next_fn *, "dup")(fd));
}

EMU_INTERPOSE(int, dup2, int fd, int to)
{
	typedef int next_fn(int, int);

	return note_copy(fd, EMU_NEXT(next_fn *, "dup2")(fd, to));
}

EMU_INTERPOSE(int, dup3, int fd, int to, int flags)
{
	typedef int next_fn(int, int, int);

	return note_copy(fd, EMU_NEXT(next_fn *, "dup3")(fd, to, flags));
}

typedef int fcntl_fn(int, int, ...);

static int do_fcntl(fcntl_fn *next, int fd, int cmd, long arg)
{
	int ret = next(fd, cmd, arg);

	return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC ? note_copy(fd, ret) : ret;
}

/* The third argument is in the same register, whatever its type. */
EMU_INTERPOSE(int, fcntl, int fd, int cmd, long arg)
{
	return do_fcntl(EMU_NEXT(fcntl_fn *, "fcntl"), fd, cmd, arg);
}

EMU_INTERPOSE(int, fcntl64, int fd, int cmd, long arg)
{
	return do_fcntl(EMU_NEXT(fcntl_fn *, "fcntl64"), fd, cmd, arg);
}

/* --- mappings --- */

typedef void *mmap_fn(void *, size_t, int, int, int, off_t);

long emu_files_mapped(long addr, size_t len, int prot, int flags, int fd)
{
	struct emu_open file = { EMU_FILE_OTHER, 0, false, 0 };

	if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) == MAP_FIXED)
		emu_cdev_unmapped((uint64_t)addr, len);
	if (!(flags & MAP_ANONYMOUS))
		file = emu_cdev_lookup_late(fd);
	if (EMU_LIKELY(file.kind != EMU_FILE_NODE))
		return addr;
	addr = emu_cdev_mapped(&file, addr, len, prot, flags);
	if (!raw_failed(addr))
		emu_signals_check();
	return addr;
}

/* The checks of the kernel come before those of the driver, which ignores the offset. */
static void *do_mmap(mmap_fn *next, void *addr, size_t len, int prot, int flags, int fd,
		     off_t offset)
{
	void *got = next(addr, len, prot, flags, fd, offset);
	long ret;

	if (got == MAP_FAILED || !emu.state)
		return got;
	ret = emu_files_mapped((long)(uintptr_t)got, len, prot, flags, fd);
	if (raw_failed(ret)) {
		errno = (int)-ret;
		return MAP_FAILED;
	}
	return got;
}

EMU_INTERPOSE(void *, mmap, void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	return do_mmap(EMU_NEXT(mmap_fn *, "mmap"), addr, len, prot, flags, fd, offset);
}

EMU_INTERPOSE(void *, mmap64, void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	return do_mmap(EMU_NEXT(mmap_fn *, "mmap64"), addr, len, prot, flags, fd, offset);
}

EMU_INTERPOSE(int, munmap, void *addr, size_t len)
{
	typedef int next_fn(void *, size_t);
	int ret = EMU_NEXT(next_fn *, "munmap")(addr, len);

	if (ret == 0 && emu.state)
		emu_cdev_unmapped((uint64_t)(uintptr_t)addr, len);
	return ret;
}

/* --- write --- */

/* Carry out a write to an attribute, by the rules of the driver, and bring the files up to date. */
static ssize_t attr_write(int fd, const void *buf, size_t len)
{
	struct emu_state *state = emu.state;
	struct emu_attr_ref ref;
	struct emu_text text;
	char link[32], path[512];
	unsigned int d;
	ssize_t got;
	int ret;

	text_init(&text, link, sizeof(link));
	text_add(&text, "/proc/self/fd/%d", fd);
	got = raw_syscall3(SYS_readlink, link, path, sizeof(path) - 1);
	if (got <= 0)
		return -EBADF;
	path[got] = '\0';
	emu_path_out(path); /* does nothing in a mount namespace */
	if (!emu_tree_attr(state, path, &ref))
		/* another file on the same file system */
		return raw_write(fd, buf, len);
	ret = emu_attr_store(state, &ref, buf, len);
	for (d = 0; d < state->devices; d++)
		if (ref.object == EMU_OBJ_DRIVER || d == ref.device)
			emu_tree_refresh(state, state->opt.root, d);
	return ret ? ret : (ssize_t)len;
}

bool emu_files_write(int fd, uint64_t buf, size_t len, uint64_t site, long *ret)
{
	struct emu_open file = emu_cdev_lookup(fd);

	if (EMU_LIKELY(file.kind == EMU_FILE_OTHER))
		return false;
	emu_trace_site(site);
	if (file.kind == EMU_FILE_ATTR)
		*ret = attr_write(fd, (const void *)(uintptr_t)buf, len);
	else
		*ret = file.foreign ? -EPERM : emu_node_write(file.queue, buf, len);
	return true;
}

/*
 * The kernel passes piece after piece to a driver without write_iter, and stops at the first that
 * is not accepted whole.
 */
bool emu_files_writev(int fd, uint64_t iov, int n, uint64_t site, long *ret)
{
	struct iovec piece;
	long sum = 0;
	int i;

	if (emu_cdev_lookup(fd).kind == EMU_FILE_OTHER || n <= 0)
		return false;
	for (i = 0; i < n; i++) {
		*ret = -EFAULT;
		if (!emu_fetch(&piece, iov + (unsigned int)i * sizeof(piece), sizeof(piece),
			       NULL) &&
		    !emu_files_write(fd, (uintptr_t)piece.iov_base, piece.iov_len, site, ret))
			*ret = -EBADF;
		if (*ret < 0) {
			*ret = sum ? sum : *ret;
			return true;
		}
		sum += *ret;
		if ((size_t)*ret != piece.iov_len)
			break;
	}
	*ret = sum;
	return true;
}

/* Return a result as libc does. */
static ssize_t return_result(long ret)
{
	EMU_RETURN(ret);
}

#define SITE ((uint64_t)(uintptr_t)__builtin_return_address(0))

EMU_INTERPOSE(ssize_t, write, int fd, const void *buf, size_t len)
{
	typedef ssize_t next_fn(int, const void *, size_t);
	long ret;

	if (emu.state && emu_files_write(fd, (uintptr_t)buf, len, SITE, &ret))
		return return_result(ret);
	return EMU_NEXT(next_fn *, "write")(fd, buf, len);
}

#define WRAP_PWRITE(name) \
	EMU_INTERPOSE(ssize_t, name, int fd, const void *buf, size_t len, off_t offset) \
	{ \
		typedef ssize_t next_fn(int, const void *, size_t, off_t); \
		long ret; \
		\
		if (emu.state && emu_files_write(fd, (uintptr_t)buf, len, SITE, &ret)) \
			return return_result(ret); \
		return EMU_NEXT(next_fn *, #name)(fd, buf, len, offset); \
	}

WRAP_PWRITE(pwrite)
WRAP_PWRITE(pwrite64)

EMU_INTERPOSE(ssize_t, writev, int fd, const struct iovec *iov, int n)
{
	typedef ssize_t next_fn(int, const struct iovec *, int);
	long ret;

	if (emu.state && emu_files_writev(fd, (uintptr_t)iov, n, SITE, &ret))
		return return_result(ret);
	return EMU_NEXT(next_fn *, "writev")(fd, iov, n);
}

/* The driver has no read. */
EMU_INTERPOSE(ssize_t, read, int fd, void *buf, size_t len)
{
	typedef ssize_t next_fn(int, void *, size_t);

	if (EMU_UNLIKELY(emu_cdev_lookup(fd).kind == EMU_FILE_NODE)) {
		errno = EINVAL;
		return -1;
	}
	return EMU_NEXT(next_fn *, "read")(fd, buf, len);
}

/* --- poll --- */

#define POLL_MAX 64

/*
 * A node is readable when its device has an error to report; the file behind it would always be.
 * The result for nodes is computed here, and a copy of the list without them is made for the
 * kernel. Returns how many nodes are ready; -1 if there is none.
 */
static int poll_nodes(struct pollfd *all, nfds_t n, struct pollfd *others)
{
	int ready = 0, nodes = 0;
	struct emu_open file;
	nfds_t i;

	for (i = 0; emu.state && n <= POLL_MAX && i < n; i++) {
		others[i] = all[i];
		file = emu_cdev_lookup(all[i].fd);
		if (file.kind != EMU_FILE_NODE)
			continue;
		nodes++;
		others[i].fd = -1;
		all[i].revents = 0;
		if (file.foreign)
			all[i].revents = POLLNVAL;
		else if (emu_queue_device(emu.state, file.queue)->swerror[0] & 1)
			all[i].revents = (short)(all[i].events & (POLLIN | POLLRDNORM));
		ready += all[i].revents != 0;
	}
	return nodes ? ready : -1;
}

static int merge_nodes(struct pollfd *all, nfds_t n, const struct pollfd *others, int ready,
		       int ret)
{
	nfds_t i;

	for (i = 0; ret >= 0 && i < n; i++)
		if (others[i].fd >= 0)
			all[i].revents = others[i].revents;
	return ret < 0 ? ret : ret + ready;
}

EMU_INTERPOSE(int, poll, struct pollfd *all, nfds_t n, int timeout)
{
	typedef int next_fn(struct pollfd *, nfds_t, int);
	struct pollfd others[POLL_MAX];
	int ready = poll_nodes(all, n, others);

	if (EMU_LIKELY(ready < 0))
		return EMU_NEXT(next_fn *, "poll")(all, n, timeout);
	return merge_nodes(all, n, others, ready,
			   EMU_NEXT(next_fn *, "poll")(others, n, ready ? 0 : timeout));
}

EMU_INTERPOSE(int, ppoll, struct pollfd *all, nfds_t n, const struct timespec *timeout,
	      const sigset_t *mask)
{
	typedef int next_fn(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
	static const struct timespec now;
	struct pollfd others[POLL_MAX];
	int ready = poll_nodes(all, n, others);
	sigset_t copy;

	mask = emu_signals_open(mask, &copy);
	if (EMU_LIKELY(ready < 0))
		return EMU_NEXT(next_fn *, "ppoll")(all, n, timeout, mask);
	return merge_nodes(all, n, others, ready,
			   EMU_NEXT(next_fn *, "ppoll")(others, n, ready ? &now : timeout, mask));
}
