/* SPDX-License-Identifier: MIT */
/*
 * The loader of plug-ins, which checks a file before it loads it.
 *
 * A plug-in is trusted code, so its file and its directory must belong to root or to the user, and
 * no other user may be able to write to them. The file that was checked is the one that is loaded:
 * it is opened once, examined through that descriptor, and passed to the dynamic linker as
 * /proc/self/fd/N; a path could lead to another file a moment later.
 *
 * Where there is no /proc, it is loaded by its path. That is as safe if only root and the user can
 * change the directories above it, which safe_path() checks.
 *
 * The dynamic linker knows an object by the name it was loaded under, and numbers of descriptors
 * are reused. So dlopen(3) can return another plug-in that once had the same number. The list of
 * loaded plug-ins (by device and inode) shows that, and a higher number is tried.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/find/log.h"
#include "lib/base/names.h"
#include "lib/find/discover.h"
#include "lib/find/elf-check.h"

#define SYMBOL		"sva_accfg_plugin_v1"
#define MAX_FILE_SIZE	(64u << 20)
#define MAX_STRUCT_SIZE 4096u
#define MAX_ABOUT	256u
#define MAX_RENUMBERING 16

struct loaded {
	struct loaded *next;
	dev_t device;
	ino_t inode;
	void *handle;
	const struct sva_accfg_plugin *plugin;
};

/* Never shrinks: plug-ins stay for the life of the process. Protected by the lock of discover.c. */
static struct loaded *loaded_list;

/* Only root and this user may be able to change it. */
static int check_owner(const struct stat *st, const char *what, char *why, size_t why_size)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		snprintf(why, why_size, "%s belongs to user %lu, neither to root nor to this user",
			 what, (unsigned long)st->st_uid);
	else if (st->st_mode & (S_IWGRP | S_IWOTH))
		snprintf(why, why_size, "%s can be written to by %s (mode %04o): chmod go-w", what,
			 st->st_mode & S_IWOTH ? "everyone" : "its group",
			 (unsigned int)(st->st_mode & 07777));
	else
		return 0;
	return -EACCES;
}

static int open_error(int err, const char *what, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s cannot be opened: %s", what, strerror(err));
	return -err;
}

