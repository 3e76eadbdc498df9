/* SPDX-License-Identifier: MIT */
/*
 * After a fork: explicit handles and operations are stale in the child, the default context binds
 * again, the parent's work is not affected; no descriptor is inherited through exec. With
 * pthread_atfork and without (a raw clone), with MADV_WIPEONFORK and without, and while other
 * threads are submitting.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/run/run.h"
#include "tap.h"
#include "unit/kernel.h"
#include "unit/rig.h"

#define BYTES 40000u

static uint8_t *from, *to;
static struct kernel_queue *queue;
static struct sva *sva;
static struct sva_bond *bond;
static struct sva_op in_flight, ended, on_bond;

static bool sanitized_by(const char *name)
{
	const char *all = getenv("SANITIZERS");

	return all && strstr(all, name);
}

static void prepare(struct sva_op *op)
{
	sva_prep_memcpy(op, to, from, 1000);
}

/* Handles of each kind, and operations that have ended and have not. */
static void begin(bool dedicated)
{
	kernel_begin();
	queue = kernel_add("wq0.0", dedicated, 64, NULL);
	sva = rig_open("write,soft,cpu", 0);
	subject("before the fork, %s queue", dedicated ? "dedicated" : "shared");
	is_rc(sva_bind(sva, "wq0.0", 0, &bond), 0, "bind");
	prepare(&ended);
	ok(!sva_submit(sva, &ended) && sva_wait(&ended, -1) == 0,
	   "an operation is submitted and ends");
	queue->mode = KERNEL_HELD;
	prepare(&in_flight);
	is_rc(sva_submit(sva, &in_flight), 0, "submit on the context");
	prepare(&on_bond);
	is_rc(sva_bond_submit(bond, &on_bond), 0, "submit on the bond");
	is(queue->held, 2, "the device holds both operations");
}

static void end(void)
{
	subject("in the parent, after the fork");
	is(queue->held, 2, "the device still holds both operations");
	kernel_run(queue, 10);
	is_rc(sva_wait(&in_flight, -1), 0, "wait for the operation on the context");
	is_rc(sva_wait(&on_bond, -1), 0, "wait for the operation on the bond");
	prepare(&ended);
	ok(!sva_bond_submit(bond, &ended) && kernel_run(queue, 1) == 1 && !sva_wait(&ended, -1),
	   "an operation on the bond works");
	queue->mode = KERNEL_AT_ONCE;
	is_rc(sva_memcpy(sva, to, from, BYTES), 0, "a copy in the context");
	is_path(sva_last_result()->path, SVA_PATH_WRITE, "the call's result has the path");
	sva_unbind(bond);
	sva_close(sva);
	is(queue->open_now, 0, "the queue is closed in the end");
}

/* --------------------------- in the child: returns the number of the first condition that fails */

