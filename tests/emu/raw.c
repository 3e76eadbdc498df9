/* SPDX-License-Identifier: MIT */
/*
 * Run under sva-emu: a program that makes its system calls itself, past libc, as the Go runtime
 * does. Queues are opened, mapped and written to, handlers are installed and signals blocked, by
 * each way of making a system call; the emulator has to see all of it. raw WAY
 * [no-mmap|refuse-sva|unseen|ptrace]: insn (an instruction in this program) or syscall (the
 * function of libc).
 */
#include <cpuid.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <threads.h>
#include <ucontext.h>

#include "client.h"
#include "../tap.h"

#define SHARED "/dev/dsa/wq0.0"
#define DEDICATED "/dev/dsa/wq0.1"

static bool by_function;
static const char *how = "";
static struct sva_desc desc;
static struct sva_comp comp;
static uint8_t from[4096], to[4096];

/* Make a system call by the way that is tested. Returns -errno, as the kernel does. */
static long call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	if (by_function) {
		ret = syscall(nr, a, b, c, d, e, f);
		return ret == -1 ? -errno : ret;
	}
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define CALL3(nr, a, b, c) call(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(nr, a, b, c, d) call(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define CALL6(nr, a, b, c, d, e, f) \
	call(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static void fresh(void)
{
	prep_new_bytes(&desc, &comp, from, to, sizeof(from));
}

static bool copied(void)
{
	return wait_record(&comp, 5) == SVA_STATUS_SUCCESS && !memcmp(from, to, sizeof(from));
}

static bool copies(void *portal)
{
	fresh();
	return !enqcmd(portal, &desc) && copied();
}

static long map_portal(long fd)
{
	return CALL6(SYS_mmap, 0, 4096, PROT_WRITE, MAP_SHARED, fd, 0);
}

/* --- the device --- */

static void test_shared(const char *name, long fd)
{
	long portal, ret;

	if (!ok(fd >= 0, "%s: a shared queue is opened (%ld)", name, fd))
		return;
	portal = map_portal(fd);
	if (!strcmp(how, "no-mmap")) {
		is(portal, -EPERM, "mmap(2) of a queue is refused with --no-mmap");
	} else {
		ok(portal > 0 && copies((void *)portal),
		   "%s: the queue is mapped, and ENQCMD copies", name);
		is(CALL3(SYS_munmap, portal, 4096, 0), 0, "munmap(2) of a portal returns 0");
	}
	fresh();
	ok(CALL3(SYS_write, fd, &desc, 64) == 64 && copied(), "%s: write(2) of a descriptor copies",
	   name);
	ret = CALL3(SYS_read, fd, to, 64);
	is(ret, !strcmp(how, "ptrace") ? 0 : -EINVAL,
	   "read(2) of a queue returns what the driver returns (traced: what a file returns)");
	is(CALL3(SYS_close, fd, 0, 0), 0, "close(2) of a queue returns 0");
}

static void test_opens(void)
{
	struct open_how open_how = { .flags = O_RDWR | O_CLOEXEC };
	struct iovec iov[2] = { {&desc, 64 }, {&desc, 64}};
	long fd, second;

	test_shared("openat", CALL4(SYS_openat, AT_FDCWD, SHARED, O_RDWR | O_CLOEXEC, 0));
	test_shared("open", CALL3(SYS_open, SHARED, O_RDWR | O_CLOEXEC, 0));
	test_shared("creat", CALL3(SYS_creat, SHARED, 0600, 0) >= 0 ?
				     CALL3(SYS_open, SHARED, O_RDWR, 0) :
				     -1);
	fd = CALL4(SYS_openat2, AT_FDCWD, SHARED, &open_how, sizeof(open_how));
	if (fd == -ENOSYS)
		skip("openat2: a shared queue is opened", "this kernel has no openat2");
	else
		test_shared("openat2", fd);
	fd = CALL4(SYS_openat, AT_FDCWD, SHARED, O_RDWR | O_CLOEXEC, 0);
	second = CALL3(SYS_dup, fd, 0, 0);
	CALL3(SYS_close, fd, 0, 0);
	test_shared("dup", second);
	fd = CALL4(SYS_openat, AT_FDCWD, SHARED, O_RDWR | O_CLOEXEC, 0);
	fresh();
	is(CALL3(SYS_writev, fd, iov, 2), 128, "writev(2) of two descriptors takes both");
	is(CALL3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 100), 100,
	   "fcntl(2) makes a copy with the number that was asked for");
	CALL3(SYS_close, fd, 0, 0);
	test_shared("fcntl", 100);
	is(CALL4(SYS_openat, AT_FDCWD, "/dev/dsa/wq0.7", O_RDWR, 0), -ENOENT,
	   "a queue that is not enabled has no node");
	is(CALL4(SYS_openat, AT_FDCWD, NULL, O_RDWR, 0), -EFAULT,
	   "a path that is not mapped is EFAULT");
}

static void test_dedicated(void)
{
	long fd = CALL4(SYS_openat, AT_FDCWD, DEDICATED, O_RDWR | O_CLOEXEC, 0), portal;

	ok(fd >= 0, "openat(2) opens a dedicated queue");
	is(CALL4(SYS_openat, AT_FDCWD, DEDICATED, O_RDWR | O_CLOEXEC, 0), -EBUSY,
	   "a second openat(2) of a dedicated queue is EBUSY");
	is(open(DEDICATED, O_RDWR) < 0 ? errno : 0, EBUSY,
	   "open() of a dedicated queue that is in use is EBUSY");
	portal = map_portal(fd);
	if (strcmp(how, "no-mmap")) {
		fresh();
		movdir64b((void *)portal, &desc);
		ok(copied(), "MOVDIR64B to the portal of a dedicated queue copies");
		CALL3(SYS_munmap, portal, 4096, 0);
	}
	CALL3(SYS_close, fd, 0, 0);
	fd = CALL4(SYS_openat, AT_FDCWD, DEDICATED, O_RDWR | O_CLOEXEC, 0);
	ok(fd >= 0, "a dedicated queue can be opened again after it was closed (%ld)", fd);
	CALL3(SYS_close, fd, 0, 0);
}

/* A child of fork(2) has no PASID, and cannot use what its parent opened. */
static void test_child(void)
{
	long fd = CALL4(SYS_openat, AT_FDCWD, SHARED, O_RDWR | O_CLOEXEC, 0), pid, own, good = 0;
	int status = 0;

	pid = CALL3(SYS_fork, 0, 0, 0);
	if (pid == 0) {
		fresh();
		good |= write((int)fd, &desc, 64) == -1 && errno == EPERM;
		own = CALL4(SYS_openat, AT_FDCWD, SHARED, O_RDWR | O_CLOEXEC, 0);
		fresh();
		good |= (own >= 0 && CALL3(SYS_write, own, &desc, 64) == 64 && copied()) << 1;
		_exit((int)good);
	}
	waitpid((pid_t)pid, &status, 0);
	is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 3,
	   "a child of fork may not use its parent's descriptor, and can open a queue itself");
	CALL3(SYS_close, fd, 0, 0);
}

/*
 * A child that shares memory and stack until it ends, as the Go runtime starts programs. It touches
 * neither.
 */
static void test_vfork(void)
{
	static const long flags = 0x4100 | SIGCHLD; /* CLONE_VFORK | CLONE_VM */
	int status = 0;
	long pid;

	__asm__ volatile(
		"syscall\n\ttest %%rax,%%rax\n\tjnz 1f\n\tmov %2,%%eax\n\tmov $7,%%edi\n\tsyscall\n1:"
		: "=a"(pid)
		: "0"((long)SYS_clone), "i"(SYS_exit), "D"(flags), "S"(0l), "d"(0l)
		: "rcx", "r11", "memory");
	waitpid((pid_t)pid, &status, 0);
	is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 7,
	   "a child that shares the memory ends, and its parent goes on");
}

