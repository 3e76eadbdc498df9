/* SPDX-License-Identifier: MIT */
/*
 * Completion queues, step by step: on the CPU, on soft, and on a queue of a kernel that this test
 * plays (kernel.h), which executes when it is asked to. The descriptor, the sleeping threads, the
 * waiter thread; faults, records that never come, batches; threads that end, contexts that are
 * closed, forks; descriptors that the program closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "lib/run/cq.h"
#include "sva/ops.h"
#include "tap.h"
#include "unit/load.h"
#include "unit/rig.h"

static struct sva_cq *cq;
static struct sva_op *ended[MANY];
static bool no_threads; /* pthread_create() fails with EAGAIN */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			  void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			  void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			  void *arg)
{
	return no_threads ? EAGAIN : __real_pthread_create(thread, attr, fn, arg);
}

static void pause_ms(unsigned int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, (long)(ms % 1000) * 1000000 }, NULL);
}

static bool is_readable(int fd, int timeout_ms)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, timeout_ms) == 1 && (p.revents & POLLIN);
}

static uint32_t timeout_ms = 60000; /* for records */

static void set_timeout(struct sva_opts *opts)
{
	opts->record_timeout_ms = timeout_ms;
}

/* A queue of the kernel with a thread, or that holds its descriptors until kernel_run(). */
static void begin_as(const char *about, bool dedicated, unsigned int entries,
		     enum kernel_mode mode)
{
	subject("%s", about);
	kernel_begin();
	queue = kernel_add("wq0.0", dedicated, entries, "max-transfer=4096");
	sva = rig_open_opts("write", set_timeout);
	if (mode == KERNEL_THREAD)
		queue->mode = mode;
	is_rc(sva_cq_open(sva, 0, &cq), 0, "a completion queue is opened");
	/* It opens the queue, which takes a no-op that must be executed. */
	load_prepare(1);
	is_rc(sva_cq_submit(cq, &ops[0]), 0, "a first operation is submitted");
	is(sva_cq_wait(cq, ended, MANY, 5000000000), 1, "and collected");
	queue->mode = mode;
}

static void begin(const char *about, bool dedicated, unsigned int entries)
{
	begin_as(about, dedicated, entries, KERNEL_HELD);
}

static void end(void)
{
	sva_cq_close(cq);
	sva_close(sva);
}

static unsigned int submit(unsigned int n)
{
	unsigned int taken = 0;

	load_prepare(n);
	while (taken < n && !sva_cq_submit(cq, &ops[taken]))
		taken++;
	return taken;
}

/* Are the first n operations collected, and well? */
static bool all_good(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (sva_op_result(&ops[i])->error || memcmp(to + 100 * i, from + 100 * i, 100))
			return false;
	return true;
}

/* ------------------------------------------------------------------ without a device */

