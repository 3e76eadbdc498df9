/* SPDX-License-Identifier: MIT */
/*
 * An operation belongs to its owner: the last sva_unbind(), sva_close() and the end of the process
 * neither end nor write it, and wait only for the device. On soft with an engine thread and on
 * queues of a kernel that this test plays (kernel.h). Meant for the sanitizers: owners free
 * operations that have ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "lib/run/run.h"
#include "tap.h"
#include "unit/kernel.h"
#include "unit/rig.h"

#define BYTES 4000u
#define EXIT_PAGES 512u

static uint8_t *from, *to;
static struct kernel_queue *queue;
static struct sva *sva;
static struct sva_bond *bond;
static struct sva_op op;
static unsigned int rounds = 150;

static void set_timeout(struct sva_opts *opts)
{
	opts->record_timeout_ms = 100;
}

/*
 * A queue that holds its descriptors until kernel_run(); operations of BYTES take four descriptors.
 */
static void begin(bool dedicated, unsigned int entries, void (*change)(struct sva_opts *opts))
{
	kernel_begin();
	queue = kernel_add("wq0.0", dedicated, entries, "max-transfer=1024");
	sva = rig_open_opts("write", change);
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "the queue is bound");
	queue->mode = KERNEL_HELD;
	memset(to, 0, BYTES);
}

static void submit(struct sva_op *which)
{
	sva_prep_memcpy(which, to, from, BYTES);
	is_rc(sva_bond_submit(bond, which), 0,
	      "an operation of four chunks is submitted on the bond");
}

/* The owner polls the operation to its end. */
static bool finish(struct sva_op *which, unsigned int chunks, unsigned int all)
{
	unsigned int executed = 0;
	int rc;

	while (!(rc = sva_poll(which)))
		executed += kernel_run(queue, 1);
	return rc == 1 && executed == chunks && sva_op_result(which)->bytes == BYTES &&
	       sva_op_result(which)->chunks == all && !memcmp(to, from, BYTES);
}

/* --------------------------------------------------------------- a thread that closes something */

static pthread_t closer;
static atomic_bool closed;

static void *unbind(void *arg)
{
	(void)arg;
	errno = 77;
	sva_unbind(bond);
	atomic_store(&closed, true);
	return (void *)(intptr_t)errno;
}

static void *close_context(void *arg)
{
	(void)arg;
	errno = 77;
	sva_close(sva);
	atomic_store(&closed, true);
	return (void *)(intptr_t)errno;
}

static void start(void *(*fn)(void *arg))
{
	atomic_store(&closed, false);
	if (pthread_create(&closer, NULL, fn, NULL))
		exit(1);
}

static bool still_waits(void)
{
	nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	return !atomic_load(&closed);
}

/* errno in that thread afterwards. */
static int join(void)
{
	void *result;

	pthread_join(closer, &result);
	return (int)(intptr_t)result;
}

/* ---------------------------------------------------------- the last sva_unbind(), step by step */

static void unbind_waits_for_the_device(bool dedicated)
{
	begin(dedicated, 4, NULL);
	submit(&op);
	start(unbind);
	ok(still_waits(), "the last sva_unbind() waits while the device has a descriptor");
	is_rc(sva_poll(&op), 0, "meanwhile the operation's owner may poll it");
	kernel_run(queue, 1);
	is(join(), 77, "it returns when the device has none, without an errno");
	is_rc(sva_op_result(&op)->error, -EINPROGRESS, "the operation has not ended by that");
	is(queue->open_now, 1, "the operation keeps the queue open");
	ok(finish(&op, 3, 4),
	   "its owner brings it to its end on the same queue, every byte counted once");
	is(queue->opens, 1, "the queue was opened once");
	is(queue->open_now, 0, "the queue is closed when the operation has ended");
	sva_close(sva);
}