/* io_uring opens a file in the kernel: no system call of the program names it. */
static long open_by_ring(const char *path)
{
	struct io_uring_params params = { 0 };
	long ring = syscall(SYS_io_uring_setup, 4, &params), fd;
	uint8_t *sq, *cq;
	struct io_uring_sqe *sqe;

	if (ring < 0)
		return -ENOSYS;
	sq = mmap(NULL, params.sq_off.array + 4 * sizeof(uint32_t), PROT_READ | PROT_WRITE,
		  MAP_SHARED, (int)ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, params.cq_off.cqes + 8 * sizeof(struct io_uring_cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED, (int)ring, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, 4 * sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, (int)ring,
		   IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED)
		return -ENOSYS;
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_OPENAT;
	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t)path;
	sqe->open_flags = O_RDWR | O_CLOEXEC;
	*(uint32_t *)(void *)(sq + params.sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(void *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -ENOSYS;
	fd = ((struct io_uring_cqe *)(void *)(cq + params.cq_off.cqes))->res;
	close((int)ring);
	return fd;
}

static void test_ring(void)
{
	long fd = open_by_ring(SHARED), portal;

	if (fd == -ENOSYS || fd == -EINVAL || fd == -EPERM || fd == -ENOENT) {
		skip("io_uring: a queue that it opened can be mapped, and ENQCMD copies",
		     fd == -ENOENT ? "paths are redirected, and not those of io_uring" :
				     "no io_uring here");
		return;
	}
	portal = map_portal(fd);
	if (!strcmp(how, "no-mmap") || !strcmp(how, "ptrace"))
		is(portal, -EPERM, "io_uring: the mmap of what it opened is refused");
	else
		ok(portal > 0 && copies((void *)portal),
		   "io_uring: a queue that it opened can be mapped, and ENQCMD copies");
	close((int)fd);
}

/* --- signals --- */

static long kernel_mask(int action, const uint64_t *set, uint64_t *old)
{
	return CALL4(SYS_rt_sigprocmask, action, set, old, 8);
}

static void *portal;

static void test_mask(void)
{
	uint64_t all = ~0ull,
		 ours = 1ull << (SIGILL - 1) | 1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1), before,
		 seen = 0;
	sigset_t set;

	kernel_mask(SIG_SETMASK, &all, &before);
	ok(copies(portal), "all signals blocked: ENQCMD copies");
	fresh();
	desc.src = 64;
	ok(!enqcmd(portal, &desc) &&
		   (wait_record(&comp, 5) & SVA_STATUS_MASK) == SVA_STATUS_PAGE_FAULT,
	   "all signals blocked: a bad address is a page fault in the record");
	kernel_mask(SIG_BLOCK, NULL, &seen);
	is(seen & ours, ours, "rt_sigprocmask(2) returns our signals as blocked");
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	ok(sigismember(&set, SIGILL) == 1 && sigismember(&set, SIGBUS) == 1,
	   "pthread_sigmask() returns them as blocked, too");
	kernel_mask(SIG_UNBLOCK, &ours, NULL);
	kernel_mask(SIG_BLOCK, NULL, &seen);
	is(seen & ours, 0, "rt_sigprocmask(2) returns them as unblocked afterwards");
	kernel_mask(SIG_SETMASK, &before, NULL);
	kernel_mask(SIG_BLOCK, NULL, &seen);
	is(seen, before, "rt_sigprocmask(2) restores the mask");
	is(kernel_mask(17, &all, NULL), -EINVAL, "an unknown way to change it is EINVAL");
	is(kernel_mask(SIG_BLOCK, (void *)64, NULL), -EFAULT,
	   "a mask that is not mapped is EFAULT");
	kernel_mask(SIG_BLOCK, &ours, NULL);
	ok(copies(portal), "SIGILL, SIGSEGV and SIGBUS blocked: ENQCMD copies");
	kernel_mask(SIG_SETMASK, &before, NULL);
}

struct kernel_action {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

/* The return from a handler, by an instruction of this program. */
void raw_restore(void);
__asm__(".text\n.globl raw_restore\n.type raw_restore,@function\n"
	"raw_restore:\n	mov $15,%eax\n	syscall\n.size raw_restore,.-raw_restore\n.previous\n");
#define SA_RESTORER 0x04000000ul

static volatile int handled, handled_good;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	handled = signo;
	handled_good = copies(portal);
}

/* Changes the mask that the interrupted code continues with. */
static void on_signal_block(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	handled = signo;
	sigfillset(&uc->uc_sigmask);
}

/* Skips the instruction that raised the signal. */
static void on_undefined(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	handled = signo;
	uc->uc_mcontext.gregs[REG_RIP] += 2;
}

static long kernel_action(int signo, void (*handler)(int, siginfo_t *, void *),
			  struct kernel_action *old)
{
	struct kernel_action act = {handler, SA_SIGINFO | SA_RESTORER, (void *)raw_restore, ~0ull};

	return CALL4(SYS_rt_sigaction, signo, handler ? &act : NULL, old, 8);
}

static void test_handlers(void)
{
	struct sigaction by_libc = { .sa_sigaction = on_signal_block, .sa_flags = SA_SIGINFO };
	struct kernel_action seen = { 0 };
	sigset_t none, now;

	is(kernel_action(SIGUSR1, on_signal, NULL), 0,
	   "a handler that blocks everything is installed");
	raise(SIGUSR1);
	ok(handled == SIGUSR1 && handled_good, "ENQCMD copies in a handler that blocks everything");
	kernel_action(SIGUSR1, NULL, &seen);
	ok(seen.handler == on_signal && seen.mask >> (SIGILL - 1) & 1,
	   "rt_sigaction(2) returns the handler and its mask as they were set");
	kernel_action(SIGILL, on_undefined, NULL);
	handled = 0;
	ok(copies(portal), "the program has a handler for SIGILL: ENQCMD copies");
	is(handled, 0, "the handler for SIGILL of the program is not called for ENQCMD");
	__asm__ volatile("ud2");
	is(handled, SIGILL, "the handler for SIGILL of the program is called for ud2");
	kernel_action(SIGILL, NULL, &seen);
	ok(seen.handler == on_undefined,
	   "rt_sigaction(2) returns the handler for SIGILL of the program");
	kernel_action(SIGUSR2, on_signal_block, NULL);
	raise(SIGUSR2);
	ok(handled == SIGUSR2 && copies(portal),
	   "a handler blocks everything in the context that it returns to: ENQCMD copies");
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL); /* it also blocked SIGUSR2 */
	sigaction(SIGUSR2, &by_libc, NULL);
	raise(SIGUSR2);
	ok(copies(portal),
	   "a handler of sigaction() blocks everything in its context: ENQCMD copies");
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	ok(!sigismember(&now, SIGILL), "pthread_sigmask() returns SIGILL as unblocked after that");
}