static void at_once(const char *about, const char *paths, unsigned int path)
{
	int fd;

	subject("%s", about);
	sva = rig_open(paths, 0);
	is_rc(sva_cq_open(sva, 0, &cq), 0, "a completion queue is opened");
	is(sva_cq_reap(cq, ended, MANY), 0, "nothing was submitted, nothing is collected");
	is_rc(sva_cq_wait(cq, ended, MANY, 0), -ETIME, "nor waited for, with a timeout of 0");
	is_rc(sva_cq_wait(cq, ended, MANY, 2000000), -ETIME, "nor with one of 2 ms");
	load_prepare(3);
	is_rc(sva_cq_submit(cq, &ops[0]), 0, "an operation is submitted");
	is(sva_cq_reap(cq, ended, MANY), 1, "it is collected at once");
	ok(ended[0] == &ops[0] && all_good(1), "it is the one, and has copied");
	is(sva_op_result(&ops[0])->path, path, "on the expected path");
	is(sva_poll(&ops[0]), 1, "after that it may be polled");
	fd = sva_cq_fd(cq);
	ok(fd >= 3 && !is_readable(fd, 0), "the descriptor is not readable");
	is_rc(sva_cq_submit(cq, &ops[1]), 0, "another operation is submitted");
	ok(is_readable(fd, 0), "the descriptor is readable at once");
	is_rc(sva_cq_submit(cq, &ops[2]), 0, "a third operation is submitted");
	is(sva_cq_wait(cq, ended, 1, -1), 1, "one of two is collected");
	ok(ended[0] == &ops[1] && is_readable(fd, 0),
	   "the older one; the descriptor stays readable");
	is(sva_cq_wait(cq, ended, MANY, -1), 1, "the other is collected");
	ok(!is_readable(fd, 0), "the descriptor is not readable any more");
	load_prepare(40);
	is(sva_cq_submit_many(cq, list, 40), 40, "forty operations are submitted in one call");
	is(sva_cq_reap(cq, ended, MANY), 40, "forty are collected");
	ok(all_good(40), "and have copied");
	sva_prep_compare(&ops[0], from, to, 4000);
	ops[0].flags = SVA_OP_CHECK;
	to[7] ^= 1;
	is_rc(sva_cq_submit(cq, &ops[0]), 0, "a comparison that must be equal, and is not");
	is(sva_cq_reap(cq, ended, MANY), 1, "is collected");
	is_rc(sva_op_result(&ops[0])->error, -EBADE, "with its error");
	sva_prep_create_delta(&ops[0], from, to, 4000, to + 8000, 80);
	is_rc(sva_cq_submit(cq, &ops[0]), 0, "an operation whose record has more than success");
	is(sva_cq_reap(cq, ended, MANY), 1, "is collected");
	is(sva_op_result(&ops[0])->value, 10, "with its value");
	sva_prep_memcpy(&ops[0], to, from, 0);
	is_rc(sva_cq_submit(cq, &ops[0]), 0, "an operation without bytes is submitted");
	is(sva_cq_reap(cq, ended, MANY), 1, "and collected");
	end();
}

static void bad_input(void)
{
	struct sva_op *two[2] = { &ops[0], NULL };
	struct sva_cq *other = NULL;

	subject("bad input");
	sva = rig_open("cpu", 0);
	is_rc(sva_cq_open(sva, 1, &other), -EINVAL, "sva_cq_open() with a flag");
	ok(!other, "the handle is not changed");
	is_rc(sva_cq_open(sva, 0, NULL), -EINVAL, "sva_cq_open() without a place");
	is_rc(sva_cq_open(sva, 0, &cq), 0, "a queue is opened");
	is_rc(sva_cq_submit(cq, NULL), -EINVAL, "no operation");
	memset(&ops[0], 0, sizeof(ops[0]));
	is_rc(sva_cq_submit(cq, &ops[0]), -EINVAL, "one that was not prepared");
	is_rc(sva_cq_submit_many(cq, NULL, 1), -EINVAL, "no list");
	is_rc(sva_cq_submit_many(cq, two, 0), 0, "an empty list");
	load_prepare(1);
	is(sva_cq_submit_many(cq, two, 2), 1, "a list whose second entry is bad: one is taken");
	is(sva_cq_reap(cq, ended, 4), 1, "it is collected");
	is_rc(sva_cq_reap(cq, NULL, 1), -EINVAL, "sva_cq_reap() without room");
	is_rc(sva_cq_reap(cq, NULL, 0), 0, "for none, it needs no room");
	is_rc(sva_cq_wait(cq, NULL, 1, 0), -EINVAL, "sva_cq_wait() without room");
	is_rc(sva_cq_wait(cq, ended, 0, -1), -EINVAL, "sva_cq_wait() for none");
	is_rc(sva_cq_submit(NULL, &ops[0]), -EINVAL, "no queue: submit");
	is_rc(sva_cq_submit_many(NULL, two, 1), -EINVAL, "no queue: submit_many");
	is_rc(sva_cq_reap(NULL, ended, 1), -EINVAL, "no queue: reap");
	is_rc(sva_cq_wait(NULL, ended, 1, 0), -EINVAL, "no queue: wait");
	is_rc(sva_cq_fd(NULL), -EINVAL, "no queue: fd");
	sva_cq_close(NULL);
	end();
	is_rc(sva_cq_open(NULL, 0, &cq), 0, "the default context has completion queues, too");
	sva_cq_close(cq);
}