static void several_operations(void)
{
	struct sva_op ops[3];

	begin(false, 8, NULL);
	for (unsigned int i = 0; i < 3; i++) {
		sva_prep_memcpy(&ops[i], to + 64 * i, from + 64 * i, 64);
		is_rc(sva_bond_submit(bond, &ops[i]), 0, "one of three operations is submitted");
	}
	kernel_run(queue, 2);
	start(unbind);
	ok(still_waits(), "two of them are done: sva_unbind() waits for the third");
	is(sva_poll(&ops[0]), 1, "the owner ends the first");
	kernel_run(queue, 1);
	join();
	is(sva_poll(&ops[1]), 1, "the owner ends the second");
	is(queue->open_now, 1, "the third keeps the queue open");
	is_rc(sva_wait(&ops[2], -1), 0, "the owner waits for the third");
	is(queue->open_now, 0, "the queue is closed when all three have ended");
	ok(!memcmp(to, from, 192), "the bytes of all three are copied");
	sva_close(sva);
}

/*
 * A queue that an operation keeps open is bound again without being opened again, and all of its
 * credits come back.
 */
static void bound_again(void)
{
	static struct sva_op noops[8];
	unsigned int taken = 0;

	begin(true, 4, NULL);
	submit(&op);
	kernel_run(queue, 1);
	sva_unbind(bond);
	is(queue->open_now, 1, "the last sva_unbind() leaves the queue open for an operation");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "the queue is bound again");
	is(queue->opens, 1, "the queue is not opened a second time");
	ok(finish(&op, 3, 4), "the operation ends on it");
	is(queue->open_now, 1, "the new reference keeps the queue open");
	while (taken < 8) {
		sva_prep_noop(&noops[taken]);
		if (sva_bond_submit(bond, &noops[taken]))
			break;
		taken++;
	}
	is(taken, 4,
	   "as many descriptors fit as the queue has entries: each credit came back once");
	is(queue->dropped, 0, "the device has dropped no descriptor");
	kernel_run(queue, 8);
	for (unsigned int i = 0; i < taken; i++)
		sva_wait(&noops[i], -1);
	sva_unbind(bond);
	is(queue->open_now, 0, "with nothing in flight the last sva_unbind() closes it");
	sva_close(sva);
}

static void device_stays_silent(void)
{
	uint64_t before;

	begin(false, 4, set_timeout);
	submit(&op);
	before = rig_now_ms();
	sva_unbind(bond);
	ok(rig_now_ms() - before >= 100 && rig_now_ms() - before < 10000,
	   "sva_unbind() waits for a silent device as long as the record timeout");
	is(queue->open_now, 0, "sva_unbind() closes the queue, which ends all writing");
	is_rc(sva_op_result(&op)->error, -EINPROGRESS, "the operation has not ended by that");
	is_rc(sva_poll(&op), -EIO, "the owner's poll ends it with an error");
	is_reason(sva_op_result(&op)->reason, SVA_REASON_RETIRED,
		  "the operation's result has the reason");
	queue->mode = KERNEL_AT_ONCE;
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "the queue can be bound again");
	is(queue->opens, 2, "which opens it a second time");
	sva_unbind(bond);
	sva_close(sva);
}

/*
 * The record timeout counts from the last progress. The four steps take longer than the timeout
 * together and each of them much less, so that a busy machine does not exceed it in one step.
 */
#define STEP_MS 600

static void set_long_timeout(struct sva_opts *opts)
{
	opts->record_timeout_ms = 2000;
}

static void *finish_slowly(void *arg)
{
	int rc;

	while (!(rc = sva_poll(arg))) {
		nanosleep(&(struct timespec){ 0, STEP_MS * 1000000L }, NULL);
		kernel_run(queue, 1);
	}
	return (void *)(intptr_t)rc;
}

static void slow_owner(void)
{
	pthread_t owner;
	void *rc;

	begin(false, 4, set_long_timeout);
	submit(&op);
	if (pthread_create(&owner, NULL, finish_slowly, &op))
		exit(1);
	sva_unbind(bond);
	pthread_join(owner, &rc);
	is((intptr_t)rc, 1,
	   "a slow owner ends its operation well while the last sva_unbind() waits");
	ok(!memcmp(to, from, BYTES), "every byte is copied");
	is(queue->open_now, 0, "the queue is closed after the slow operation");
	sva_close(sva);
}

