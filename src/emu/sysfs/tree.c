/* SPDX-License-Identifier: MIT */
/* Writes the files, links and directories that show the devices. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/sysfs/tree.h"

#define PATH_SIZE 512
#define VALUE_SIZE 1024

static int make_dir(const char *path)
{
	int ret = (int)raw_syscall3(SYS_mkdirat, AT_FDCWD, path, 0755);

	return ret == -EEXIST ? 0 : ret;
}

/* Make the directories of a path without its last component; the first skip characters exist. */
static int make_dirs(char *path, size_t skip)
{
	size_t i;
	int ret = 0;

	for (i = skip + 1; path[i] && !ret; i++) {
		if (path[i] != '/')
			continue;
		path[i] = '\0';
		ret = make_dir(path);
		path[i] = '/';
	}
	return ret;
}

struct path {
	char buf[PATH_SIZE];
	struct emu_text text;
	size_t root;
};

/*
 * Give a file this content. It is written only if its content differs, so that a reader does not
 * find it empty.
 */
static int put_file(struct path *path, const char *value, size_t len, int mode)
{
	char old[VALUE_SIZE];
	long have, i;
	int fd = raw_openat(AT_FDCWD, path->buf, O_RDWR | O_CREAT | O_CLOEXEC, mode);

	if (fd == -ENOENT) {
		make_dirs(path->buf, path->root);
		fd = raw_openat(AT_FDCWD, path->buf, O_RDWR | O_CREAT | O_CLOEXEC, mode);
	}
	if (fd < 0)
		return fd;
	have = raw_read(fd, old, sizeof(old));
	for (i = 0; i < have && i < (long)len && old[i] == value[i]; i++)
		;
	if (have != (long)len || i != have)
		raw_syscall4(SYS_pwrite64, fd, value, len, 0);
	if (have > (long)len)
		raw_syscall2(SYS_ftruncate, fd, len);
	return raw_close(fd);
}

static void start_path(struct path *path, const char *root)
{
	text_init(&path->text, path->buf, sizeof(path->buf));
	text_add(&path->text, "%s", root);
	path->root = text_len(&path->text);
}

/* Make a file with constant content, and the directories that it is in. */
static int put_fixed(const char *root, const char *where, const char *value)
{
	struct path path;

	start_path(&path, root);
	text_add(&path.text, "%s", where);
	return put_file(&path, value, raw_strlen(value), 0644);
}

static int put_directory(const char *root, const char *where)
{
	struct path path;
	int ret;

	start_path(&path, root);
	text_add(&path.text, "%s", where);
	ret = make_dirs(path.buf, path.root);
	return ret ? ret : make_dir(path.buf);
}

/* Make a symbolic link; target NULL: remove it. */
static int put_link(const char *root, const char *where, const char *target)
{
	struct path path;
	int ret;

	start_path(&path, root);
	text_add(&path.text, "%s", where);
	if (!target) {
		raw_syscall3(SYS_unlinkat, AT_FDCWD, path.buf, 0);
		return 0;
	}
	ret = (int)raw_syscall3(SYS_symlinkat, target, AT_FDCWD, path.buf);
	if (ret == -ENOENT) {
		make_dirs(path.buf, path.root);
		ret = (int)raw_syscall3(SYS_symlinkat, target, AT_FDCWD, path.buf);
	}
	return ret == -EEXIST ? 0 : ret;
}

