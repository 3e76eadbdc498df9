/* SPDX-License-Identifier: MIT */
/*
 * The guard of the path cpu: bad pointers give -EFAULT, in every thread, any number of times; every
 * signal that is not the guard's goes to the handler that was installed before, with the flags and
 * the mask of that handler; without the guard a bad pointer ends the process as in C.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sva/sva.h"
#include "tap.h"
#include "unit/rig.h"

/* no address of any program: #GP instead of a page fault */
#define NOWHERE ((uint8_t *)0x0040000000000000)

static uint8_t *pages, *good;
static struct sva *sva;

static void set_guard(struct sva_opts *opts)
{
	opts->flags = SVA_OPEN_GUARD;
}

static bool reported(const uint8_t *bad, bool write)
{
	const struct sva_result *last = sva_last_result();

	return last->error == -EFAULT && last->fault_addr / RIG_PAGE == (uintptr_t)bad / RIG_PAGE &&
	       last->fault_write == write && last->path == SVA_PATH_CPU;
}

/* ------------------------------------------------------------------ bad pointers */

static void bad_pointers(void)
{
	static const size_t lengths[] = { 1, 7, 8, 64, 300, 4095, 4097, 2 * RIG_PAGE };
	uint8_t *bad = pages + RIG_PAGE;

	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t len = lengths[i];

		subject("length %zu", len);
		rig_page_deny(bad);
		is_rc(sva_memcpy(sva, good, bad + RIG_PAGE - 1, len), -EFAULT,
		   "a copy from the last byte of a bad page");
		ok(reported(bad, false), "the result has address and direction of the read");
		is_rc(sva_memcpy(sva, bad - 1, good, len + 1), -EFAULT, "a copy to a bad page");
		ok(reported(bad, true), "the result has address and direction of the copy");
		is_rc(sva_memfill(sva, bad - 1, 0x1234567890abcdef, len + 1), -EFAULT,
		   "a fill with a pattern of a bad page");
		ok(reported(bad, true), "the result has address and direction of the fill");
		is_rc(sva_memfill(sva, bad - 1, 0, len + 1), -EFAULT, "a fill with zeros");
		ok(reported(bad, true),
		   "the result has address and direction of the fill with zeros");
		rig_page_readonly(bad);
		is_rc(sva_memcpy(sva, good, bad, len < RIG_PAGE ? len : RIG_PAGE), 0,
		   "a page that can only be read is read");
		is_rc(sva_memcpy(sva, bad, good, len), -EFAULT,
		      "a page that can only be read is written");
		ok(reported(bad, true), "the result has address and direction of the write");
		rig_page_good(bad);
		is_rc(sva_memcpy(sva, bad - 1, good, len + 1), 0,
		      "a copy when the page is good again");
		ok(!sva_last_result()->error && sva_last_result()->bytes == len + 1,
		   "the result has no error and all bytes");
	}
	subject("addresses");
	is_rc(sva_memcpy(sva, NULL, good, 10), -EFAULT, "a copy to null");
	is_rc(sva_memcpy(sva, good, (void *)8, 10), -EFAULT, "a copy from address 8");
	is_rc(sva_memcpy(sva, good, (void *)(UINTPTR_MAX - 5), 10), -EINVAL,
	   "a copy from a range that wraps around");
	is_rc(sva_memcpy(sva, good, NOWHERE, 10), -EFAULT, "a copy from a non-canonical address");
	is_rc(sva_memfill(sva, NOWHERE, 1, 100), -EFAULT, "a fill of a non-canonical address");
	is_rc(sva_memcpy(sva, NULL, NULL, 0), 0, "a copy of no bytes");
	ok(!sva_last_result()->error,
	   "with a guard, a copy of no bytes replaces the error of the call before");
	is_rc(sva_memcpy(sva, good, good + 100, 10), 0, "a copy of 10 bytes");
	is_rc(sva_memcpy(sva, NULL, NULL, 0), 0, "a copy of no bytes after it");
	ok(!sva_last_result()->bytes && sva_last_result()->path == SVA_PATH_CPU,
	   "with a guard, a copy of no bytes replaces the bytes of the call before");
}