static void test_ignored(void)
{
	struct kernel_action seen = { 0 };

	signal(SIGILL, SIG_IGN);
	kernel_action(SIGILL, NULL, &seen);
	ok(seen.handler == (void (*)(int, siginfo_t *, void *))(uintptr_t)SIG_IGN,
	   "an ignored SIGILL reads back as such");
	raise(SIGILL);
	ok(copies(portal), "SIGILL is ignored, and was sent: ENQCMD copies");
	kernel_action(SIGILL, NULL, &seen);
	ok(seen.handler == (void (*)(int, siginfo_t *, void *))(uintptr_t)SIG_IGN,
	   "SIGILL is still ignored after ENQCMD");
	signal(SIGILL, SIG_DFL);
}

/* Each call waits under a mask that blocks all signals but SIGUSR1, whose handler submits. */
static void test_waits(void)
{
	uint64_t but_one = ~(1ull << (SIGUSR1 - 1)), usr1 = 1ull << (SIGUSR1 - 1), before;
	struct {
		const uint64_t *set;
		uint64_t size;
	} pair = { &but_one, 8 };
	struct epoll_event event;
	long ret[4], epoll = epoll_create1(0);
	unsigned int i;
	static const char *const names[4] = { "rt_sigsuspend", "ppoll", "pselect6", "epoll_pwait" };

	for (i = 0; i < 4; i++) {
		kernel_mask(SIG_BLOCK, &usr1, &before);
		raise(SIGUSR1);
		handled = handled_good = 0;
		ret[i] = i == 0 ? CALL3(SYS_rt_sigsuspend, &but_one, 8, 0) :
			 i == 1 ? CALL6(SYS_ppoll, NULL, 0, NULL, &but_one, 8, 0) :
			 i == 2 ? CALL6(SYS_pselect6, 0, NULL, NULL, NULL, NULL, &pair) :
				  CALL6(SYS_epoll_pwait, epoll, &event, 1, -1, &but_one, 8);
		ok(ret[i] == -EINTR && handled == SIGUSR1 && handled_good,
		   "%s under a mask that blocks the rest: ENQCMD copies in the handler", names[i]);
		kernel_mask(SIG_SETMASK, &before, NULL);
	}
	close((int)epoll);
}

