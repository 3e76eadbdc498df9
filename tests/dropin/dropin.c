/* SPDX-License-Identifier: MIT */
/*
 * Calls what the drop-in replaces, in every place where it may be called: before main(), in signal
 * handlers, in children of fork(2) and vfork(2), in threads that are cancelled, with all
 * descriptors closed. Each result is compared with that of a loop. It knows nothing of libsva and
 * links only libc. Built with -fno-builtin, so that every call is one.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include "tap.h"

#define BIG ((size_t)300000)

static unsigned char from[BIG + 64], to[BIG + 64], want[BIG + 64];

void *__memcpy_chk(void *dst, const void *src, size_t len, size_t size);
void *__memmove_chk(void *dst, const void *src, size_t len, size_t size);
void *__memset_chk(void *dst, int value, size_t len, size_t size);
void *__mempcpy_chk(void *dst, const void *src, size_t len, size_t size);
wchar_t *__wmemcpy_chk(wchar_t *dst, const wchar_t *src, size_t n, size_t size);
wchar_t *__wmemset_chk(wchar_t *dst, wchar_t value, size_t n, size_t size);

static void number(unsigned char *p, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)((i * 2654435761u + seed) >> 13);
}

/* Byte by byte, through a volatile pointer, so that it stays a loop. */
static void loop_copy(void *dst, const void *src, size_t len)
{
	volatile unsigned char *d = dst;
	const volatile unsigned char *s = src;

	for (size_t i = 0; i < len; i++)
		d[i] = s[i];
}

static bool same(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *one = a, *two = b;

	for (size_t i = 0; i < len; i++)
		if (one[i] != two[i])
			return false;
	return true;
}

static bool all(const void *p, unsigned char value, size_t len)
{
	const volatile unsigned char *one = p;

	for (size_t i = 0; i < len; i++)
		if (one[i] != value)
			return false;
	return true;
}

static bool early; /* what early_calls() found */

/* Before the constructors of libraries that start later, and before main(). */
static __attribute__((constructor(101))) void early_calls(void)
{
	number(from, BIG, 1);
	memcpy(to, from, BIG);
	early = same(to, from, BIG) && !memcmp(to, from, BIG);
	memset(to, 7, BIG);
	early = early && all(to, 7, BIG);
}

static void copies(void)
{
	static const size_t lengths[] = {0, 1, 64, 4095, 16383, 16384, 16385, 70001, BIG};

	subject("copies");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t n = lengths[i];

		number(from, BIG, (unsigned int)n);
		memset(to, 0xee, sizeof(to));
		ok(memcpy(to + 1, from, n) == to + 1 && same(to + 1, from, n) && to[0] == 0xee &&
			   to[n + 1] == 0xee,
		   "memcpy() of %zu bytes copies these and no others", n);
		memset(to, 0xee, sizeof(to));
		ok(mempcpy(to, from, n) == to + n && same(to, from, n) && to[n] == 0xee,
		   "mempcpy() of %zu bytes returns the end", n);
		memset(to, 0xee, sizeof(to));
		ok(memmove(to, from, n) == to && same(to, from, n) && to[n] == 0xee,
		   "memmove() of %zu bytes copies these and no others", n);
	}
	memset(to, 0, BIG);
	ok(__memcpy_chk(to, from, BIG, BIG) == to && same(to, from, BIG), "__memcpy_chk() copies");
	memset(to, 0, BIG);
	ok(__memmove_chk(to, from, BIG, BIG) == to && same(to, from, BIG),
	   "__memmove_chk() copies");
	memset(to, 0, BIG);
	ok(__mempcpy_chk(to, from, BIG, BIG) == to + BIG && same(to, from, BIG),
	   "__mempcpy_chk() copies");
	memset(to, 0, BIG);
	bcopy(from, to, BIG);
	ok(same(to, from, BIG), "bcopy() copies");
	memset(to, 0, BIG);
	ok(wmemcpy((wchar_t *)to, (wchar_t *)from, BIG / 4) == (wchar_t *)to && same(to, from, BIG),
	   "wmemcpy() counts wide characters");
	memset(to, 0, BIG);
	ok(wmempcpy((wchar_t *)to, (wchar_t *)from, BIG / 4) == (wchar_t *)to + BIG / 4 &&
		   same(to, from, BIG),
	   "wmempcpy() counts wide characters");
	memset(to, 0, BIG);
	ok(wmemmove((wchar_t *)to, (wchar_t *)from, BIG / 4) == (wchar_t *)to &&
		   same(to, from, BIG),
	   "wmemmove() counts wide characters");
	memset(to, 0, BIG);
	ok(__wmemcpy_chk((wchar_t *)to, (wchar_t *)from, BIG / 4, BIG / 4) == (wchar_t *)to &&
		   same(to, from, BIG),
	   "__wmemcpy_chk() counts wide characters");
}

