/* SPDX-License-Identifier: MIT */
/* Mounts the files of the device where programs look for them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/run/present.h"
#include "emu/sysfs/paths.h"

#define PATH_SIZE 600

static int report_obstacle(struct emu_obstacle *why, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Note what failed, and why. Returns -errno. */
static int report_obstacle(struct emu_obstacle *why, const char *fmt, ...)
{
	int err = errno ? errno : EIO;
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	len = strlen(why->text);
	snprintf(why->text + len, sizeof(why->text) - len, ": %s", strerror(err));
	return -err;
}

/*
 * Print into a path of PATH_SIZE bytes. All parts have limits: 128 bytes for the directory of the
 * run, 255 for names.
 */
static void __attribute__((format(printf, 2, 3))) set_path(char *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, PATH_SIZE, fmt, ap);
	va_end(ap);
}

const char *emu_present_name(enum emu_present kind)
{
	switch (kind) {
	case EMU_PRESENT_NAMESPACE:
		return "mount namespace";
	case EMU_PRESENT_USER_NAMESPACE:
		return "mount namespace in a user namespace";
	default:
		return "path redirection";
	}
}

static int write_file(const char *path, const char *text, struct emu_obstacle *why)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return report_obstacle(why, "%s", path);
	if (write(fd, text, strlen(text)) < 0) {
		close(fd);
		return report_obstacle(why, "%s", path);
	}
	close(fd);
	return 0;
}

/* The user and the group of the process are mapped to themselves. */
static int map_ids(unsigned int uid, unsigned int gid, struct emu_obstacle *why)
{
	char map[64];
	int ret;

	ret = write_file("/proc/self/setgroups", "deny", why);
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	if (ret == 0)
		ret = write_file("/proc/self/gid_map", map, why);
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	return ret ? ret : write_file("/proc/self/uid_map", map, why);
}

int emu_present_enter(enum emu_present kind, struct emu_obstacle *why)
{
	unsigned int uid = getuid(), gid = getgid();
	bool user = kind == EMU_PRESENT_USER_NAMESPACE;
	int ret;

	why->text[0] = '\0';
	if (unshare(CLONE_NEWNS | (user ? CLONE_NEWUSER : 0)))
		return report_obstacle(why, "unshare");
	if (user) {
		ret = map_ids(uid, gid, why);
		if (ret)
			return ret;
	}
	/* Mounts in this namespace are not passed on to others. */
	if (mount(NULL, "/", NULL, MS_REC | (user ? MS_SLAVE : MS_PRIVATE), NULL))
		return report_obstacle(why, "making / private");
	return 0;
}

int emu_present_fuse(const char *dir, struct emu_obstacle *why)
{
	char options[128];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return report_obstacle(why, "/dev/fuse");
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=%u,group_id=%u,allow_other,default_permissions", fd,
		 getuid(), getgid());
	if (mkdir(dir, 0755) && errno != EEXIST)
		return report_obstacle(why, "%s", dir);
	if (mount("sva-emu", dir, "fuse.sva-emu", MS_NOSUID | MS_NODEV, options)) {
		int ret = report_obstacle(why, "mounting FUSE");

		close(fd);
		return ret;
	}
	return fd;
}

static int bind_path(const char *from, const char *to, unsigned long flags,
		     struct emu_obstacle *why)
{
	return mount(from, to, NULL, MS_BIND | flags, NULL) ?
		       report_obstacle(why, "binding %s", to) :
		       0;
}