/* ------------------------------------------------------------------ the descriptor */

static void descriptor(void)
{
	int fd;

	begin("the descriptor", false, 16);
	is(submit(3), 3, "three operations are submitted");
	fd = sva_cq_fd(cq);
	ok(fd >= 3 && (fcntl(fd, F_GETFD) & FD_CLOEXEC), "it is 3 or more, and closed on exec");
	is(sva_cq_fd(cq), fd, "it is the same with the next call");
	ok(!is_readable(fd, 20), "nothing has ended: it is not readable");
	kernel_run(queue, 1);
	ok(is_readable(fd, 5000), "one has ended: it becomes readable, without a call");
	kernel_run(queue, 2);
	is(sva_cq_reap(cq, ended, 1), 1, "one is collected");
	ok(is_readable(fd, 5000), "it is readable for the other two");
	is(sva_cq_reap(cq, ended, MANY), 2, "which are collected");
	ok(!is_readable(fd, 20), "it is not readable when all are collected");
	ok(all_good(3), "all have copied");
	is(submit(1), 1, "another operation is submitted");
	kernel_run(queue, 1);
	ok(is_readable(fd, 5000), "it becomes readable again");
	is(sva_cq_reap(cq, ended, MANY), 1, "and is collected");
	end();
	ok(fcntl(fd, F_GETFD) < 0, "sva_cq_close() closes it");
}

static void closed_by_the_program(void)
{
	struct sva_cq *second;
	int fd, pipes[2], again, other;

	begin("a descriptor that the program closes", false, 16);
	fd = sva_cq_fd(cq);
	if (pipe2(pipes, O_NONBLOCK))
		exit(1);
	close(fd);
	ok(dup2(pipes[1], fd) == fd, "its number is used for a pipe of the program");
	is(submit(1), 1, "an operation is submitted");
	kernel_run(queue, 1);
	is(sva_cq_wait(cq, ended, MANY, -1), 1, "it is collected");
	ok(!is_readable(pipes[0], 0), "nothing was written into the pipe");
	again = sva_cq_fd(cq);
	ok(again >= 3 && again != fd, "the next call makes another descriptor");
	submit(1);
	kernel_run(queue, 1);
	ok(is_readable(again, 5000), "which becomes readable");
	is(sva_cq_reap(cq, ended, MANY), 1, "the operation is collected");

	/* Event counters look alike: the number must not be taken for that of another queue. */
	close(again);
	is_rc(sva_cq_open(sva, 0, &second), 0, "a second completion queue is opened");
	other = sva_cq_fd(second);
	is(other, again, "its descriptor gets the number that the program has closed");
	submit(1);
	kernel_run(queue, 1);
	is(sva_cq_wait(cq, ended, MANY, -1), 1, "an operation of the first queue is collected");
	submit(1);
	kernel_run(queue, 1);
	pause_ms(20);
	ok(!is_readable(other, 0),
	   "the descriptor of the second is not made readable by the first");
	is(sva_cq_wait(cq, ended, MANY, -1), 1, "the operation is collected");
	sva_cq_close(second);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
	end();
}

static int low_numbers(void *arg)
{
	int fd;

	(void)arg;
	sva = rig_open("cpu", 0);
	if (sva_cq_open(sva, 0, &cq))
		return 1;
	for (int i = 0; i < 3; i++)
		close(i);
	fd = sva_cq_fd(cq);
	return fd >= 3 ? 0 : 2;
}

/* ------------------------------------------------------------------ waiting */

static void *wait_for_one(void *arg)
{
	struct sva_op *one;
	int rc = sva_cq_wait(cq, &one, 1, -1);

	(void)arg;
	return (void *)(intptr_t)rc;
}

