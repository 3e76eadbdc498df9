// SPDX-License-Identifier: MIT
/* Which users can open the device, and how much an ordinary user can pin. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"

#define RULES	"/lib/sva/60-sva_dma.rules"
#define USER	1000
#define GROUP	900

/* Does what udev would do with the module's rule. */
static void apply_rule(void)
{
	char line[256], group[32] = "";
	unsigned int mode = 0;
	const char *at;
	FILE *file = fopen(RULES, "r");

	while (file && fgets(line, sizeof(line), file)) {
		if (*line == '#' || !strstr(line, "KERNEL==\"sva_dma\""))
			continue;
		at = strstr(line, "GROUP=\"");
		if (at)
			sscanf(at, "GROUP=\"%31[^\"]\"", group);
		at = strstr(line, "MODE=\"");
		if (at)
			sscanf(at, "MODE=\"%o\"", &mode);
	}
	if (file)
		fclose(file);
	is_str(group, "sva", "the udev rule names a group");
	is(mode, 0660, "the udev rule sets the mode of the device");
	if (chown(DMA_NODE, 0, GROUP) || chmod(DMA_NODE, mode))
		dma_die(DMA_NODE);
}

/* Runs a function as an ordinary user and returns its result. */
static int as_user(bool member, int (*run)(void))
{
	gid_t group = GROUP;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setgroups(member, &group) || setresgid(USER, USER, USER) ||
		    setresuid(USER, USER, USER))
			_exit(200);
		status = run();
		fflush(stdout);
		_exit(status);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int try_open(void)
{
	int fd = open(DMA_NODE, O_RDWR);

	return fd < 0 ? errno : 0;
}

static long pinned_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmPin: %ld", &kib);
	if (file)
		fclose(file);
	return kib;
}

static void limit(rlim_t bytes)
{
	struct rlimit rlim = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	getrlimit(RLIMIT_MEMLOCK, &rlim);
	rlim.rlim_cur = bytes;
	if (setrlimit(RLIMIT_MEMLOCK, &rlim))
		dma_die("setrlimit");
}

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			printf("# line %d: %s\n", __LINE__, #cond); \
			return 1; \
		} \
	} while (0)

/* 64 KiB may be locked. */
static int limited(void)
{
	size_t big = 5UL << 20;
	char *src = dma_alloc(big), *dst = dma_alloc(big);
	struct sva_dma_op op;
	uint32_t handle, second;
	unsigned int taken;
	struct dma dma;

	memset(src, 7, big);
	limit(64 << 10);
	dma_open(&dma);
	CHECK(pinned_kib() == 0);
	CHECK(dma_map(&dma, src, 36 << 10, SVA_DMA_MAP_READ, &handle) == 0);
	CHECK(pinned_kib() == 36);
	CHECK(dma_map(&dma, dst, 36 << 10, SVA_DMA_MAP_WRITE, &second) == -ENOMEM);
	CHECK(pinned_kib() == 36);
	CHECK(dma_map(&dma, dst, 28 << 10, SVA_DMA_MAP_WRITE, &second) == 0);
	CHECK(pinned_kib() == 64);
	/* The limit is reached: even a copy of one byte fails. */
	CHECK(dma_copy(&dma, dst, src, 1) == -ENOMEM);
	CHECK(dma_unmap(&dma, second) == 0);
	/* 28 KiB are left: a large copy goes through in small windows. */
	CHECK(dma_copy(&dma, dst + 100, src + 3, big - 200) == 0);
	CHECK(!memcmp(dst + 100, src + 3, big - 200));
	CHECK(dma_fill(&dma, dst, 0x0909090909090909, big) == 0);
	CHECK(dst[0] == 9 && !memcmp(dst, dst + 1, big - 1));
	/* One operation on addresses is not cut. */
	op = dma_op_copy(dst, src, 64 << 10, 0);
	CHECK(dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken) == 0 && op.result == -ENOMEM);
	op = dma_op_copy(dst, src, 8 << 10, 0);
	CHECK(dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken) == 0 && op.result == 0);
	CHECK(pinned_kib() == 36);
	close(dma.fd);
	for (int i = 0; i < 100 && pinned_kib(); i++)
		usleep(10000);
	CHECK(pinned_kib() == 0);
	return 0;
}

static int forbidden(void)
{
	char *src = dma_alloc(4096), *dst = dma_alloc(4096);
	struct dma dma;

	limit(0);
	dma_open(&dma);
	CHECK(dma_copy(&dma, dst, src, 4096) == -ENOMEM);
	CHECK(dma_fill(&dma, dst, 0, 4096) == -ENOMEM);
	CHECK(pinned_kib() == 0);
	return 0;
}

/*
 * A user starts processes one after the other, each of which pins as much as the limit allows.
 * Their files stay open when they end, since they share the table of files.
 */
static int collected(void)
{
	size_t len = 64 << 10;
	char *memory = dma_alloc(len);
	int status, got = 0;
	uint32_t handle;
	struct dma dma;
	pid_t pid;

	memset(memory, 1, len);
	limit(len);
	fflush(stdout);
	for (int i = 0; i < 8; i++) {
		pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
		if (!pid) {
			dma_open(&dma);
			_exit(dma_map(&dma, memory, len, SVA_DMA_MAP_READ, &handle) != 0);
		}
		waitpid(pid, &status, 0);
		got += WIFEXITED(status) && !WEXITSTATUS(status);
	}
	printf("# %d of 8 processes could pin 64 KiB\n", got);
	CHECK(got == 1);
	dma_open(&dma);
	CHECK(dma_map(&dma, memory, 4096, SVA_DMA_MAP_READ, &handle) == -ENOMEM);
	return 0;
}

/* Root, with CAP_IPC_LOCK. */
static void unlimited(void)
{
	char *src = dma_alloc(1 << 20);
	uint32_t handle;
	struct dma dma;

	limit(0);
	dma_open(&dma);
	is(dma_map(&dma, src, 1 << 20, SVA_DMA_MAP_READ, &handle), 0,
	   "root can map more than RLIMIT_MEMLOCK");
	is(pinned_kib(), 1024, "memory that root maps is counted in VmPin");
	is(dma_unmap(&dma, handle), 0, "root can unmap it");
	is(pinned_kib(), 0, "after root unmaps it, VmPin is 0");
	dma_close(&dma);
}

int main(void)
{
	struct stat st;

	is(stat(DMA_NODE, &st) ? 0 : st.st_mode & 07777, 0600,
	   "without the udev rule, the mode of the device is 0600");
	is(as_user(true, try_open), EACCES,
	   "without the udev rule, a user cannot open the device (EACCES)");
	apply_rule();
	is(as_user(false, try_open), EACCES,
	   "with the udev rule, a user outside the group cannot open the device (EACCES)");
	is(as_user(true, try_open), 0,
	   "with the udev rule, a member of the group can open the device");
	is(as_user(true, limited), 0,
	   "a member of the group can map as much as RLIMIT_MEMLOCK, no more");
	is(as_user(true, forbidden), 0,
	   "with RLIMIT_MEMLOCK 0, a member of the group can map nothing");
	is(as_user(true, collected), 0,
	   "a user's limit holds for open files of processes that have ended");
	ok(dma_all_zero(5), "after the last process has ended, the module's counters are zero");
	is(as_user(true, limited), 0,
	   "after the last process has ended, the user can map as much as before");
	unlimited();
	if (chown(DMA_NODE, 0, 0) || chmod(DMA_NODE, 0600))
		dma_die(DMA_NODE);
	ok(dma_all_zero(5), "after the files are closed, the module's counters are zero");
	return done();
}
