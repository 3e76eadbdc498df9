/* SPDX-License-Identifier: MIT */
/*
 * The library's descriptors in a program that closes descriptors: it was started without 0 to 2, or
 * it closes all and opens files of its own. On a kernel that this test plays (kernel.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/run/run.h"
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
	/* The output of the program is lost. */
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
	/*
	 * Meanwhile the program opens a file that gets the number: that file belongs to the
	 * program.
	 */
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

/* ------------------------------------------------------------------ nodes that are not queues */

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

	return sva_queue_describe(sva, 0, probe, &info) ? -1 : (int)info.reasons[path];
}

/* Every function that could use it refuses it, without delay. */
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
	ok(rig_now_ms() - start < 2000, "%s: all of that takes less than 2 s", what);
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
	is(write(fd, "precious", 8), 8, "a file with content is made");
	list_node(file);
	is_refused("a regular file");
	ok(pread(fd, data, sizeof(data), 0) == 8 && !memcmp(data, "precious", 8),
	   "the file is as it was");
	close(fd);
	mkfifo(fifo, 0600);
	fd = open(fifo, O_RDWR | O_NONBLOCK);
	list_node(fifo);
	is_refused("a FIFO");
	ok(read(fd, data, 1) < 0 && errno == EAGAIN, "no byte was written into the FIFO");
	close(fd);
	is_refused("a FIFO without a reader");
	list_node("/dev/null");
	is_refused("/dev/null");
	list_node("/dev/zero");
	is_refused("/dev/zero");
	is(symlink("/dev/zero", link), 0, "a symbolic link to /dev/zero is made");
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
		ok(!fd && read(terminal, data, 1) < 0, "no byte was written to the terminal");
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

/* The node is replaced between stat() and open(). */
static void replaced(void)
{
	kernel_begin();
	queue = kernel_add("wq0.0", false, 8, "max-transfer=65536");
	queue->rdev_opened = makedev(5, 0);
	sva = rig_open_opts("write,cpu", set_options);
	ok(copies(SVA_PATH_CPU) && sva_last_result()->reason == SVA_REASON_NOT_A_QUEUE,
	   "a node that is another one when it is open is not used");
	is(queue->writes, 0, "a node that was replaced: nothing is written to it");
	is(queue->open_now, 0, "a node that was replaced: it is closed");
	sva_close(sva);
}

/* ------------------------------------------------- the program closes the library's descriptors */

static char precious[] = "/tmp/sva-precious-XXXXXX";
static int precious_fd;

/* The number that the queue had is now that of a file of the program. */
static void take_number(int fd)
{
	close(fd);
	precious_fd = mkostemp(strcpy(precious, "/tmp/sva-precious-XXXXXX"), O_APPEND);
	if (precious_fd != fd && (dup2(precious_fd, fd) != fd || close(precious_fd)))
		abort();
	precious_fd = fd;
	if (write(fd, "mine", 4) != 4)
		abort();
}

static bool precious_is_whole(void)
{
	char data[100];
	struct stat st;

	return !fstat(precious_fd, &st) && st.st_size == 4 &&
	       pread(precious_fd, data, sizeof(data), 0) == 4 && !memcmp(data, "mine", 4);
}

static void put_precious_away(void)
{
	close(precious_fd);
	unlink(precious);
}

static void begin(const char *paths, bool dedicated)
{
	kernel_begin();
	queue = kernel_add("wq0.0", dedicated, 8, "max-transfer=65536");
	sva = rig_open_opts(paths, set_options);
}

static void closed_and_used_again(bool dedicated, bool used_again)
{
	const char *what = dedicated ? "dedicated" : "shared",
		   *then = used_again ? " and used the number" : "";
	unsigned int looks;
	int fd;

	begin("write,cpu", dedicated);
	ok(copies(SVA_PATH_WRITE), "%s: a copy on write", what);
	looks = kernel_looks;
	ok(copies(SVA_PATH_WRITE) && kernel_looks == looks + 1,
	   "%s: one look at the descriptor for each write(2)", what);
	fd = queue->fd;
	if (used_again)
		take_number(fd);
	else
		close(fd);
	ok(copies(SVA_PATH_WRITE),
	   "%s: after the program closed it%s, a copy is done on the queue, opened anew", what,
	   then);
	ok(queue->opens == 2 && queue->most_open == 1,
	   "%s: opened once more, never twice at a time", what);
	ok(copies(SVA_PATH_WRITE) && queue->opens == 2,
	   "%s: and the next one, without another opening", what);
	ok(!used_again || precious_is_whole(), "%s: nothing was written to the program's file",
	   what);
	sva_close(sva);
	is(queue->open_now, 0, "sva_close() closes the queue that was opened again");
	ok(!used_again || precious_is_whole(), "%s: sva_close() leaves the program's file open",
	   what);
	if (used_again)
		put_precious_away();
}