static void waiting(void)
{
	pthread_t threads[8];
	unsigned int got = 0;
	uint64_t before;
	void *rc;

	begin("waiting", false, 16);
	before = rig_now_ms();
	is_rc(sva_cq_wait(cq, ended, MANY, 30000000), -ETIME, "nothing in flight, 30 ms");
	ok(rig_now_ms() - before >= 29, "it took that time");
	submit(1);
	is_rc(sva_cq_wait(cq, ended, MANY, 30000000), -ETIME, "one in flight, 30 ms");
	is(ops[0].state != SVA_OP_ENDED, 1, "it is still in flight");
	kernel_run(queue, 1);
	is(sva_cq_wait(cq, ended, MANY, -1), 1, "without a limit it is collected");
	for (unsigned int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, wait_for_one, NULL);
	while (atomic_load(&cq->ready.sleepers) < 8)
		pause_ms(1);
	is(submit(8), 8, "eight threads sleep, eight operations are submitted");
	for (unsigned int i = 0; i < 8; i++) {
		pause_ms(2);
		kernel_run(queue, 1);
	}
	for (unsigned int i = 0; i < 8; i++) {
		pthread_join(threads[i], &rc);
		got += rc == (void *)1;
	}
	is(got, 8, "each thread has collected one");
	ok(all_good(8), "all have copied");
	end();
}

static void closing(void)
{
	pthread_t threads[4];
	unsigned int cancelled = 0;
	void *rc;

	begin_as("closing", false, 16, KERNEL_THREAD);
	for (unsigned int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, wait_for_one, NULL);
	while (atomic_load(&cq->ready.sleepers) < 4)
		pause_ms(1);
	sva_cq_close(cq);
	for (unsigned int i = 0; i < 4; i++) {
		pthread_join(threads[i], &rc);
		cancelled += rc == (void *)(intptr_t)-ECANCELED;
	}
	is(cancelled, 4, "four threads that sleep return -ECANCELED");
	is_rc(sva_cq_open(sva, 0, &cq), 0, "another queue is opened");
	is(submit(10), 10, "ten operations are submitted");
	sva_cq_close(cq);
	ok(all_good(10), "sva_cq_close() ends them, and their results can be read");

	is_rc(sva_cq_open(sva, 0, &cq), 0, "a queue is opened whose context is closed first");
	is(submit(4), 4, "four operations are submitted");
	sva_close(sva);
	for (unsigned int n = 0; n < 4;) {
		int some = sva_cq_wait(cq, ended, MANY, 5000000000);

		if (some < 0)
			break;
		n += (unsigned int)some;
		if (n == 4)
			ok(true, "the four are collected afterwards");
	}
	sva_prep_memcpy(&ops[20], to, from, 100);
	is_rc(sva_cq_submit(cq, &ops[20]), -ESTALE, "nothing more can be submitted");
	sva_cq_close(cq);
}

/* The waiter sleeps when nothing is in flight, and looks rarely at what takes long. */
static void waiter_cost(void)
{
	uint64_t looks;
	int fd;

	begin("the waiter thread", false, 16);
	submit(2);
	kernel_run(queue, 1);
	is(sva_cq_reap(cq, ended, MANY), 1, "without descriptor and sleepers there is no waiter");
	is(sva_cq_waiter_looks(cq), 0, "nothing has looked");
	fd = sva_cq_fd(cq);
	pause_ms(300);
	looks = sva_cq_waiter_looks(cq);
	ok(looks > 3 && looks < 500, "in 300 ms with one in flight it looks 4 to 500 times (%u)",
	   (unsigned int)looks);
	kernel_run(queue, 1);
	ok(is_readable(fd, 5000), "it makes the descriptor readable");
	pause_ms(10);
	looks = sva_cq_waiter_looks(cq);
	pause_ms(50);
	is(sva_cq_waiter_looks(cq), looks, "it does not look while the descriptor is readable");
	submit(0);
	is(sva_cq_reap(cq, ended, MANY), 1, "the operation is collected");
	looks = sva_cq_waiter_looks(cq);
	pause_ms(50);
	is(sva_cq_waiter_looks(cq), looks, "it does not look while nothing is in flight");
	end();

	begin("the waiter thread cannot be started", false, 16);
	no_threads = true;
	is_rc(sva_cq_fd(cq), -EAGAIN, "sva_cq_fd() reports it");
	submit(1);
	is_rc(sva_cq_wait(cq, ended, MANY, 5000000), -ETIME, "sva_cq_wait() respects its timeout");
	kernel_run(queue, 1);
	is(sva_cq_wait(cq, ended, MANY, -1), 1, "and collects what has ended");
	no_threads = false;
	ok(sva_cq_fd(cq) >= 3, "when it can be started, sva_cq_fd() starts it");
	end();
}

