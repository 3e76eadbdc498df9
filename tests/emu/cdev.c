/* SPDX-License-Identifier: MIT */
/*
 * Run under sva-emu: the character device. What open, mmap, write and close return, line by line as
 * with Linux' driver. The argument says which options the run has: normal, dsa2, no-mmap,
 * refuse-sva, ptrace, trace.
 */
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "client.h"
#include "../tap.h"

#define SHARED "/dev/dsa/wq0.0"
#define DEDICATED "/dev/dsa/wq0.1"

static struct sva_desc desc[8];
static struct sva_comp comp[8];
static uint8_t from[4096], to[4096];
static const char *how;

static bool shaped(const char *name)
{
	return !strcmp(how, name);
}

static void fresh(unsigned int i)
{
	memset(from, 0x40 + (int)i, sizeof(from));
	memset(to, 0, sizeof(to));
	prep(&desc[i], &comp[i], SVA_OPCODE_MEMMOVE, from, to, sizeof(from));
}

static bool copied(unsigned int i)
{
	return wait_record(&comp[i], 5) == SVA_STATUS_SUCCESS && !memcmp(from, to, sizeof(from));
}

/* The error of mmap(), 0 if it succeeded; the mapping is removed again. */
static int mmap_error(size_t len, int prot, int flags, int fd, off_t offset)
{
	void *portal = mmap(NULL, len, prot, flags, fd, offset);

	if (portal == MAP_FAILED)
		return errno;
	munmap(portal, len);
	return 0;
}

static int open_error(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void test_node(void)
{
	struct stat st;
	int fd;

	ok(stat(SHARED, &st) == 0 && S_ISCHR(st.st_mode),
	   "stat() reports the node of a queue as a character device");
	is(major(st.st_rdev), 511, "the node of a queue has the major number 511");
	fd = open(SHARED, O_RDWR | O_CLOEXEC);
	ok(fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode),
	   "fstat() reports an open node as a character device, too");
	ok((fcntl(fd, F_GETFD) & FD_CLOEXEC),
	   "a node that was opened with O_CLOEXEC has FD_CLOEXEC");
	if (!shaped("ptrace"))
		ok(read(fd, to, 64) == -1 && errno == EINVAL, "read() of a node is EINVAL");
	close(fd);
	is(open_error("/dev/dsa/wq0.2"), ENOENT, "a queue that is not enabled has no node");
	is(open_error("/dev/dsa/wq9.9"), ENOENT, "a queue that does not exist has no node");
}

static void test_open(void)
{
	int a, b, c;

	a = open(SHARED, O_RDWR | O_CLOEXEC);
	b = open(SHARED, O_RDWR | O_CLOEXEC);
	ok(a >= 0 && b >= 0, "a shared queue can be opened twice at a time");
	close(a);
	close(b);
	a = open(DEDICATED, O_RDWR | O_CLOEXEC);
	ok(a >= 0, "a dedicated queue can be opened for the first time");
	is(open_error(DEDICATED), EBUSY,
	   "a dedicated queue that is open cannot be opened again: EBUSY");
	b = dup(a);
	close(a);
	is(open_error(DEDICATED), EBUSY,
	   "a dedicated queue is EBUSY while a copy of its descriptor is open");
	close(b);
	is(open_error(DEDICATED), 0,
	   "a dedicated queue can be opened again when all its descriptors are closed");
	a = open(DEDICATED, O_RDONLY);
	ok(a >= 0, "a dedicated queue can be opened for reading only");
	c = mmap_error(4096, PROT_WRITE, MAP_SHARED, a, 0);
	is(c, EACCES, "a queue that is open for reading cannot be mapped for writing: EACCES");
	close(a);
}

