/* SPDX-License-Identifier: MIT */
/*
 * The operations of a completion queue that have ended, the threads that sleep until there is one,
 * and the descriptor that can be polled for it.
 *
 * The descriptor is an event counter that is 1 exactly while the list is not empty: list and
 * counter change with the lock held, the counter by the thread that makes the list non-empty or
 * empty. As a litmus test, of a thread that adds, one that collects, and one that polls:
 *
 * 	adds                  collects                 polls
 * 	lock                  lock                     r0 = poll(counter)
 * 	if list empty:        take; if list empty:
 * 	  counter = 1           counter = 0
 * 	append                unlock
 * 	unlock
 *
 * r0 = 0 while the list is not empty and no thread is between lock and unlock is forbidden: the
 * last thread that held the lock left counter = 1 exactly if it left the list non-empty. So no
 * wake-up is lost. r0 = 1 while it is empty is forbidden in the same way: a poller does not spin.
 * (A poller that saw 1 may find that another thread has collected in between.) The kernel orders
 * the counter against poll(2), and wakes pollers when it becomes 1.
 *
 * A sleeping thread waits on a condition with the same lock, and checks the list with it held.
 */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/cancel.h"
#include "lib/run/cq.h"

static void close_in_child(void)
{
	/*
	 * The parent's counter is shared with its copy here, so it may only be closed. Of the
	 * queue itself only this field is read: other threads of the parent may have been changing
	 * the rest.
	 */
	for (struct sva_cq *cq = sva_process.cqs; cq; cq = cq->next)
		sva_file_close(&cq->ready.file);
}

int sva_cq_ready_init(struct sva_cq_ready *ready)
{
	pthread_condattr_t attr;
	int err = pthread_condattr_init(&attr);

	if (err)
		return -err;
	err = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (!err)
		err = pthread_cond_init(&ready->filled, &attr);
	pthread_condattr_destroy(&attr);
	if (err)
		return -err;
	pthread_mutex_init(&ready->lock, NULL);
	ready->list.next = ready->list.prev = &ready->list;
	atomic_init(&ready->file.fd, -1);
	__atomic_store_n(&sva_process.cq_in_child, close_in_child, __ATOMIC_RELAXED);
	return 0;
}

/* With the lock held: the program has closed the descriptor, and may use its number. */
static bool lost_descriptor(struct sva_cq_ready *ready)
{
	if (sva_file_ours(&ready->file))
		return false;
	atomic_store(&ready->file.fd, -1);
	ready->raised = false;
	return true;
}

/* With the lock held: make the counter 1 or 0, as the list is. */
static void set_counter(struct sva_cq_ready *ready)
{
	bool filled = ready->list.next != &ready->list;
	int saved = errno, cancel;
	uint64_t value = 1;
	ssize_t n;

	if (atomic_load_explicit(&ready->file.fd, memory_order_relaxed) < 0 ||
	    filled == ready->raised)
		return;
	cancel = sva_cancel_hold();
	if (!lost_descriptor(ready)) {
		/*
		 * Neither blocks, and neither fails while the counter is ours: it is 0 or 1, and a
		 * program that reads it sees 0 afterwards, which is what is wanted.
		 */
		n = filled ? write(ready->file.fd, &value, sizeof(value)) :
			     read(ready->file.fd, &value, sizeof(value));
		(void)n;
		ready->raised = filled;
	}
	sva_cancel_release(cancel);
	errno = saved;
}

void sva_cq_ready_add(struct sva_cq_ready *ready, struct sva_op **ops, unsigned int n)
{
	if (!n)
		return;
	pthread_mutex_lock(&ready->lock);
	for (unsigned int i = 0; i < n; i++) {
		struct sva_op_node *node = &SVA_OP_PRIVATE(ops[i])->node;

		node->next = &ready->list;
		node->prev = ready->list.prev;
		node->prev->next = node;
		ready->list.prev = node;
	}
	atomic_store(&ready->count, atomic_load(&ready->count) + n);
	set_counter(ready);
	if (atomic_load(&ready->sleepers)) {
		if (n > 1)
			pthread_cond_broadcast(&ready->filled);
		else
			pthread_cond_signal(&ready->filled);
	}
	pthread_mutex_unlock(&ready->lock);
}

