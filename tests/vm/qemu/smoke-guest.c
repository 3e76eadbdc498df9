/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program of the smoke test: submits to the queues that it is given, as a user of the hardware
 * would, with the instructions themselves. Static, no library. It prints TAP, with reasons where it
 * skips.
 *
 *   smoke [-u UID] QUEUE...          for example: smoke /dev/dsa/wq0.0 /dev/dsa/wq0.1
 *
 * -u: as that user, who cannot map a portal and so uses write(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CRAV (1u << 2)
#define RCR  (1u << 3)
#define BOF  (1u << 1)
#define OP(code, flags) ((uint32_t)(code) << 24 | (flags))

struct desc {
	uint32_t pasid, flags;
	uint64_t record, src, dst;
	uint32_t size;
	uint16_t handle, reserved;
	uint8_t more[24];
} __attribute__((aligned(64)));

struct record {
	volatile uint8_t status;
	uint8_t result;
	uint16_t fault_info;
	uint32_t bytes;
	uint64_t fault;
	uint8_t more[16];
} __attribute__((aligned(64)));

static int number;
static bool failed;

static void result(bool ok, const char *queue, const char *what, long value)
{
	printf("%sok %d - %s: %s (%#lx)\n", ok ? "" : "not ", ++number, queue, what, value);
	failed |= !ok;
	fflush(stdout);
}

static int enqcmd(volatile void *portal, const struct desc *d)
{
	uint8_t retry;

	/* ENQCMD rax, [rdx], for assemblers that do not know it */
	asm volatile("sfence; .byte 0xf2, 0x0f, 0x38, 0xf8, 0x02; setz %0"
		     : "=r"(retry) : "a"(portal), "d"(d) : "memory", "cc");
	return retry;
}

static void movdir64b(volatile void *portal, const struct desc *d)
{
	asm volatile("sfence; .byte 0x66, 0x0f, 0x38, 0xf8, 0x02"
		     :
		     : "a"(portal), "d"(d)
		     : "memory");
}

static uint64_t tsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | (uint64_t)high << 32;
}

/* Wait with UMONITOR and UMWAIT, at most a few seconds. How often it slept, or -1: no record. */
static long wait_record(struct record *r)
{
	long slept = 0;

	for (; !r->status && slept < 200000; slept++) {
		uint64_t until = tsc() + 100000;

		/* UMONITOR rax */
		asm volatile(".byte 0xf3, 0x0f, 0xae, 0xf0" : : "a"(r) : "memory");
		if (r->status)
			break;
		asm volatile(".byte 0xf2, 0x0f, 0xae, 0xf1" /* UMWAIT ecx */
			     :
			     : "c"(1), "a"((uint32_t)until), "d"((uint32_t)(until >> 32))
			     : "memory", "cc");
	}
	return r->status ? slept : -1;
}

struct queue {
	const char *name;
	int fd;
	volatile uint8_t *portal;
	bool shared, block; /* mode; block on fault allowed */
};

static bool submit(struct queue *q, struct desc *d, struct record *r)
{
	memset(r, 0, sizeof(*r));
	d->record = (uintptr_t)r;
	if (!q->portal)
		return write(q->fd, d, sizeof(*d)) == sizeof(*d);
	if (!q->shared) {
		movdir64b(q->portal, d);
		return true;
	}
	for (int i = 0; i < 100000; i++) {
		if (!enqcmd(q->portal, d))
			return true;
		if (i % 100 == 99)
			usleep(100);
	}
	return false;
}

/* One operation, to its end: the status, or -1. */
static int run(struct queue *q, struct desc *d, struct record *r)
{
	return submit(q, d, r) && wait_record(r) >= 0 ? r->status : -1;
}

