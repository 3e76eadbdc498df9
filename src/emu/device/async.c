/* SPDX-License-Identifier: MIT */
/*
 * Engine threads: one ring of jobs for all queues of a process, and threads that take from it in
 * order. Submitters are signal handlers, in which all other signals are blocked. So a short spin
 * lock is safe: its holder can be preempted, but not interrupted by a submission of its own thread.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/device/async.h"
#include "emu/host/process.h"

#define RING (EMU_MAX_DEVICES * EMU_MAX_ENTRIES)
#define MAX_THREADS 16u
#define STACK_SIZE (512u << 10)
#define SMALL_STACK (16u << 10)

static struct {
	/* the address space that has the threads: a child of fork has none */
	uint32_t mm;
	int lock;
	uint32_t wake;                /* a futex that counts jobs */
	uint32_t sleeping;            /* how many threads wait for it */
	uint64_t head, tail;          /* how many jobs were taken, and put in */
	unsigned int threads;
	emu_job_fn *run;
	struct {
		uint64_t sequence;    /* of the job in progress, 0 if idle */
		emu_queue_id queue;
		int cpu;              /* the CPU that the thread ran on last */
	} engine[MAX_THREADS];
	struct emu_job ring[RING];
} async;

static void lock_ring(void)
{
	while (__atomic_exchange_n(&async.lock, 1, __ATOMIC_ACQUIRE))
		raw_syscall0(SYS_sched_yield);
}

static void unlock_ring(void)
{
	__atomic_store_n(&async.lock, 0, __ATOMIC_RELEASE);
}

static uint64_t now_ns(void)
{
	struct timespec ts = { 0 };

	raw_syscall2(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int this_cpu(void)
{
	unsigned int cpu = 0;

	raw_syscall3(SYS_getcpu, &cpu, 0, 0);
	return (int)cpu;
}

/* Sleep until the job at the head is due (0: until there is a job). */
static void wait_for_work(uint64_t due)
{
	uint32_t seen = __atomic_load_n(&async.wake, __ATOMIC_ACQUIRE);
	struct timespec ts;
	uint64_t now;

	if (due) {
		now = now_ns();
		if (due > now) {
			ts = (struct timespec){(time_t)((due - now) / 1000000000u),
					       (long)((due - now) % 1000000000u)};
			raw_syscall2(SYS_nanosleep, &ts, 0);
		}
		return;
	}
	__atomic_add_fetch(&async.sleeping, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&async.head, __ATOMIC_SEQ_CST) ==
	    __atomic_load_n(&async.tail, __ATOMIC_SEQ_CST))
		raw_syscall4(SYS_futex, &async.wake, FUTEX_WAIT_PRIVATE, seen, 0);
	__atomic_sub_fetch(&async.sleeping, 1, __ATOMIC_SEQ_CST);
}

/*
 * Take the oldest job if it is due. Otherwise returns false, and *due says when it will be; 0 if
 * there is no job.
 */
static bool take_job(unsigned int me, struct emu_job *job, uint64_t *due)
{
	bool got = false;

	*due = 0;
	lock_ring();
	if (async.head != async.tail) {
		*job = async.ring[async.head % RING];
		*due = job->due;
		if (!job->due || job->due <= now_ns()) {
			__atomic_store_n(&async.engine[me].queue, job->queue, __ATOMIC_RELAXED);
			__atomic_store_n(&async.engine[me].sequence, job->sequence,
					 __ATOMIC_RELEASE);
			__atomic_store_n(&async.head, async.head + 1, __ATOMIC_SEQ_CST);
			got = true;
		}
	}
	unlock_ring();
	return got;
}

/*
 * A drain starts when every job before it has ended. Jobs are taken in order, so all of those have
 * been taken.
 */
static void wait_for_older(unsigned int me, const struct emu_job *job)
{
	unsigned int i;
	uint64_t other;

	for (i = 0; i < async.threads; i++) {
		while (i != me &&
		       (other = __atomic_load_n(&async.engine[i].sequence, __ATOMIC_ACQUIRE)) &&
		       other < job->sequence)
			raw_syscall0(SYS_sched_yield);
	}
}

static void *run_engine(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg;
	struct emu_job job;
	uint64_t due;

	for (;;) {
		__atomic_store_n(&async.engine[me].cpu, this_cpu(), __ATOMIC_RELAXED);
		if (!take_job(me, &job, &due)) {
			wait_for_work(due);
			continue;
		}
		emu_queue_put(emu_queue_wq(emu.state, job.queue), job.entry);
		if (sva_desc_opcode(&job.desc) == SVA_OPCODE_DRAIN)
			wait_for_older(me, &job);
		async.run(&job);
		__atomic_store_n(&async.engine[me].sequence, 0, __ATOMIC_RELEASE);
	}
	return NULL;
}

/*
 * All signals that the program may send are blocked in the new thread, so that none is delivered
 * there.
 */
static int start_thread(unsigned int number)
{
	uint64_t all = ~EMU_SIGNALS_OURS, old = 0;
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	raw_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof(all));
	ret = emu_create_thread(&thread, &attr, run_engine, (void *)(uintptr_t)number);
	raw_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &old, 0, sizeof(old));
	pthread_attr_destroy(&attr);
	return -ret;
}

