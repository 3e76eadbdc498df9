/* SPDX-License-Identifier: MIT */
/* The commands lsmod, modprobe and rmmod of a run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/run/modules.h"
#include "emu/sysfs/sysfs.h"
#include "emu/sysfs/tree.h"

#define MODULE "idxd"

static const char *const commands[] = { "lsmod", "modprobe", "rmmod" };

int emu_modules_offer(const struct emu_state *state)
{
	const char *before = getenv("PATH");
	char dir[200], link[260], self[4096], *path;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	unsigned int i;

	if (len <= 0)
		return -errno;
	self[len] = '\0';
	snprintf(dir, sizeof(dir), "%s/bin", state->opt.dir);
	if (mkdir(dir, 0755))
		return -errno;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		snprintf(link, sizeof(link), "%s/%s", dir, commands[i]);
		if (symlink(self, link))
			return -errno;
	}
	if (asprintf(&path, "%s:%s", dir, before ? before : "/usr/sbin:/usr/bin:/sbin:/bin") < 0)
		return -ENOMEM;
	setenv("PATH", path, 1);
	free(path);
	return 0;
}

int emu_modules_list(const char *path)
{
	FILE *in = fopen("/proc/modules", "re"), *out = fopen(path, "we");
	char line[1024];

	if (out)
		fputs(MODULE " 200704 1 - Live 0x0000000000000000\n", out);
	while (in && out && fgets(line, sizeof(line), in))
		if (strncmp(line, MODULE " ", strlen(MODULE " ")))
			fputs(line, out);
	if (in)
		fclose(in);
	return !out || fclose(out) ? -errno : 0;
}

static struct emu_state *find_run(void)
{
	const char *dir = getenv(EMU_ENV_DIR);

	return dir ? emu_state_attach(dir) : NULL;
}

/* Execute the command of that name of the machine. Returns only if there is none. */
static int run_real(const struct emu_state *state, char **argv)
{
	const char *dirs = getenv("PATH"), *end;
	char path[4096], ours[200];
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];

	snprintf(ours, sizeof(ours), "%s/bin", state->opt.dir);
	for (; dirs && *dirs; dirs = *end ? end + 1 : end) {
		end = strchrnul(dirs, ':');
		if ((size_t)(end - dirs) == strlen(ours) && !strncmp(dirs, ours, strlen(ours)))
			continue;
		snprintf(path, sizeof(path), "%.*s/%s", (int)(end - dirs), dirs, name);
		execv(path, argv);
	}
	fprintf(stderr,
		"%s: only " MODULE
		" is emulated in this run of sva-emu, and this machine has no %s\n",
		name, name);
	return 1;
}

static int list_modules(const struct emu_state *state)
{
	char path[300], line[1024], name[256], used[256];
	unsigned long size, count;
	FILE *in;

	snprintf(path, sizeof(path), "%s/proc/modules", state->opt.root);
	in = fopen(path, "re");
	if (!in) {
		perror(path);
		return 1;
	}
	puts("Module                  Size  Used by");
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%255s %lu %lu %255s", name, &size, &count, used) != 4)
			continue;
		if (!strcmp(name, MODULE) && state->unloaded)
			continue;
		if (used[0] && used[strlen(used) - 1] == ',')
			used[strlen(used) - 1] = '\0';
		printf("%-19s %8lu  %lu %s\n", name, size, count, strcmp(used, "-") ? used : "");
	}
	fclose(in);
	return 0;
}

/*
 * Without the driver nothing is configured. Its files in sysfs stay, as a program may be using
 * them.
 */
static int unload(struct emu_state *state, const char *command)
{
	unsigned int d, w;

	for (d = 0; d < state->devices; d++) {
		for (w = 0; w < EMU_MAX_WQS; w++) {
			if (!emu_clients(&state->device[d].wq[w]))
				continue;
			fprintf(stderr, "%s: Module " MODULE " is in use: wq%u.%u is open\n",
				command, d, w);
			return 1;
		}
	}
	for (d = 0; d < state->devices; d++) {
		emu_device_disable(state, d);
		emu_tree_refresh(state, state->opt.root, d);
	}
	state->unloaded = 1;
	return 0;
}

/* modprobe and rmmod, with those of their options that matter here. */
static int change_modules(struct emu_state *state, char **argv)
{
	const char *command = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	bool remove = !strcmp(command, "rmmod"), ours = false;
	char **arg;

	for (arg = argv + 1; *arg; arg++) {
		if (!strcmp(*arg, "-r") || !strcmp(*arg, "--remove"))
			remove = true;
		if (!strcmp(*arg, MODULE))
			ours = true;
		else if (**arg != '-' && !ours)
			return run_real(state, argv);
	}
	if (!ours)
		return run_real(state, argv);
	if (!remove) {
		state->unloaded = 0;
		return 0;
	}
	if (state->unloaded && !strcmp(command, "rmmod")) {
		fprintf(stderr, "rmmod: Module " MODULE " is not currently loaded\n");
		return 1;
	}
	return unload(state, command);
}

bool emu_modules_main(int argc, char **argv, int *status)
{
	const char *name = argc ? strrchr(argv[0], '/') : NULL;
	struct emu_state *state;

	name = name ? name + 1 : argc ? argv[0] : "";
	if (strcmp(name, commands[0]) && strcmp(name, commands[1]) && strcmp(name, commands[2]))
		return false;
	state = find_run();
	if (!state) {
		fprintf(stderr, "%s: the run of sva-emu that this belongs to has ended\n", name);
		*status = 1;
		return true;
	}
	*status = strcmp(name, "lsmod") ? change_modules(state, argv) : list_modules(state);
	return true;
}
