/* SPDX-License-Identifier: MIT */
/* What is read from the machine: its NUMA nodes, its CPU, its programs. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/run/machine.h"

int emu_machine_node(unsigned int n)
{
	int nodes[64], count = 0;
	struct dirent *entry;
	DIR *dir = opendir("/sys/devices/system/node");

	if (!dir)
		return -1;
	while ((entry = readdir(dir)) && count < 64)
		if (!strncmp(entry->d_name, "node", 4) && isdigit((unsigned char)entry->d_name[4]))
			nodes[count++] = atoi(entry->d_name + 4);
	closedir(dir);
	return count ? nodes[n % (unsigned int)count] : -1;
}

/* Is the word in the list, which is separated by spaces? */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *at = list;

	while ((at = strstr(at, word))) {
		if ((at == list || at[-1] == ' ') &&
		    (at[len] == ' ' || at[len] == '\n' || at[len] == '\0'))
			return true;
		at += len;
	}
	return false;
}

bool emu_machine_has_flag(const char *flag)
{
	FILE *in = fopen("/proc/cpuinfo", "re");
	char *line = NULL;
	bool has = false;
	size_t size = 0;

	while (in && !has && getline(&line, &size, in) > 0)
		has = !strncmp(line, "flags\t", 6) && has_word(line, flag);
	free(line);
	if (in)
		fclose(in);
	return has;
}

bool emu_machine_is_initial(void)
{
	FILE *in = fopen("/proc/self/uid_map", "re");
	unsigned long inside, outside, count;
	bool all = in && fscanf(in, "%lu %lu %lu", &inside, &outside, &count) == 3 && !inside &&
		   !outside && count == 0xffffffff;

	if (in)
		fclose(in);
	return all;
}

int emu_machine_cpuinfo(const char *path)
{
	static const char *const added[] = { "waitpkg", "movdir64b", "enqcmd" };
	FILE *in = fopen("/proc/cpuinfo", "re"), *out = fopen(path, "we");
	char *line = NULL;
	size_t size = 0, i;
	int ret = 0;

	while (in && out && getline(&line, &size, in) > 0) {
		if (strncmp(line, "flags\t", 6)) {
			fputs(line, out);
			continue;
		}
		line[strcspn(line, "\n")] = '\0';
		fputs(line, out);
		for (i = 0; i < sizeof(added) / sizeof(added[0]); i++)
			if (!has_word(line, added[i]))
				fprintf(out, " %s", added[i]);
		fputc('\n', out);
	}
	free(line);
	if (in)
		fclose(in);
	if (!out || fclose(out))
		ret = -errno;
	return ret;
}

void emu_machine_config(struct emu_device *dev)
{
	static const struct { unsigned char at, value; } bytes[] = {
		/* vendor 8086, device 0b25 */
		{ 0x00, 0x86 }, { 0x01, 0x80 }, { 0x02, 0x25 }, { 0x03, 0x0b },
		/* memory, bus master */
		{ 0x04, 0x46 }, { 0x05, 0x01 },
		/* has capabilities */
		{ 0x06, 0x10 },
		{ 0x0a, 0x80 }, { 0x0b, 0x08 },                                 /* class 0880 */
		/* BAR 0 and 2: 64 bits, prefetchable */
		{ 0x10, 0x0c }, { 0x18, 0x0c },
		{ 0x2c, 0x86 }, { 0x2d, 0x80 },
		/* first capability */
		{ 0x34, 0x40 },
		/* PCI Express, root complex endpoint */
		{ 0x40, 0x10 }, { 0x42, 0x92 },
		/* MSI-X, nine entries */
		{ 0x41, 0x80 }, { 0x80, 0x11 }, { 0x82, 0x08 },
	};
	size_t i;

	for (i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		dev->config[bytes[i].at] = bytes[i].value;
}

/* Find the file that execvp would start. */
static int find_program(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH"), *end;
	struct stat st;

	if (strchr(name, '/')) {
		if ((size_t)snprintf(path, size, "%s", name) >= size)
			return -ENAMETOOLONG;
		return access(path, X_OK) ? -errno : 0;
	}
	for (dirs = dirs ? dirs : "/bin:/usr/bin"; *dirs; dirs = *end ? end + 1 : end) {
		end = strchrnul(dirs, ':');
		snprintf(path, size, "%.*s/%s", end > dirs ? (int)(end - dirs) : 1,
			 end > dirs ? dirs : ".", name);
		if (access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return 0;
	}
	return -ENOENT;
}

int emu_machine_program(const char *name, struct emu_program *program)
{
	char start[256], *at, *end;
	struct stat st;
	ssize_t got;
	int fd, ret, depth;

	memset(program, 0, sizeof(*program));
	program->kind = EMU_BINARY_DYNAMIC;
	ret = find_program(name, program->path, sizeof(program->path));
	for (depth = 0; ret == 0 && depth < 5; depth++) {
		fd = open(program->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return 0; /* executable but not readable: nothing more is known of it */
		if (fstat(fd, &st) == 0 && (st.st_mode & S_ISUID) && st.st_uid != geteuid())
			program->setuid = true;
		got = pread(fd, start, sizeof(start) - 1, 0);
		start[got > 0 ? got : 0] = '\0';
		if (strncmp(start, "#!", 2)) {
			program->kind = emu_binary_kind(fd);
			close(fd);
			return 0;
		}
		close(fd);
		for (at = start + 2; *at == ' ' || *at == '\t'; at++)
			;
		end = at + strcspn(at, " \t\n");
		*end = '\0';
		ret = find_program(at, program->path, sizeof(program->path));
	}
	return ret;
}
