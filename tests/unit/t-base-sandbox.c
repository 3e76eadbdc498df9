/* SPDX-License-Identifier: MIT */
/*
 * In sandboxes that refuse the calls with which pages are touched: operations on good buffers
 * succeed on every path, and a bad pointer gives -EFAULT with its address, as long as one of the
 * calls is permitted. Each sandbox is a process with a seccomp filter.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "lib/run/run.h"
#include "tap.h"
#include "unit/rig.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

#define PAGES 6u
#define BYTES ((PAGES - 1) * RIG_PAGE) /* from the middle of the first page to that of the last */

/* ------------------------------------------------------------------ the sandbox */

struct sandbox {
	const char *name;
	int err;
	int calls[4]; /* that are refused; -1 ends them */
	bool threads; /* glibc's threads need futex */
	bool blind;   /* none of the calls is permitted */
};

static const struct sandbox sandboxes[] = {
	{"madvise: EPERM", EPERM, {SYS_madvise, -1}, true, false},
	{"madvise: ENOSYS", ENOSYS, {SYS_madvise, -1}, true, false},
	{"madvise, process_vm_readv: EPERM",
	 EPERM,
	 {SYS_madvise, SYS_process_vm_readv, -1},
	 true,
	 false},
	{"madvise, process_vm_readv: ENOSYS",
	 ENOSYS,
	 {SYS_madvise, SYS_process_vm_readv, -1},
	 true,
	 false},
	{"madvise, process_vm_readv, futex: EPERM",
	 EPERM,
	 {SYS_madvise, SYS_process_vm_readv, SYS_futex, -1},
	 false,
	 true},
};
#define SANDBOXES (sizeof(sandboxes) / sizeof(sandboxes[0]))

static bool enter(const struct sandbox *sandbox)
{
	struct sock_filter code[20];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (int i = 0; sandbox->calls[i] >= 0; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (unsigned int)sandbox->calls[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)sandbox->err);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = n;
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static bool is_refused(const struct sandbox *sandbox, uint8_t *page)
{
	return madvise(page, RIG_PAGE, MADV_WILLNEED) && errno == sandbox->err;
}

/* ------------------------------------------------------------------ in it */

#define MUST(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "# %s: %s: line %d: %s, errno %d\n", \
				rig_way ? rig_way->name : "", sandbox->name, __LINE__, \
				#condition, errno); \
			return 1; \
		} \
	} while (0)

static uint8_t *src, *dst, *file;

static int copies(const struct sandbox *sandbox, uint8_t *to, const uint8_t *from)
{
	struct sva_op op;

	sva_prep_memcpy(&op, to, from, BYTES);
	MUST(!rig_do(&op));
	MUST(!memcmp(to, from, BYTES));
	return 0;
}

/* Memory of every kind: anonymous, of a file, shared, on the stack. */
static int good_buffers(const struct sandbox *sandbox)
{
	uint8_t *untouched = rig_pages(PAGES), *to = dst + RIG_PAGE / 2;
	const uint8_t *from = src + RIG_PAGE / 2;
	struct sva_op op;

	MUST(!copies(sandbox, to, from));
	MUST(!copies(sandbox, untouched + 100, from));
	MUST(!copies(sandbox, to, file + 100));
	sva_prep_memfill(&op, to, 0x1122334455667788ull, BYTES);
	MUST(!rig_do(&op) && to[BYTES - 1] == 0x11);
	sva_prep_compare_pattern(&op, to, 0x1122334455667788ull, BYTES);
	MUST(!rig_do(&op) && !sva_op_result(&op)->result);
	sva_prep_crc(&op, from, BYTES, 0, 0);
	MUST(!rig_do(&op));
	return 0;
}

static int expect_fault(const struct sandbox *sandbox, uint8_t *to, const uint8_t *from,
			const uint8_t *page, bool write)
{
	struct sva_op op;

	sva_prep_memcpy(&op, to, from, BYTES);
	MUST(rig_do(&op) == -EFAULT);
	MUST(sva_op_result(&op)->fault_addr / RIG_PAGE == (uintptr_t)page / RIG_PAGE);
	MUST(sva_op_result(&op)->fault_write == write);
	return 0;
}