/* ------------------------------------------------------------ what does not simply succeed */

static void faults_and_chunks(void)
{
	int fd;

	begin_as("page faults and chunks, resumed by the waiter", false, 16, KERNEL_THREAD);
	fd = sva_cq_fd(cq);
	kernel_absent(to, 65536);
	memset(from, 5, 20000);
	sva_prep_memcpy(&ops[0], to, from, 20000);
	is_rc(sva_cq_submit(cq, &ops[0]), 0, "an operation of five chunks is submitted");
	ok(is_readable(fd, 5000), "it ends without a further call");
	is(sva_cq_reap(cq, ended, MANY), 1, "it is collected");
	ok(!sva_op_result(&ops[0])->error && !memcmp(to, from, 20000), "it has copied");
	ok(sva_op_result(&ops[0])->faults > 0, "it met page faults");
	ok(sva_op_result(&ops[0])->chunks >= 5, "it took five descriptors or more");
	kernel_absent_for_good(-1);
	sva_prep_memcpy(&ops[0], to, from, 100);
	is_rc(sva_cq_submit(cq, &ops[0]), 0, "an operation on a page that never becomes present");
	ok(is_readable(fd, 5000), "ends, too");
	is(sva_cq_reap(cq, ended, MANY), 1, "and is collected");
	kernel_present();
	end();
}

static void lost_records(void)
{
	int fd;

	timeout_ms = 300;
	begin_as("records that never come", false, 16, KERNEL_AT_ONCE);
	timeout_ms = 60000;
	queue->swallow = 3;
	fd = sva_cq_fd(cq);
	is(submit(3), 3, "three operations are submitted");
	ok(is_readable(fd, 20000), "the waiter gives the queue up after the record timeout");
	for (int n = 0; n < 3;) {
		int some = sva_cq_wait(cq, ended, MANY, 20000000000);

		if (some < 0)
			break;
		n += some;
		if (n == 3)
			ok(true, "three are collected");
	}
	is_rc(sva_op_result(&ops[0])->error, -EIO, "the first has failed");
	is_rc(sva_op_result(&ops[2])->error, -EIO, "the last has failed");
	end();
}

static void batches(void)
{
	struct sva_op batch;
	int fd;

	begin_as("batches", false, 16, KERNEL_THREAD);
	fd = sva_cq_fd(cq);
	load_prepare(8);
	ops[5].flags |= SVA_OP_FENCE;
	sva_prep_batch(&batch, list, 8);
	is_rc(sva_cq_submit(cq, &batch), 0, "a batch of eight with a fence is submitted");
	ok(is_readable(fd, 5000), "it ends without a further call");
	is(sva_cq_reap(cq, ended, MANY), 1, "the batch is collected, and not its entries");
	ok(ended[0] == &batch && !sva_op_result(&batch)->error && all_good(8), "all have copied");
	end();
}

