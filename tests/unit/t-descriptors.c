/* SPDX-License-Identifier: MIT */
/*
 * The library's descriptors in a program that closes descriptors: it was started without 0 to 2, or
 * it closes everything and opens files of its own. On a kernel that this test plays (kernel.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
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
	return !sva_memcpy(sva, to, from, BYTES) && !memcmp(to, from, BYTES) &&
	       sva_last_result()->path == path;
}

/* ------------------------------------------------------------------ 0 to 2 are closed */

static int low_fd_of_library(void *arg)
{
	DIR *dir = sva_fd_opendir("/");
	FILE *file = sva_fd_fopen("/dev/null");
	int got[] = {sva_fd_open("/dev/null", O_RDWR),
		     sva_fd_openat(dir ? dirfd(dir) : -1, "dev", O_PATH), dir ? dirfd(dir) : -1,
		     file ? fileno(file) : -1};

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
	is(rig_in_child(opens, NULL), 0,
	   "with 0 to 2 closed, each way of opening gives a descriptor from 3 on, and leaves them closed");
	is(rig_in_child(holds, NULL), 0,
	   "code of others finds 0 to 2 occupied by what cannot be read or written, and they are closed again");
	kernel_begin();
	queue = kernel_add("wq0.0", false, 8, "max-transfer=65536");
	is(rig_in_child(queue_with_low_closed, NULL), 0,
	   "with 0 to 2 closed, a queue gets a descriptor from 3 on");
}

/* ------------------------------------------------------------------ what is no queue */

static char place[] = "/tmp/sva-nodes-XXXXXX";

static void list_node(const char *node)
{
	char line[256];

	kernel_begin();
	snprintf(line, sizeof(line),
		 "q0 device=d0 node=%s mode=shared entries=8 max-transfer=65536\n", node);
	kernel_list(line);
}

static int reason_of(int path, int probe)
{
	struct sva_queue_info info = {.size = sizeof(info)};

	return sva_queue_info(sva, 0, probe, &info) ? -1 : (int)info.reasons[path];
}

/* Refused on every way to it, at once. */
static void is_refused(const char *what)
{
	uint64_t start = rig_now_ms();
	struct sva_bond *bond;
	char text[256];

	sva = rig_open_opts("write", set_options);
	ok(reason_of(SVA_PATH_WRITE, 0) == SVA_REASON_NOT_A_QUEUE &&
		   reason_of(SVA_PATH_WRITE, 1) == SVA_REASON_NOT_A_QUEUE,
	   "%s as a queue's node: the reason is NOT_A_QUEUE, before and after probing", what);
	ok(sva_explain(sva, SVA_PATH_WRITE, text, sizeof(text)) == SVA_REASON_NOT_A_QUEUE &&
		   !strcmp(text, sva_reason_text(SVA_REASON_NOT_A_QUEUE)),
	   "%s: sva_explain() says so", what);
	ok(sva_bind(sva, "q0", 0, &bond) == -ENODEV, "%s is not bound", what);
	ok(sva_memcpy(sva, to, from, BYTES) == -ENODEV &&
		   sva_last_result()->reason == SVA_REASON_NOT_A_QUEUE,
	   "%s: a copy that may go nowhere else answers -ENODEV, and why", what);
	sva_close(sva);
	sva = rig_open_opts("write,cpu", set_options);
	ok(copies(SVA_PATH_CPU) && sva_last_result()->reason == SVA_REASON_NOT_A_QUEUE,
	   "%s: the CPU copies, and says why", what);
	sva_close(sva);
	ok(rig_now_ms() - start < 2000, "%s: all of it in no time", what);
}