/* Several operations in one call, and in flight when the descriptor is closed. */
static void in_flight(void)
{
	static struct sva_op ops[8];
	struct sva_op *list[8];
	unsigned int good = 0;
	int n;

	begin("write", false);
	ok(copies(SVA_PATH_WRITE), "a copy on write");
	memset(to, 0, BYTES);
	for (unsigned int i = 0; i < 8; i++) {
		sva_prep_memcpy(&ops[i], to + 8192 * i, from + 8192 * i, 8192);
		list[i] = &ops[i];
	}
	queue->mode = KERNEL_HELD;
	queue->close_executes = true;
	is(sva_submit_many(sva, list, 4), 4, "four operations are in flight");
	take_number(queue->fd);
	queue->mode = KERNEL_AT_ONCE;
	n = sva_submit_many(sva, list + 4, 4);
	ok(n == 4 && queue->opens == 2,
	   "four more after the program closed the descriptor go to the queue, opened anew");
	for (unsigned int i = 0; i < 8; i++)
		good += !sva_wait(&ops[i], -1);
	ok(good == 8 && !memcmp(to, from, BYTES), "all eight operations succeed");
	ok(precious_is_whole(), "eight operations: nothing was written to the program's file");
	sva_close(sva);
	ok(precious_is_whole(), "eight operations: the program's file is still open");
	put_precious_away();
}

static void lost_and_not_to_be_had(void)
{
	begin("write,cpu", false);
	ok(copies(SVA_PATH_WRITE), "a copy on write");
	take_number(queue->fd);
	kernel_fail(KERNEL_OPEN, EMFILE, 1);
	ok(copies(SVA_PATH_CPU) && precious_is_whole(),
	   "the descriptor is lost and the queue cannot be opened: the CPU copies");
	for (uint64_t end = rig_now_ms() + 5000; rig_now_ms() < end && !copies(SVA_PATH_WRITE);)
		usleep(20000);
	ok(copies(SVA_PATH_WRITE), "0.1 s later the queue is opened");
	sva_close(sva);
	ok(precious_is_whole(), "the program's file is as it was");
	put_precious_away();
}

static void handles(void)
{
	struct sva_bond *bond, *again;
	struct sva_op op;

	begin("write", false);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "the queue is bound");
	take_number(queue->fd);
	sva_prep_memcpy(&op, to, from, 100);
	is(sva_bond_submit(bond, &op), -EIO,
	   "a handle whose descriptor the program closed answers -EIO");
	is(op.state, SVA_OP_PREPARED, "the operation can be submitted again");
	is_rc(sva_bond_path(bond), -EIO, "sva_bond_path() of the bond whose descriptor was closed");
	is_rc(sva_bind(sva, "wq0.0", 0, &again), 0, "binding opens the queue again");
	ok(again != bond && !sva_bond_submit(again, &op) && !sva_wait(&op, -1),
	   "the new handle works");
	sva_unbind(bond);
	ok(precious_is_whole() && queue->open_now == 1,
	   "unbinding the old handle closes neither the program's file nor the new descriptor");
	sva_unbind(again);
	is(queue->open_now, 0, "unbinding the new one closes it");
	sva_close(sva);
	put_precious_away();

	/* Before any submission has noticed it. */
	begin("write", false);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "the queue is bound");
	take_number(queue->fd);
	is_rc(sva_bind(sva, "wq0.0", 0, &again), 0,
	   "bind again, after the program closed the descriptor");
	ok(again != bond && queue->opens == 2, "binding again gives a new bond");
	sva_unbind(again);
	sva_unbind(bond);
	ok(precious_is_whole() && !queue->open_now, "the program's file is as it was");
	sva_close(sva);
	put_precious_away();
}

static int check_in_child(void *arg)
{
	(void)arg;
	return precious_is_whole() ? 0 : 1;
}

/*
 * Closes that do not check the descriptor before: of a retired queue, in a forked child. And the
 * same node, opened by the program.
 */
static void other_ways_to_close(void)
{
	struct sva_op op;
	struct sva_bond *bond;
	int fd;

	begin("write", false);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "the queue is bound");
	take_number(queue->fd);
	is(rig_in_child(check_in_child, NULL), 0, "a forked child leaves the program's file open");
	sva_bond_retire(bond);
	ok(precious_is_whole(), "a queue that is given up leaves the program's file open");
	sva_unbind(bond);
	sva_close(sva);
	put_precious_away();

	begin("write", false);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "the queue is bound");
	fd = queue->fd;
	close(fd);
	precious_fd = open(queue->node, O_RDWR | O_CLOEXEC);
	is(dup2(precious_fd, fd), fd,
	   "the program has opened the same node, and has it under the same number");
	queue->fd = fd;
	sva_prep_memcpy(&op, to, from, 100);
	ok(!sva_bond_submit(bond, &op) && !sva_wait(&op, -1),
	   "an operation is written to the program's descriptor of the same queue");
	sva_unbind(bond);
	ok(fcntl(fd, F_GETFD) >= 0, "the program's descriptor of the same queue is not closed");
	close(precious_fd);
	close(fd);
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
	for (int i = 0; i < 4; i++)
		closed_and_used_again(i & 1, i & 2);
	in_flight();
	lost_and_not_to_be_had();
	handles();
	other_ways_to_close();
	free(from);
	free(to);
	return done();
}
