/* SPDX-License-Identifier: MIT */
/* The mapping at an address, read from /proc/PID/maps without libc. */
#include <fcntl.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/host/maps.h"
#include "emu/host/process.h"

/* Read a hexadecimal number, and skip the character behind it. */
static uint64_t read_hex(const char **at)
{
	uint64_t value = 0;

	for (;; (*at)++) {
		char c = **at;

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	if (**at)
		(*at)++;
	return value;
}

/* A line is "start-end perms offset device inode path". False if addr is not in that mapping. */
static bool parse_line(const char *line, uint64_t addr, struct emu_mapping *mapping)
{
	size_t len, i;

	mapping->start = read_hex(&line);
	mapping->end = read_hex(&line);
	if (addr < mapping->start || addr >= mapping->end)
		return false;
	mapping->readable = line[0] == 'r';
	mapping->writable = line[0] && line[1] == 'w';
	mapping->shared = line[0] && line[1] && line[2] && line[3] == 's';
	while (*line && *line != ' ')
		line++;
	if (*line)
		line++;
	mapping->offset = read_hex(&line);
	while (*line && *line != '/')
		line++;
	len = raw_strlen(line);
	if (len >= sizeof(mapping->path))
		line += len - sizeof(mapping->path) + 1;
	for (i = 0; line[i]; i++)
		mapping->path[i] = line[i];
	mapping->path[i] = '\0';
	return true;
}

bool emu_maps_find(uint64_t addr, struct emu_mapping *mapping)
{
	char buf[1024];
	size_t have = 0, i, start;
	bool found = false;
	long got;
	struct emu_text text;
	char path[40];
	int fd;

	text_init(&text, path, sizeof(path));
	text_add(&text, "%s/maps", emu.proc);
	fd = raw_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	while (!found && (got = raw_read(fd, buf + have, sizeof(buf) - 1 - have)) > 0) {
		have += (size_t)got;
		for (start = i = 0; i < have && !found; i++) {
			if (buf[i] != '\n')
				continue;
			buf[i] = '\0';
			found = parse_line(buf + start, addr, mapping);
			start = i + 1;
		}
		/* A line longer than the buffer is dropped: no path of interest is that long. */
		have = start ? have - start : 0;
		for (i = 0; i < have; i++)
			buf[i] = buf[start + i];
	}
	raw_close(fd);
	return found;
}