static void other_things(void)
{
	char file[64], fifo[64], link[64], *name, data[65];
	int fd, terminal;

	if (!mkdtemp(place))
		abort();
	snprintf(file, sizeof(file), "%s/file", place);
	snprintf(fifo, sizeof(fifo), "%s/fifo", place);
	snprintf(link, sizeof(link), "%s/link", place);
	fd = open(file, O_RDWR | O_CREAT, 0600);
	is(write(fd, "precious", 8), 8, "a file");
	list_node(file);
	is_refused("a regular file");
	ok(pread(fd, data, sizeof(data), 0) == 8 && !memcmp(data, "precious", 8),
	   "the file is as it was");
	close(fd);
	mkfifo(fifo, 0600);
	fd = open(fifo, O_RDWR | O_NONBLOCK);
	list_node(fifo);
	is_refused("a FIFO");
	ok(read(fd, data, 1) < 0 && errno == EAGAIN, "nothing was written into the FIFO");
	close(fd);
	is_refused("a FIFO without a reader");
	list_node("/dev/null");
	is_refused("/dev/null");
	list_node("/dev/zero");
	is_refused("/dev/zero");
	is(symlink("/dev/zero", link), 0, "a symbolic link");
	list_node(link);
	is_refused("a link to /dev/zero");
	list_node(place);
	is_refused("a directory");
	terminal = posix_openpt(O_RDWR | O_NOCTTY);
	name = terminal >= 0 && !grantpt(terminal) && !unlockpt(terminal) ? ptsname(terminal) :
									    NULL;
	if (name) {
		list_node(name);
		is_refused("a terminal");
		fd = fcntl(terminal, F_SETFL, O_NONBLOCK);
		ok(!fd && read(terminal, data, 1) < 0, "nothing was written to the terminal");
	} else {
		skip("a terminal as a queue's node is refused", "there is no pseudo-terminal here");
	}
	if (terminal >= 0)
		close(terminal);
	unlink(link);
	unlink(file);
	unlink(fifo);
	rmdir(place);
}

static void accepted_or_not(enum kernel_view view, dev_t rdev, bool accepted, const char *what)
{
	kernel_begin();
	queue = kernel_add("wq0.0", false, 8, "max-transfer=65536");
	if (rdev)
		queue->rdev = rdev;
	kernel_show(view);
	sva = rig_open_opts("write,cpu", set_options);
	ok(copies(accepted ? SVA_PATH_WRITE : SVA_PATH_CPU), "%s: it is %s", what,
	   accepted ? "a queue" : "none");
	ok(accepted || (sva_last_result()->reason == SVA_REASON_NOT_A_QUEUE && !queue->opens),
	   "%s: and opened only then", what);
	sva_close(sva);
}

static void proofs(void)
{
	accepted_or_not(KERNEL_PROC, 0, true, "/proc/devices has its major, /sys is empty");
	accepted_or_not(KERNEL_PROC_WITHOUT, 0, false,
			"/proc/devices has no such driver of character devices");
	accepted_or_not(KERNEL_SYSFS, 0, true, "/sys has this queue with this number");
	accepted_or_not(KERNEL_SYSFS_OTHER_MAJOR, 0, false,
			"/sys has the driver with another major");
	accepted_or_not(KERNEL_SYSFS_OTHER_MINOR, 0, false,
			"/sys has this queue with another minor: a stale node");
	accepted_or_not(KERNEL_NOTHING, 0, true,
			"nothing can be looked up, and the major is a dynamic one");
	accepted_or_not(KERNEL_NOTHING, makedev(240, 0), true, "the same, of the first range");
	accepted_or_not(KERNEL_NOTHING, makedev(1, 5), false,
			"nothing can be looked up, and the major is well known");
	accepted_or_not(KERNEL_NOTHING, makedev(512, 0), false, "the same, above the dynamic ones");
}

/* It is replaced between the look and the open. */
static void replaced(void)
{
	kernel_begin();
	queue = kernel_add("wq0.0", false, 8, "max-transfer=65536");
	queue->rdev_opened = makedev(5, 0);
	sva = rig_open_opts("write,cpu", set_options);
	ok(copies(SVA_PATH_CPU) && sva_last_result()->reason == SVA_REASON_NOT_A_QUEUE,
	   "a node that is another one when it is open is not used");
	is(queue->writes, 0, "nothing was written to it");
	is(queue->open_now, 0, "it was closed");
	sva_close(sva);
}

int main(void)
{
	rig_begin();
	from = malloc(BYTES);
	to = malloc(BYTES);
	memset(from, 0x5a, BYTES);
	low_descriptors();
	other_things();
	proofs();
	replaced();
	free(from);
	free(to);
	done();
}
