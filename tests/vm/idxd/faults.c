/* SPDX-License-Identifier: MIT */
/*
 * idxd-faults PATH: page faults of a device under the real driver: pages that were never touched,
 * that were swapped out, that belong to a file, that may not be read or written, that are unmapped,
 * and that are unmapped while the device works. Each with every policy.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sva/info.h"
#include "tap.h"

#define PAGE  4096u
#define PAGES 32u
#define LEN   ((size_t)PAGES * PAGE)

static struct sva *sva;
static int wanted;
static const char *policy_name;
static uint32_t policy;
static bool can_block;

static uint8_t *area(int flags, int fd)
{
	uint8_t *p = mmap(NULL, LEN, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED) {
		printf("Bail out! mmap: %s\n", strerror(errno));
		exit(1);
	}
	return p;
}

static uint8_t *fresh(void)
{
	return area(MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static uint8_t *filled(void)
{
	uint8_t *p = fresh();

	for (size_t i = 0; i < LEN; i++)
		p[i] = (uint8_t)(i * 7 + i / 251);
	return p;
}

static unsigned int resident(uint8_t *p)
{
	unsigned char in[PAGES];
	unsigned int n = 0;

	if (mincore(p, LEN, in))
		return 0;
	for (unsigned int i = 0; i < PAGES; i++)
		n += in[i] & 1;
	return n;
}

/*
 * Whether the device and the CPU did the work that the policy says: the device alone if faults
 * block, else the device and, for some operations, the CPU.
 */
static bool route_is_right(const struct sva_result *r)
{
	uint64_t device = r->path_bytes[wanted], cpu = r->path_bytes[SVA_PATH_CPU];

	if (device + cpu != LEN)
		return false;
	switch (policy) {
	case SVA_FAULT_BLOCK:
		return !can_block || (device == LEN && !r->faults);
	case SVA_FAULT_CPU:
		return r->faults == 1 && cpu > 0;
	default:
		return r->faults > 0 && device > 0;
	}
}

static void copy(uint8_t *dst, uint8_t *src, const char *what)
{
	int err = sva_memcpy(sva, dst, src, LEN);
	const struct sva_result *r = sva_last_result();

	if (!ok(!err && !memcmp(dst, src, LEN) && route_is_right(r), "%s: %s", policy_name, what))
		printf("# %d, status %#x, %u faults, %s %llu, cpu %llu\n", err, r->status,
		       r->faults, sva_path_name(wanted), (unsigned long long)r->path_bytes[wanted],
		       (unsigned long long)r->path_bytes[SVA_PATH_CPU]);
}

static void untouched(void)
{
	uint8_t *src = filled(), *dst = fresh(), *zero = fresh();

	copy(dst, src, "destination that was never touched");
	memset(src, 1, LEN);
	copy(src, zero, "source that was never touched");
	munmap(src, LEN);
	munmap(dst, LEN);
	munmap(zero, LEN);
}

static void swapped(void)
{
	uint8_t *src = filled(), *dst = filled(), *want = filled();

	for (int i = 0; i < 20 && resident(src) + resident(dst); i++) {
		if (madvise(src, LEN, MADV_PAGEOUT) || madvise(dst, LEN, MADV_PAGEOUT))
			break;
		usleep(50000);
	}
	if (resident(src) > PAGES / 2 || resident(dst) > PAGES / 2) {
		skip("operations on pages that are swapped out", "%u of %u stayed: no swap",
		     resident(src) + resident(dst), 2 * PAGES);
	} else {
		printf("# %u of %u pages are out\n", 2 * PAGES - resident(src) - resident(dst),
		       2 * PAGES);
		copy(dst, src, "pages that are swapped out");
		ok(!memcmp(dst, want, LEN), "%s: the bytes of the source have not changed",
		   policy_name);
	}
	munmap(src, LEN);
	munmap(dst, LEN);
	munmap(want, LEN);
}

static void file_backed(int flags, const char *what)
{
	char name[] = "/tmp/idxd-XXXXXX", back[PAGE];
	uint8_t *src = filled(), *dst;
	int fd = mkstemp(name);

	if (fd < 0 || ftruncate(fd, LEN)) {
		ok(false, "a file: %s", strerror(errno));
		return;
	}
	dst = area(flags, fd);
	copy(dst, src, what);
	if (pread(fd, back, PAGE, LEN - PAGE) != PAGE)
		memset(back, 0xff, PAGE);
	ok(!memcmp(back, src + LEN - PAGE, PAGE) == (flags == MAP_SHARED),
	   "%s: the file has the bytes if the mapping is shared", policy_name);
	munmap(dst, LEN);
	munmap(src, LEN);
	unlink(name);
	close(fd);
}