static int step;
#define MUST(condition) \
	do { \
		step++; \
		if (!(condition)) { \
			fprintf(stderr, "# in the child: %s, errno %d\n", #condition, errno); \
			return step; \
		} \
	} while (0)

static int stale_handles(void)
{
	struct sva_queue_info info = { .size = sizeof(info) };
	struct sva_op *done[4], op;
	struct sva_bond *other;
	uint32_t pasid;

	prepare(&op);
	MUST(sva_submit(sva, &op) == -ESTALE);
	MUST(sva_submit_many(sva, &(struct sva_op *){ &op }, 1) == -ESTALE);
	MUST(sva_run(sva, &op) == -ESTALE);
	MUST(sva_memcpy(sva, to, from, 100) == -ESTALE);
	MUST(sva_last_result()->error == -ESTALE && sva_last_result()->reason == SVA_REASON_FORKED);
	MUST(sva_memcpy(sva, to, from, BYTES) == -ESTALE);
	MUST(sva_memfill(sva, to, 1, BYTES) == -ESTALE);
	MUST(sva_reap(sva, done, 4) == -ESTALE);
	MUST(sva_explain(sva, SVA_PATH_WRITE, NULL, 0) == -ESTALE);
	MUST(sva_queue_describe(sva, 0, 0, &info) == -ESTALE);
	MUST(sva_bind(sva, "wq0.0", 0, &other) == -ESTALE);
	MUST(sva_bond_submit(bond, &op) == -ESTALE);
	MUST(sva_bond_path(bond) == -ESTALE);
	MUST(sva_bond_pasid(bond, &pasid) == -ESTALE);
	MUST(sva_poll(&in_flight) == -ESTALE);
	MUST(sva_wait(&in_flight, -1) == -ESTALE);
	MUST(sva_wait(&in_flight, 0) == -ESTALE);
	MUST(sva_poll(&on_bond) == -ESTALE);
	MUST(sva_poll(&ended) == -ESTALE);
	sva_op_retire(&in_flight);
	MUST(sva_poll(&op) == -EINVAL); /* that one was never submitted */
	return 0;
}

static int default_works(const char *path)
{
	struct sva_op op;

	memset(to, 0, BYTES);
	MUST(sva_memcpy(NULL, to, from, BYTES) == 0);
	MUST(!strcmp(sva_path_name(sva_last_result()->path), path));
	MUST(!memcmp(to, from, BYTES));
	prepare(&in_flight); /* the parent's, taken over */
	MUST(sva_submit(NULL, &in_flight) == 0);
	MUST(sva_wait(&in_flight, -1) == 0);
	prepare(&op);
	MUST(sva_submit(NULL, &op) == 0);
	MUST(sva_wait(&op, -1) == 0);
	return 0;
}

static int own_context(unsigned int threads)
{
	struct sva *mine = rig_open("soft", threads);
	struct sva_bond *soft;
	struct sva_op op;

	prepare(&op);
	MUST(sva_submit(mine, &op) == 0);
	MUST(sva_wait(&op, -1) == 0);
	MUST(sva_bind(mine, "soft", 0, &soft) == 0);
	prepare(&op);
	MUST(sva_bond_submit(soft, &op) == 0);
	MUST(sva_wait(&op, -1) == 0);
	sva_unbind(soft);
	sva_close(mine);
	return 0;
}

static int after_fork(void *arg)
{
	bool raw = *(bool *)arg;
	int fd = queue->fd, err;

	/*
	 * Before the library is used at all: a queue of the parent is not kept open. A raw clone is
	 * not noticed before the first call.
	 */
	MUST(raw || (fcntl(fd, F_GETFD) == -1 && errno == EBADF));
	err = stale_handles();
	if (err)
		return err;
	sva_close(sva);
	sva_unbind(bond);
	queue->mode = KERNEL_AT_ONCE;
	queue->held = 0;
	queue->open_now = queue->dedicated;
	err = default_works(queue->dedicated ? "cpu" : "write");
	if (!err)
		err = own_context(2);
	if (err)
		return err;
	MUST(fcntl(fd, F_GETFD) == -1 || queue->fd == fd);
	return 0;
}

/* The child ends by exit(), with its handlers. */
static int after_fork_exit(void *arg)
{
	int err = after_fork(arg);

	exit(err);
}

static int child_exits_only(void *arg)
{
	(void)arg;
	exit(0);
}

/* And a child of the child. */
static int grandchild(void *arg)
{
	int err = stale_handles();

	if (err)
		return err;
	queue->mode = KERNEL_AT_ONCE;
	queue->held = 0;
	queue->open_now = queue->dedicated;
	sva = rig_open("write,soft", 0); /* which begins a generation of its own */
	MUST(sva_bind(sva, "soft", 0, &bond) == 0);
	prepare(&in_flight);
	MUST(sva_submit(sva, &in_flight) == 0);
	prepare(&on_bond);
	MUST(sva_bond_submit(bond, &on_bond) == 0);
	prepare(&ended);
	MUST(sva_submit(sva, &ended) == 0);
	MUST(sva_wait(&ended, -1) == 0);
	MUST(rig_in_child(after_fork, arg) == 0);
	MUST(sva_wait(&in_flight, -1) == 0);
	return 0;
}

static int in_raw_child(int (*fn)(void *arg), void *arg)
{
	long pid;
	int status;

	fflush(stdout);
	pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (!pid)
		_exit(fn(arg));
	waitpid((pid_t)pid, &status, 0);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void forks(bool dedicated)
{
	bool raw = false;

	begin(dedicated);
	subject("in a child, %s queue", dedicated ? "dedicated" : "shared");
	is(rig_in_child(after_fork, &raw), 0,
	   "handles and operations are stale, the default context works");
	is(rig_in_child(after_fork_exit, &raw), 0, "the same, and exit() works");
	is(rig_in_child(child_exits_only, &raw), 0, "exit() works as the only call");
	is(rig_in_child(grandchild, &raw), 0, "the same holds in a child of the child");
	raw = true;
	if (kernel_no_wipe)
		skip("a raw clone: the same", "without MADV_WIPEONFORK it looks like the parent");
	else if (sanitized_by("thread"))
		skip("a raw clone: the same", "the thread sanitizer has to know of every process");
	else
		is(in_raw_child(after_fork, &raw), 0, "a raw clone: the same");
	end();
}

/* ------------------------------------------------------------------ exec */

static void execs(void)
{
	char command[200];
	FILE *pipe;
	int found;

	begin(false);
	subject("exec");
	ok(fcntl(queue->fd, F_GETFD) & FD_CLOEXEC,
	   "the queue's descriptor is closed on exec");
	/* popen uses posix_spawn or vfork: neither may change the parent's state. */
	snprintf(command, sizeof(command), "ls -l /proc/self/fd | grep -c %s", queue->node);
	pipe = popen(command, "r");
	ok(pipe && fscanf(pipe, "%d", &found) == 1 && found == 0,
	   "a program has not inherited it");
	if (pipe)
		pclose(pipe);
	end();
}

/* ------------------------------------------------------------------ while other threads submit */

static atomic_bool stop;
static atomic_uint wrong, settled;

static void *busy(void *arg)
{
	uint8_t *mine = malloc(20000);
	struct sva *ctx = arg;
	struct sva_op op;

	for (unsigned int turn = 0; !atomic_load(&stop); turn++) {
		settled += turn == 1;
		sva_prep_memcpy(&op, mine, from, 5000);
		if (sva_submit(ctx, &op) == 0)
			wrong += sva_wait(&op, -1) != 0;
		wrong += sva_memcpy(ctx, mine + 10000, from, 9000) != 0;
		wrong += sva_memcpy(NULL, mine + 10000, from, 9000) != 0;
	}
	free(mine);
	return NULL;
}

static int busy_child(void *arg)
{
	(void)arg;
	alarm(20);
	MUST(sva_memcpy(sva, to, from, 100) == -ESTALE);
	queue->mode = KERNEL_AT_ONCE;
	queue->held = 0;
	MUST(sva_memcpy(NULL, to, from, BYTES) == 0);
	MUST(!memcmp(to, from, BYTES));
	/* The thread sanitizer does not support threads in children of processes with threads. */
	return own_context(sanitized_by("thread") ? 0 : 2);
}

static void while_busy(void)
{
	/*
	 * The allocator of GCC 12's address sanitizer does not take its locks in a fork (glibc's
	 * does), so a child of a process in which a thread allocates may hang in it. Threads
	 * allocate while they begin: with that sanitizer there are no engine threads and no thread
	 * of the queue, and ours have run once before the fork.
	 */
	bool calm = sanitized_by("address");
	pthread_t thread[3];
	unsigned int bad = 0;

	kernel_begin();
	queue = kernel_add("wq0.0", true, 4, NULL);
	if (calm)
		queue->mode = KERNEL_AT_ONCE;
	sva = rig_open("write,soft,cpu", !calm);
	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, busy, sva);
	while (calm && atomic_load(&settled) < 3)
		sched_yield();
	for (int i = 0; i < 40; i++) {
		int err = rig_in_child(busy_child, NULL);

		if (err && !bad++)
			printf("# child %d: %d\n", i, err);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	subject("forty forks while three threads are submitting");
	is(bad, 0, "every child works");
	is(atomic_load(&wrong), 0, "no operation of the three threads fails");
	sva_close(sva);
}

/*
 * A thread is collecting credits from other threads when the process forks: the child must not wait
 * for the locks of that thread.
 */
static atomic_int stage;

static void *holds_its_section(void *arg)
{
	struct sva_op op;

	(void)arg;
	prepare(&op);
	sva_submit(sva, &op);
	sva_wait(&op, -1);
	sva_bias_enter(&sva_tls.current->lessee.bias);
	atomic_store(&stage, 1);
	while (atomic_load(&stage) != 3)
		usleep(1000);
	sva_bias_exit(&sva_tls.current->lessee.bias);
	return NULL;
}

static void *visits(void *arg)
{
	struct sva_op op;

	(void)arg;
	prepare(&op);
	while (atomic_load(&stage) < 1)
		usleep(1000);
	atomic_store(&stage, 2);
	while (sva_submit(sva, &op) == -EAGAIN)
		;
	sva_wait(&op, -1);
	return NULL;
}

static int uses_queues(void *arg)
{
	struct sva *mine;
	struct sva_op op;

	(void)arg;
	alarm(10);
	queue->open_now = 0;
	mine = rig_open("write", 0);
	prepare(&op);
	MUST(sva_submit(mine, &op) == 0);
	MUST(sva_wait(&op, -1) == 0);
	sva_close(mine); /* which visits its threads, too */
	return 0;
}

static void in_the_middle(void)
{
	pthread_t holder, visitor;

	kernel_begin();
	queue = kernel_add("wq0.0", true, 1, NULL);
	sva = rig_open("write", 0);
	pthread_create(&holder, NULL, holds_its_section, NULL);
	pthread_create(&visitor, NULL, visits, NULL);
	while (atomic_load(&stage) < 2)
		usleep(1000);
	usleep(30000);
	subject("a fork while a thread collects credits");
	is(rig_in_child(uses_queues, NULL), 0, "the child can use queues");
	atomic_store(&stage, 3);
	pthread_join(holder, NULL);
	pthread_join(visitor, NULL);
	sva_close(sva);
}

/*
 * Threads that open contexts, which look for queues, while others fork children that do the same:
 * no lock is waited for in two orders.
 */
static void *opens(void *arg)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	struct sva *mine;

	(void)arg;
	opts.paths = "write,cpu";
	while (!atomic_load(&stop)) {
		wrong += sva_open(&mine, &opts) != 0;
		sva_close(mine);
	}
	return NULL;
}

static int opens_once(void *arg)
{
	(void)arg;
	alarm(20);
	queue->open_now = 0;
	sva_close(rig_open("write,cpu", 0));
	return 0;
}

static void *forks_and_opens(void *arg)
{
	for (int i = 0; i < 30; i++)
		wrong += rig_in_child(opens_once, arg) != 0;
	return NULL;
}

static void while_opening(void)
{
	pthread_t opener[2], forker[2];

	kernel_begin();
	queue = kernel_add("wq0.0", false, 4, NULL);
	atomic_store(&stop, false);
	atomic_store(&wrong, 0);
	alarm(100);
	for (int i = 0; i < 2; i++) {
		pthread_create(&opener[i], NULL, opens, NULL);
		pthread_create(&forker[i], NULL, forks_and_opens, NULL);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(forker[i], NULL);
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(opener[i], NULL);
	alarm(0);
	is(atomic_load(&wrong), 0,
	   "contexts are opened by two threads and by children of two others");
}

/*
 * This program again, in a process that has not used the library yet. Its lines are comments here.
 */
static int run_again(void *arg)
{
	char **argv = arg;
	char command[4096];

	snprintf(command, sizeof(command), "'%s' %s | sed 's/^/# /'; exit ${PIPESTATUS[0]}",
		 argv[0], argv[1]);
	execl("/bin/bash", "bash", "-c", command, (char *)NULL);
	return 99;
}

int main(int argc, char **argv)
{
	char *again[] = { argv[0], (char *)"no-wipe", NULL };

	rig_begin();
	kernel_no_wipe = argc > 1;
	from = malloc(BYTES);
	to = malloc(BYTES);
	memset(from, 0x77, BYTES);
	setenv("SVA_THRESHOLD", "8k", 1);
	forks(false);
	forks(true);
	if (kernel_no_wipe)
		return tap_failed != 0;
	execs();
	while_busy();
	in_the_middle();
	while_opening();
	subject("a kernel without MADV_WIPEONFORK");
	is(rig_in_child(run_again, again), 0, "all of the tests of forks pass there");
	free(from);
	free(to);
	return done();
}
