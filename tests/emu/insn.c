/* SPDX-License-Identifier: MIT */
/*
 * Run under sva-emu: the instructions. Addressing forms, flags, red zone, faults that reach the
 * program, its handlers, blocked signals, alternate stacks; and the signals that a CPU raises that
 * has the instructions. With the argument ptrace there is no handler in the program.
 */
#include <asm/prctl.h>
#include <cpuid.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/prctl.h>
#include <ucontext.h>

#include "client.h"
#include "../tap.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static void *shared_portal, *dedicated_portal;
static struct sva_desc desc;
static struct sva_comp comp;
static uint8_t from[4096], to[4096] __attribute__((aligned(64)));

/* --- addressing forms --- */

static void fresh(void)
{
	prep_new_bytes(&desc, &comp, from, to, sizeof(from));
}

static bool copied(void)
{
	return wait_record(&comp, 5) == SVA_STATUS_SUCCESS && !memcmp(from, to, sizeof(from));
}

/* with --fast the second time takes another way; volatile, so that the loop is not unrolled */
static volatile int times = 2;

/*
 * One form: load the operands into registers, execute the bytes, and test that the copy was made.
 */
#define FORM(name, bytes, ...) \
	do { \
		bool good_ = true; \
		uint8_t zf_; \
		int i_; \
		for (i_ = 0; i_ < times; i_++) { \
			fresh(); \
			__asm__ volatile(bytes "\n\tsetz %0" : "=&m"(zf_) : __VA_ARGS__ \
					 : "memory", "cc", "r8", "r9", "r12", "r13", "r15"); \
			good_ = good_ && zf_ == 0 && copied(); \
		} \
		ok(good_, "form: %s", name); \
	} while (0)