#define TEXT(name, size, ...) \
	char name[size]; \
	struct emu_text name##_text; \
	text_init(&name##_text, name, size); \
	text_add(&name##_text, __VA_ARGS__)

static void device_dir(const struct emu_device *dev, char *buf, size_t size)
{
	struct emu_text text;

	text_init(&text, buf, size);
	text_add(&text, "/sys/devices/" EMU_PCI_ROOT "/" EMU_PCI_BUS ":%02x.0/dsa%u", dev->slot,
		 dev->id);
}

/* Write all attributes of one object into the directory where. */
static int put_attrs(struct emu_state *state, const char *root, const char *where,
		     enum emu_object object, unsigned int device, unsigned int index)
{
	struct emu_attr_ref ref = { object, device, index, NULL };
	char value[VALUE_SIZE];
	struct emu_text text;
	unsigned int n;
	bool writable;
	int ret = 0;

	for (n = 0; !ret; n++) {
		struct path path;

		ref.name = emu_attr_name(state, object, device, n, &writable);
		if (!ref.name)
			break;
		start_path(&path, root);
		text_add(&path.text, "%s/%s", where, ref.name);
		text_init(&text, value, sizeof(value));
		/* an attribute that cannot be read is an empty file here */
		emu_attr_show(state, &ref, &text);
		ret = put_file(&path, value, text_len(&text), writable ? 0644 : 0444);
	}
	return ret;
}

/* Make the node of a queue that is enabled, and note which file it is; remove that of any other. */
static int put_node(struct emu_state *state, const char *root, unsigned int device,
		    unsigned int index)
{
	struct emu_wq *wq = &state->device[device].wq[index];
	struct path path;
	struct stat st;
	int fd, ret;

	TEXT(alias, 64, "/dev/char/%u:%u", EMU_CDEV_MAJOR, wq->minor);
	TEXT(target, 64, "../dsa/wq%u.%u", device, index);
	start_path(&path, root);
	text_add(&path.text, "/dev/dsa/wq%u.%u", device, index);
	if (!wq->enabled || wq->type != EMU_WQ_USER) {
		raw_syscall3(SYS_unlinkat, AT_FDCWD, path.buf, 0);
		wq->node_ino = 0;
		return put_link(root, alias, NULL);
	}
	ret = make_dirs(path.buf, path.root);
	if (ret)
		return ret;
	/* As the kernel makes it: for root alone, until a rule of udev changes that. */
	fd = raw_openat(AT_FDCWD, path.buf, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fd;
	ret = (int)raw_syscall2(SYS_fstat, fd, &st);
	wq->node_dev = st.st_dev;
	wq->node_ino = st.st_ino;
	raw_close(fd);
	return ret ? ret : put_link(root, alias, target);
}

/* Make the links between an object and its bus and driver. up leads from its directory to /sys. */
static int put_links(const char *root, const char *where, const char *name, const char *up,
		     const char *driver)
{
	unsigned int d;
	int ret;

	TEXT(link, PATH_SIZE, "%s/subsystem", where);
	TEXT(bus, 128, "%sbus/dsa", up);
	ret = put_link(root, link, bus);
	TEXT(devices, 128, "/sys/bus/dsa/devices/%s", name);
	TEXT(object, PATH_SIZE, "../../../%s", where + sizeof("/sys/") - 1);
	if (ret == 0)
		ret = put_link(root, devices, object);
	TEXT(bound, PATH_SIZE, "%s/driver", where);
	TEXT(to_driver, 128, "%sbus/dsa/drivers/%s", up, driver ? driver : "");
	if (ret == 0)
		ret = put_link(root, bound, driver ? to_driver : NULL);
	TEXT(from_driver, PATH_SIZE, "../../../../%s", where + sizeof("/sys/") - 1);
	for (d = 0; d < EMU_DRIVERS && !ret; d++) {
		TEXT(entry, 128, "/sys/bus/dsa/drivers/%s/%s", emu_drivers[d], name);
		ret = put_link(root, entry,
			       driver && raw_streq(driver, emu_drivers[d]) ? from_driver : NULL);
	}
	return ret;
}

#define UP_DEVICE "../../../../"
#define UP_OBJECT "../../../../../"

static int refresh_device(struct emu_state *state, const char *root, unsigned int device)
{
	struct emu_device *dev = &state->device[device];
	char where[256];
	unsigned int i;
	int ret;

	device_dir(dev, where, sizeof(where));
	TEXT(name, 16, "dsa%u", dev->id);
	ret = put_attrs(state, root, where, EMU_OBJ_DEVICE, device, 0);
	if (ret == 0)
		ret = put_links(root, where, name, UP_DEVICE,
				dev->enabled ? emu_drivers[EMU_DRIVER_IDXD] : NULL);
	for (i = 0; i < EMU_MAX_WQS && !ret; i++) {
		const struct emu_wq *wq = &dev->wq[i];
		const char *driver = emu_drivers[wq->type == EMU_WQ_KERNEL ? EMU_DRIVER_DMAENGINE :
									     EMU_DRIVER_USER];

		TEXT(dir, 300, "%s/wq%u.%u", where, dev->id, i);
		TEXT(wq_name, 16, "wq%u.%u", dev->id, i);
		ret = put_attrs(state, root, dir, EMU_OBJ_WQ, device, i);
		if (ret == 0)
			ret = put_links(root, dir, wq_name, UP_OBJECT, wq->enabled ? driver : NULL);
		if (ret == 0)
			ret = put_node(state, root, device, i);
	}
	for (i = 0; i < EMU_MAX_GROUPS && !ret; i++) {
		TEXT(dir, 300, "%s/group%u.%u", where, dev->id, i);
		TEXT(group_name, 16, "group%u.%u", dev->id, i);
		ret = put_attrs(state, root, dir, EMU_OBJ_GROUP, device, i);
		if (ret == 0)
			ret = put_links(root, dir, group_name, UP_OBJECT, NULL);
	}
	for (i = 0; i < EMU_MAX_ENGINES && !ret; i++) {
		TEXT(dir, 300, "%s/engine%u.%u", where, dev->id, i);
		TEXT(engine_name, 16, "engine%u.%u", dev->id, i);
		ret = put_attrs(state, root, dir, EMU_OBJ_ENGINE, device, i);
		if (ret == 0)
			ret = put_links(root, dir, engine_name, UP_OBJECT, NULL);
	}
	return ret;
}

void emu_tree_refresh(struct emu_state *state, const char *root, unsigned int device)
{
	refresh_device(state, root, device);
}

/* Make the files of the PCI function, which setpci, lspci and some libraries read. */
static int make_pci(struct emu_state *state, const char *root, unsigned int device)
{
	const struct emu_device *dev = &state->device[device];
	struct path config;
	unsigned int i;
	int ret = 0;

	static const struct { const char *name, *value; } files[] = {
		{ "vendor", "0x8086\n" },
		{ "device", "0x0b25\n" },
		{ "subsystem_vendor", "0x8086\n" },
		{ "subsystem_device", "0x0000\n" },
		{ "class", "0x088000\n" },
		{ "revision", "0x00\n" },
		{ "irq", "0\n" },
		{ "enable", "1\n" },
		{ "modalias", "pci:v00008086d00000B25sv00008086sd00000000bc08sc80i00\n" },
		{ "resource", "0x000021bffff50000 0x000021bffff5ffff 0x000000000014220c\n"
			      "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
			      "0x000021bffff00000 0x000021bffff1ffff 0x000000000014220c\n" },
	};
	TEXT(where, 128, "/sys/devices/" EMU_PCI_ROOT "/" EMU_PCI_BUS ":%02x.0", dev->slot);
	for (i = 0; i < sizeof(files) / sizeof(files[0]) && !ret; i++) {
		TEXT(path, 200, "%s/%s", where, files[i].name);
		ret = put_fixed(root, path, files[i].value);
	}
	TEXT(node_path, 200, "%s/numa_node", where);
	TEXT(node, 16, "%d\n", dev->numa_node);
	if (ret == 0)
		ret = put_fixed(root, node_path, node);
	start_path(&config, root);
	text_add(&config.text, "%s/config", where);
	if (ret == 0)
		ret = put_file(&config, (const char *)dev->config, sizeof(dev->config), 0644);
	TEXT(subsystem, 200, "%s/subsystem", where);
	if (ret == 0)
		ret = put_link(root, subsystem, "../../../bus/pci");
	TEXT(driver, 200, "%s/driver", where);
	if (ret == 0)
		ret = put_link(root, driver, "../../../bus/pci/drivers/idxd");
	/*
	 * An IOMMU group of its own. In the kernel this is a link into /sys/kernel, where nothing
	 * can be added.
	 */
	TEXT(member, 200, "%s/iommu_group/devices/" EMU_PCI_BUS ":%02x.0", where, dev->slot);
	TEXT(function, 64, "../../../" EMU_PCI_BUS ":%02x.0", dev->slot);
	if (ret == 0)
		ret = put_link(root, member, function);
	TEXT(type, 200, "%s/iommu_group/type", where);
	if (ret == 0)
		ret = put_fixed(root, type, "DMA-FQ\n");
	TEXT(entry, 128, "/sys/bus/pci/devices/" EMU_PCI_BUS ":%02x.0", dev->slot);
	TEXT(target, 200, "../../../devices/" EMU_PCI_ROOT "/" EMU_PCI_BUS ":%02x.0", dev->slot);
	if (ret == 0)
		ret = put_link(root, entry, target);
	TEXT(bound, 128, "/sys/bus/pci/drivers/idxd/" EMU_PCI_BUS ":%02x.0", dev->slot);
	TEXT(from_driver, 200, "../../../../devices/" EMU_PCI_ROOT "/" EMU_PCI_BUS ":%02x.0",
	     dev->slot);
	return ret ? ret : put_link(root, bound, from_driver);
}

int emu_tree_make(struct emu_state *state, const char *root)
{
	unsigned int d;
	int ret = put_directory(root, "/dev/dsa");

	if (ret == 0)
		ret = put_directory(root, "/dev/char");
	if (ret == 0)
		ret = put_directory(root, "/sys/bus/dsa/devices");
	for (d = 0; d < EMU_DRIVERS && !ret; d++) {
		TEXT(bind, 128, "/sys/bus/dsa/drivers/%s/bind", emu_drivers[d]);
		TEXT(unbind, 128, "/sys/bus/dsa/drivers/%s/unbind", emu_drivers[d]);
		ret = put_fixed(root, bind, "");
		if (ret == 0)
			ret = put_fixed(root, unbind, "");
	}
	if (ret == 0)
		ret = put_fixed(root, "/sys/module/idxd/parameters/sva", "Y\n");
	if (ret == 0)
		ret = put_fixed(root, "/sys/module/idxd/parameters/tc_override", "N\n");
	if (ret == 0)
		ret = put_fixed(root, "/sys/module/idxd/initstate", "live\n");
	if (ret == 0)
		ret = put_fixed(root, "/sys/module/idxd/refcnt", "1\n");
	for (d = 0; d < state->devices && !ret; d++) {
		ret = make_pci(state, root, d);
		if (ret == 0)
			ret = refresh_device(state, root, d);
	}
	return ret;
}

/* Read a component of a path, up to the next slash or the end. */
static bool read_component(const char **path, char *out, size_t size)
{
	size_t n = 0;

	while (**path == '/')
		(*path)++;
	while (**path && **path != '/' && n + 1 < size)
		out[n++] = *(*path)++;
	out[n] = '\0';
	return n > 0;
}

/* Read "wq0.3" as object and index. False if it is no object of this device. */
static bool parse_object(const char *name, struct emu_attr_ref *ref)
{
	static const struct {
		const char *prefix;
		enum emu_object object;
		unsigned int max;
	} kinds[] = {
		{"wq", EMU_OBJ_WQ, EMU_MAX_WQS},
		{"group", EMU_OBJ_GROUP, EMU_MAX_GROUPS},
		{"engine", EMU_OBJ_ENGINE, EMU_MAX_ENGINES},
	};
	unsigned int i;
	const char *at;

	for (i = 0; i < 3; i++) {
		if (!raw_starts(name, kinds[i].prefix))
			continue;
		at = name + raw_strlen(kinds[i].prefix);
		if (at[0] != (char)('0' + ref->device) || at[1] != '.' || at[2] < '0' || at[3])
			return false;
		ref->object = kinds[i].object;
		ref->index = (unsigned int)(at[2] - '0');
		return ref->index < kinds[i].max;
	}
	return false;
}

/*
 * Point the reference to the name in the table, as the one in the path does not last. False if
 * there is none.
 */
static bool find_attr(struct emu_state *state, struct emu_attr_ref *ref, const char *name)
{
	unsigned int n;
	bool writable;

	for (n = 0; (ref->name = emu_attr_name(state, ref->object, ref->device, n, &writable)); n++)
		if (raw_streq(ref->name, name))
			return true;
	return false;
}

bool emu_tree_attr(struct emu_state *state, const char *path, struct emu_attr_ref *ref)
{
	static const char drivers[] = "/sys/bus/dsa/drivers/",
			  devices[] = "/sys/devices/" EMU_PCI_ROOT "/" EMU_PCI_BUS ":";
	char word[64];
	unsigned int i;

	*ref = (struct emu_attr_ref){ 0 };
	if (raw_starts(path, drivers)) {
		path += sizeof(drivers) - 1;
		read_component(&path, word, sizeof(word));
		for (i = 0; i < EMU_DRIVERS && !raw_streq(word, emu_drivers[i]); i++)
			;
		ref->object = EMU_OBJ_DRIVER;
		ref->index = i;
		return i < EMU_DRIVERS && read_component(&path, word, sizeof(word)) &&
		       find_attr(state, ref, word);
	}
	if (!raw_starts(path, devices))
		return false;
	path += sizeof(devices) - 1;
	if (!read_component(&path, word, sizeof(word)) ||
	    !read_component(&path, word, sizeof(word)))
		return false;
	if (!raw_starts(word, "dsa") || word[3] < '0' || word[4] ||
	    (unsigned int)(word[3] - '0') >= state->devices)
		return false;
	ref->device = (unsigned int)(word[3] - '0');
	ref->object = EMU_OBJ_DEVICE;
	if (!read_component(&path, word, sizeof(word)))
		return false;
	if (parse_object(word, ref) && !read_component(&path, word, sizeof(word)))
		return false;
	return find_attr(state, ref, word) && !*path;
}
