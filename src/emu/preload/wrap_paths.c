/* SPDX-License-Identifier: MIT */
/*
 * The functions of libc that take or return paths. Each changes the path, calls the next function
 * of its name, and changes the result back. What is not here is not redirected: statx(2) as a
 * system call, nftw and fts (their callback sees the directory of the run), io_uring.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "emu/base/raw.h"
#include "emu/device/node.h"
#include "emu/host/process.h"
#include "emu/preload/cdev.h"
#include "emu/preload/interpose.h"
#include "emu/sysfs/paths.h"

/* Finish an open, which the driver may refuse. */
static int finish_open(int fd, int flags)
{
	int saved, ret;

	if (fd < 0 || !emu.state)
		return fd;
	saved = errno;
	ret = emu_cdev_opened(fd, flags);
	errno = ret < 0 ? -ret : saved;
	return ret < 0 ? -1 : ret;
}

/* Settings of the machine can be read, but not written, as in a mount namespace. */
static bool is_setting(const char *path, int flags)
{
	if (!emu.state || !emu.state->opt.redirect || !path || (flags & O_ACCMODE) == O_RDONLY)
		return false;
	return emu_path_setting(path);
}

static int refuse_setting(void)
{
	errno = EROFS;
	return -1;
}

typedef int open_fn(const char *, int, ...);
typedef int openat_fn(int, const char *, int, ...);

