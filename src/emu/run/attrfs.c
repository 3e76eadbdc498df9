/* SPDX-License-Identifier: MIT */
/* The FUSE file system of attributes, and what stands in for it without FUSE. */
#include "config.h"

#include "emu/run/attrfs.h"

#ifdef HAVE_FUSE
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "emu/sysfs/tree.h"

#define VALUE_SIZE 4096

static struct emu_state *state;
static const char *tree;

/* The path in the plain tree for a path of the file system. */
static const char *plain_path(const char *path, char *buf, size_t size)
{
	snprintf(buf, size, "%s/sys%s", tree, path);
	return buf;
}

static bool find_attribute(const char *path, struct emu_attr_ref *ref)
{
	char full[512];

	snprintf(full, sizeof(full), "/sys%s", path);
	return emu_tree_attr(state, full, ref);
}

static int fs_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
	struct emu_attr_ref ref;
	char buf[512];

	(void)info;
	if (lstat(plain_path(path, buf, sizeof(buf)), st))
		return -errno;
	if (find_attribute(path, &ref))
		st->st_size = 4096; /* the size that sysfs reports for each attribute */
	return 0;
}

static int fs_readlink(const char *path, char *target, size_t size)
{
	char buf[512];
	ssize_t len = readlink(plain_path(path, buf, sizeof(buf)), target, size - 1);

	if (len < 0)
		return -errno;
	target[len] = '\0';
	return 0;
}

static int fs_readdir(const char *path, void *out, fuse_fill_dir_t fill, off_t offset,
		      struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	struct dirent *entry;
	char buf[512];
	DIR *dir = opendir(plain_path(path, buf, sizeof(buf)));

	(void)offset;
	(void)info;
	(void)flags;
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (fill(out, entry->d_name, NULL, 0, 0))
			break;
	closedir(dir);
	return 0;
}

/* Print what an attribute shows. Returns its length or -errno. */
static ssize_t print_attribute(const struct emu_attr_ref *ref, char value[VALUE_SIZE])
{
	struct emu_text text;
	int ret;

	text_init(&text, value, VALUE_SIZE);
	ret = emu_attr_show(state, ref, &text);
	return ret ? ret : (ssize_t)text_len(&text);
}

static int fs_open(const char *path, struct fuse_file_info *info)
{
	struct emu_attr_ref ref;

	(void)path;
	/* The size that getattr reports is not the real one, so nothing may be cached. */
	info->direct_io = find_attribute(path, &ref);
	return 0;
}

static int fs_read(const char *path, char *out, size_t size, off_t offset,
		   struct fuse_file_info *info)
{
	char value[VALUE_SIZE], buf[512];
	struct emu_attr_ref ref;
	ssize_t len;
	int fd;

	(void)info;
	if (find_attribute(path, &ref)) {
		len = print_attribute(&ref, value);
		if (len < 0 || offset >= len)
			return len < 0 ? (int)len : 0;
		len -= offset;
		if ((size_t)len > size)
			len = (ssize_t)size;
		memcpy(out, value + offset, (size_t)len);
		return (int)len;
	}
	fd = open(plain_path(path, buf, sizeof(buf)), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = pread(fd, out, size, offset);
	if (len < 0)
		len = -errno;
	close(fd);
	return (int)len;
}

/*
 * Config space can be written like memory; no other file that is not an attribute can be written.
 */
static int write_config(const char *path, const char *in, size_t size, off_t offset)
{
	size_t len = strlen(path);
	char buf[512];
	ssize_t ret;
	int fd;

	if (len < 7 || strcmp(path + len - 7, "/config") || offset < 0 ||
	    (size_t)offset + size > 256)
		return -EACCES;
	fd = open(plain_path(path, buf, sizeof(buf)), O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = pwrite(fd, in, size, offset);
	if (ret < 0)
		ret = -errno;
	close(fd);
	return (int)ret;
}

static int fs_write(const char *path, const char *in, size_t size, off_t offset,
		    struct fuse_file_info *info)
{
	struct emu_attr_ref ref;
	unsigned int d;
	int ret;

	(void)info;
	if (!find_attribute(path, &ref))
		return write_config(path, in, size, offset);
	ret = emu_attr_store(state, &ref, in, size);
	for (d = 0; d < state->devices; d++)
		if (ref.object == EMU_OBJ_DRIVER || d == ref.device)
			emu_tree_refresh(state, tree, d);
	return ret ? ret : (int)size;
}

/* A shell redirects with O_TRUNC, which sysfs ignores. */
static int fs_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	struct emu_attr_ref ref;

	(void)size;
	(void)info;
	return find_attribute(path, &ref) ? 0 : -EACCES;
}

static void *fs_init(struct fuse_conn_info *conn, struct fuse_config *config)
{
	(void)conn;
	/* Links change when queues are enabled and disabled. */
	config->entry_timeout = 0;
	config->attr_timeout = 0;
	config->negative_timeout = 0;
	config->use_ino = 0;
	return NULL;
}

static const struct fuse_operations operations = {
	.init = fs_init,
	.getattr = fs_getattr,
	.readlink = fs_readlink,
	.readdir = fs_readdir,
	.open = fs_open,
	.read = fs_read,
	.write = fs_write,
	.truncate = fs_truncate,
};

void emu_attrfs_serve(struct emu_state *run, const char *root, int fd)
{
	char name[] = "sva-emu", mountpoint[32], *argv[] = { name, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse *fuse;

	state = run;
	tree = root;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fcntl(fd, F_SETFD, 0);
	snprintf(mountpoint, sizeof(mountpoint), "/dev/fd/%d", fd);
	fuse = fuse_new(&args, &operations, sizeof(operations), NULL);
	if (!fuse || fuse_mount(fuse, mountpoint))
		_exit(1);
	fuse_loop(fuse);
	_exit(0);
}

#else

#include <unistd.h>

void emu_attrfs_serve(struct emu_state *state, const char *root, int fd)
{
	(void)state;
	(void)root;
	(void)fd;
	_exit(1);
}

#endif