static void overlaps(void)
{
	static const long shifts[] = {-200000, -4096, -1, 0, 1, 63, 4096, 200000};
	static unsigned char buffer[3 * BIG];

	subject("overlap");
	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
		number(buffer, sizeof(buffer), 5);
		loop_copy(want, buffer + BIG, BIG);
		memmove(buffer + BIG + shifts[i], buffer + BIG, BIG);
		ok(same(buffer + BIG + shifts[i], want, BIG),
		   "memmove() by %ld bytes gives the source as it was", shifts[i]);
	}
}

static void fills(void)
{
	static const int values[] = {0, 1, 0x7f, 0x80, 0xff, 0x1234, -1};
	bool good = true;

	subject("fills");
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		memset(to, 0x55, sizeof(to));
		ok(memset(to + 3, values[i], BIG) == to + 3 &&
			   all(to + 3, (unsigned char)values[i], BIG) && to[2] == 0x55 &&
			   to[BIG + 3] == 0x55,
		   "memset() with %d fills with its low byte", values[i]);
	}
	bzero(to, BIG);
	ok(all(to, 0, BIG), "bzero() fills with zeros");
	ok(__memset_chk(to, 9, BIG, BIG) == to && all(to, 9, BIG), "__memset_chk() fills");
	wmemset((wchar_t *)to, 0x01020304, BIG / 4);
	for (size_t i = 0; i < BIG; i++)
		good = good && to[i] == 4 - i % 4;
	ok(good, "wmemset() fills with wide characters");
	__wmemset_chk((wchar_t *)to, -2, BIG / 4, BIG / 4);
	ok(((wchar_t *)to)[0] == -2 && ((wchar_t *)to)[BIG / 4 - 1] == -2,
	   "__wmemset_chk() fills with negative characters");
}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

static void comparisons(void)
{
	static const size_t places[] = {0, 1, 7, 8, 4095, 4096, 150001, BIG - 1};

	subject("comparisons");
	number(from, BIG, 3);
	loop_copy(to, from, BIG);
	is(memcmp(to, from, BIG), 0, "memcmp() of equal buffers is 0");
	is(bcmp(to, from, BIG), 0, "bcmp() of equal buffers is 0");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		size_t at = places[i];

		loop_copy(to, from, BIG);
		from[at] = 0x80;
		to[at] = 0x7f;
		/* What comes behind the first difference does not count. */
		if (at + 1 < BIG)
			to[at + 1] = 0xff;
		ok(sign(memcmp(to, from, BIG)) == -1 && sign(memcmp(from, to, BIG)) == 1,
		   "memcmp() has the sign of the first difference, as of unsigned bytes, at %zu",
		   at);
	}
	wmemset((wchar_t *)to, 1, BIG / 4);
	wmemset((wchar_t *)from, 1, BIG / 4);
	is(wmemcmp((wchar_t *)to, (wchar_t *)from, BIG / 4), 0, "wmemcmp() of equal buffers is 0");
	((wchar_t *)to)[60000] = -1;
	ok(wmemcmp((wchar_t *)to, (wchar_t *)from, BIG / 4) < 0,
	   "wmemcmp() compares signed wide characters");
}

/* A bad pointer is what it is in C: a signal, at the address. */
static sigjmp_buf back;
static void *fault_at;
static char *readonly_page;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	fault_at = info->si_addr;
	if (!readonly_page)
		siglongjmp(back, 1);
	/* As a garbage collector's write barrier does: permit it, and let the copy go on. */
	mprotect(readonly_page, BIG, PROT_READ | PROT_WRITE);
}