static void test_forms(void)
{
	uint64_t p = (uintptr_t)shared_portal, d = (uintptr_t)&desc;

	FORM("enqcmd (rdx), rax", ".byte 0xf2,0x0f,0x38,0xf8,0x02", "a"(p), "d"(d));
	FORM("enqcmd disp8(rdx), rax", ".byte 0xf2,0x0f,0x38,0xf8,0x42,0x40", "a"(p),
	     "d"(d - 0x40));
	FORM("enqcmd disp8 < 0", ".byte 0xf2,0x0f,0x38,0xf8,0x42,0x80", "a"(p), "d"(d + 0x80));
	FORM("enqcmd disp32(rdx), rax", ".byte 0xf2,0x0f,0x38,0xf8,0x82,0x00,0x10,0x00,0x00",
	     "a"(p), "d"(d - 0x1000));
	FORM("enqcmd (rdx,rcx,8), rax", ".byte 0xf2,0x0f,0x38,0xf8,0x04,0xca", "a"(p),
	     "d"(d - 0x800), "c"(0x100ull));
	FORM("enqcmd 0x40(rdx,rcx,4), rax", ".byte 0xf2,0x0f,0x38,0xf8,0x44,0x8a,0x40", "a"(p),
	     "d"(d - 0x80), "c"(0x10ull));
	FORM("enqcmd no base, disp32(,rcx,1)",
	     ".byte 0xf2,0x0f,0x38,0xf8,0x04,0x0d,0x10,0x00,0x00,0x00", "a"(p), "c"(d - 0x10));
	FORM("enqcmd (rsi), rdi", ".byte 0xf2,0x0f,0x38,0xf8,0x3e", "D"(p), "S"(d));
	FORM("enqcmd (r12), r9 (needs SIB)",
	     "mov %2,%%r12\n\tmov %1,%%r9\n\t.byte 0xf2,0x45,0x0f,0x38,0xf8,0x0c,0x24", "r"(p),
	     "r"(d));
	FORM("enqcmd 0(r13), r15 (needs disp8)",
	     "mov %2,%%r13\n\tmov %1,%%r15\n\t.byte 0xf2,0x45,0x0f,0x38,0xf8,0x7d,0x00", "r"(p),
	     "r"(d));
	FORM("enqcmd (r12,r8,8), r9",
	     "mov %2,%%r12\n\tmov %1,%%r9\n\tmov $8,%%r8\n\t.byte 0xf2,0x47,0x0f,0x38,0xf8,0x0c,0xc4",
	     "r"(p), "r"(d - 64));
	FORM("enqcmd with redundant prefixes", ".byte 0x66,0x3e,0xf2,0x0f,0x38,0xf8,0x02", "a"(p),
	     "d"(d));
	FORM("enqcmd with REX.W", ".byte 0xf2,0x48,0x0f,0x38,0xf8,0x02", "a"(p), "d"(d));

	/* RIP-relative: a copy of the descriptor beside the code; the portal is in a register. */
	{
		static volatile struct sva_desc beside __asm__("insn_beside") __attribute__((used));
		uint8_t zf;

		fresh();
		memcpy((void *)&beside, &desc, sizeof(desc));
		__asm__ volatile(
			".byte 0xf2,0x0f,0x38,0xf8,0x05\n\t.long insn_beside - (. + 4)\n\tsetz %0"
			: "=m"(zf)
			: "a"(p)
			: "memory", "cc");
		ok(zf == 0 && copied(), "form: enqcmd disp32(rip), rax");
	}
	/* rbp as base has no form without displacement. */
	{
		uint8_t zf;

		fresh();
		__asm__ volatile(
			"push %%rbp\n\tmov %2,%%rbp\n\t.byte 0xf2,0x0f,0x38,0xf8,0x45,0x00\n\tpop %%rbp\n\tsetz %0"
			: "=r"(zf)
			: "a"(p), "r"(d)
			: "memory", "cc");
		ok(zf == 0 && copied(), "form: enqcmd 0(rbp), rax");
	}
	FORM("enqcmd with segment cs, which is ignored", ".byte 0x2e,0xf2,0x0f,0x38,0xf8,0x02",
	     "a"(p), "d"(d));
	/* FS has a base that is not zero. */
	{
		uint64_t base = 0;
		uint8_t zf;

		syscall(SYS_arch_prctl, ARCH_GET_FS, &base);
		fresh();
		__asm__ volatile(".byte 0x64,0xf2,0x0f,0x38,0xf8,0x02\n\tsetz %0"
				 : "=r"(zf) : "a"(p), "d"(d - base) : "memory", "cc");
		ok(zf == 0 && copied(), "form: enqcmd fs:(rdx), rax");
		base = d - 0x1234;
		syscall(SYS_arch_prctl, ARCH_SET_GS, base);
		fresh();
		__asm__ volatile(".byte 0x65,0xf2,0x0f,0x38,0xf8,0x02\n\tsetz %0"
				 : "=r"(zf) : "a"(p), "d"(0x1234ull) : "memory", "cc");
		ok(zf == 0 && copied(), "form: enqcmd gs:(rdx), rax");
		syscall(SYS_arch_prctl, ARCH_SET_GS, 0ul);
	}
}

/* With a 32-bit address size the upper halves of the registers do not count. */
static void test_addr32(void)
{
	struct sva_desc *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uint8_t *target;

	if (low == MAP_FAILED) {
		skip("form: movdir64b (edx), eax", "no memory below 2 GiB");
		return;
	}
	target = (uint8_t *)low + 1024;
	memset(low, 0x5a, sizeof(*low));
	__asm__ volatile(".byte 0x67,0x66,0x0f,0x38,0xf8,0x02"
			 :
			 : "a"((uintptr_t)target | 0xdead00000000ull),
			   "d"((uintptr_t)low | 0xbeef00000000ull)
			 : "memory");
	ok(target[0] == 0x5a && target[63] == 0x5a,
	   "form: movdir64b (edx), eax with garbage above");
	munmap(low, 4096);
}