/* Beyond the end of a file: SIGBUS. */
static void bus_error(void)
{
	FILE *file = tmpfile();
	uint8_t *map;

	if (!file || ftruncate(fileno(file), RIG_PAGE)) {
		skip("a copy from beyond the end of a mapped file", "no temporary file");
		return;
	}
	map = mmap(NULL, 2 * RIG_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
	is_rc(sva_memcpy(sva, map + RIG_PAGE - 8, good, 16), -EFAULT,
	      "a copy from beyond the end of a mapped file");
	ok(reported(map + RIG_PAGE, true), "a mapped file: the result has address and direction");
	is_rc(sva_memcpy(sva, good, map + RIG_PAGE - 8, 8), 0,
	      "a copy up to the end of a mapped file");
	munmap(map, 2 * RIG_PAGE);
	fclose(file);
}

static void *hammer(void *arg)
{
	uint8_t *mine = rig_pages(2), buffer[100];
	unsigned int wrong = 0;

	(void)arg;
	rig_page_deny(mine + RIG_PAGE);
	for (int i = 0; i < 2000; i++) {
		wrong += sva_memcpy(sva, buffer, mine + RIG_PAGE - i % 100, 100) != -EFAULT;
		wrong += !reported(mine + RIG_PAGE, false);
		wrong += sva_memcpy(sva, buffer, mine + RIG_PAGE - 100, 100) != 0;
	}
	return (void *)(uintptr_t)wrong;
}

static void threads(void)
{
	pthread_t thread[4];

	subject("four threads at a time");
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, hammer, NULL);
	for (int i = 0; i < 4; i++) {
		void *wrong;

		pthread_join(thread[i], &wrong);
		is((uintptr_t)wrong, 0,
		   "each of thousands of bad pointers in a thread is reported");
	}
}

/* With a device and a guard, the threshold still counts. */
static void set_guard_and_list(struct sva_opts *opts)
{
	opts->flags = SVA_OPEN_GUARD;
	opts->paths = "soft,cpu";
}

static void with_other_paths(void)
{
	struct sva *both = rig_open_opts(NULL, set_guard_and_list);

	subject("guard and soft");

	for (int i = 0; i < 3; i++) {
		is_rc(sva_memcpy(both, good, pages, 2 * RIG_PAGE), 0, "a copy below the threshold");
		is_path(sva_last_result()->path, SVA_PATH_CPU, "the call's result has the path");
		is_reason(sva_last_result()->reason, SVA_REASON_TOO_SMALL,
			  "the call's result has the reason");
		is_rc(sva_memcpy(both, good, pages, 5 * RIG_PAGE), 0, "a copy above the threshold");
		is_path(sva_last_result()->path, SVA_PATH_SOFT, "the call's result has the path");
	}
	rig_page_deny(pages + RIG_PAGE);
	is_rc(sva_memcpy(both, good, pages, 2 * RIG_PAGE), -EFAULT,
	      "a copy below the threshold from a bad page");
	ok(reported(pages + RIG_PAGE, false),
	   "below the threshold: the result has address and direction");
	is_rc(sva_memcpy(both, good, pages, 5 * RIG_PAGE), -EFAULT,
	      "a copy above the threshold from a bad page");
	is(sva_last_result()->fault_addr, (uintptr_t)pages + RIG_PAGE,
	   "above the threshold: the result has the address");
	rig_page_good(pages + RIG_PAGE);
	sva_close(both);
}

/* ------------------------------------------------------------- signals that are not the guard's */

enum what {
	CRASH,
	BUS,
	RAISE,
	KILL,
	QUEUE,
	IGNORED_RAISE,
	IGNORED_CRASH,
	OLD_HANDLER,
	OLD_INFO,
	UNGUARDED,
	AFTER_GUARDED,
	CASES
};

