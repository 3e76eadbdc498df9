/* SPDX-License-Identifier: MIT */
/*
 * Shows a tree of files as the machine's /sys, /dev/dsa, /dev/iax and /proc/cpuinfo, and as
 * libsva's configuration file, to a program that knows nothing of it. SVA_TEST_ROOT names the tree;
 * its etc/libsva.conf is the configuration file. Without the variable nothing changes. A file
 * "readonly" in the tree makes its /sys a read-only file system.
 *
 * It is preloaded (LD_PRELOAD), or linked into a test program with -export-dynamic; the latter
 * works under sanitizers, too. scandir must be here: libaccel-config walks sysfs with it, and
 * glibc's calls opendir by an internal name.
 */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#pragma GCC visibility push(default)

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static bool below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return !strncmp(path, directory, length) && (path[length] == '/' || !path[length]);
}

static bool is_redirected(const char *path)
{
	return below(path, "/sys") || below(path, "/dev/dsa") || below(path, "/dev/iax") ||
	       !strcmp(path, "/proc/cpuinfo");
}

static const char *redirect(const char *path, char buffer[static PATH_MAX])
{
	const char *root = getenv("SVA_TEST_ROOT");

	if (!root || !path)
		return path;
	if (is_redirected(path))
		snprintf(buffer, PATH_MAX, "%s%s", root, path);
	else if (!strcmp(path, SVA_CONFIG_FILE))
		snprintf(buffer, PATH_MAX, "%s/etc/libsva.conf", root);
	else
		return path;
	return buffer;
}

/*
 * Whether a path (redirected already, relative to a descriptor) is in the tree's /sys, and that is
 * read-only.
 */
static bool is_readonly(int dir, const char *path)
{
	const char *root = getenv("SVA_TEST_ROOT");
	char full[PATH_MAX], link[64], marker[PATH_MAX];
	ssize_t n;

	if (!root || !path)
		return false;
	snprintf(marker, sizeof(marker), "%s/readonly", root);
	if (NEXT(access)(marker, F_OK))
		return false;
	snprintf(full, sizeof(full), "%s", path);
	if (*path != '/' && dir >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
		n = NEXT(readlink)(link, full, sizeof(full) - 1);
		full[n > 0 ? n : 0] = '\0';
	}
	snprintf(marker, sizeof(marker), "%s/sys", root);
	return below(full, marker);
}

static bool refuse_write(int dir, const char *path, bool writes)
{
	if (!writes || !is_readonly(dir, path))
		return false;
	errno = EROFS;
	return true;
}

/* ------------------------------------------------------------------ opening */

/*
 * Found by name where fortified programs call them; no header declares them without fortification.
 */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);
char *__realpath_chk(const char *path, char *resolved, size_t size);
ssize_t __readlink_chk(const char *path, char *target, size_t size, size_t real_size);

static mode_t get_mode(int flags, va_list ap)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, mode_t) : 0;
}

/* dir: where a relative path begins, -1 for the current folder; behind it the two lists. */
#define WRAP_ANY_OPEN(name, dir, parameters, arguments) \
	int name parameters \
	{ \
		char buffer[PATH_MAX]; \
		mode_t mode; \
		va_list ap; \
\
		va_start(ap, flags); \
		mode = get_mode(flags, ap); \
		va_end(ap); \
		path = redirect(path, buffer); \
		if (refuse_write(dir, path, flags & O_ACCMODE)) \
			return -1; \
		return NEXT(name) arguments; \
	}
#define WRAP_OPEN(name) \
	WRAP_ANY_OPEN(name, -1, (const char *path, int flags, ...), (path, flags, mode))
#define WRAP_OPENAT(name) \
	WRAP_ANY_OPEN(name, dir, (int dir, const char *path, int flags, ...), \
		      (dir, path, flags, mode))

WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

int __open_2(const char *path, int flags)
{
	return open(path, flags);
}

int __open64_2(const char *path, int flags)
{
	return open64(path, flags);
}

int __openat_2(int dir, const char *path, int flags)
{
	return openat(dir, path, flags);
}

int __openat64_2(int dir, const char *path, int flags)
{
	return openat64(dir, path, flags);
}

/* One argument is the path, the others are handed on. */
#define WRAP_PATH(type, name, parameters, ...) \
	type name parameters \
	{ \
		char buffer[PATH_MAX]; \
\
		path = redirect(path, buffer); \
		return NEXT(name)(__VA_ARGS__); \
	}

WRAP_PATH(FILE *, fopen, (const char *path, const char *mode), path, mode)
WRAP_PATH(FILE *, fopen64, (const char *path, const char *mode), path, mode)

/* ------------------------------------------------------------------ looking */

int access(const char *path, int mode)
{
	char buffer[PATH_MAX];

	path = redirect(path, buffer);
	return refuse_write(-1, path, mode & W_OK) ? -1 : NEXT(access)(path, mode);
}

int faccessat(int dir, const char *path, int mode, int flags)
{
	char buffer[PATH_MAX];

	path = redirect(path, buffer);
	return refuse_write(dir, path, mode & W_OK) ? -1 : NEXT(faccessat)(dir, path, mode, flags);
}

WRAP_PATH(int, stat, (const char *path, struct stat *st), path, st)
WRAP_PATH(int, stat64, (const char *path, struct stat64 *st), path, st)
WRAP_PATH(int, lstat, (const char *path, struct stat *st), path, st)
WRAP_PATH(int, lstat64, (const char *path, struct stat64 *st), path, st)
WRAP_PATH(int, fstatat, (int dir, const char *path, struct stat *st, int flags), dir, path, st,
	  flags)
WRAP_PATH(int, fstatat64, (int dir, const char *path, struct stat64 *st, int flags), dir, path, st,
	  flags)
WRAP_PATH(ssize_t, readlink, (const char *path, char *target, size_t size), path, target, size)
WRAP_PATH(ssize_t, readlinkat, (int dir, const char *path, char *target, size_t size), dir, path,
	  target, size)

ssize_t __readlink_chk(const char *path, char *target, size_t size, size_t real_size)
{
	(void)real_size;
	return readlink(path, target, size);
}

/* The answer is a path of the machine that is shown: without the root. */
char *realpath(const char *path, char *resolved)
{
	const char *root = getenv("SVA_TEST_ROOT");
	char buffer[PATH_MAX], real_root[PATH_MAX];
	char *result = NEXT(realpath)(redirect(path, buffer), resolved);
	size_t length;

	if (!result || !root || !NEXT(realpath)(root, real_root) || !below(result, real_root))
		return result;
	length = strlen(real_root);
	if (is_redirected(result + length))
		memmove(result, result + length, strlen(result + length) + 1);
	return result;
}

char *__realpath_chk(const char *path, char *resolved, size_t size)
{
	(void)size;
	return realpath(path, resolved);
}

/* ------------------------------------------------------------------ directories */

WRAP_PATH(DIR *, opendir, (const char *path), path)
WRAP_PATH(int, scandir,
	  (const char *path, struct dirent ***list, int (*filter)(const struct dirent *),
	   int (*compare)(const struct dirent **, const struct dirent **)),
	  path, list, filter, compare)
WRAP_PATH(int, scandir64,
	  (const char *path, struct dirent64 ***list, int (*filter)(const struct dirent64 *),
	   int (*compare)(const struct dirent64 **, const struct dirent64 **)),
	  path, list, filter, compare)
