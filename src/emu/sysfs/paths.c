/* SPDX-License-Identifier: MIT */
/* Replaces paths of the device by paths into the run's directory, and back. */
#include "emu/base/raw.h"
#include "emu/device/state.h"
#include "emu/host/process.h"
#include "emu/sysfs/paths.h"

/* Paths that are replaced, with all that is below them. */
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

/* Paths that are replaced if they begin like this. */
static const char *const shown_prefix[] = {
	"/sys/bus/pci/devices/" EMU_PCI_BUS ":",
	"/dev/char/511:",
};

/*
 * The part of path behind prefix, or NULL if it does not begin with it. Repeated slashes and "/."
 * are ignored.
 */
static const char *skip_prefix(const char *path, const char *prefix)
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

static const char *join_path(const char *path, const char *rest, char *buf)
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
	if (!skip_prefix(path, "/sys") && !skip_prefix(path, "/dev") && !skip_prefix(path, "/proc"))
		return path;
	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		rest = skip_prefix(path, shown[i]);
		if (rest && (*rest == '/' || *rest == '\0'))
			return join_path(shown[i], rest, buf);
	}
	for (i = 0; i < sizeof(shown_prefix) / sizeof(shown_prefix[0]); i++) {
		rest = skip_prefix(path, shown_prefix[i]);
		if (rest)
			return join_path(shown_prefix[i], rest, buf);
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
		rest = skip_prefix(path, emu_path_lists[i]);
		while (rest && *rest == '/')
			rest++;
		if (rest && *rest == '\0')
			return join_path("/list", emu_path_lists[i], buf);
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