static void test_mmap(void)
{
	int want = shaped("no-mmap") ? EPERM : 0, fd = open(DEDICATED, O_RDWR | O_CLOEXEC);
	void *portal;

	is(mmap_error(4096, PROT_WRITE, MAP_SHARED, fd, 0), want,
	   "mmap() of one page of a queue: as the run allows");
	is(mmap_error(4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0), want,
	   "mmap() with PROT_READ and MAP_POPULATE: as the run allows");
	is(mmap_error(64, PROT_WRITE, MAP_SHARED, fd, 0), want,
	   "mmap() of less than a page: as the run allows");
	is(mmap_error(8192, PROT_WRITE, MAP_SHARED, fd, 0), want ? EPERM : EINVAL,
	   "mmap() of more than a page is EINVAL, or EPERM if the run allows none");
	is(mmap_error(4096, PROT_WRITE, MAP_SHARED, fd, 4096), want,
	   "mmap() at an offset of one page: as the run allows");
	is(mmap_error(0, PROT_WRITE, MAP_SHARED, fd, 0), EINVAL,
	   "mmap() with a length of 0 is EINVAL");
	is(mmap_error(4096, PROT_WRITE, MAP_SHARED, fd, 100), EINVAL,
	   "mmap() at an offset within a page is EINVAL");
	if (want) {
		close(fd);
		return;
	}
	portal = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	is(open_error(DEDICATED), EBUSY,
	   "a mapping keeps a dedicated queue after its descriptor is closed");
	fresh(0);
	movdir64b(portal, &desc[0]);
	ok(copied(0), "MOVDIR64B to a portal whose descriptor is closed copies");
	munmap(portal, 4096);
	is(open_error(DEDICATED), 0, "a dedicated queue can be opened again after it was unmapped");
}

/*
 * In a child: what can it still use of its parent? The exit status has a bit for each result that
 * is as expected.
 */
static int in_child(int shared_fd, int dedicated_fd)
{
	int good = 0, mine;

	fresh(0);
	good |= (write(shared_fd, &desc[0], 64) == -1 && errno == EPERM) << 0;
	good |= (mmap_error(4096, PROT_WRITE, MAP_SHARED, shared_fd, 0) == EPERM) << 1;
	good |= (write(dedicated_fd, &desc[0], 64) == -1 && errno == EPERM) << 2;
	good |= (open_error(DEDICATED) == EBUSY) << 3;
	mine = open(SHARED, O_RDWR | O_CLOEXEC);
	good |= (mine >= 0 && write(mine, &desc[0], 64) == 64 && copied(0)) << 4;
	return good;
}

static void test_fork(void)
{
	int a = open(SHARED, O_RDWR | O_CLOEXEC), b = open(DEDICATED, O_RDWR | O_CLOEXEC),
	    status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(in_child(a, b));
	waitpid(pid, &status, 0);
	is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0x1f,
	   "a child cannot write to its parent's descriptors or map them; it can open a shared queue itself");
	fresh(1);
	ok(write(a, &desc[1], 64) == 64 && copied(1),
	   "the parent can still write to its descriptor after a fork");
	close(a);
	pid = fork();
	if (pid == 0)
		pause();
	close(b);
	is(open_error(DEDICATED), EBUSY, "a child that holds the descriptor keeps the queue");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	is(open_error(DEDICATED), 0,
	   "a dedicated queue can be opened again after the child that held it has ended");
}