static void *fresh(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

#define LEN (64u << 10)

static void test_copy(struct queue *q, bool touch, uint32_t flags, const char *what, int expect)
{
	uint8_t *src = fresh(LEN), *dst = fresh(LEN);
	struct record *r = fresh(4096);
	struct desc d = {
		.flags = OP(3, CRAV | RCR | flags),
		.src = (uintptr_t)src,
		.dst = (uintptr_t)dst,
		.size = LEN,
	};
	int status;

	for (unsigned int i = 0; i < LEN; i++)
		src[i] = (uint8_t)(i * 7 + i / 251);
	if (touch)
		memset(dst, 0, LEN);
	memset(r, 0, 4096);
	status = run(q, &d, r);
	result(status == expect && (expect != 1 || !memcmp(src, dst, LEN)), q->name, what, status);
	munmap(src, LEN);
	munmap(dst, LEN);
	munmap(r, 4096);
}

/* A fault in the middle: the device reports how far it came; touch the page and do the rest. */
static void test_partial(struct queue *q)
{
	uint8_t *src = fresh(LEN), *dst = fresh(LEN);
	struct record *r = fresh(4096);
	struct desc d = {.flags = OP(3, CRAV | RCR),
			 .src = (uintptr_t)src,
			 .dst = (uintptr_t)dst,
			 .size = LEN};
	int status, rounds = 0;

	memset(src, 0x5a, LEN);
	memset(dst, 0, LEN / 2);
	memset(r, 0, 4096);
	while ((status = run(q, &d, r)) == 0x83 && rounds++ < 100) {
		*(volatile uint8_t *)(uintptr_t)r->fault = 0;
		d.src += r->bytes;
		d.dst += r->bytes;
		d.size -= r->bytes;
	}
	result(status == 1 && rounds == LEN / 2 / 4096 && !memcmp(src, dst, LEN), q->name,
	       "copy into untouched memory stops at each page, and goes on", rounds);
	munmap(src, LEN);
	munmap(dst, LEN);
	munmap(r, 4096);
}

static void test_record_fault(struct queue *q)
{
	struct record *r = fresh(4096); /* never touched */
	struct desc d = { .flags = OP(0, CRAV | RCR), .record = (uintptr_t)r };
	int i;

	if (q->portal) {
		if (q->shared)
			enqcmd(q->portal, &d);
		else
			movdir64b(q->portal, &d);
	} else if (write(q->fd, &d, sizeof(d)) != sizeof(d)) {
		result(false, q->name, "record in untouched memory: write", errno);
		return;
	}
	for (i = 0; i < 1000 && !r->status; i++)
		usleep(1000);
	result(r->status == 1, q->name, "record in untouched memory", r->status);
}

#define THREADS 3
#define ROUNDS 100

static void *thread(void *arg)
{
	struct queue *q = arg;
	uint8_t *src = fresh(8192), *dst = fresh(8192);
	struct record *r = fresh(4096);
	long bad = 0;

	memset(dst, 0, 8192);
	memset(r, 0, 4096);
	for (int i = 0; i < ROUNDS; i++) {
		struct desc d = {
			.flags = OP(3, CRAV | RCR),
			.src = (uintptr_t)src,
			.dst = (uintptr_t)dst,
			.size = 8192,
		};

		memset(src, i + 1, 8192);
		bad += run(q, &d, r) != 1 || memcmp(src, dst, 8192);
	}
	return (void *)bad;
}

static long threads(struct queue *q)
{
	pthread_t t[THREADS];
	long bad = 0;
	void *one;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, thread, q);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &one);
		bad += (long)one;
	}
	return bad;
}

/* Whether the attribute of the queue begins with that word. */
static bool attribute_is(const char *queue, const char *attribute, const char *word)
{
	char path[128], value[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/bus/dsa/devices/%s/%s", strrchr(queue, '/') + 1,
		 attribute);
	f = fopen(path, "r");
	if (f) {
		if (!fgets(value, sizeof(value), f))
			value[0] = 0;
		fclose(f);
	}
	return !strncmp(value, word, strlen(word));
}

static bool open_queue(struct queue *q, const char *name)
{
	q->name = name;
	q->shared = attribute_is(name, "mode", "shared");
	q->block = attribute_is(name, "block_on_fault", "1");
	q->fd = open(name, O_RDWR | O_CLOEXEC);
	if (q->fd < 0)
		return false;
	q->portal = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED | MAP_POPULATE, q->fd, 0);
	if (q->portal == MAP_FAILED)
		q->portal = NULL;
	return true;
}

/* Processes of their own on a shared queue, each with threads. */
static void test_processes(const char *name)
{
	long bad = 0;
	int status;

	fflush(stdout);
	for (int i = 0; i < 3; i++) {
		if (!fork()) {
			struct queue q;

			_exit(!open_queue(&q, name) || threads(&q));
		}
	}
	while (wait(&status) > 0)
		bad += status != 0;
	result(!bad, name, "3 processes with 3 threads each", bad);
}

