/* SPDX-License-Identifier: MIT */
/*
 * Opening and keeping descriptors, so that none of ours takes a number that the program relies on,
 * and none of the program's is mistaken for ours.
 */
#include "lib/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOWEST 3 /* 0 to 2 belong to the program, even while they are closed */
#define HIGH 400 /* the kernel's table of descriptors has 512 entries then, 4 KiB */

/*
 * Each open file has a field for the signal of F_SETSIG, which is 0 after open(2) and has no effect
 * without O_ASYNC. A value in it distinguishes a file that the library opened from one of the same
 * node that the program opened.
 */
#define MARK (SIGRTMAX - 7)

/* Move an open file to a number of at least lowest, and close the old number in either case. */
static int move_fd_up(int fd, int lowest)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, lowest), err = errno;

	close(fd);
	if (err == EINVAL)
		err = EMFILE; /* the limit is lower than that number */
	return moved < 0 ? -err : moved;
}

static atomic_int shortage;

int sva_fd_shortage(void)
{
	return atomic_load(&shortage);
}

void sva_fd_forget_shortage(void)
{
	atomic_store(&shortage, 0);
}

static void note_shortage(int err)
{
	int none = 0;

	if (sva_is_shortage(err))
		atomic_compare_exchange_strong(&shortage, &none, err < 0 ? err : -err);
}

/* What open(2) or the like returned becomes a descriptor of ours, or -errno; errno is as saved. */
static int finish_open(int fd, int saved)
{
	if (fd < 0)
		fd = -errno;
	else if (fd < LOWEST)
		fd = move_fd_up(fd, LOWEST);
	if (fd < 0)
		note_shortage(fd);
	errno = saved;
	return fd;
}

int sva_fd_openat(int dir, const char *name, int flags)
{
	int fd, saved = errno;

	do {
		fd = dir == AT_FDCWD ? open(name, flags | O_CLOEXEC) :
				       openat(dir, name, flags | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	return finish_open(fd, saved);
}

int sva_fd_open(const char *path, int flags)
{
	return sva_fd_openat(AT_FDCWD, path, flags);
}

int sva_fd_event(void)
{
	int saved = errno, fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return finish_open(fd, saved);
}

DIR *sva_fd_opendir(const char *path)
{
	int fd = sva_fd_open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
	DIR *dir;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	dir = fdopendir(fd);
	if (!dir) {
		note_shortage(errno);
		close(fd);
	}
	return dir;
}

FILE *sva_fd_fopen(const char *path)
{
	int fd = sva_fd_open(path, O_RDONLY | O_NOCTTY);
	FILE *file;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	file = fdopen(fd, "r");
	if (!file) {
		note_shortage(errno);
		close(fd);
	}
	return file;
}

/* ------------------------------------------------------------------ 0 to 2, for other libraries */

void sva_fd_hold_low(bool held[3])
{
	int saved = errno;

	for (int fd = 0; fd < LOWEST; fd++) {
		int got;

		held[fd] = false;
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		got = open("/", O_PATH | O_CLOEXEC);
		held[fd] = got == fd;
		if (got >= 0 && got != fd)
			close(got); /* another thread occupied it first */
	}
	errno = saved;
}

void sva_fd_release_low(const bool held[3])
{
	struct stat root, st;
	int saved = errno;

	for (int fd = 0; fd < LOWEST; fd++)
		if (held[fd] && fcntl(fd, F_GETFL) & O_PATH && !stat("/", &root) &&
		    !fstat(fd, &st) && st.st_dev == root.st_dev && st.st_ino == root.st_ino)
			close(fd);
	errno = saved;
}

/* ------------------------------------------------------------------ descriptors that are kept */

void sva_file_keep(struct sva_file *file, int fd)
{
	int saved = errno, high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
	struct stat st;

	/* Refused where the limit is lower, or every number is in use: then it keeps its number. */
	if (high >= 0) {
		close(fd);
		fd = high;
	}
	*file = (struct sva_file){.fd = fd};
	if (!fstat(fd, &st)) {
		file->dev = st.st_dev;
		file->ino = st.st_ino;
		file->rdev = st.st_rdev;
	}
	/* Where it is refused, only the node identifies the file. */
	(void)fcntl(fd, F_SETSIG, MARK);
	file->mark = fcntl(fd, F_GETSIG);
	errno = saved;
}

bool sva_file_same(const struct sva_file *file)
{
	int saved = errno;
	int fd = file->fd;
	struct stat st;
	bool same;

	same = fd >= 0 && !fstat(fd, &st) && st.st_ino == file->ino &&
	       st.st_dev == file->dev && st.st_rdev == file->rdev;
	errno = saved;
	return same;
}

bool sva_file_ours(const struct sva_file *file)
{
	int saved = errno;
	bool ours = sva_file_same(file) && fcntl(file->fd, F_GETSIG) == file->mark;

	errno = saved;
	return ours;
}

void sva_file_close(struct sva_file *file)
{
	int saved = errno;

	if (sva_file_ours(file))
		close(file->fd);
	file->fd = -1;
	errno = saved;
}