/* The page fault is resumed on the queue: no other path is permitted. */
static void fault_after_unbind(void)
{
	begin(false, 4, NULL);
	submit(&op);
	kernel_absent(to, 1);
	kernel_run(queue, 1);
	sva_unbind(bond);
	is_rc(sva_poll(&op), 0, "a page fault after the last sva_unbind() is resumed");
	ok(finish(&op, 4, 5), "the operation ends on the same queue");
	ok(kernel_faults > 0, "the device has met a fault");
	is(queue->open_now, 0, "the queue is closed after the operation with a fault");
	sva_close(sva);
}

/* The kernel refuses batch descriptors for a DSA 1: the entries are submitted one by one. */
static void batch_after_unbind(void)
{
	struct sva_op entries[3], batch, *list[3];

	begin(true, 2, NULL);
	for (unsigned int i = 0; i < 3; i++) {
		sva_prep_memcpy(&entries[i], to + 64 * i, from + 64 * i, 64);
		list[i] = &entries[i];
	}
	sva_prep_batch(&batch, list, 3);
	is_rc(sva_bond_submit(bond, &batch), 0, "a batch is submitted on the bond");
	start(unbind);
	ok(still_waits(), "the last sva_unbind() waits for its entries");
	kernel_run(queue, 2);
	join();
	is_rc(sva_poll(&batch), 0,
	   "the third entry, for which there was no room, is submitted by the owner");
	kernel_run(queue, 1);
	is(sva_poll(&batch), 1, "the poll after that ends the batch");
	ok(!memcmp(to, from, 192) && sva_op_result(&batch)->bytes == 192,
	   "with the bytes of all entries");
	is(queue->open_now, 0, "the queue is closed when the operation has ended");
	sva_close(sva);
}

static void *submit_and_end(void *arg)
{
	submit(arg);
	return NULL;
}

static void submitter_has_ended(void)
{
	pthread_t thread;

	begin(true, 2, NULL);
	if (pthread_create(&thread, NULL, submit_and_end, &op))
		exit(1);
	pthread_join(thread, NULL);
	kernel_run(queue, 1);
	sva_unbind(bond);
	ok(finish(&op, 3, 4),
	   "another thread ends an operation whose submitter has ended");
	is(queue->open_now, 0, "the queue is closed when the operation has ended");
	sva_close(sva);
}

static int in_child(void *arg)
{
	(void)arg;
	return (fcntl(queue->fd, F_GETFD) == -1) | (sva_poll(&op) == -ESTALE) << 1;
}

static void fork_after_unbind(void)
{
	begin(true, 2, NULL);
	submit(&op);
	kernel_run(queue, 1);
	sva_unbind(bond);
	is(rig_in_child(in_child, NULL), 3,
	   "a child has neither the descriptor of that queue nor the operation");
	ok(finish(&op, 3, 4), "the operation ends in the parent");
	is(queue->open_now, 0, "the queue is closed in the parent");
	sva_close(sva);
}

/* ------------------------------------------------------------------ sva_close(), step by step */

static void close_beside_an_owner(void)
{
	begin(true, 4, NULL);
	sva_prep_memcpy(&op, to, from, BYTES);
	is_rc(sva_submit(sva, &op), 0, "an operation of four chunks is submitted on a context");
	sva_unbind(bond);
	start(close_context);
	ok(still_waits(), "sva_close() by another thread waits while the device has a descriptor");
	kernel_run(queue, 1);
	is(join(), 77, "it returns when the device has none, without an errno");
	is_rc(sva_op_result(&op)->error, -EINPROGRESS, "the operation has not ended by that");
	ok(finish(&op, 3, 4), "its owner brings it to its end, every byte counted once");
	is(queue->open_now, 0, "the queue of the context is closed then");
	is(sva_poll(&op), 1, "the operation keeps its result");

	begin(false, 4, set_timeout);
	sva_prep_memcpy(&op, to, from, BYTES);
	is_rc(sva_submit(sva, &op), 0,
	      "an operation is submitted to a device that writes no record");
	sva_unbind(bond);
	start(close_context);
	join();
	is(queue->open_now, 0, "sva_close() closes its queue after the record timeout");
	is_rc(sva_poll(&op), -EIO, "its owner's poll ends it with an error");
}