/*
 * One bad page in the middle: an error with its address; the bytes before it are done, those behind
 * it are not touched.
 */
static void bad(int protection, bool source, const char *what)
{
	uint8_t *src = filled(), *dst = fresh(), *page = (source ? src : dst) + LEN / 2;
	const struct sva_result *r;
	int err;

	memset(dst, 0xee, LEN);
	if (protection < 0)
		munmap(page, PAGE);
	else
		mprotect(page, PAGE, protection);
	err = sva_memcpy(sva, dst, src, LEN);
	r = sva_last_result();
	if (!ok(err == -EFAULT && r->fault_addr / PAGE == (uintptr_t)page / PAGE &&
			r->fault_write == !source && r->bytes == LEN / 2 &&
			!memcmp(dst, src, LEN / 2) && dst[LEN / 2 + PAGE] == 0xee,
		"%s: %s", policy_name, what))
		printf("# %d, status %#x, %llu bytes, fault at %#llx, page %p\n", err, r->status,
		       (unsigned long long)r->bytes, (unsigned long long)r->fault_addr,
		       (void *)page);
	munmap(src, LEN);
	munmap(dst, LEN);
}

#define FLIGHT 8

/*
 * Pages that are unmapped while the device works: each operation ends, with success or the error,
 * and no other byte is touched.
 */
static void in_flight(void)
{
	struct sva_op *ops = aligned_alloc(64, FLIGHT * sizeof(*ops));
	unsigned int done = 0, faulted = 0, other = 0;

	for (int round = 0; round < 10; round++) {
		uint8_t *src[FLIGHT], *dst[FLIGHT], *beside = filled();

		for (int i = 0; i < FLIGHT; i++) {
			int err;

			src[i] = filled();
			dst[i] = fresh();
			memset(dst[i], 0, LEN);
			sva_prep_memcpy(&ops[i], dst[i], src[i], LEN);
			while ((err = sva_submit(sva, &ops[i])) == -EAGAIN)
				sva_poll(&ops[0]);
			other += err != 0;
		}
		for (int i = 0; i < FLIGHT; i++) {
			munmap(dst[i] + LEN / 2, LEN / 2);
			if (i % 2)
				munmap(src[i], LEN / 4);
		}
		for (int i = 0; i < FLIGHT; i++) {
			int err = sva_wait(&ops[i], 20000000000);

			if (err && err != -EFAULT)
				printf("# %d\n", err);
			done += !err;
			faulted += err == -EFAULT;
			other += err && err != -EFAULT;
		}
		for (size_t i = 0; i < LEN; i++)
			other += beside[i] != (uint8_t)(i * 7 + i / 251);
		munmap(beside, LEN);
		for (int i = 0; i < FLIGHT; i++) {
			munmap(src[i], LEN);
			munmap(dst[i], LEN);
		}
	}
	ok(!other && done + faulted == 10 * FLIGHT,
	   "%s: pages unmapped in flight: %u done, %u with an error", policy_name, done, faulted);
	free(ops);
}

static void all(uint32_t which, const char *name, const char *paths)
{
	struct sva_opts opts = SVA_OPTS_INIT;

	opts.paths = paths;
	opts.threshold = 1;
	opts.fault_policy = policy = which;
	policy_name = name;
	if (sva_open(&sva, &opts)) {
		ok(false, "sva_open() succeeds with the queue");
		return;
	}
	untouched();
	swapped();
	file_backed(MAP_SHARED, "a file, shared");
	file_backed(MAP_PRIVATE, "a file, private");
	bad(PROT_NONE, true, "source that may not be read");
	bad(PROT_READ, false, "destination that may not be written");
	bad(-1, true, "source that is not there");
	bad(-1, false, "destination that is not there");
	in_flight();
	sva_close(sva);
}

int main(int argc, char **argv)
{
	struct sva_queue_info info = { .size = sizeof(info) };
	char paths[64];

	if (argc != 2)
		return 2;
	while (wanted < SVA_PATH_COUNT && strcmp(argv[1], sva_path_name(wanted)))
		wanted++;
	snprintf(paths, sizeof(paths), "%s,cpu", argv[1]);
	can_block = !sva_queue_describe(NULL, 0, 0, &info) && info.block_on_fault;
	all(SVA_FAULT_TOUCH, "touch", paths);
	all(SVA_FAULT_BLOCK, "block", paths);
	all(SVA_FAULT_CPU, "cpu", paths);
	return done();
}