/* Whether f() ends in a signal. */
static int signal_of(void (*f)(void *), void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		f(arg);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void do_enqcmd(void *dst)
{
	static struct desc d = { .flags = OP(0, 0) };

	enqcmd(dst, &d);
}

static void do_movdir64b(void *dst)
{
	static struct desc d;

	movdir64b(dst, &d);
}

/* The instructions on ordinary memory. Called without a PASID, as no queue has been opened yet. */
static void test_instructions(void)
{
	static uint8_t from[64], to[128] __attribute__((aligned(64)));
	static uint8_t area[8192] __attribute__((aligned(64)));
	uint64_t word = 0, value = 0x1122334455667788, begin, until;
	uint32_t ymm[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, back[8] = { 0 };
	uint8_t carry;

	asm volatile("movdiri %1, %0" : "=m"(word) : "r"(value));
	result(word == value, "cpu", "MOVDIRI stores", (long)word);
	for (int i = 0; i < 64; i++)
		from[i] = (uint8_t)(i + 1);
	movdir64b(to + 64, (struct desc *)from);
	result(!memcmp(to + 64, from, 64) && !to[0], "cpu", "MOVDIR64B copies 64 bytes", to[64]);
	result(signal_of(do_movdir64b, to + 8) == SIGSEGV, "cpu",
	       "MOVDIR64B to a misaligned address", SIGSEGV);
	result(signal_of(do_enqcmd, to) == SIGSEGV, "cpu", "ENQCMD without a PASID", SIGSEGV);

	until = tsc() + 20000;
	asm volatile(".byte 0x66, 0x0f, 0xae, 0xf1; setc %0" /* TPAUSE ecx */
		     : "=r"(carry)
		     : "c"(1), "a"((uint32_t)until), "d"((uint32_t)(until >> 32))
		     : "cc");
	begin = tsc();
	result(begin >= until && !carry, "cpu", "TPAUSE lasts until its deadline",
	       (long)(begin - until));
	carry = 0;
	for (int i = 0; i < 20 && !carry; i++) { /* an interrupt may end it too */
		until = tsc() + (1ull << 40);
		asm volatile(".byte 0x66, 0x0f, 0xae, 0xf1; setc %0"
			     : "=r"(carry)
			     : "c"(1), "a"((uint32_t)until), "d"((uint32_t)(until >> 32))
			     : "cc");
	}
	result(tsc() < until && carry, "cpu", "TPAUSE ends at the limit of the system, and says so",
	       carry);

	/* XSAVEC, then XRSTOR of the compacted form: AVX state, after it was lost */
	asm volatile(
		"vmovdqu %2, %%ymm0; mov $7, %%eax; xor %%edx, %%edx; xsavec64 %0; vpxor %%ymm0, %%ymm0, %%ymm0;"
		"mov $7, %%eax; xrstor64 %0; vmovdqu %%ymm0, %1"
		: "+m"(area), "=m"(back)
		: "m"(ymm)
		: "eax", "edx", "xmm0");
	result(!memcmp(ymm, back, sizeof(ymm)) && area[527] == 0x80, "cpu",
	       "XSAVEC and XRSTOR of the compacted form", area[512]);
}

/* With a PASID, ENQCMD to what is no device means retry, and writes nothing. */
static void test_enqcmd_memory(const char *queue)
{
	static uint8_t to[64] __attribute__((aligned(64)));
	static struct desc d = { .flags = OP(3, 0), .size = 1 };
	int retry = enqcmd(to, &d);

	result(retry && !to[7], queue, "ENQCMD to memory: retry", retry);
	result(signal_of(do_enqcmd, to + 8) == SIGSEGV, queue,
	       "ENQCMD in a child, which has no PASID", SIGSEGV);
}

static void test_queue(const char *name)
{
	struct queue q;

	if (!open_queue(&q, name)) {
		printf("ok %d - %s # SKIP open: %s (%d)\n", ++number, name, strerror(errno), errno);
		return;
	}
	printf("# %s: %s, %s\n", name, q.shared ? "shared" : "dedicated",
	       q.portal ? "mapped" : "write(2)");
	if (q.shared && q.portal)
		test_enqcmd_memory(name);
	test_copy(&q, true, 0, "copy", 1);
	test_copy(&q, false, BOF, "copy, block on fault", q.block ? 1 : 0x11);
	test_copy(&q, false, 1u << 16, "a flag that does not exist", 0x11);
	test_partial(&q);
	test_record_fault(&q);
	result(!threads(&q), name, "3 threads", 0);
	close(q.fd);
	if (q.portal)
		munmap((void *)q.portal, 4096);
	if (q.shared && q.portal)
		test_processes(name);
}

static int counter(bool user)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = user,
		.exclude_user = !user,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t count(int fd)
{
	uint64_t value = 0;

	return read(fd, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

/* Instructions of a loop that has two in each round, and of one system call in each round. */
static uint64_t count_loop(int fd, long rounds, bool call)
{
	uint64_t before = count(fd);

	if (call) {
		for (long i = 0; i < rounds; i++)
			syscall(SYS_getppid);
	} else {
		asm volatile("1: dec %0; jnz 1b" : "+r"(rounds) : : "cc");
	}
	return count(fd) - before;
}

/* With -cpu max,pmu=on: retired instructions by privilege level, exactly. */
static void test_counters(void)
{
	int user = counter(true), kernel = counter(false);
	long extra;

	if (user < 0 || kernel < 0) {
		printf("ok %d - instructions # SKIP perf_event_open: %s\n", ++number,
		       strerror(errno));
		return;
	}
	extra = (long)(count_loop(user, 1001000, false) - count_loop(user, 1000, false)) - 2000000;
	result(extra == 0, "perf", "user instructions of a loop of two million, surplus", extra);
	extra = (long)(count_loop(kernel, 11000, true) - count_loop(kernel, 1000, true)) / 10000;
	result(extra > 20 && extra < 2000, "perf", "kernel instructions of a system call", extra);
	close(user);
	close(kernel);
}

int main(int argc, char **argv)
{
	alarm(120);
	test_instructions();
	test_counters();
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-u") && i + 1 < argc) {
			if (setgid((gid_t)atoi(argv[++i])) || setuid((uid_t)atoi(argv[i])))
				return 2;
		} else {
			test_queue(argv[i]);
		}
	}
	printf("1..%d\n", number);
	return failed;
}