static void *submit_on_context(void *arg)
{
	sva_prep_memcpy(arg, to, from, BYTES);
	return (void *)(intptr_t)sva_submit(sva, arg);
}

static void close_after_a_thread(void)
{
	pthread_t thread;
	void *err;

	begin(false, 4, NULL);
	sva_unbind(bond);
	queue->mode = KERNEL_AT_ONCE;
	if (pthread_create(&thread, NULL, submit_on_context, &op))
		exit(1);
	pthread_join(thread, &err);
	is((intptr_t)err, 0, "a thread submits on a context and ends");
	sva_close(sva);
	is_rc(sva_op_result(&op)->error, 0, "sva_close() ends its operation");
	ok(!memcmp(to, from, BYTES), "every chunk of it is copied");
	is(queue->open_now, 0, "sva_close() has closed the queue");
}

/* ------------------------------------------------------------------ two threads, many times */

static pthread_barrier_t together;
static atomic_uint wrong;
static const char *name;
static bool by_context;

/*
 * The operation is on the stack of a function that returns as soon as it has ended: a thread that
 * accesses it after that accesses other data.
 */
static __attribute__((noinline)) int own(struct sva_bond *mine)
{
	struct sva_op local;
	int err;

	sva_prep_memcpy(&local, to, from, BYTES);
	do
		err = by_context ? sva_submit(sva, &local) : sva_bond_submit(mine, &local);
	while (err == -EAGAIN);
	if (by_context)
		pthread_barrier_wait(&together);
	else
		sva_unbind(mine);
	if (!err)
		err = sva_wait(&local, -1);
	if (err)
		return err;
	return sva_op_result(&local)->bytes == BYTES ? 0 : (int)sva_op_result(&local)->bytes;
}

static __attribute__((noinline)) void use_the_stack_again(void)
{
	volatile uint8_t memory[4 * sizeof(struct sva_op)];

	for (size_t i = 0; i < sizeof(memory); i++)
		memory[i] = 0xa5;
}

static void *owner(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < rounds; i++) {
		struct sva_bond *mine = NULL;
		int err;

		memset(to, 0, BYTES);
		if (!by_context && sva_bind(sva, name, 0, &mine))
			exit(1);
		pthread_barrier_wait(&together);
		err = own(mine);
		use_the_stack_again();
		if (err || memcmp(to, from, BYTES)) {
			atomic_fetch_add(&wrong, 1);
			printf("# round %u: %d\n", i, err);
		}
		pthread_barrier_wait(&together);
		pthread_barrier_wait(&together);
	}
	return NULL;
}

static void side_by_side(const char *what)
{
	unsigned int open = 0;
	pthread_t thread;

	atomic_store(&wrong, 0);
	pthread_barrier_init(&together, NULL, 2);
	if (pthread_create(&thread, NULL, owner, NULL))
		exit(1);
	for (unsigned int i = 0; i < rounds; i++) {
		if (!by_context && sva_bind(sva, name, 0, &bond))
			exit(1);
		pthread_barrier_wait(&together);
		if (by_context) {
			pthread_barrier_wait(&together);
			sva_close(sva);
		} else {
			sva_unbind(bond);
		}
		pthread_barrier_wait(&together);
		open += queue ? queue->open_now : 0;
		if (by_context && i + 1 < rounds)
			sva = rig_open(queue ? "write" : "soft", 1);
		pthread_barrier_wait(&together);
	}
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&together);
	subject("%s", what);
	is(atomic_load(&wrong), 0, "no operation is wrong");
	is(open, 0, "the queue was closed each time");
	if (!by_context)
		sva_close(sva);
}