/* --- what the instructions leave alone --- */

/*
 * The flags after ENQCMD to a portal. If the descriptor was accepted, its record is waited for:
 * with engine threads it would otherwise arrive while a later test waits for its own.
 */
static uint64_t flags_after(const void *what, void *portal, bool *completed)
{
	uint64_t flags = 0, before = 0x8d5;
	int i;

	for (i = 0; i < times; i++) {
		fresh();
		__asm__ volatile(
			"push %3\n\tpopfq\n\t.byte 0xf2,0x0f,0x38,0xf8,0x02\n\tpushfq\n\tpop %0"
			: "=r"(flags)
			: "a"(portal), "d"(what), "r"(before)
			: "memory", "cc");
		if (!(flags & 0x40))
			*completed = *completed && copied();
	}
	return flags & before;
}

static void test_flags(void)
{
	uint64_t flags = 0, before = 0x8d5;
	bool completed = true;

	is(flags_after(&desc, shared_portal, &completed), 0,
	   "enqcmd taken: CF PF AF ZF SF OF are clear");
	ok(completed, "enqcmd taken: each descriptor was executed");
	memset(&comp, 0, sizeof(comp));
	is(wait_record(&comp, 0), 0,
	   "no descriptor is left whose record would arrive during a later test");
	is(flags_after(&desc, dedicated_portal, &completed), 0x40,
	   "enqcmd not taken: ZF alone is set");
	__asm__ volatile("push %3\n\tpopfq\n\t.byte 0x66,0x0f,0x38,0xf8,0x02\n\tpushfq\n\tpop %0"
			 : "=r"(flags) : "a"(to), "d"(&desc), "r"(before) : "memory", "cc");
	is(flags & before, before, "movdir64b: no flag changes");
}

static void test_red_zone(void)
{
	bool good = true;
	uint64_t sum;
	int i;

	for (i = 0; i < times; i++) {
		fresh();
		__asm__ volatile(
			"movq $0x11,-8(%%rsp)\n\tmovq $0x22,-64(%%rsp)\n\tmovq $0x33,-128(%%rsp)\n\t"
			".byte 0xf2,0x0f,0x38,0xf8,0x02\n\t"
			"mov -8(%%rsp),%0\n\tadd -64(%%rsp),%0\n\tadd -128(%%rsp),%0"
			: "=&r"(sum)
			: "a"(shared_portal), "d"(&desc)
			: "memory", "cc");
		good = good && sum == 0x66 && copied();
	}
	ok(good, "ENQCMD does not change the 128 bytes below the stack pointer");
}