#define WRAP_OPEN(name) \
	EMU_INTERPOSE(int, name, const char *path, int flags, mode_t mode) \
	{ \
		char buf[EMU_PATH_MAX]; \
		\
		path = emu_path_in(path, buf); \
		if (EMU_UNLIKELY(is_setting(path, flags))) \
			return refuse_setting(); \
		return finish_open(EMU_NEXT(open_fn *, #name)(path, flags, mode), flags); \
	}
#define WRAP_OPENAT(name) \
	EMU_INTERPOSE(int, name, int dir, const char *path, int flags, mode_t mode) \
	{ \
		char buf[EMU_PATH_MAX]; \
		\
		path = emu_path_in(path, buf); \
		if (EMU_UNLIKELY(is_setting(path, flags))) \
			return refuse_setting(); \
		return finish_open(EMU_NEXT(openat_fn *, #name)(dir, path, flags, mode), flags); \
	}

/*
 * On x86-64 a variadic argument is passed like any other; libc ignores the mode unless the flags
 * need it.
 */
WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPEN(__open)
WRAP_OPEN(__open64)
WRAP_OPEN(__open_2)
WRAP_OPEN(__open64_2)
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)
WRAP_OPENAT(__openat_2)
WRAP_OPENAT(__openat64_2)

EMU_INTERPOSE(int, creat, const char *path, mode_t mode)
{
	return emu_open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

EMU_INTERPOSE(int, creat64, const char *path, mode_t mode)
{
	return emu_open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* Finish the opening of a stream, whose descriptor may be that of a node. */
static FILE *finish_stream(FILE *file, const char *mode)
{
	int flags = mode[0] == 'r' && mode[1] != '+' ? O_RDONLY : O_RDWR;

	if (file && emu.state && emu_cdev_opened(fileno(file), flags) < 0) {
		/*
		 * The descriptor is closed. The stream is not freed, as fclose() would close the
		 * number again.
		 */
		return NULL;
	}
	return file;
}

#define WRAP_FOPEN(name) \
	EMU_INTERPOSE(FILE *, name, const char *path, const char *mode) \
	{ \
		typedef FILE *fopen_fn(const char *, const char *); \
		char buf[EMU_PATH_MAX]; \
		\
		path = emu_path_in(path, buf); \
		if (EMU_UNLIKELY(mode[0] != 'r' && is_setting(path, O_WRONLY))) { \
			refuse_setting(); \
			return NULL; \
		} \
		return finish_stream(EMU_NEXT(fopen_fn *, #name)(path, mode), mode); \
	}
WRAP_FOPEN(fopen)
WRAP_FOPEN(fopen64)

#define WRAP_FREOPEN(name) \
	EMU_INTERPOSE(FILE *, name, const char *path, const char *mode, FILE *file) \
	{ \
		typedef FILE *freopen_fn(const char *, const char *, FILE *); \
		char buf[EMU_PATH_MAX]; \
		\
		path = emu_path_in(path, buf); \
		return finish_stream(EMU_NEXT(freopen_fn *, #name)(path, mode, file), mode); \
	}
WRAP_FREOPEN(freopen)
WRAP_FREOPEN(freopen64)

/* int f(path, further arguments): these are passed on as they are. */
#define WRAP_PATH1(name, type2) \
	EMU_INTERPOSE(int, name, const char *path, type2 b) \
	{ \
		typedef int next_fn(const char *, type2); \
		char buf[EMU_PATH_MAX]; \
		\
		return EMU_NEXT(next_fn *, #name)(emu_path_in(path, buf), b); \
	}
#define WRAP_PATH2(name, type2, type3) \
	EMU_INTERPOSE(int, name, const char *path, type2 b, type3 c) \
	{ \
		typedef int next_fn(const char *, type2, type3); \
		char buf[EMU_PATH_MAX]; \
		\
		return EMU_NEXT(next_fn *, #name)(emu_path_in(path, buf), b, c); \
	}
#define WRAP_DIR_PATH1(name, type3) \
	EMU_INTERPOSE(int, name, int dir, const char *path, type3 c) \
	{ \
		typedef int next_fn(int, const char *, type3); \
		char buf[EMU_PATH_MAX]; \
		\
		return EMU_NEXT(next_fn *, #name)(dir, emu_path_in(path, buf), c); \
	}
#define WRAP_DIR_PATH2(name, type3, type4) \
	EMU_INTERPOSE(int, name, int dir, const char *path, type3 c, type4 d) \
	{ \
		typedef int next_fn(int, const char *, type3, type4); \
		char buf[EMU_PATH_MAX]; \
		\
		return EMU_NEXT(next_fn *, #name)(dir, emu_path_in(path, buf), c, d); \
	}

WRAP_PATH1(access, int)
WRAP_PATH1(eaccess, int)
WRAP_PATH1(euidaccess, int)
WRAP_PATH1(chmod, mode_t)
WRAP_PATH1(statfs, struct statfs *)
WRAP_PATH1(statfs64, struct statfs64 *)
WRAP_PATH2(chown, uid_t, gid_t)
WRAP_PATH2(lchown, uid_t, gid_t)
WRAP_PATH1(truncate, off_t)
WRAP_DIR_PATH2(faccessat, int, int)
WRAP_DIR_PATH2(fchmodat, mode_t, int)
WRAP_DIR_PATH1(inotify_add_watch, uint32_t)

/* ls -l calls these. */
#define WRAP_GETXATTR(name) \
	EMU_INTERPOSE(ssize_t, name, const char *path, const char *attr, void *value, size_t size) \
	{ \
		typedef ssize_t next_fn(const char *, const char *, void *, size_t); \
		char buf[EMU_PATH_MAX]; \
		\
		return EMU_NEXT(next_fn *, #name)(emu_path_in(path, buf), attr, value, size); \
	}
WRAP_GETXATTR(getxattr)
WRAP_GETXATTR(lgetxattr)

EMU_INTERPOSE(int, chdir, const char *path)
{
	typedef int next_fn(const char *);
	char buf[EMU_PATH_MAX];

	return EMU_NEXT(next_fn *, "chdir")(emu_path_in(path, buf));
}

/* --- stat: a node looks like the character device that it stands for --- */

static int finish_stat(int ret, struct stat *st)
{
	emu_queue_id queue;

	if (ret == 0 && emu.state && S_ISREG(st->st_mode) && st->st_size == 0) {
		queue = emu_node_find(st->st_dev, st->st_ino);
		if (queue) {
			st->st_mode = (st->st_mode & ~(mode_t)S_IFMT) | S_IFCHR;
			st->st_rdev =
				makedev(EMU_CDEV_MAJOR, emu_queue_wq(emu.state, queue)->minor);
		}
	}
	return ret;
}

#define WRAP_STAT(name) \
	EMU_INTERPOSE(int, name, const char *path, struct stat *st) \
	{ \
		typedef int next_fn(const char *, struct stat *); \
		char buf[EMU_PATH_MAX]; \
		\
		return finish_stat(EMU_NEXT(next_fn *, #name)(emu_path_in(path, buf), st), st); \
	}
#define WRAP_FSTAT(name) \
	EMU_INTERPOSE(int, name, int fd, struct stat *st) \
	{ \
		typedef int next_fn(int, struct stat *); \
		\
		return finish_stat(EMU_NEXT(next_fn *, #name)(fd, st), st); \
	}
#define WRAP_FSTATAT(name) \
	EMU_INTERPOSE(int, name, int dir, const char *path, struct stat *st, int flags) \
	{ \
		typedef int next_fn(int, const char *, struct stat *, int); \
		char buf[EMU_PATH_MAX]; \
		\
		path = emu_path_in(path, buf); \
		return finish_stat(EMU_NEXT(next_fn *, #name)(dir, path, st, flags), st); \
	}
#define WRAP_XSTAT(name) \
	EMU_INTERPOSE(int, name, int version, const char *path, struct stat *st) \
	{ \
		typedef int next_fn(int, const char *, struct stat *); \
		char buf[EMU_PATH_MAX]; \
		\
		path = emu_path_in(path, buf); \
		return finish_stat(EMU_NEXT(next_fn *, #name)(version, path, st), st); \
	}

/*
 * struct stat64 is struct stat here. The functions with x are what programs built for an older libc
 * call.
 */
WRAP_STAT(stat)
WRAP_STAT(stat64)
WRAP_STAT(lstat)
WRAP_STAT(lstat64)
WRAP_FSTAT(fstat)
WRAP_FSTAT(fstat64)
WRAP_FSTATAT(fstatat)
WRAP_FSTATAT(fstatat64)
WRAP_XSTAT(__xstat)
WRAP_XSTAT(__xstat64)
WRAP_XSTAT(__lxstat)
WRAP_XSTAT(__lxstat64)

EMU_INTERPOSE(int, statx, int dir, const char *path, int flags, unsigned int mask,
	      struct statx *stx)
{
	typedef int next_fn(int, const char *, int, unsigned int, struct statx *);
	char buf[EMU_PATH_MAX];
	int ret = EMU_NEXT(next_fn *, "statx")(dir, emu_path_in(path, buf), flags, mask, stx);
	emu_queue_id queue;

	if (ret == 0 && emu.state && (stx->stx_mode & S_IFMT) == S_IFREG && stx->stx_size == 0) {
		queue = emu_node_find(makedev(stx->stx_dev_major, stx->stx_dev_minor),
				      stx->stx_ino);
		if (queue) {
			stx->stx_mode = (uint16_t)((stx->stx_mode & ~S_IFMT) | S_IFCHR);
			stx->stx_rdev_major = EMU_CDEV_MAJOR;
			stx->stx_rdev_minor = emu_queue_wq(emu.state, queue)->minor;
		}
	}
	return ret;
}

/* --- paths as results --- */

static ssize_t link_text(ssize_t len, char *text, size_t size)
{
	char copy[EMU_PATH_MAX];
	ssize_t i;

	if (len <= 0 || (size_t)len >= size || len >= EMU_PATH_MAX)
		return len;
	for (i = 0; i < len; i++)
		copy[i] = text[i];
	copy[len] = '\0';
	if (!emu_path_out(copy))
		return len;
	for (i = 0; copy[i]; i++)
		text[i] = copy[i];
	return i;
}

EMU_INTERPOSE(ssize_t, readlink, const char *path, char *text, size_t size)
{
	typedef ssize_t next_fn(const char *, char *, size_t);
	char buf[EMU_PATH_MAX];

	return link_text(EMU_NEXT(next_fn *, "readlink")(emu_path_in(path, buf), text, size), text,
			 size);
}

EMU_INTERPOSE(ssize_t, __readlink_chk, const char *path, char *text, size_t size, size_t room)
{
	typedef ssize_t next_fn(const char *, char *, size_t, size_t);
	char buf[EMU_PATH_MAX];

	return link_text(
		EMU_NEXT(next_fn *, "__readlink_chk")(emu_path_in(path, buf), text, size, room),
		text, size);
}

EMU_INTERPOSE(ssize_t, readlinkat, int dir, const char *path, char *text, size_t size)
{
	typedef ssize_t next_fn(int, const char *, char *, size_t);
	char buf[EMU_PATH_MAX];

	return link_text(EMU_NEXT(next_fn *, "readlinkat")(dir, emu_path_in(path, buf), text, size),
			 text, size);
}

EMU_INTERPOSE(ssize_t, __readlinkat_chk, int dir, const char *path, char *text, size_t size,
	      size_t room)
{
	typedef ssize_t next_fn(int, const char *, char *, size_t, size_t);
	char buf[EMU_PATH_MAX];

	return link_text(EMU_NEXT(next_fn *, "__readlinkat_chk")(dir, emu_path_in(path, buf), text,
								 size, room),
			 text, size);
}

static char *path_result(char *path)
{
	emu_path_out(path);
	return path;
}

EMU_INTERPOSE(char *, realpath, const char *path, char *resolved)
{
	typedef char *next_fn(const char *, char *);
	char buf[EMU_PATH_MAX];

	return path_result(EMU_NEXT(next_fn *, "realpath")(emu_path_in(path, buf), resolved));
}

EMU_INTERPOSE(char *, __realpath_chk, const char *path, char *resolved, size_t room)
{
	typedef char *next_fn(const char *, char *, size_t);
	char buf[EMU_PATH_MAX];

	return path_result(
		EMU_NEXT(next_fn *, "__realpath_chk")(emu_path_in(path, buf), resolved, room));
}

EMU_INTERPOSE(char *, canonicalize_file_name, const char *path)
{
	typedef char *next_fn(const char *);
	char buf[EMU_PATH_MAX];

	return path_result(EMU_NEXT(next_fn *, "canonicalize_file_name")(emu_path_in(path, buf)));
}

EMU_INTERPOSE(char *, getcwd, char *text, size_t size)
{
	typedef char *next_fn(char *, size_t);

	return path_result(EMU_NEXT(next_fn *, "getcwd")(text, size));
}

/* --- directories --- */

EMU_INTERPOSE(DIR *, opendir, const char *path)
{
	typedef DIR *next_fn(const char *);
	char buf[EMU_PATH_MAX];

	return EMU_NEXT(next_fn *, "opendir")(emu_path_listed(path, buf));
}

/*
 * struct dirent64 is struct dirent here. libc's own scandir opens the directory without asking our
 * opendir.
 */
typedef int filter_fn(const struct dirent *);
typedef int compare_fn(const struct dirent **, const struct dirent **);

#define WRAP_SCANDIR(name) \
	EMU_INTERPOSE(int, name, const char *path, struct dirent ***list, filter_fn *filter, \
		      compare_fn *compare) \
	{ \
		typedef int next_fn(const char *, struct dirent ***, filter_fn *, compare_fn *); \
		char buf[EMU_PATH_MAX]; \
		\
		path = emu_path_listed(path, buf); \
		return EMU_NEXT(next_fn *, #name)(path, list, filter, compare); \
	}
#define WRAP_SCANDIRAT(name) \
	EMU_INTERPOSE(int, name, int dir, const char *path, struct dirent ***list, \
		      filter_fn *filter, compare_fn *compare) \
	{ \
		typedef int next_fn(int, const char *, struct dirent ***, filter_fn *, \
				    compare_fn *); \
		char buf[EMU_PATH_MAX]; \
		\
		path = emu_path_listed(path, buf); \
		return EMU_NEXT(next_fn *, #name)(dir, path, list, filter, compare); \
	}

WRAP_SCANDIR(scandir)
WRAP_SCANDIR(scandir64)
WRAP_SCANDIRAT(scandirat)
WRAP_SCANDIRAT(scandirat64)

typedef int error_fn(const char *, int);

static void change_found(const glob_t *found, int flags)
{
	size_t i, first = flags & GLOB_DOOFFS ? found->gl_offs : 0;

	for (i = 0; i < found->gl_pathc; i++)
		emu_path_out(found->gl_pathv[first + i]);
}

#define WRAP_GLOB(name) \
	EMU_INTERPOSE(int, name, const char *pattern, int flags, error_fn *error, glob_t *found) \
	{ \
		typedef int next_fn(const char *, int, error_fn *, glob_t *); \
		char buf[EMU_PATH_MAX]; \
		int ret; \
		\
		pattern = emu_path_in(pattern, buf); \
		ret = EMU_NEXT(next_fn *, #name)(pattern, flags, error, found); \
		if (ret == 0) \
			change_found(found, flags); \
		return ret; \
	}

WRAP_GLOB(glob)
WRAP_GLOB(glob64)
