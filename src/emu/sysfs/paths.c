/* SPDX-License-Identifier: MIT */
/* Replaces paths of the device by paths into the run's directory, and back. */
#include "emu/base/raw.h"
#include "emu/device/state.h"
#include "emu/host/process.h"
#include "emu/sysfs/paths.h"

/* What is shown: the path itself and everything below it. */
static const char *const shown[] = {
	"/sys/bus/dsa",
	"/sys/bus/iax",
	"/sys/module/idxd",
	("/sys/devices/" EMU_PCI_ROOT),
	"/sys/bus/pci/drivers/idxd",
	"/dev/dsa",
	"/dev/iax",
	"/proc/cpuinfo",
	"/proc/modules",
};

/* What is shown by the beginning of its name. */
static const char *const shown_prefix[] = {
	"/sys/bus/pci/devices/" EMU_PCI_BUS ":",
	"/dev/char/511:",
};

/*
 * Does path begin with prefix, when repeated slashes and "/." count for nothing? What follows it,
 * or NULL.
 */
static const char *after(const char *path, const char *prefix)
{
	for (; *prefix; prefix++) {
		if (*prefix != '/') {
			if (*path++ != *prefix)
				return NULL;
			continue;
		}
		if (*path != '/')
			return NULL;
		while (path[0] == '/' && (path[1] == '/' || (path[1] == '.' && path[2] == '/')))
			path += path[1] == '/' ? 1 : 2;
		path++;
	}
	return path;
}

static const char *join(const char *path, const char *rest, char *buf)
{
	size_t n = 0;
	const char *s;

	for (s = emu.state->opt.root; *s && n < EMU_PATH_MAX - 1; s++)
		buf[n++] = *s;
	for (s = path; *s && n < EMU_PATH_MAX - 1; s++)
		buf[n++] = *s;
	for (s = rest; *s && n < EMU_PATH_MAX - 1; s++)
		buf[n++] = *s;
	buf[n] = '\0';
	return buf;
}

const char *emu_path_in(const char *path, char *buf)
{
	const char *rest;
	size_t i;

	if (!emu.state || !emu.state->opt.redirect || !path || path[0] != '/')
		return path;
	if (!after(path, "/sys") && !after(path, "/dev") && !after(path, "/proc"))
		return path;
	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		rest = after(path, shown[i]);
		if (rest && (*rest == '/' || *rest == '\0'))
			return join(shown[i], rest, buf);
	}
	for (i = 0; i < sizeof(shown_prefix) / sizeof(shown_prefix[0]); i++) {
		rest = after(path, shown_prefix[i]);
		if (rest)
			return join(shown_prefix[i], rest, buf);
	}
	return path;
}

const char *const emu_path_lists[] = {
	"/sys/bus",	"/sys/bus/pci/devices", "/sys/bus/pci/drivers",
	"/sys/devices", "/sys/module",		NULL,
};

const char *emu_path_listed(const char *path, char *buf)
{
	const char *rest;
	size_t i;

	if (!emu.state || !emu.state->opt.redirect || !path || path[0] != '/')
		return path;
	for (i = 0; emu_path_lists[i]; i++) {
		rest = after(path, emu_path_lists[i]);
		while (rest && *rest == '/')
			rest++;
		if (rest && *rest == '\0')
			return join("/list", emu_path_lists[i], buf);
	}
	return emu_path_in(path, buf);
}

bool emu_path_setting(const char *path)
{
	return raw_starts(path, "/sys/") || raw_starts(path, "/proc/sys/");
}

bool emu_path_out(char *path)
{
	const char *root;
	size_t len, i;

	if (!emu.state || !emu.state->opt.redirect || !path)
		return false;
	root = emu.state->opt.root;
	len = raw_strlen(root);
	if (!raw_starts(path, root) || path[len] != '/')
		return false;
	for (i = 0; path[i + len]; i++)
		path[i] = path[i + len];
	path[i] = '\0';
	return true;
}