/* Open the file, if only root and the user can change it and its directory. */
static int open_plugin(const char *path, struct stat *st, char *why, size_t why_size)
{
	const char *slash = strrchr(path, '/');
	char *directory;
	int dir, fd, err;

	if (!slash)
		return open_error(EINVAL, "a path without a directory", why, why_size);
	directory = strndup(path, (size_t)(slash - path) + 1);
	if (!directory)
		return open_error(ENOMEM, "its directory", why, why_size);
	dir = sva_fd_open(directory, O_PATH | O_DIRECTORY);
	free(directory);
	if (dir < 0)
		return open_error(-dir, "its directory", why, why_size);
	err = fstat(dir, st) ? open_error(errno, "its directory", why, why_size) :
			       check_owner(st, "its directory", why, why_size);
	fd = err ? -1 : sva_fd_openat(dir, slash + 1, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (!err && fd < 0)
		err = open_error(-fd, "the file", why, why_size);
	close(dir);
	if (err)
		return err;
	if (fstat(fd, st))
		err = open_error(errno, "the file", why, why_size);
	else if (S_ISREG(st->st_mode))
		err = check_owner(st, "the file", why, why_size);
	else {
		snprintf(why, why_size, "not a regular file");
		err = -ENOEXEC;
	}
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int read_exactly(int fd, unsigned char *data, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = pread(fd, data + done, size - done, (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOEXEC;
		done += (size_t)n;
	}
	return 0;
}

static int check_bytes(int fd, const struct stat *st, char *why, size_t why_size)
{
	size_t size = (size_t)st->st_size;
	unsigned char *data;
	int err;

	if (st->st_size <= 0 || size > MAX_FILE_SIZE) {
		snprintf(why, why_size, "a plug-in cannot have %lld bytes", (long long)st->st_size);
		return -ENOEXEC;
	}
	data = malloc(size);
	if (!data)
		return open_error(ENOMEM, "the file", why, why_size);
	err = read_exactly(fd, data, size);
	if (err)
		snprintf(why, why_size, "it could not be read: %s", strerror(-err));
	else
		err = sva_elf_check(data, size, &sva_elf_native, SYMBOL,
				    sizeof(struct sva_accfg_plugin), why, why_size);
	free(data);
	return err;
}

static bool is_printable(const char *text, size_t max)
{
	size_t length = strnlen(text, max + 1);

	if (length > max)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

/* Checks the structure before any function of the plug-in is called, except its constructors. */
static int check_struct(const char *path, const struct sva_accfg_plugin *plugin, char *why,
			size_t why_size)
{
	const char *base = strrchr(path, '/') + 1, *wrong = NULL;
	size_t length;

	if (plugin->size < sizeof(*plugin) || plugin->size > MAX_STRUCT_SIZE)
		wrong = "size";
	else if (!plugin->name || !is_printable(plugin->name, SVA_NAME_MAX - 1) ||
		 !sva_name_valid(plugin->name))
		wrong = "name";
	else if (!plugin->about || !is_printable(plugin->about, MAX_ABOUT))
		wrong = "about";
	else if (!plugin->enumerate)
		wrong = "enumerate";
	if (wrong) {
		snprintf(why, why_size, "the field %s of " SYMBOL " makes no sense", wrong);
		return -ENOEXEC;
	}
	length = strlen(plugin->name);
	if (strncmp(base, plugin->name, length) || strcmp(base + length, ".so")) {
		snprintf(why, why_size,
			 "the file is not named after the plug-in, which calls itself '%s'",
			 plugin->name);
		return -ENOEXEC;
	}
	return 0;
}

static struct loaded *find_plugin(const struct sva_accfg_plugin *plugin)
{
	struct loaded *l = loaded_list;

	while (l && l->plugin != plugin)
		l = l->next;
	return l;
}

static struct loaded *find_file(const struct stat *st)
{
	struct loaded *l = loaded_list;

	while (l && (l->device != st->st_dev || l->inode != st->st_ino))
		l = l->next;
	return l;
}

/* Loads the object behind fd, closes fd, and fills in handle and plugin. */
static int load_fd(int fd, struct loaded *entry, char *why, size_t why_size)
{
	int next, err = -ENOEXEC;
	char name[32];

	snprintf(why, why_size, "the dynamic linker takes it for another plug-in");
	for (int i = 0; i < MAX_RENUMBERING && fd >= 0; i++) {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		errno = 0;
		entry->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
		entry->plugin = entry->handle ? dlsym(entry->handle, SYMBOL) : NULL;
		if (!entry->plugin) {
			/* dlopen(3) returns no errno, but leaves that of the call that failed. */
			if (sva_is_shortage(errno))
				err = -errno;
			snprintf(why, why_size, "it cannot be loaded: %s", dlerror());
			break;
		}
		if (!find_plugin(entry->plugin))
			break;
		dlclose(entry->handle);
		entry->plugin = NULL;
		next = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
		if (next < 0 && sva_is_shortage(errno))
			err = -errno;
		close(fd);
		fd = next;
	}
	if (fd >= 0)
		close(fd);
	return entry->plugin ? 0 : err;
}

/* Can other users replace the entries of this directory? */
static bool others_can_replace(const struct stat *directory)
{
	if (directory->st_uid != 0 && directory->st_uid != geteuid())
		return true;
	return directory->st_mode & (S_IWGRP | S_IWOTH) && !(directory->st_mode & S_ISVTX);
}

/* A path without links, of which other users can change no part. NULL: there is none, see why. */
static char *safe_path(const char *path, const struct stat *file, char *why, size_t why_size)
{
	char *real = realpath(path, NULL), *slash;
	struct stat st;

	if (!real || stat(real, &st) || st.st_dev != file->st_dev || st.st_ino != file->st_ino) {
		snprintf(why, why_size, "the file was replaced meanwhile");
		free(real);
		return NULL;
	}
	for (slash = real; slash; slash = strchr(slash + 1, '/')) {
		bool bad;

		*slash = '\0';
		bad = stat(*real ? real : "/", &st) || others_can_replace(&st);
		if (bad)
			snprintf(
				why, why_size,
				"without /proc it would have to be loaded by its path, and others can "
				"change the directory %.200s",
				*real ? real : "/");
		*slash = '/';
		if (bad) {
			free(real);
			return NULL;
		}
	}
	return real;
}

static int load_path(const char *path, const struct stat *st, struct loaded *entry, char *why,
		     size_t why_size)
{
	char *real = safe_path(path, st, why, why_size);

	if (!real)
		return -EACCES;
	entry->handle = dlopen(real, RTLD_NOW | RTLD_LOCAL);
	entry->plugin = entry->handle ? dlsym(entry->handle, SYMBOL) : NULL;
	free(real);
	if (!entry->plugin) {
		snprintf(why, why_size, "it cannot be loaded: %s", dlerror());
		return -ENOEXEC;
	}
	if (!find_plugin(entry->plugin))
		return 0;
	snprintf(why, why_size, "the dynamic linker takes it for another plug-in");
	dlclose(entry->handle);
	return -ENOEXEC;
}

static int load_plugin(const char *path, const struct sva_accfg_plugin **plugin, char *why,
		size_t why_size)
{
	struct loaded *entry;
	struct stat st;
	int fd, err;

	fd = open_plugin(path, &st, why, why_size);
	if (fd < 0)
		return fd;
	entry = find_file(&st);
	if (entry) {
		close(fd);
		*plugin = entry->plugin;
		return 0;
	}
	err = check_bytes(fd, &st, why, why_size);
	entry = err ? NULL : calloc(1, sizeof(*entry));
	if (!entry) {
		close(fd);
		return err ? err : open_error(ENOMEM, "the file", why, why_size);
	}
	*entry = (struct loaded){ .next = loaded_list, .device = st.st_dev, .inode = st.st_ino };
	if (access("/proc/self/fd", X_OK)) {
		close(fd);
		err = load_path(path, &st, entry, why, why_size);
	} else {
		err = load_fd(fd, entry, why, why_size);
	}
	if (!err && check_struct(path, entry->plugin, why, why_size)) {
		dlclose(entry->handle);
		err = -ENOEXEC;
	}
	if (err) {
		free(entry);
		return err;
	}
	loaded_list = entry;
	*plugin = entry->plugin;
	return 0;
}

int sva_plugin_load(const char *path, const struct sva_accfg_plugin **plugin, char *why,
		    size_t why_size)
{
	int err, saved = errno;

	err = load_plugin(path, plugin, why, why_size);
	errno = saved;
	return err;
}