static int bad_pointers(const struct sandbox *sandbox)
{
	uint8_t *bad = rig_pages(PAGES), *third = bad + 2 * RIG_PAGE;

	rig_page_readonly(third);
	MUST(!expect_fault(sandbox, bad + 100, src, third, true));
	MUST(!copies(sandbox, dst, bad + 100)); /* which can be read */
	rig_page_deny(third);
	MUST(!expect_fault(sandbox, dst, bad + 100, third, false));
	rig_page_gone(third);
	MUST(!expect_fault(sandbox, dst, bad + 100, third, false));
	MUST(!expect_fault(sandbox, bad + 100, src, third, true));
	MUST(!expect_fault(sandbox, (uint8_t *)0x7fffffff0000, src, (uint8_t *)0x7fffffff0000,
			   true));
	return 0;
}

static int inside(void *arg)
{
	const struct sandbox *sandbox = arg;

	alarm(120);
	if (!enter(sandbox))
		return 77;
	MUST(is_refused(sandbox, src));
	for (unsigned int i = 0; i < rig_way_count; i++) {
		if (rig_ways[i].threads && !sandbox->threads)
			continue;
		rig_way_begin(&rig_ways[i]);
		MUST(!good_buffers(sandbox));
		if (!sandbox->blind && rig_way_reports_faults())
			MUST(!bad_pointers(sandbox));
		rig_way_end();
	}
	return 0;
}

/* ------------------------------------------------------- a page that another thread is changing */

static atomic_bool stop;
static atomic_uint *counter;

static void *counts(void *arg)
{
	unsigned int *own = arg;

	while (!atomic_load(&stop)) {
		/* Load, add and store: a locked instruction would hide a lost store. */
		atomic_store_explicit(counter,
				      atomic_load_explicit(counter, memory_order_relaxed) + 1,
				      memory_order_relaxed);
		++*own;
	}
	return NULL;
}

static int race(void *arg)
{
	const struct sandbox *sandbox = arg;
	unsigned int own = 0;
	pthread_t thread;
	uint64_t bad;

	alarm(120);
	counter = (atomic_uint *)(void *)dst;
	atomic_store(counter, 0);
	if (!enter(sandbox))
		return 77;
	MUST(!pthread_create(&thread, NULL, counts, &own));
	for (int i = 0; i < 100000; i++)
		MUST(!sva_touch((uintptr_t)dst, 1, i & 1, &bad));
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	MUST(own > 1000);
	MUST(atomic_load(counter) == own);
	return 0;
}

static void expect(int (*fn)(void *arg), const struct sandbox *sandbox, const char *what)
{
	int end = ARCHITECTURE ? rig_in_child(fn, (void *)(uintptr_t)sandbox) : 77;

	if (end == 77)
		skip(what, "no seccomp filters here");
	else if (!ok(!end, "%s refused: %s", sandbox->name, what))
		printf("# %d\n", end);
}

int main(void)
{
	static const char name[] = "/tmp/sva-sandbox-XXXXXX";
	char path[sizeof(name)];
	int fd;

	rig_begin();
	setenv("SVA_THRESHOLD", "1", 1);
	src = rig_pages(PAGES);
	dst = rig_pages(PAGES);
	for (unsigned int i = 0; i < PAGES * RIG_PAGE; i++)
		src[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(path, name, sizeof(name));
	fd = mkstemp(path);
	if (fd < 0 || write(fd, src, PAGES * RIG_PAGE) != (ssize_t)(PAGES * RIG_PAGE))
		skip_all("no file can be written in /tmp");
	unlink(path);
	file = mmap(NULL, PAGES * RIG_PAGE, PROT_READ, MAP_SHARED, fd, 0);
	for (unsigned int i = 0; i < SANDBOXES; i++) {
		expect(inside, &sandboxes[i],
		       sandboxes[i].blind ?
			       "good buffers of every kind are good on every way" :
			       "good buffers are good, bad pointers -EFAULT with their address, on every way");
		if (sandboxes[i].threads)
			expect(race, &sandboxes[i],
			       "touching a word that another thread counts in loses no count");
	}
	close(fd);
	return done();
}