static void test_registers(void)
{
	uint64_t in[4] = {0x0123456789abcdefull, 0xfedcba9876543210ull, 0x55aa55aa55aa55aaull, 7},
		 out[4], sum;
	bool good = true, sums = true;
	int i;

	for (i = 0; i < times; i++) {
		fresh();
		memset(out, 1, sizeof(out));
		__asm__ volatile(
			"movups %1,%%xmm5\n\tmovups %1,%%xmm15\n\t.byte 0xf2,0x0f,0x38,0xf8,0x02\n\t"
			"pxor %%xmm5,%%xmm15\n\tmovups %%xmm15,%0"
			: "=m"(out)
			: "m"(in), "a"(shared_portal), "d"(&desc)
			: "memory", "cc", "xmm5", "xmm15");
		good = good && out[0] == 0 && out[1] == 0 && copied();
		fresh();
		__asm__ volatile(
			"mov $1,%%rbx\n\tmov $2,%%rsi\n\tmov $4,%%rdi\n\tmov $8,%%r8\n\tmov $16,%%r9\n\t"
			"mov $32,%%r10\n\tmov $64,%%r11\n\tmov $128,%%r12\n\tmov $256,%%r15\n\tmov $512,%%rcx\n\t"
			".byte 0xf2,0x0f,0x38,0xf8,0x02\n\t"
			"add %%rsi,%%rbx\n\tadd %%rdi,%%rbx\n\tadd %%r8,%%rbx\n\tadd %%r9,%%rbx\n\tadd %%r10,%%rbx\n\t"
			"add %%r11,%%rbx\n\tadd %%r12,%%rbx\n\tadd %%r15,%%rbx\n\tadd %%rcx,%%rbx\n\tmov %%rbx,%0"
			: "=m"(sum)
			: "a"(shared_portal), "d"(&desc)
			: "memory", "cc", "rbx", "rcx", "rsi", "rdi", "r8", "r9", "r10", "r11",
			  "r12", "r15");
		sums = sums && sum == 1023 && copied();
	}
	ok(good, "ENQCMD does not change vector registers");
	ok(sums, "ENQCMD does not change general registers");
	if (!__builtin_cpu_supports("avx")) {
		skip("the upper halves of vector registers survive", "this CPU has no AVX");
		return;
	}
	for (i = 0, good = true; i < times; i++) {
		fresh();
		memset(out, 1, sizeof(out));
		__asm__ volatile(
			"vmovups %1,%%ymm3\n\t.byte 0xf2,0x0f,0x38,0xf8,0x02\n\tvmovups %%ymm3,%0\n\tvzeroupper"
			: "=m"(out)
			: "m"(in), "a"(shared_portal), "d"(&desc)
			: "memory", "cc", "xmm3");
		good = good && !memcmp(in, out, sizeof(in)) && copied();
	}
	ok(good, "the upper halves of vector registers survive");
}

/* --- faults that the program causes --- */

static sigjmp_buf back;
static volatile int seen_signal, seen_code;
static void *volatile seen_addr;
static volatile uintptr_t seen_rip;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	seen_signal = signo;
	seen_code = info->si_code;
	seen_addr = info->si_addr;
	seen_rip = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
	siglongjmp(back, 1);
}

#define FAULTS(statement) \
	({ \
		seen_signal = 0; \
		if (sigsetjmp(back, 1) == 0) { \
			statement; \
		} \
		seen_signal; \
	})

static void test_faults(void)
{
	struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old_segv,
			 old_ill, now;
	uint8_t *hole =
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(hole + 4096, 4096);
	sigaction(SIGSEGV, &act, &old_segv);
	sigaction(SIGILL, &act, &old_ill);
	ok(sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_sigaction == on_fault &&
		   (now.sa_flags & SA_SIGINFO),
	   "sigaction shows the program's own handler");

	fresh();
	is(FAULTS(enqcmd(shared_portal, hole + 4096)), SIGSEGV,
	   "ENQCMD from a source that is not mapped raises SIGSEGV");
	ok(seen_addr == hole + 4096 && seen_code == SEGV_MAPERR,
	   "ENQCMD from a source that is not mapped: its address, SEGV_MAPERR (%p, %p, %d)",
	   seen_addr, (void *)(hole + 4096), seen_code);
	is(FAULTS(enqcmd(shared_portal, hole + 4096 - 32)), SIGSEGV,
	   "ENQCMD from a source that is half mapped raises SIGSEGV");
	ok(seen_addr == hole + 4096,
	   "ENQCMD from a source that is half mapped: the address of its second half");
	is(FAULTS(movdir64b(hole + 4096, &desc)), SIGSEGV,
	   "MOVDIR64B to an address that is not mapped raises SIGSEGV");
	ok(seen_addr == hole + 4096,
	   "MOVDIR64B to an address that is not mapped: the signal has that address");
	is(FAULTS(enqcmd((char *)shared_portal + 32, &desc)), SIGSEGV,
	   "ENQCMD to a destination that is not aligned raises SIGSEGV");
	ok(seen_addr == NULL, "the signal of a destination that is not aligned has no address");
	is(FAULTS(movdir64b(to + 1, &desc)), SIGSEGV,
	   "MOVDIR64B to a destination that is not aligned raises SIGSEGV");
	desc.pasid_priv = 1;
	is(FAULTS(enqcmd(shared_portal, &desc)), SIGSEGV,
	   "ENQCMD of a descriptor with a PASID raises SIGSEGV");
	desc.pasid_priv = 0;
	is(FAULTS(__asm__ volatile(".byte 0xf3,0x0f,0x38,0xf8,0x02"
				   :
				   : "a"(shared_portal), "d"(&desc)
				   : "memory")),
	   SIGSEGV, "ENQCMDS raises SIGSEGV in a program");
	is(FAULTS(umwait(2, 0)), SIGSEGV, "UMWAIT with a reserved bit raises SIGSEGV");
	is(FAULTS(umonitor(hole + 4096)), SIGSEGV,
	   "UMONITOR of an address that is not mapped raises SIGSEGV");
	is(FAULTS(__asm__ volatile("ud2")), SIGILL,
	   "SIGILL of an undefined instruction goes to the handler of the program");
	is(FAULTS(*(volatile int *)(hole + 4096) = 1), SIGSEGV,
	   "SIGSEGV of an ordinary store goes to the handler of the program");
	ok(seen_addr == hole + 4096, "SIGSEGV of an ordinary store has the address of the store");
	is(FAULTS(raise(SIGSEGV)), SIGSEGV,
	   "SIGSEGV that was sent goes to the handler of the program");
	munmap(hole, 4096);

	sigaction(SIGILL, &old_ill, NULL);
	sigaction(SIGSEGV, &old_segv, NULL);
	fresh();
	ok(!enqcmd(shared_portal, &desc) && copied(), "ENQCMD copies after all these signals");
}