/* --- threads, and other functions of libc --- */

static void *thread_copies(void *arg)
{
	uint64_t all = ~0ull, seen = 0;
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set);
	*(int *)arg = sigismember(&set, SIGILL) == 1;
	kernel_mask(SIG_SETMASK, &all, NULL);
	kernel_mask(SIG_BLOCK, NULL, &seen);
	*(int *)arg |= copies(portal) << 1 | (seen >> (SIGILL - 1) & 1) << 2;
	return NULL;
}

static int c11_copies(void *arg)
{
	thread_copies(arg);
	return 0;
}

static void test_threads(void)
{
	sigset_t all, none, before;
	pthread_attr_t attr;
	pthread_t thread;
	thrd_t c11;
	int got = 0;

	sigfillset(&all);
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_create(&thread, NULL, thread_copies, &got);
	pthread_join(thread, NULL);
	is(got, 7, "a thread inherits blocked signals, blocks all, and ENQCMD copies");
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	got = 0;
	thrd_create(&c11, c11_copies, &got);
	thrd_join(c11, NULL);
	is(got, 6, "a thread of thrd_create() inherits none, blocks all, and ENQCMD copies");
	pthread_attr_init(&attr);
	pthread_attr_setsigmask_np(&attr, &all);
	got = 0;
	pthread_create(&thread, &attr, thread_copies, &got);
	pthread_join(thread, NULL);
	is(got, 7, "a thread whose attributes block all signals: ENQCMD copies");
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* These tests call functions that are deprecated. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void test_old_functions(void)
{
	static char stack[65536];
	static ucontext_t here, there;
	int before = sigblock(0);

	sigblock(~0);
	ok(copies(portal), "sigblock() of all signals: ENQCMD copies");
	is(sigblock(0) & 0x7fffffff, 0x7ffbfeff,
	   "sigblock() returns all signals but SIGKILL and SIGSTOP as blocked");
	sigsetmask(before);
	is(sigblock(0), before, "sigsetmask() restores the mask");
	sigsetmask(~0);
	ok(copies(portal), "sigsetmask() of all signals: ENQCMD copies");
	sigsetmask(before);
	sighold(SIGILL);
	sighold(SIGSEGV);
	ok(copies(portal) && (sigblock(0) >> (SIGILL - 1) & 1),
	   "sighold(): ENQCMD copies, and the mask reads back");
	sigrelse(SIGILL);
	sigrelse(SIGSEGV);
	is(sigblock(0), before, "sigrelse() restores the mask");
	sigset(SIGILL, SIG_HOLD);
	ok(copies(portal) && (sigblock(0) >> (SIGILL - 1) & 1),
	   "sigset(SIG_HOLD): ENQCMD copies, and the mask reads back");
	ok(sigset(SIGILL, SIG_DFL) == SIG_HOLD && sigblock(0) == before,
	   "sigset() of SIG_DFL unblocks the signal, and returns SIG_HOLD");
	sigignore(SIGILL);
	ok(copies(portal), "ENQCMD copies after sigignore() of SIGILL");
	signal(SIGILL, SIG_DFL);
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof(stack);
	there.uc_link = &here;
	sigfillset(&there.uc_sigmask);
	makecontext(&there, (void (*)(void))(uintptr_t)copies, 1, portal);
	memset(&comp, 0, sizeof(comp));
	swapcontext(&here, &there);
	ok(copied(), "a context whose mask blocks all signals: ENQCMD copies");
}
#pragma GCC diagnostic pop

static bool cpu_has_enqcmd(void)
{
	unsigned int a, b, c = 0, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & 1u << 29);
}