unsigned int sva_cq_ready_take(struct sva_cq_ready *ready, struct sva_op **done, unsigned int n)
{
	unsigned int taken = 0;

	if (!n || !atomic_load(&ready->count))
		return 0;
	pthread_mutex_lock(&ready->lock);
	for (; taken < n && ready->list.next != &ready->list; taken++) {
		struct sva_op_node *node = ready->list.next;

		sva_node_remove(node);
		done[taken] = sva_op_of_node(node);
	}
	atomic_store(&ready->count, atomic_load(&ready->count) - taken);
	set_counter(ready);
	/* A thread that was woken for one operation found several: the next thread's turn. */
	if (atomic_load(&ready->count) && atomic_load(&ready->sleepers))
		pthread_cond_signal(&ready->filled);
	pthread_mutex_unlock(&ready->lock);
	return taken;
}

bool sva_cq_ready_sleep(struct sva_cq_ready *ready, uint64_t deadline)
{
	const struct timespec until = { (time_t)(deadline / 1000000000u),
					(long)(deadline % 1000000000u) };
	int cancel = sva_cancel_hold(), err = 0;
	bool open;

	pthread_mutex_lock(&ready->lock);
	while (ready->list.next == &ready->list && !ready->closing && !err)
		err = deadline ? pthread_cond_timedwait(&ready->filled, &ready->lock, &until) :
				 pthread_cond_wait(&ready->filled, &ready->lock);
	open = !ready->closing;
	pthread_mutex_unlock(&ready->lock);
	sva_cancel_release(cancel);
	return open;
}

void sva_cq_ready_close(struct sva_cq_ready *ready)
{
	pthread_mutex_lock(&ready->lock);
	ready->closing = true;
	pthread_cond_broadcast(&ready->filled);
	pthread_mutex_unlock(&ready->lock);
}

/* ------------------------------------------------------------------ the descriptor */

/*
 * With sva_process.lock held: another queue whose descriptor has this number has lost it. For
 * fstat(2) all event counters are the same file, so only the number shows it.
 */
static void forget_number(const struct sva_cq *mine, int fd)
{
	for (struct sva_cq *cq = sva_process.cqs; cq; cq = cq->next) {
		if (cq == mine)
			continue;
		pthread_mutex_lock(&cq->ready.lock);
		if (atomic_load(&cq->ready.file.fd) == fd) {
			atomic_store(&cq->ready.file.fd, -1);
			cq->ready.raised = false;
		}
		pthread_mutex_unlock(&cq->ready.lock);
	}
}

/* With the locks of the process and of the list held. */
static int make_descriptor(struct sva_cq_ready *ready)
{
	struct sva_file file;
	int fd = sva_fd_event();

	if (fd < 0)
		return fd;
	sva_file_keep(&file, fd);
	ready->file.mark = file.mark;
	ready->file.dev = file.dev;
	ready->file.rdev = file.rdev;
	ready->file.ino = file.ino;
	ready->raised = false;
	atomic_store(&ready->file.fd, atomic_load(&file.fd));
	return atomic_load(&file.fd);
}

int sva_cq_ready_fd(struct sva_cq *cq)
{
	struct sva_cq_ready *ready = &cq->ready;
	int cancel = sva_cancel_hold(), fd;
	bool made = false;

	pthread_mutex_lock(&sva_process.lock);
	pthread_mutex_lock(&ready->lock);
	fd = atomic_load(&ready->file.fd);
	if (fd < 0 || lost_descriptor(ready)) {
		fd = make_descriptor(ready);
		made = fd >= 0;
		set_counter(ready);
	}
	pthread_mutex_unlock(&ready->lock);
	if (made)
		forget_number(cq, fd);
	pthread_mutex_unlock(&sva_process.lock);
	sva_cancel_release(cancel);
	return fd;
}

void sva_cq_ready_fini(struct sva_cq *cq)
{
	int cancel = sva_cancel_hold();

	sva_file_close(&cq->ready.file);
	pthread_cond_destroy(&cq->ready.filled);
	pthread_mutex_destroy(&cq->ready.lock);
	sva_cancel_release(cancel);
}