/*
 * An access to memory without a page raises the signal, with the code and the address, that an
 * ordinary access raises.
 */
static void test_fault_kinds(void)
{
	struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old_segv,
			 old_bus;
	uint8_t *file, *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *constant = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = memfd_create("short", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, 100)) {
		skip("faults behind the end of a file", "no memfd");
		return;
	}
	file = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	sigaction(SIGSEGV, &act, &old_segv);
	sigaction(SIGBUS, &act, &old_bus);
	fresh();
	is(FAULTS(movdir64b(file + 4096 + 64, from)), SIGBUS,
	   "movdir64b behind the end of a mapped file: SIGBUS");
	ok(seen_code == BUS_ADRERR && seen_addr == file + 4096 + 64,
	   "movdir64b behind the end of a file: BUS_ADRERR (%d), address of the store (%p, %p)",
	   seen_code, seen_addr, (void *)(file + 4096 + 64));
	is(FAULTS(movdir64b(to, file + 4096)), SIGBUS,
	   "movdir64b from behind the end of a mapped file: SIGBUS");
	ok(seen_code == BUS_ADRERR && seen_addr == file + 4096,
	   "movdir64b from behind the end of a file: BUS_ADRERR (%d), address of the load",
	   seen_code);
	is(FAULTS(enqcmd(shared_portal, file + 4096 - 32)), SIGBUS,
	   "enqcmd of a source that ends behind a file: SIGBUS");
	ok(seen_code == BUS_ADRERR && seen_addr == file + 4096,
	   "enqcmd of a source that ends behind a file: the first byte behind it (code %d)",
	   seen_code);
	is(FAULTS(movdir64b(constant, from)), SIGSEGV, "movdir64b to a read-only page: SIGSEGV");
	ok(seen_code == SEGV_ACCERR && seen_addr == constant,
	   "movdir64b to a read-only page: SEGV_ACCERR (%d), its address", seen_code);
	is(FAULTS(movdir64b(to, none)), SIGSEGV,
	   "movdir64b from a page without any access: SIGSEGV");
	ok(seen_code == SEGV_ACCERR && seen_addr == none,
	   "movdir64b from a page without any access: SEGV_ACCERR (%d), its address", seen_code);
	is(FAULTS(movdir64b((void *)0x4000000000000000ul, from)), SIGSEGV,
	   "movdir64b to no canonical address: SIGSEGV");
	ok(seen_code == SI_KERNEL && seen_addr == NULL,
	   "movdir64b to no canonical address: the signal has no address (code %d)", seen_code);
	movdir64b(file + 64, from + 3);
	ok(!memcmp(file + 64, from + 3, 36),
	   "movdir64b to the page that the file has stores the bytes");
	sigaction(SIGBUS, &old_bus, NULL);
	sigaction(SIGSEGV, &old_segv, NULL);
	munmap(file, 8192);
	munmap(none, 4096);
	munmap(constant, 4096);
	close(fd);
}