static void full_queue(void)
{
	unsigned int taken;

	begin("a dedicated queue of four entries", true, 4);
	taken = submit(20);
	is(taken, 4, "four operations are taken, the fifth finds the queue full");
	is_rc(sva_cq_submit(cq, &ops[4]), -EAGAIN, "and can be submitted again later");
	kernel_run(queue, 4);
	is(sva_cq_wait(cq, ended, MANY, -1), 4, "the four are collected");
	is_rc(sva_cq_submit(cq, &ops[4]), 0, "the fifth is taken");
	kernel_run(queue, 1);
	is(sva_cq_wait(cq, ended, MANY, -1), 1, "and collected");
	is(queue->dropped, 0, "the queue never dropped a descriptor");
	end();
}

/* ------------------------------------------------------------------ threads and processes */

static void *submit_two(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)submit(2);
}

static void thread_that_ends(void)
{
	pthread_t thread;
	void *rc;

	begin("a thread that ends", false, 16);
	pthread_create(&thread, NULL, submit_two, NULL);
	pthread_join(thread, &rc);
	ok(rc == (void *)2, "it has submitted two operations");
	kernel_run(queue, 2);
	is(sva_cq_wait(cq, ended, MANY, -1) + sva_cq_reap(cq, ended, MANY), 2,
	   "another thread collects them");
	ok(all_good(2), "they have copied");
	/* The thread's own operations and those of the queue are apart. */
	load_prepare(2);
	is_rc(sva_submit(sva, &ops[0]), 0, "a thread submits one of its own");
	is_rc(sva_cq_submit(cq, &ops[1]), 0, "and one to the queue");
	kernel_run(queue, 2);
	is(sva_reap(sva, ended, MANY), 1, "sva_reap() collects one");
	ok(ended[0] == &ops[0], "its own");
	is(sva_cq_reap(cq, ended, MANY), 1, "sva_cq_reap() collects one");
	ok(ended[0] == &ops[1], "that of the queue");
	end();
}

static int child_fd;

static int in_child(void *arg)
{
	(void)arg;
	if (fcntl(child_fd, F_GETFD) >= 0)
		return 1;
	if (sva_cq_submit(cq, &ops[5]) != -ESTALE || sva_cq_reap(cq, ended, 1) != -ESTALE ||
	    sva_cq_wait(cq, ended, 1, 0) != -ESTALE || sva_cq_fd(cq) != -ESTALE ||
	    sva_cq_submit_many(cq, ended, 1) != -ESTALE)
		return 2;
	sva_cq_close(cq);
	/* The library and completion queues of its own work there. */
	if (sva_cq_open(NULL, 0, &cq))
		return 3;
	sva_prep_memcpy(&ops[5], to, from, 100);
	if (sva_cq_submit(cq, &ops[5]) || sva_cq_wait(cq, ended, 1, -1) != 1)
		return 4;
#ifndef __SANITIZE_THREAD__ /* it permits no threads in the child of a process with threads */
	if (sva_cq_fd(cq) < 3 || is_readable(sva_cq_fd(cq), 0))
		return 5;
#endif
	sva_cq_close(cq);
	return 0;
}

static void forked(void)
{
	begin("a fork", false, 16);
	child_fd = sva_cq_fd(cq);
	submit(2);
	is(rig_in_child(in_child, NULL), 0,
	   "in the child the queue answers -ESTALE, its descriptor is closed, and new ones work");
	kernel_run(queue, 2);
	ok(is_readable(child_fd, 5000), "in the parent nothing has changed");
	is(sva_cq_wait(cq, ended, MANY, -1) + sva_cq_reap(cq, ended, MANY), 2,
	   "both are collected");
	end();
}

int main(void)
{
	rig_begin();
	load_init();
	at_once("the CPU", "cpu", SVA_PATH_CPU);
	at_once("soft without engine threads", "soft", SVA_PATH_SOFT);
	bad_input();
	descriptor();
	closed_by_the_program();
	subject("numbers 0 to 2 closed");
	is(rig_in_child(low_numbers, NULL), 0, "the descriptor is none of them");
	waiting();
	closing();
	waiter_cost();
	faults_and_chunks();
	lost_records();
	batches();
	full_queue();
	thread_that_ends();
	forked();
	return done();
}