static volatile sig_atomic_t older_calls;

static void on_undefined_older(int signo, siginfo_t *info, void *context)
{
	on_undefined(signo, info, context);
	older_calls++;
}

/* The first one unseen, as sanitizers do when they begin. */
static void set_two_handlers(void)
{
	struct sigaction newer = { .sa_sigaction = on_undefined, .sa_flags = SA_SIGINFO };

	kernel_action(SIGILL, on_undefined_older, NULL);
	sigaction(SIGILL, &newer, NULL);
}

static void test_newer_handler(void)
{
	handled = 0;
	__asm__ volatile("ud2");
	ok(handled == SIGILL && !older_calls,
	   "unseen: of two handlers, by rt_sigaction(2) and then sigaction(), the newer one is called");
}

/*
 * The thread switches the reporting of its system calls off, so that it is like one that the
 * program made by clone(2). What it opened, mapped and blocked is found when it submits.
 */
static void test_unseen(void)
{
	/*
	 * Not the signal that ENQCMD raises, which is SIGSEGV on a CPU that has it and SIGILL on
	 * others.
	 */
	uint64_t blocked =
			 1ull << ((cpu_has_enqcmd() ? SIGILL : SIGSEGV) - 1) | 1ull << (SIGBUS - 1),
		 seen = 0;
	void *unseen;
	long fd;

	if (by_function ||
	    CALL6(SYS_prctl, 59, 0, 0, 0, 0, 0)) { /* PR_SET_SYSCALL_USER_DISPATCH, off */
		skip("a queue that is opened and mapped unseen: ENQCMD copies",
		     by_function ? "libc's functions are always seen" : "this kernel cannot");
		return;
	}
	set_two_handlers();
	fd = CALL4(SYS_openat, AT_FDCWD, SHARED, O_RDWR | O_CLOEXEC, 0);
	unseen = (void *)map_portal(fd);
	CALL3(SYS_close, fd, 0, 0);
	kernel_mask(SIG_BLOCK, &blocked, NULL);
	ok(copies(unseen),
	   "unseen: a queue is opened and mapped, other signals are blocked, and ENQCMD copies");
	fresh();
	desc.src = 64;
	ok(!enqcmd(unseen, &desc) &&
		   (wait_record(&comp, 5) & SVA_STATUS_MASK) == SVA_STATUS_PAGE_FAULT,
	   "unseen: a bad address is a page fault in the record");
	kernel_mask(SIG_BLOCK, NULL, &seen);
	is(seen & blocked, 0, "unseen: the emulator has unblocked what it needs");
	test_newer_handler();
}