/* A child must end by a signal; with a sanitizer it reports the signal and exits. */
static void dies_of(int signo, void (*what)(void), const char *name)
{
	int status = 0, seen;
	pid_t pid = fork();

	if (pid == 0) {
		what();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	seen = WIFSIGNALED(status)		? WTERMSIG(status) :
	       SANITIZED && WEXITSTATUS(status) ? signo :
						  0;
	is(seen, signo, name);
}

static void bad_source(void)
{
	void *portal = map_queue("/dev/dsa/wq0.0", NULL);

	enqcmd(portal, (void *)64);
}

static void without_pasid(void)
{
	enqcmd(to, from); /* the descriptor's first word must be 0 */
}

static void child_portal(void)
{
	open("/dev/dsa/wq0.0", O_RDWR); /* for a PASID; the parent's portal is not mapped here */
	enqcmd(shared_portal, from);
}

static void plain_ud2(void)
{
	__asm__ volatile("ud2");
}

static void test_deaths(void)
{
	memset(from, 0, 64);
	dies_of(SIGSEGV, bad_source,
		"without a handler ENQCMD from a bad source kills with SIGSEGV");
	dies_of(SIGSEGV, without_pasid,
		"a process that opened no queue has no PASID: ENQCMD kills with SIGSEGV");
	dies_of(SIGSEGV, child_portal,
		"ENQCMD of a child to the portal of its parent kills with SIGSEGV");
	dies_of(SIGILL, plain_ud2, "an undefined instruction kills with SIGILL");
}

/* --- surroundings --- */

static void test_masks(void)
{
	sigset_t all, before, seen;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_sigmask(SIG_BLOCK, NULL, &seen);
	fresh();
	ok(!enqcmd(shared_portal, &desc) && copied(),
	   "ENQCMD copies while all signals are blocked");
	ok(sigismember(&seen, SIGILL) == 1 && sigismember(&seen, SIGSEGV) == 1,
	   "pthread_sigmask() returns the signals as blocked");
	sigprocmask(SIG_SETMASK, &before, &seen);
	ok(sigismember(&seen, SIGBUS) == 1,
	   "sigprocmask() returns the signals as blocked in the old mask");
	pthread_sigmask(SIG_BLOCK, NULL, &seen);
	ok(sigismember(&seen, SIGILL) == 0,
	   "pthread_sigmask() returns the signals as unblocked afterwards");
}

static volatile int in_handler;

static void on_alarm(int signo)
{
	(void)signo;
	fresh();
	in_handler = !enqcmd(shared_portal, &desc) && copied();
}

static void test_handler_submits(void)
{
	struct sigaction act = { .sa_handler = on_alarm }, now;

	sigfillset(&act.sa_mask);
	sigaction(SIGALRM, &act, NULL);
	sigaction(SIGALRM, NULL, &now);
	ok(sigismember(&now.sa_mask, SIGILL) == 1,
	   "sigaction() returns the mask of a handler as it was set");
#ifdef __SANITIZE_THREAD__
	skip("a handler that blocks everything may submit",
	     "ThreadSanitizer blocks all signals through libc's own function");
	(void)in_handler;
#else
	raise(SIGALRM);
	ok(in_handler, "a handler that blocks everything may submit");
#endif
}

static void *on_small_stack(void *arg)
{
	stack_t stack = { .ss_sp = malloc(8192), .ss_size = 8192 }, before;
	bool good;
	size_t i;

	(void)arg;
	memset(stack.ss_sp, 0xee, 8192);
	sigaltstack(&stack, &before);
	fresh();
	good = !enqcmd(shared_portal, &desc) && copied();
	sigaltstack(&before, NULL);
	/* How much of the stack was used, up to the lowest byte that has changed. */
	for (i = 0; i < 8192 && ((uint8_t *)stack.ss_sp)[i] == 0xee; i++)
		;
	free(stack.ss_sp);
	return good ? (void *)(8192 - i) : NULL;
}

static void test_alternate_stack(void)
{
	pthread_t thread;
	void *used = NULL;

	pthread_create(&thread, NULL, on_small_stack, NULL);
	pthread_join(thread, &used);
	ok(used && (size_t)used < 8192, "an alternate stack of 8 KiB is enough (%zu bytes used)",
	   (size_t)used);
}

/*
 * A CPU that has the instructions also ends a wait at an interrupt, without a sign of it. So a wait
 * is repeated until it ends for the expected reason; without that reason no repetition does.
 */
#define REPEATED 100

static bool umwait_meets_limit(void)
{
	int i;

	for (i = 0; i < REPEATED; i++) {
		umonitor(&to[64]);
		if (umwait(1, rdtsc() + 100000000000ull))
			return true;
	}
	return false;
}

static bool tpause_meets_limit(void)
{
	int i;

	for (i = 0; i < REPEATED; i++)
		if (tpause(0, rdtsc() + 100000000000ull))
			return true;
	return false;
}

/* The longest of some waits for a deadline, in ticks; 0 if one met the limit. */
static uint64_t tpause_longest(uint64_t ticks)
{
	uint64_t start, longest = 0;
	int i;

	for (i = 0; i < 10; i++) {
		start = rdtsc();
		if (tpause(1, start + ticks))
			return 0;
		start = rdtsc() - start;
		longest = start > longest ? start : longest;
	}
	return longest;
}

/* Does the CPU have UMONITOR and UMWAIT? */
static bool cpu_waits(void)
{
	unsigned int a, b, c = 0, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & 1u << 5);
}

