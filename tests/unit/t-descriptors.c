/* SPDX-License-Identifier: MIT */
/*
 * The library's descriptors in a program that closes descriptors: it was started without 0 to 2, or it closes everything and
 * opens files of its own. On a kernel that this test plays (kernel.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/road.h"
#include "tap.h"
#include "unit/kernel.h"
#include "unit/rig.h"

#define BYTES 65536u

static uint8_t *from, *to;
static struct kernel_queue *queue;
static struct sva *sva;

static void set_options(struct sva_opts *opts)
{
	opts->record_timeout_ms = 500;
	opts->threshold = 1;
}

static bool copies(uint8_t path)
{
	memset(to, 0, BYTES);
	return !sva_memcpy(sva, to, from, BYTES) && !memcmp(to, from, BYTES) && sva_last_result()->path == path;
}

/* ------------------------------------------------------------------ 0 to 2 are closed */

static int low_fd_of_library(void *arg)
{
	DIR *dir = sva_fd_opendir("/");
	FILE *file = sva_fd_fopen("/dev/null");
	int got[] = { sva_fd_open("/dev/null", O_RDWR), sva_fd_openat(dir ? dirfd(dir) : -1, "dev", O_PATH),
		      dir ? dirfd(dir) : -1, file ? fileno(file) : -1 };

	(void)arg;
	for (int i = 0; i < 4; i++)
		if (got[i] < 3)
			return 10 + i;
	for (int i = 0; i < 3; i++)
		if (fcntl(i, F_GETFD) >= 0)
			return 20 + i;
	return 0;
}

static int close_low_and(int (*what)(void *arg))
{
	close(0);
	close(1);
	close(2);
	return what(NULL);
}

static int opens(void *arg)
{
	(void)arg;
	return close_low_and(low_fd_of_library);
}

static int works_on_queue(void *arg)
{
	(void)arg;
	sva = rig_open_opts("write", set_options);
	if (!copies(SVA_PATH_WRITE))
		return 1;
	if (queue->fd < 3)
		return 2;
	for (int i = 0; i < 3; i++)
		if (fcntl(i, F_GETFD) >= 0)
			return 10 + i;
	/* What the program prints goes nowhere. */
	if (write(1, "x", 1) >= 0 || errno != EBADF)
		return 3;
	sva_close(sva);
	return queue->open_now ? 4 : 0;
}

static int queue_with_low_closed(void *arg)
{
	(void)arg;
	return close_low_and(works_on_queue);
}

static int holds(void *arg)
{
	bool held[3];
	struct stat st;

	(void)arg;
	close(0);
	close(2);
	sva_fd_hold_low(held);
	if (!held[0] || held[1] || !held[2] || open("/dev/null", O_RDWR) < 3)
		return 1;
	if (write(2, "x", 1) >= 0 || errno != EBADF || read(0, held, 1) >= 0 || errno != EBADF)
		return 2;
	/* The program opens something there meanwhile: that is the program's. */
	if (dup2(1, 2) != 2)
		return 3;
	sva_fd_release_low(held);
	if (fcntl(0, F_GETFD) >= 0)
		return 4;
	return fstat(1, &st) || fstat(2, &st) ? 5 : 0;
}

static void low_descriptors(void)
{
	is(rig_in_child(opens, NULL), 0, "with 0 to 2 closed, each way of opening gives a descriptor from 3 on, and leaves them closed");
	is(rig_in_child(holds, NULL), 0, "code of others finds 0 to 2 occupied by what cannot be read or written, and they are closed again");
	kernel_begin();
	queue = kernel_add("wq0.0", false, 8, "max-transfer=65536");
	is(rig_in_child(queue_with_low_closed, NULL), 0, "with 0 to 2 closed, a queue gets a descriptor from 3 on");
}

int main(void)
{
	rig_begin();
	from = malloc(BYTES);
	to = malloc(BYTES);
	memset(from, 0x5a, BYTES);
	low_descriptors();
	free(from);
	free(to);
	done();
}