/* Make a directory and those above it; the first skip characters exist. */
static int make_path(char *path, size_t skip, struct emu_obstacle *why)
{
	char *at;

	for (at = strchr(path + skip + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return report_obstacle(why, "%s", path);
		*at = '/';
	}
	return mkdir(path, 0755) && errno != EEXIST ? report_obstacle(why, "%s", path) : 0;
}

/* Make a directory of the layer over /sys, for a mount. */
static int make_skeleton_dir(const char *skeleton, const char *what, struct emu_obstacle *why)
{
	char path[PATH_SIZE];

	set_path(path, "%s%s", skeleton, what);
	return make_path(path, strlen(skeleton), why);
}

static int make_skeleton_link(const char *skeleton, const char *where, const char *target,
			      struct emu_obstacle *why)
{
	char path[PATH_SIZE], *slash;
	int ret;

	set_path(path, "%s%s", skeleton, where);
	slash = strrchr(path, '/');
	*slash = '\0';
	ret = make_path(path, strlen(skeleton), why);
	*slash = '/';
	if (ret)
		return ret;
	return symlink(target, path) && errno != EEXIST ? report_obstacle(why, "%s", path) : 0;
}

/*
 * Make the layer over /sys: directories on which the emulated parts are mounted, and links to these
 * in directories that other devices use, too.
 */
static int make_skeleton(const struct emu_state *state, const char *skeleton,
			 struct emu_obstacle *why)
{
	char where[128], target[128];
	unsigned int d;
	int ret;

	ret = make_skeleton_dir(skeleton, "/bus/dsa", why);
	if (ret == 0)
		ret = make_skeleton_dir(skeleton, "/module/idxd", why);
	if (ret == 0)
		ret = make_skeleton_dir(skeleton, "/devices/" EMU_PCI_ROOT, why);
	for (d = 0; d < state->devices && !ret; d++) {
		unsigned int slot = state->device[d].slot;

		snprintf(where, sizeof(where), "/bus/pci/devices/" EMU_PCI_BUS ":%02x.0", slot);
		snprintf(target, sizeof(target),
			 "../../../devices/" EMU_PCI_ROOT "/" EMU_PCI_BUS ":%02x.0", slot);
		ret = make_skeleton_link(skeleton, where, target, why);
		snprintf(where, sizeof(where), "/bus/pci/drivers/idxd/" EMU_PCI_BUS ":%02x.0",
			 slot);
		snprintf(target, sizeof(target),
			 "../../../../devices/" EMU_PCI_ROOT "/" EMU_PCI_BUS ":%02x.0", slot);
		if (ret == 0)
			ret = make_skeleton_link(skeleton, where, target, why);
	}
	return ret;
}

/*
 * Mount one overlay on each directory of /sys that gets entries. An overlay on all of /sys works
 * only for root, as the mounts below it are locked in a user namespace. There is no upper layer, so
 * that nothing that the program writes reaches the machine.
 */
static int mount_sys(const struct emu_state *state, const char *sys, struct emu_obstacle *why)
{
	static const char *const dirs[] = { "/bus", "/module", "/devices" };
	static const char *const parts[] = {"/bus/dsa", "/module/idxd", ("/devices/" EMU_PCI_ROOT)};
	char skeleton[PATH_SIZE], options[3 * PATH_SIZE], from[PATH_SIZE], to[PATH_SIZE];
	unsigned int i;
	int ret;

	set_path(skeleton, "%s/skeleton", state->opt.dir);
	if (mkdir(skeleton, 0755) && errno != EEXIST)
		return report_obstacle(why, "%s", skeleton);
	ret = make_skeleton(state, skeleton, why);
	for (i = 0; i < 3 && !ret; i++) {
		set_path(to, "/sys%s", dirs[i]);
		snprintf(options, sizeof(options), "lowerdir=%s%s:%s", skeleton, dirs[i], to);
		if (mount("sva-emu", to, "overlay", MS_RDONLY, options))
			ret = report_obstacle(why, "an overlay on %s", to);
	}
	for (i = 0; i < 3 && !ret; i++) {
		set_path(from, "%s%s", sys, parts[i]);
		set_path(to, "/sys%s", parts[i]);
		ret = bind_path(from, to, 0, why);
	}
	return ret;
}

/* Show one entry of the real /dev in the new one. */
static int copy_dev(const char *name, const char *dev, struct emu_obstacle *why)
{
	char from[PATH_SIZE], to[PATH_SIZE], target[PATH_SIZE];
	struct stat st;
	ssize_t len;
	int fd;

	set_path(from, "/dev/%s", name);
	set_path(to, "%s/%s", dev, name);
	if (lstat(from, &st))
		return 0;
	if (S_ISLNK(st.st_mode)) {
		len = readlink(from, target, sizeof(target) - 1);
		if (len <= 0)
			return 0;
		target[len] = '\0';
		return symlink(target, to) ? report_obstacle(why, "%s", to) : 0;
	}
	if (S_ISDIR(st.st_mode)) {
		if (mkdir(to, 0755))
			return report_obstacle(why, "%s", to);
		/* Not MS_REC: the directory of the run, and so the new /dev, may be in /dev/shm. */
		return bind_path(from, to, 0, why);
	}
	fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return report_obstacle(why, "%s", to);
	close(fd);
	return bind_path(from, to, 0, why);
}

/* /dev/char consists of links: make a copy of it, and add those of the device. */
static int copy_dev_char(const char *root, const char *dev, struct emu_obstacle *why)
{
	const char *const sources[] = { "/dev/char", root };
	char dir[PATH_SIZE], from[PATH_SIZE], to[PATH_SIZE], target[PATH_SIZE];
	struct dirent *entry;
	unsigned int i;
	ssize_t len;
	DIR *list;

	set_path(to, "%s/char", dev);
	if (mkdir(to, 0755))
		return report_obstacle(why, "%s", to);
	for (i = 0; i < 2; i++) {
		set_path(dir, "%s%s", sources[i], i ? "/dev/char" : "");
		list = opendir(dir);
		while (list && (entry = readdir(list))) {
			set_path(from, "%s/%s", dir, entry->d_name);
			len = readlink(from, target, sizeof(target) - 1);
			if (len <= 0)
				continue;
			target[len] = '\0';
			set_path(to, "%s/char/%s", dev, entry->d_name);
			if (symlink(target, to) && errno != EEXIST) {
				closedir(list);
				return report_obstacle(why, "%s", to);
			}
		}
		if (list)
			closedir(list);
	}
	return 0;
}

/*
 * Nothing may be added to /dev of the machine. So mount a new one, and bind each node of the old
 * one into it, as nodes cannot be made in a user namespace.
 */
static int mount_dev(const struct emu_state *state, const char *root, struct emu_obstacle *why)
{
	char dev[PATH_SIZE], dsa[PATH_SIZE], from[PATH_SIZE];
	struct dirent *entry;
	DIR *list;
	int ret;

	set_path(dev, "%s/dev", state->opt.dir);
	if (mkdir(dev, 0755) && errno != EEXIST)
		return report_obstacle(why, "%s", dev);
	if (mount("sva-emu", dev, "tmpfs", MS_NOSUID, "mode=0755"))
		return report_obstacle(why, "a new /dev");
	list = opendir("/dev");
	if (!list)
		return report_obstacle(why, "/dev");
	for (ret = 0; !ret && (entry = readdir(list));)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		    strcmp(entry->d_name, "dsa") && strcmp(entry->d_name, "char"))
			ret = copy_dev(entry->d_name, dev, why);
	closedir(list);
	if (ret == 0)
		ret = copy_dev_char(root, dev, why);
	if (ret)
		return ret;
	set_path(dsa, "%s/dsa", dev);
	set_path(from, "%s/dev/dsa", root);
	if (mkdir(dsa, 0755))
		return report_obstacle(why, "%s", dsa);
	ret = bind_path(from, dsa, 0, why);
	if (ret == 0 && mount(dev, "/dev", NULL, MS_MOVE, NULL))
		ret = report_obstacle(why, "moving the new /dev");
	return ret;
}