static bool stop_asking;

static void *keep_asking(void *arg)
{
	struct sigaction seen;

	while (!__atomic_load_n(&stop_asking, __ATOMIC_RELAXED))
		sigaction(SIGILL, NULL, &seen);
	return arg;
}

/* A child of fork must not wait for a lock of the emulator that a thread of its parent held. */
static void test_fork_beside_thread(void)
{
	struct sigaction seen;
	int i, status, good = 0;
	pthread_t thread;
	pid_t pid;

	pthread_create(&thread, NULL, keep_asking, NULL);
	for (i = 0; i < 100; i++) {
		pid = fork();
		if (pid == 0) {
			alarm(20);
			sigaction(SIGILL, NULL, &seen);
			_exit(0);
		}
		good += waitpid(pid, &status, 0) == pid && WIFEXITED(status);
	}
	__atomic_store_n(&stop_asking, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	is(good, 100, "children that are forked while a thread asks for a handler can do so, too");
}

static volatile uint8_t selector;
static volatile int reported;

static void on_report(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signo;
	selector = 0; /* allow */
	reported = info->si_syscall;
	uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

/* A program that asks the kernel to report its system calls to itself, as Wine does. */
static void test_own_reports(void)
{
	struct sigaction act = { .sa_sigaction = on_report, .sa_flags = SA_SIGINFO };
	long ret;

	sigaction(SIGSYS, &act, NULL);
	if (prctl(59, 1, 0, 0, &selector)) { /* PR_SET_SYSCALL_USER_DISPATCH, on */
		skip("system calls are reported to the program that asks for it",
		     "this kernel cannot");
		return;
	}
	selector = 1; /* block */
	__asm__ volatile("syscall" : "=a"(ret) : "0"((long)SYS_getppid) : "rcx", "r11", "memory");
	ok(ret == 4711 && reported == SYS_getppid,
	   "a system call is reported to the program that asked for it (%ld, %d)", ret, reported);
	act.sa_handler = SIG_DFL;
	ok(sigaction(SIGSYS, NULL, &act) == 0 && act.sa_sigaction == on_report,
	   "sigaction() returns the handler for SIGSYS of the program");
	ok(copies(portal), "ENQCMD copies while the program has its system calls reported");
}

int main(int argc, char **argv)
{
	by_function = argc > 1 && !strcmp(argv[1], "syscall");
	how = argc > 2 ? argv[2] : "";
	if (!strcmp(how, "refuse-sva")) {
		is(CALL4(SYS_openat, AT_FDCWD, SHARED, O_RDWR, 0), -EOPNOTSUPP,
		   "a kernel without SVA refuses to open a queue");
		return done();
	}
	if (!strcmp(how, "unseen")) {
		test_unseen();
		return done();
	}
	test_opens();
	test_dedicated();
	test_child();
	test_vfork();
	test_ring();
	if (strcmp(how, "no-mmap")) {
		portal = (void *)map_portal(
			CALL4(SYS_openat, AT_FDCWD, SHARED, O_RDWR | O_CLOEXEC, 0));
		test_mask();
		test_handlers();
		test_ignored();
		test_waits();
		test_threads();
		test_old_functions();
		test_fork_beside_thread();
		if (strcmp(how, "ptrace"))
			test_own_reports();
	}
	return done();
}