static void faults(void)
{
	struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old;
	char *hole =
		mmap(NULL, 2 * BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *cut = hole + (BIG & ~4095ul);

	subject("bad addresses");
	sigaction(SIGSEGV, &act, &old);
	sigaction(SIGBUS, &act, NULL);
	ok(old.sa_handler == SIG_DFL, "sigaction() returns what was set before");
	readonly_page = mmap(NULL, BIG, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(readonly_page, from, BIG);
	ok(same(readonly_page, from, BIG) && fault_at,
	   "a copy goes on after a handler has made its page writable");
	readonly_page = NULL;
	munmap(cut, 2 * BIG - (BIG & ~4095ul));
	if (!sigsetjmp(back, 1)) {
		memcpy(hole, from, BIG);
		ok(false, "a copy to memory that is not mapped is a SIGSEGV");
	} else {
		ok(fault_at >= (void *)cut && fault_at < (void *)(cut + BIG),
		   "a copy to memory that is not mapped is a SIGSEGV with its address");
	}
	sigaction(SIGSEGV, NULL, &old);
	ok(old.sa_sigaction == on_fault, "sigaction() returns the program's own handler");
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
}

static volatile sig_atomic_t handled, handler_good, all_sent;

static void on_alarm(int sig)
{
	static unsigned char source[BIG], copy[BIG];

	(void)sig;
	handled++;
	memset(source, (int)handled, BIG);
	memcpy(copy, source, BIG);
	handler_good += same(copy, source, BIG) && !memcmp(copy, source, BIG);
}

static void *signals_thread(void *arg)
{
	pthread_t *target = arg;

	for (int i = 0; i < 40; i++) {
		pthread_kill(*target, SIGUSR1);
		usleep(2000);
	}
	all_sent = 1;
	return NULL;
}

/* The handler interrupts malloc(3), copies, and the library. */
static void signals(void)
{
	pthread_t self = pthread_self(), other;
	bool good = true;

	subject("signals");
	ok(signal(SIGUSR1, on_alarm) == SIG_DFL, "signal() returns what was set before");
	ok(signal(SIGUSR1, on_alarm) == on_alarm, "signal() returns the program's own handler");
	pthread_create(&other, NULL, signals_thread, &self);
	while (!all_sent || !handled) {
		unsigned char *p = malloc(BIG);

		memcpy(p, from, BIG);
		good = good && same(p, from, BIG);
		p = realloc(p, 2 * BIG);
		good = good && same(p, from, BIG);
		free(p);
	}
	pthread_join(other, NULL);
	ok(good, "copies that signals interrupt are right");
	is(handler_good, handled, "copies in the handlers are right");
	signal(SIGUSR1, SIG_DFL);
}

static int child_status(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

static void children(void)
{
	unsigned char *shared =
		mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	subject("children");
	number(from, BIG, 8);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		memset(to, 0, BIG);
		memcpy(to, from, BIG);
		memcpy(shared, to, BIG);
		_exit(same(to, from, BIG) && !memcmp(to, from, BIG) ? 3 : 4);
	}
	is(child_status(pid), 3, "copies in a child of fork() are right");
	ok(same(shared, from, BIG), "what the child copied to shared memory is there");
	pid = vfork();
	if (!pid) {
		memset(shared, 9, BIG);
		execlp("true", "true", (char *)NULL);
		_exit(5);
	}
	is(child_status(pid), 0, "a child of vfork() fills and executes a program");
	ok(all(shared, 9, BIG), "what a child of vfork() filled is there");
	memset(to, 0, BIG);
	memcpy(to, from, BIG);
	ok(same(to, from, BIG), "the parent copies after vfork()");
	munmap(shared, BIG);
}

static void *copy_until_cancelled(void *arg)
{
	unsigned char *p = arg;
	int before;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);
	for (;;) {
		memcpy(p + BIG, p, BIG);
		memset(p + BIG, 1, BIG);
	}
	return NULL;
}

static void cancellation(void)
{
	void *result;
	int cancelled = 0;

	subject("cancellation");
	for (int i = 0; i < 10; i++) {
		unsigned char *p = malloc(2 * BIG);
		pthread_t thread;

		memset(p, i, 2 * BIG);
		pthread_create(&thread, NULL, copy_until_cancelled, p);
		usleep(3000);
		pthread_cancel(thread);
		pthread_join(thread, &result);
		cancelled += result == PTHREAD_CANCELED;
		/* Nothing may write to it any more. */
		free(p);
	}
	is(cancelled, 10, "threads are cancelled asynchronously while they copy");
	memcpy(to, from, BIG);
	ok(same(to, from, BIG), "others copy afterwards");
}

static void descriptors(void)
{
	subject("descriptors");
	closefrom(3);
	memset(to, 0, BIG);
	memcpy(to, from, BIG);
	ok(same(to, from, BIG), "a copy is right after all descriptors were closed");
	errno = 77;
	memcpy(to, from, BIG);
	is(errno, 77, "errno is left alone");
}

int main(void)
{
	subject("before main()");
	ok(early, "copies, fills and comparisons of a constructor are right");
	copies();
	overlaps();
	fills();
	comparisons();
	faults();
	signals();
	children();
	cancellation();
	descriptors();
	return done();
}