/* Make settings of the machine read-only for the program. */
static int make_read_only(const char *what, struct emu_obstacle *why)
{
	int ret = bind_path(what, what, MS_REC, why);

	if (ret == 0 &&
	    mount(NULL, what, NULL,
		  MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		ret = report_obstacle(why, "making %s read-only", what);
	return ret;
}

int emu_present_mount(const struct emu_state *state, const char *sys, const char *root,
		      struct emu_obstacle *why)
{
	char from[PATH_SIZE];
	int ret = make_read_only("/sys", why);

	if (ret == 0)
		ret = make_read_only("/proc/sys", why);
	if (ret == 0)
		ret = mount_sys(state, sys, why);
	if (ret == 0)
		ret = mount_dev(state, root, why);
	set_path(from, "%s/proc/cpuinfo", root);
	if (ret == 0)
		ret = bind_path(from, "/proc/cpuinfo", 0, why);
	/* A kernel without modules has no list of them. */
	set_path(from, "%s/proc/modules", root);
	if (ret == 0 && access("/proc/modules", F_OK) == 0)
		ret = bind_path(from, "/proc/modules", 0, why);
	return ret;
}

/* Make a link for each name that a directory has, unless there is one already. */
static void link_names(const char *dir, const char *list)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	struct dirent *entry;
	DIR *names = opendir(dir);

	while (names && (entry = readdir(names))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		set_path(from, "%s/%s", dir, entry->d_name);
		set_path(to, "%s/%s", list, entry->d_name);
		if (symlink(from, to))
			continue; /* a name of the tree, which was linked first */
	}
	if (names)
		closedir(names);
}

void emu_present_lists(const struct emu_state *state)
{
	char dir[PATH_SIZE], list[PATH_SIZE];
	struct emu_obstacle why;
	unsigned int i;

	for (i = 0; emu_path_lists[i]; i++) {
		set_path(list, "%s/list%s", state->opt.root, emu_path_lists[i]);
		if (make_path(list, strlen(state->opt.root), &why))
			continue;
		set_path(dir, "%s%s", state->opt.root, emu_path_lists[i]);
		link_names(dir, list);
		link_names(emu_path_lists[i], list);
	}
}