static volatile sig_atomic_t handled;

static void old_handler(int sig)
{
	handled = sig;
	_exit(40 + (sig == SIGSEGV));
}

static void old_info(int sig, siginfo_t *info, void *context)
{
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	_exit(50 + (sig == SIGSEGV && info->si_addr == pages + RIG_PAGE + 5 && context != NULL) +
	      2 * sigismember(&mask, SIGUSR2));
}

/* In a child: installs its handlers before the guard does. */
static int in_child(void *arg)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO };
	enum what what = *(enum what *)arg;
	volatile uint8_t *bad = pages + RIG_PAGE + 5;
	struct sva *mine;

	rig_page_deny(pages + RIG_PAGE);
	signal(SIGSEGV, what == IGNORED_RAISE || what == IGNORED_CRASH ? SIG_IGN : SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	if (what == OLD_HANDLER)
		signal(SIGSEGV, old_handler);
	if (what == OLD_INFO) {
		action.sa_sigaction = old_info;
		sigemptyset(&action.sa_mask);
		sigaddset(&action.sa_mask, SIGUSR2);
		sigaction(SIGSEGV, &action, NULL);
	}
	mine = rig_open_opts(NULL, what == UNGUARDED ? NULL : set_guard);
	if (what == AFTER_GUARDED && sva_memcpy(mine, good, (void *)bad, 1) != -EFAULT)
		return 9;
	switch (what) {
	case RAISE:
	case IGNORED_RAISE:
		raise(SIGSEGV);
		break;
	case KILL:
		kill(getpid(), SIGBUS);
		break;
	case QUEUE:
		sigqueue(getpid(), SIGSEGV, (union sigval){ .sival_int = 1 });
		break;
	case BUS:
		raise(SIGBUS);
		break;
	case UNGUARDED:
		sva_memcpy(mine, good, (void *)bad, 1);
		break;
	default:
		*bad = 1;
		break;
	}
	return 7; /* the signal had no effect */
}

static void passed_on(void)
{
	static const struct { const char *name; int want; } cases[CASES] = {
		[CRASH] = { "a bad access of the program's own", 1000 + SIGSEGV },
		[BUS] = { "a SIGBUS that is raised", 1000 + SIGBUS },
		[RAISE] = { "a SIGSEGV that is raised", 1000 + SIGSEGV },
		[KILL] = { "a SIGBUS that is sent", 1000 + SIGBUS },
		[QUEUE] = { "a SIGSEGV that is queued", 1000 + SIGSEGV },
		[IGNORED_RAISE] = { "a SIGSEGV that is raised and ignored has no effect", 7 },
		[IGNORED_CRASH] = { "a bad access while SIGSEGV is ignored", 1000 + SIGSEGV },
		[OLD_HANDLER] = { "a bad access with an earlier handler runs it", 41 },
		[OLD_INFO] = { "a bad access with an earlier SA_SIGINFO handler runs it", 53 },
		[UNGUARDED] = { "a bad pointer without the guard", 1000 + SIGSEGV },
		[AFTER_GUARDED] = { "a bad access after a guarded one", 1000 + SIGSEGV },
	};
	const char *sanitizers = getenv("SANITIZERS");

	subject("signals that are not the guard's");

	for (enum what what = 0; what < CASES; what++) {
		/*
		 * The sanitizers have handlers of their own, which end the program in another way.
		 */
		if (sanitizers && strcmp(sanitizers, "no") && cases[what].want > 1000)
			skip(cases[what].name, "sanitizers handle the signal themselves");
		else
			is(rig_in_child(in_child, &what), cases[what].want, cases[what].name);
	}
}

int main(void)
{
	rig_begin();
	pages = rig_pages(6);
	good = rig_pages(6);
	/* First what children do: this process does not have the guard's handlers yet. */
	passed_on();
	sva = rig_open_opts(NULL, set_guard);
	bad_pointers();
	bus_error();
	threads();
	with_other_paths();
	sva_close(sva);
	return done();
}
