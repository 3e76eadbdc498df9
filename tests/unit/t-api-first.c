/* SPDX-License-Identifier: MIT */
/*
 * A fork while another thread is in its first call of the library. That thread is stopped at each
 * call of libc that its first copy makes, one after the other; there the process forks, with and
 * without the handlers of pthread_atfork(3), and the child copies. It inherits every lock that the
 * other thread holds at that moment, and not the thread that would release it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sva/sva.h"
#include "tap.h"
#include "unit/rig.h"

#ifdef __SANITIZE_THREAD__
/* A child does not have the parent's other thread, and so cannot join it: this is not a leak. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);

const char *__tsan_default_options(void)
{
	return "report_thread_leaks=0";
}
#endif

#define BYTES 5000u

int __real_open(const char *path, int flags, ...);
void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int __real_madvise(void *addr, size_t len, int advice);
void *__real_calloc(size_t n, size_t size);
int __real_pthread_key_create(pthread_key_t *key, void (*destructor)(void *value));
int __real_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));
int __wrap_open(const char *path, int flags, ...);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int __wrap_madvise(void *addr, size_t len, int advice);
void *__wrap_calloc(size_t n, size_t size);
int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *value));
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

/* ---------------------------------------------------- the place where the first call is stopped */

static __thread bool stoppable;
static unsigned int stop_at, stop_ms;
static atomic_uint steps;
static atomic_bool stopped, go;

/*
 * Until the other thread has forked. A fork whose handler waits for a lock that this thread holds
 * cannot finish before this thread continues: then it continues after a while.
 */
static void step(void)
{
	if (!stoppable || atomic_fetch_add(&steps, 1) + 1 != stop_at)
		return;
	atomic_store(&stopped, true);
	for (unsigned int ms = 0; ms < stop_ms && !atomic_load(&go); ms++)
		usleep(1000);
}

int __wrap_open(const char *path, int flags, ...)
{
	unsigned int mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, unsigned int);
	va_end(ap);
	step();
	return __real_open(path, flags, mode);
}

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	step();
	return __real_mmap(addr, len, prot, flags, fd, offset);
}

static bool no_wipe;

int __wrap_madvise(void *addr, size_t len, int advice)
{
	step();
	if (advice == MADV_WIPEONFORK && no_wipe) {
		errno = EINVAL;
		return -1;
	}
	return __real_madvise(addr, len, advice);
}

void *__wrap_calloc(size_t n, size_t size)
{
	step();
	return __real_calloc(n, size);
}

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *value))
{
	step();
	return __real_pthread_key_create(key, destructor);
}

int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	step();
	return __real_pthread_atfork(prepare, parent, child);
}

/* -------------------------------- one fork, in a process that has not used the library before */

static uint8_t from[BYTES], to[BYTES];

static bool copies(void)
{
	memset(to, 0, BYTES);
	return !sva_memcpy(NULL, to, from, BYTES) && !memcmp(to, from, BYTES);
}

static void *first_call(void *arg)
{
	static uint8_t mine[BYTES];

	stoppable = true;
	*(int *)arg = sva_memcpy(NULL, mine, from, BYTES);
	stoppable = false;
	atomic_store(&stopped, true);
	return NULL;
}

enum { COPIED, PAST_THE_END, WRONG, PARENT_WRONG };

struct moment {
	unsigned int at;
	bool raw;
};

/* One that hangs is killed by the alarm. */
static int leaf(void *arg)
{
	(void)arg;
	alarm(10);
	return copies() ? COPIED : WRONG;
}

/* The child, and a child of the child. */
static int generations(void)
{
	int end = leaf(NULL);

	return end == COPIED ? rig_in_child(leaf, NULL) : end;
}

static int fork_at(void *arg)
{
	const struct moment *moment = arg;
	pthread_t thread;
	int status, err = 0;
	long pid;

	stop_at = moment->at;
	stop_ms = moment->raw ? 20000 : 30;
	alarm(60);
	if (pthread_create(&thread, NULL, first_call, &err))
		return PARENT_WRONG;
	while (!atomic_load(&stopped))
		usleep(100);
	pid = moment->raw ? syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) : fork();
	if (!pid)
		_exit(generations());
	atomic_store(&go, true);
	waitpid((pid_t)pid, &status, 0);
	pthread_join(thread, NULL);
	if (err || !copies())
		return PARENT_WRONG;
	if (WIFSIGNALED(status))
		return 100 + WTERMSIG(status);
	return WEXITSTATUS(status) == COPIED && atomic_load(&steps) < moment->at ?
		       PAST_THE_END :
		       WEXITSTATUS(status);
}

static void at_every_moment(bool raw, const char *what)
{
	unsigned int bad = 0, last;
	int end = COPIED;

	for (last = 1; end != PAST_THE_END && last < 1000; last++) {
		struct moment moment = { last, raw };

		end = rig_in_child(fork_at, &moment);
		if (end != COPIED && end != PAST_THE_END && bad++ < 10)
			printf("# at call %u of libc: %d\n", last, end);
		if (bad > 3)
			break;
	}
	ok(!bad,
	   "%s at every call of libc of another thread's first copy: parent, child and grandchild copy",
	   what);
	ok(last > 8, "there were %u such calls, the last of them behind the first copy", last - 1);
}

/* ------------------------------------------------------------------ at any time */

static int fork_after(void *arg)
{
	unsigned int delay = *(unsigned int *)arg;
	pthread_t thread;
	int status, err = 0;
	pid_t pid;

	alarm(60);
	if (pthread_create(&thread, NULL, first_call, &err))
		return PARENT_WRONG;
	for (volatile unsigned int i = 0; i < delay; i++)
		;
	pid = fork();
	if (!pid)
		_exit(leaf(NULL));
	waitpid(pid, &status, 0);
	pthread_join(thread, NULL);
	if (err || !copies())
		return PARENT_WRONG;
	return WIFSIGNALED(status) ? 100 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void at_any_time(void)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < 100 && bad < 3; i++) {
		unsigned int delay = i * 2000;
		int end = rig_in_child(fork_after, &delay);

		if (end && bad++ < 10)
			printf("# after %u turns: %d\n", delay, end);
	}
	is(bad, 0, "a hundred forks at other times after the start of the first copy");
}

static bool sanitized_by(const char *name)
{
	const char *all = getenv("SANITIZERS");

	return all && strstr(all, name);
}

int main(void)
{
	rig_begin();
	setenv("SVA_THRESHOLD", "1", 1);
	memset(from, 0x5a, BYTES);
	at_every_moment(false, "fork");
	no_wipe = true;
	at_every_moment(false, "fork, on a kernel without MADV_WIPEONFORK,");
	no_wipe = false;
	if (sanitized_by("thread") || sanitized_by("address"))
		skip("a raw clone", "the sanitizer has to know of every process");
	else
		at_every_moment(true, "a raw clone");
	at_any_time();
	return done();
}
