/* SPDX-License-Identifier: MIT */
/* Contexts, memory with bad pages, and ways through the library: see rig.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit/rig.h"

/* ------------------------------------------------------------------ contexts */

void rig_begin(void)
{
	const struct sva_setting *setting;

	for (unsigned int i = 0; (setting = sva_setting_describe(i)); i++)
		if (strcmp(setting->key, "plugin-dir"))
			unsetenv(setting->env);
	/* The plug-in that finds nothing unless SVA_QUEUE_FILE names a list. */
	setenv("SVA_PLUGINS", "file", 1);
}

struct sva *rig_open_opts(const char *paths, void (*change)(struct sva_opts *opts))
{
	struct sva_opts opts = SVA_OPTS_INIT;
	struct sva *sva;
	int err;

	opts.paths = paths;
	if (change)
		change(&opts);
	err = sva_open(&sva, &opts);
	if (!err)
		return sva;
	printf("Bail out! sva_open with paths %s: %s\n", paths ? paths : "(default)",
	       strerror(-err));
	exit(1);
}

static unsigned int wanted_threads;
static bool wanted_guard;

static void set_threads(struct sva_opts *opts)
{
	opts->soft_threads = wanted_threads;
	opts->flags = wanted_guard ? SVA_OPEN_GUARD : 0;
}

struct sva *rig_open(const char *paths, unsigned int soft_threads)
{
	wanted_threads = soft_threads;
	return rig_open_opts(paths, set_threads);
}

/* ------------------------------------------------------------------ memory */

static void must(bool good, const char *what)
{
	if (good)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

uint8_t *rig_pages(size_t n)
{
	uint8_t *all =
		mmap(NULL, (n + 2) * RIG_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(all != MAP_FAILED, "mmap");
	must(!mprotect(all + RIG_PAGE, n * RIG_PAGE, PROT_READ | PROT_WRITE), "mprotect");
	return all + RIG_PAGE;
}

void rig_page_gone(uint8_t *page)
{
	must(!munmap(page, RIG_PAGE), "munmap");
}

void rig_page_deny(uint8_t *page)
{
	must(!mprotect(page, RIG_PAGE, PROT_NONE), "mprotect");
}

void rig_page_readonly(uint8_t *page)
{
	must(!mprotect(page, RIG_PAGE, PROT_READ), "mprotect");
}

void rig_page_good(uint8_t *page)
{
	if (!mprotect(page, RIG_PAGE, PROT_READ | PROT_WRITE))
		return;
	must(mmap(page, RIG_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		  -1, 0) == page,
	     "mmap");
}

bool rig_page_resident(uint8_t *page)
{
	unsigned char there = 0;

	must(!mincore(page, RIG_PAGE, &there), "mincore");
	return there & 1;
}

/* ------------------------------------------------------------------ ways through the library */

static const struct rig_way without_device[] = {
	{ "soft, sva_run", "soft", 0, RIG_RUN, SVA_PATH_SOFT, false },
	{ "soft, submitted", "soft", 0, RIG_ASYNC, SVA_PATH_SOFT, false },
	{ "soft, in a batch", "soft", 0, RIG_BATCH, SVA_PATH_SOFT, false },
	{ "soft, on a bond", "soft", 0, RIG_BOND, SVA_PATH_SOFT, false },
	{ "engine threads, sva_run", "soft", 2, RIG_RUN, SVA_PATH_SOFT, false },
	{ "engine threads, submitted", "soft", 2, RIG_ASYNC, SVA_PATH_SOFT, false },
	{ "engine threads, in a batch", "soft", 2, RIG_BATCH, SVA_PATH_SOFT, false },
	{ "cpu, sva_run", "cpu", 0, RIG_RUN, SVA_PATH_CPU, false },
	{ "cpu, submitted", "cpu", 0, RIG_ASYNC, SVA_PATH_CPU, false },
	{ "cpu, in a batch", "cpu", 0, RIG_BATCH, SVA_PATH_CPU, false },
	{ "cpu with a guard, sva_run", "cpu", 0, RIG_RUN, SVA_PATH_CPU, true },
	{ "cpu with a guard, submitted", "cpu", 0, RIG_ASYNC, SVA_PATH_CPU, true },
	{ "cpu with a guard, in a batch", "cpu", 0, RIG_BATCH, SVA_PATH_CPU, true },
};
const struct rig_way *rig_ways = without_device;
unsigned int rig_way_count = sizeof(without_device) / sizeof(without_device[0]);

struct sva *rig_sva;
const struct rig_way *rig_way;
const char *rig_queue = "soft";
static struct sva_bond *bond;

void rig_arguments(int argc, char **argv)
{
	static const char *const how[] = { "sva_run", "submitted", "in a batch", "on a bond" };
	static struct rig_way ways[4];
	static char names[4][40];
	int path = 0;

	if (argc != 3)
		return;
	while (path < SVA_PATH_COUNT && strcmp(argv[1], sva_path_name(path)))
		path++;
	must(path < SVA_PATH_COUNT, argv[1]);
	unsetenv("SVA_PLUGINS");
	setenv("SVA_QUEUES", argv[2], 1);
	for (unsigned int i = 0; i < 4; i++) {
		snprintf(names[i], sizeof(names[i]), "%s, %s", argv[1], how[i]);
		ways[i] = (struct rig_way){names[i], argv[1], 0, (enum rig_how)(RIG_RUN + i),
					   (uint8_t)path, false};
	}
	rig_ways = ways;
	rig_way_count = 4;
	rig_queue = argv[2];
}

void rig_way_begin(const struct rig_way *way)
{
	rig_way = way;
	wanted_guard = way->guard;
	rig_sva = rig_open(way->paths, way->threads);
	wanted_guard = false;
	if (way->how == RIG_BOND)
		must(!sva_bind(rig_sva, rig_queue, 0, &bond), "sva_bind");
}

void rig_way_end(void)
{
	if (rig_way->how == RIG_BOND)
		sva_unbind(bond);
	sva_close(rig_sva);
}

bool rig_way_reports_faults(void)
{
	return rig_way->path != SVA_PATH_CPU || rig_way->guard;
}

/* Between two no-ops. What a refused batch says is what its entry is refused with. */
static int in_a_batch(struct sva_op *op)
{
	static struct sva_op before, after, batch;
	struct sva_op *entries[3] = { &before, op, &after };
	int err;

	sva_prep_noop(&before);
	sva_prep_noop(&after);
	sva_prep_batch(&batch, entries, 3);
	err = sva_run(rig_sva, &batch);
	if (err == -EIO)
		err = sva_op_result(op)->error;
	return err;
}

int rig_do(struct sva_op *op)
{
	int err;

	switch (rig_way->how) {
	case RIG_RUN:
		return sva_run(rig_sva, op);
	case RIG_BATCH:
		return in_a_batch(op);
	case RIG_BOND:
		err = sva_bond_submit(bond, op);
		break;
	default:
		while ((err = sva_submit(rig_sva, op)) == -EAGAIN)
			;
		break;
	}
	return err ? err : sva_wait(op, -1);
}

/* ------------------------------------------------------------------ the rest */

int rig_in_child(int (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	must(pid >= 0, "fork");
	if (!pid)
		_exit(fn(arg));
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

uint64_t rig_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