static void test_waiting(void)
{
	uint64_t ticks;

	umonitor(&comp);
	fresh();
	if (cpu_waits())
		skip("umwait ends when the line was written",
		     "this CPU executes it, not the emulator");
	else
		ok(!umwait(0, rdtsc() + 1000000000ull), "umwait ends when the line was written");
	umonitor(&comp);
	ok(!umwait(1, rdtsc() - 1), "umwait with a deadline in the past ends at once");
	ok(umwait_meets_limit(), "umwait ends at the limit of the system, with CF");
	ticks = tpause_longest(50000);
	ok(ticks >= 50000, "tpause ends at its deadline, without CF, and not before (%llu ticks)",
	   (unsigned long long)ticks);
	ok(tpause_meets_limit(), "tpause ends at the limit of the system, with CF");
}

static void test_store64(void)
{
	unsigned int i;

	fresh();
	memset(to, 0, sizeof(to));
	movdir64b(to + 128, from + 3);
	ok(!memcmp(to + 128, from + 3, 64),
	   "movdir64b to memory stores 64 bytes, from any alignment");
	for (i = 0; i < 128; i++)
		if (to[i] || to[192 + i])
			break;
	is(i, 128, "movdir64b to memory changes no byte beside the 64");
	memset(&desc, 0, sizeof(desc));
	ok(enqcmd(to, &desc), "enqcmd to memory is answered with retry");
}