static void on_soft(void)
{
	kernel_begin();
	queue = NULL;
	name = "soft";
	by_context = false;
	sva = rig_open("soft", 1);
	side_by_side("soft: results and bytes are right while another thread unbinds last");
	by_context = true;
	sva = rig_open("soft", 1);
	side_by_side("soft: results and bytes are right while another thread closes the context");
}

static void on_a_queue(bool dedicated)
{
	const char *mode = dedicated ? "dedicated" : "shared";
	char what[100];

	kernel_begin();
	queue = kernel_add("wq0.0", dedicated, 4, "max-transfer=1024");
	queue->mode = KERNEL_THREAD;
	name = "wq0.0";
	for (int i = 0; i < 2; i++) {
		by_context = i;
		sva = rig_open("write", 0);
		snprintf(what, sizeof(what),
			 "%s queue: results and bytes are right while another %s", mode,
			 i ? "thread closes the context" : "thread unbinds last");
		side_by_side(what);
		is(queue->dropped, 0, "the device has dropped no descriptor");
		is(queue->most_open, 1, "the queue was never open twice at a time");
	}
}

/* ------------------------------------------------------------------ exit */

static atomic_uint ended_before_exit;

/* The page of an operation that has ended is unmapped; the next operation is in another. */
static void *run_until_exit(void *arg)
{
	uint8_t *memory = rig_pages(1), *pages = rig_pages(EXIT_PAGES);

	(void)arg;
	for (unsigned int i = 0;; i = (i + 1) % EXIT_PAGES) {
		struct sva_op *mine = (struct sva_op *)(void *)(pages + i * RIG_PAGE);
		int err;

		rig_page_good((uint8_t *)mine);
		sva_prep_memcpy(mine, memory, from, BYTES);
		while ((err = sva_submit(NULL, mine)) == -EAGAIN)
			sched_yield();
		if (err || sva_wait(mine, -1))
			_exit(9);
		rig_page_deny((uint8_t *)mine);
		atomic_fetch_add(&ended_before_exit, 1);
	}
	return NULL;
}

static int exit_beside_threads(void *arg)
{
	pthread_t thread;

	(void)arg;
	setenv("SVA_PATHS", "soft", 1);
	setenv("SVA_SOFT_THREADS", "1", 1);
	if (sva_memcpy(NULL, to, from, BYTES))
		_exit(7);
	for (unsigned int i = 0; i < 3; i++)
		if (pthread_create(&thread, NULL, run_until_exit, NULL))
			_exit(8);
	while (atomic_load(&ended_before_exit) < 200)
		sched_yield();
	exit(0);
}

/* Before this program has threads. */
static void exits(unsigned int times)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < times; i++) {
		int rc = rig_in_child(exit_beside_threads, NULL);

		if (rc)
			printf("# exit %u: %d\n", i, rc);
		bad += rc != 0;
	}
	is(bad, 0,
	   "exit() beside threads with operations in flight ends the process as it should");
}

int main(void)
{
	const char *sanitizers = getenv("SANITIZERS");

	rig_begin();
	from = rig_pages(1);
	to = rig_pages(1);
	for (unsigned int i = 0; i < BYTES; i++)
		from[i] = (uint8_t)(i * 3 + i / 255 + 1);
	setenv("SVA_THRESHOLD", "1", 1);
	if (sanitizers && strcmp(sanitizers, "no"))
		rounds /= 3;
	exits(40);
	unbind_waits_for_the_device(false);
	unbind_waits_for_the_device(true);
	several_operations();
	bound_again();
	device_stays_silent();
	slow_owner();
	fault_after_unbind();
	batch_after_unbind();
	submitter_has_ended();
	fork_after_unbind();
	close_beside_an_owner();
	close_after_a_thread();
	on_soft();
	on_a_queue(false);
	on_a_queue(true);
	return done();
}