bool emu_async_ready(void)
{
	return EMU_LIKELY(__atomic_load_n(&async.mm, __ATOMIC_ACQUIRE) == emu_mm_id());
}

/* pthread_create() needs more stack than some programs give their signal handlers. */
static bool on_small_stack(void)
{
	stack_t stack = { .ss_flags = SS_DISABLE };

	raw_syscall2(SYS_sigaltstack, 0, &stack);
	return (stack.ss_flags & SS_ONSTACK) && stack.ss_size < SMALL_STACK;
}

int emu_async_start(unsigned int threads, emu_job_fn *run)
{
	static int starting;
	unsigned int i;
	int ret = 0;

	if (emu_async_ready())
		return 0;
	if (on_small_stack()) {
		emu_say("%s opened a queue by a system call of its own, on a signal stack that is "
			"too small to start engine threads: the submitting threads do the work",
			emu.program);
		return 0;
	}
	while (__atomic_exchange_n(&starting, 1, __ATOMIC_ACQUIRE))
		raw_syscall0(SYS_sched_yield);
	if (async.mm != emu_mm_id()) {
		async.lock = 0;
		async.head = async.tail = 0;
		async.sleeping = 0;
		async.run = run;
		async.threads = threads < MAX_THREADS ? threads : MAX_THREADS;
		for (i = 0; i < async.threads && !ret; i++) {
			async.engine[i].sequence = 0;
			ret = start_thread(i);
		}
		if (ret == 0)
			__atomic_store_n(&async.mm, emu_mm_id(), __ATOMIC_RELEASE);
	}
	__atomic_store_n(&starting, 0, __ATOMIC_RELEASE);
	return ret;
}

/*
 * A program that polls with PAUSE on the CPU that an engine ran on last would keep that engine
 * waiting for the rest of its time slice, which is milliseconds. So the submitter yields once.
 */
static void yield_to_engine(void)
{
	int mine = this_cpu();
	unsigned int i;

	for (i = 0; i < async.threads; i++)
		if (__atomic_load_n(&async.engine[i].cpu, __ATOMIC_RELAXED) != mine)
			return;
	raw_syscall0(SYS_sched_yield);
}

void emu_async_push(struct emu_job *job)
{
	job->due = emu.state->opt.delay_ns ? now_ns() + emu.state->opt.delay_ns : 0;
	lock_ring();
	job->sequence = async.tail + 1;
	async.ring[async.tail % RING] = *job;
	__atomic_store_n(&async.tail, async.tail + 1, __ATOMIC_SEQ_CST);
	unlock_ring();
	__atomic_add_fetch(&async.wake, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&async.sleeping, __ATOMIC_SEQ_CST))
		raw_syscall3(SYS_futex, &async.wake, FUTEX_WAKE_PRIVATE, 1);
	yield_to_engine();
}

static bool has_work(emu_queue_id queue)
{
	bool has = false;
	unsigned int i;
	uint64_t at;

	lock_ring();
	for (at = async.head; at != async.tail && !has; at++)
		has = async.ring[at % RING].queue == queue;
	for (i = 0; i < async.threads && !has; i++)
		has = async.engine[i].sequence && async.engine[i].queue == queue;
	unlock_ring();
	return has;
}

void emu_async_drain(emu_queue_id queue)
{
	const struct timespec pause = { 0, 50000 };

	if (!emu.state->opt.async || __atomic_load_n(&async.mm, __ATOMIC_ACQUIRE) != emu_mm_id())
		return;
	while (has_work(queue))
		raw_syscall2(SYS_nanosleep, &pause, 0);
}