static void test_modes(void)
{
	fresh();
	ok(enqcmd(dedicated_portal, &desc), "enqcmd to a dedicated queue returns retry");
	is(comp.status, 0, "enqcmd to a dedicated queue writes no record");
	movdir64b(shared_portal, &desc);
	is(wait_record(&comp, 0), 0, "movdir64b to a shared queue: no record comes");
	movdir64b(dedicated_portal, &desc);
	ok(copied(), "movdir64b to a dedicated queue: the bytes are copied");
	fresh();
	movdir64b((char *)dedicated_portal + 0xfc0, &desc);
	ok(copied(), "movdir64b to the last line of a portal: the bytes are copied");
}

static void test_plain_access(void)
{
	volatile uint64_t *portal = shared_portal;

	*portal = 1;
	ok(true, "a plain store to a portal is ignored");
	memset(shared_portal, 0, 8);
	ok(true, "a store of a string instruction to a portal is ignored");
}

/* --- signals as other CPUs raise them --- */

/*
 * A signal that the thread sends to itself arrives at the instruction behind the system call, with
 * the code and address that it was sent with. So it looks like one that a CPU raises that has the
 * instruction.
 */
#define RAISE_AT(bytes, signo, info, portal, zf) \
	__asm__ volatile("syscall\n\t" bytes "\n\tsetz %0" \
			 : "=r"(zf) \
			 : "a"((long)SYS_rt_tgsigqueueinfo), "D"(pid), "S"(tid), \
			   "d"((long)(signo)), "r"(r10), "b"(portal), "r"(r8) \
			 : "rcx", "r11", "memory", "cc")

static bool raise_at(bool movdir, int signo, int code, void *addr, void *portal, bool *retry)
{
	siginfo_t info = { .si_signo = signo };
	long pid = getpid(), tid = syscall(SYS_gettid);
	register void *r10 __asm__("r10");
	register void *r8 __asm__("r8");
	uint8_t zf;

	info.si_code = code;
	info.si_addr = addr;
	fresh();
	r10 = &info;
	r8 = &desc;
	if (movdir)
		RAISE_AT(".byte 0x66,0x41,0x0f,0x38,0xf8,0x18", signo, info, portal, zf);
	else
		RAISE_AT(".byte 0xf2,0x41,0x0f,0x38,0xf8,0x18", signo, info, portal, zf);
	*retry = zf;
	return copied();
}

static void test_other_cpus(void)
{
	bool retry = true;

	/*
	 * The signal has to arrive in the code of this program, not where the emulator makes its
	 * system calls.
	 */
	prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
	ok(raise_at(false, SIGSEGV, SI_KERNEL, NULL, shared_portal, &retry) && !retry,
	   "a CPU with ENQCMD but no PASID: SIGSEGV without an address is decoded");
	ok(raise_at(true, SIGBUS, BUS_ADRERR, dedicated_portal, dedicated_portal, &retry),
	   "a CPU with MOVDIR64B: SIGBUS with the portal's address is decoded");
	ok(raise_at(true, SIGSEGV, SEGV_ACCERR, dedicated_portal, dedicated_portal, &retry),
	   "a CPU with MOVDIR64B: SIGSEGV with the portal's address is decoded");
}

int main(int argc, char **argv)
{
	bool traced = argc > 1 && !strcmp(argv[1], "ptrace");

	shared_portal = map_queue("/dev/dsa/wq0.0", NULL);
	dedicated_portal = map_queue("/dev/dsa/wq0.1", NULL);
	if (!ok(shared_portal != MAP_FAILED && dedicated_portal != MAP_FAILED,
		"both queues can be mapped"))
		return done();
	test_forms();
	test_addr32();
	test_flags();
	test_red_zone();
	test_registers();
	test_modes();
	test_store64();
	test_plain_access();
	test_faults();
	test_fault_kinds();
	test_deaths();
	test_masks();
	test_handler_submits();
	test_waiting();
	if (!traced) {
		test_alternate_stack();
		test_other_cpus();
	}
	return done();
}