static void test_write(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *volatile nowhere = (void *)64;
	struct iovec iov[2];
	unsigned int i;

	fresh(0);
	is(write(fd, &desc[0], 64), 64, "write() of one descriptor returns 64");
	ok(copied(0), "the descriptor of one write() is executed");
	for (i = 0; i < 4; i++)
		fresh(i);
	is(write(fd, desc, 4 * 64), 256, "write() of four descriptors returns 256");
	for (i = 0; i < 4 && wait_record(&comp[i], 5) == SVA_STATUS_SUCCESS; i++)
		;
	is(i, 4, "all four descriptors of one write() are executed");
	is(write(fd, desc, 63), 0, "write() of less than a descriptor returns 0");
	fresh(0);
	is(write(fd, desc, 64 + 63), 64,
	   "write() of 127 bytes takes one descriptor and returns 64");
	is(write(fd, nowhere, 64), -1, "write() from a bad address fails");
	is(errno, EFAULT, "write() from a bad address sets EFAULT");
	fresh(0);
	fresh(1);
	desc[1].completion_addr += 8;
	is(write(fd, &desc[1], 64), -1,
	   "write() of a descriptor whose record is not aligned fails");
	is(errno, EINVAL, "write() of a descriptor whose record is not aligned sets EINVAL");
	desc[1].flags_opcode = sva_desc_word(SVA_OPCODE_MEMMOVE, 0);
	ok(write(fd, &desc[1], 64) == -1 && errno == EINVAL,
	   "write() refuses an address that is not aligned even if no record is asked for");
	is(write(fd, desc, 3 * 64), 64,
	   "write() of three, the second bad: returns 64, for the first");
	prep(&desc[0], &comp[0], SVA_OPCODE_BATCH, desc + 2, NULL, 2);
	for (i = 2; i < 4; i++)
		fresh(i);
	if (shaped("dsa2")) {
		is(write(fd, desc, 64), 64, "DSA 2: write() of a batch returns 64");
		is(wait_record(&comp[0], 5), SVA_STATUS_SUCCESS,
		   "DSA 2: the batch of a write() succeeds");
		ok(comp[2].status == SVA_STATUS_SUCCESS && comp[3].status == SVA_STATUS_SUCCESS,
		   "DSA 2: both descriptors in the batch of a write() succeed");
	} else {
		ok(write(fd, desc, 64) == -1 && errno == EINVAL,
		   "DSA 1: write() of a batch is EINVAL");
	}
	fresh(0);
	fresh(1);
	iov[0] = (struct iovec){ &desc[0], 64 };
	iov[1] = (struct iovec){ &desc[1], 64 };
	ok(writev(fd, iov, 2) == 128 && copied(1),
	   "writev() of two descriptors returns 128, and they are executed");
	fresh(0);
	desc[0].pasid_priv = 0x80000123;
	ok(write(fd, desc, 64) == 64 && copied(0),
	   "write() ignores PASID and PRIV in a descriptor");
	close(fd);
	ok(write(fd, desc, 64) == -1 && errno == EBADF, "write() to a closed descriptor is EBADF");
}

static void test_refused(void)
{
	is(open_error(SHARED), EOPNOTSUPP, "without SVA, opening a shared queue is EOPNOTSUPP");
	is(open_error(DEDICATED), EOPNOTSUPP,
	   "without SVA, opening a dedicated queue is EOPNOTSUPP");
}

/*
 * A descriptor that is passed on by exec keeps a dedicated queue in use, but cannot be written to.
 */
static void after_exec(const char *number)
{
	int fd = atoi(number);

	fresh(0);
	_exit((write(fd, desc, 64) == -1 && errno == EPERM) | (open_error(DEDICATED) == EBUSY)
								      << 1);
}

static void test_exec(const char *self)
{
	int fd = open(DEDICATED, O_RDWR), status = 0;
	char number[16];
	pid_t pid;

	snprintf(number, sizeof(number), "%d", fd);
	pid = fork();
	if (pid == 0) {
		execl(self, self, "after-exec", number, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 3,
	   "after exec an inherited descriptor is refused, and the queue stays in use");
	close(fd);
}

static void test_poll(void)
{
	int fd = open(SHARED, O_RDWR | O_CLOEXEC);
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	is(poll(&p, 1, 0), 0, "poll() reports nothing while the device has no error");
	close(fd);
}

/*
 * --trace keeps a descriptor, which a program may close, as daemons do, and use the number for a
 * file of its own.
 */
static void test_trace(void)
{
	char name[] = "/tmp/sva-emu-own-XXXXXX";
	int fd = open(SHARED, O_RDWR | O_CLOEXEC), own;
	struct stat st;

	fresh(0);
	ok(write(fd, &desc[0], 64) == 64 && copied(0), "with --trace a descriptor is executed");
	own = mkostemp(name, O_APPEND);
	unlink(name);
	for (int i = 3; i < 600; i++)
		if (i != fd && i != own)
			dup2(own, i);
	fresh(1);
	ok(write(fd, &desc[1], 64) == 64 && copied(1),
	   "with --trace a descriptor is executed after the program has used all numbers for a file");
	is(fstat(own, &st) ? -1 : (long)st.st_size, 0,
	   "no line of the trace is in the file of the program");
}

int main(int argc, char **argv)
{
	how = argc > 1 ? argv[1] : "normal";
	if (shaped("after-exec"))
		after_exec(argv[2]);
	if (shaped("trace")) {
		test_trace();
		return done();
	}
	if (shaped("refuse-sva")) {
		test_refused();
		return done();
	}
	test_node();
	test_open();
	test_mmap();
	test_fork();
	test_write(SHARED);
	test_write(DEDICATED);
	test_exec(argv[0]);
	if (!shaped("ptrace"))
		test_poll();
	return done();
}
