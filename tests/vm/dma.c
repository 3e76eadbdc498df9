// SPDX-License-Identifier: MIT
/* Shared by the tests of /dev/sva_dma. */
#include "dma.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL

void dma_die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

int dma_call(const struct dma *dma, unsigned int call, void *arg)
{
	return ioctl(dma->fd, call, arg) ? -errno : 0;
}

void dma_open(struct dma *dma)
{
	memset(dma, 0, sizeof(*dma));
	dma->fd = open(DMA_NODE, O_RDWR | O_CLOEXEC);
	if (dma->fd < 0)
		dma_die(DMA_NODE);
	dma->info.size = sizeof(dma->info);
	if (dma_call(dma, SVA_DMA_INFO, &dma->info))
		dma_die("INFO");
}

void dma_ring(struct dma *dma)
{
	dma->ring =
		mmap(NULL, dma->info.ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, dma->fd, 0);
	if (dma->ring == MAP_FAILED)
		dma_die("mmap of the ring");
}

void dma_close(struct dma *dma)
{
	if (dma->ring)
		munmap(dma->ring, dma->info.ring_bytes);
	close(dma->fd);
}

void *dma_alloc(size_t len)
{
	size_t pages = (len + PAGE - 1) / PAGE + 2;
	char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	if (memory == MAP_FAILED || mprotect(memory, PAGE, PROT_NONE) ||
	    mprotect(memory + (pages - 1) * PAGE, PAGE, PROT_NONE))
		dma_die("mmap");
	return memory + PAGE;
}

void dma_free(void *memory, size_t len)
{
	munmap((char *)memory - PAGE, ((len + PAGE - 1) / PAGE + 2) * PAGE);
}

int dma_copy(const struct dma *dma, void *dst, const void *src, size_t len)
{
	struct sva_dma_copy_args args = {
		.size = sizeof(args), .dst = (uintptr_t)dst, .src = (uintptr_t)src, .len = len,
		.node = SVA_DMA_NODE_ANY,
	};

	return dma_call(dma, SVA_DMA_COPY, &args);
}

int dma_fill(const struct dma *dma, void *dst, uint64_t pattern, size_t len)
{
	struct sva_dma_fill_args args = {
		.size = sizeof(args),
		.dst = (uintptr_t)dst,
		.pattern = pattern,
		.len = len,
		.node = SVA_DMA_NODE_ANY,
	};

	return dma_call(dma, SVA_DMA_FILL, &args);
}

int dma_map(const struct dma *dma, void *addr, size_t len, unsigned int flags, uint32_t *handle)
{
	struct sva_dma_map_args args = {
		.size = sizeof(args),
		.flags = flags,
		.addr = (uintptr_t)addr,
		.len = len,
		.node = SVA_DMA_NODE_ANY,
	};
	int ret = dma_call(dma, SVA_DMA_MAP, &args);

	*handle = args.handle;
	return ret;
}

int dma_unmap(const struct dma *dma, uint32_t handle)
{
	struct sva_dma_unmap_args args = { .size = sizeof(args), .handle = handle };

	return dma_call(dma, SVA_DMA_UNMAP, &args);
}

int dma_sync(const struct dma *dma, uint32_t handle, uint64_t offset, uint64_t len,
	     unsigned int flags)
{
	struct sva_dma_sync_args args = {
		.size = sizeof(args),
		.flags = flags,
		.handle = handle,
		.offset = offset,
		.len = len,
	};

	return dma_call(dma, SVA_DMA_SYNC, &args);
}

int dma_submit(const struct dma *dma, struct sva_dma_op *ops, unsigned int nr, unsigned int flags,
	       unsigned int *taken)
{
	struct sva_dma_submit_args args = {
		.size = sizeof(args),
		.flags = flags,
		.ops = (uintptr_t)ops,
		.nr = nr,
		.op_size = sizeof(*ops),
		.node = SVA_DMA_NODE_ANY,
	};
	int ret = dma_call(dma, SVA_DMA_SUBMIT, &args);

	*taken = args.taken;
	return ret;
}

int dma_wait(const struct dma *dma, unsigned int min, int64_t timeout_ns, unsigned int *available)
{
	struct sva_dma_wait_args args = {
		.size = sizeof(args), .timeout_ns = timeout_ns, .min = min};
	int ret = dma_call(dma, SVA_DMA_WAIT, &args);

	*available = args.available;
	return ret;
}

bool dma_reap(struct dma *dma, struct sva_dma_cqe *cqe)
{
	uint32_t head = dma->ring->head;

	if (head == __atomic_load_n(&dma->ring->tail, __ATOMIC_ACQUIRE))
		return false;
	*cqe = dma->ring->cqe[head & (dma->info.ring_entries - 1)];
	__atomic_store_n(&dma->ring->head, head + 1, __ATOMIC_RELEASE);
	return true;
}

struct sva_dma_op dma_op_copy(void *dst, const void *src, size_t len, uint64_t user_data)
{
	return (struct sva_dma_op) {
		.opcode = SVA_DMA_OP_COPY, .dst = (uintptr_t)dst, .src = (uintptr_t)src, .len = len,
		.user_data = user_data,
	};
}

static const char *const counters[] = {"clients",  "maps",	"pinned",  "mapped",
				       "requests", "in_flight", "channels"};

long dma_counter(const char *name)
{
	char path[128];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/sva_dma/%s", name);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%ld", &value) != 1)
		dma_die(path);
	fclose(file);
	return value;
}

/* Pages pinned in the whole machine, as the kernel counts them. */
static long pinned_pages(void)
{
	char name[64];
	long value, pinned = 0;
	FILE *file = fopen("/proc/vmstat", "r");

	while (file && fscanf(file, "%63s %ld", name, &value) == 2) {
		if (!strcmp(name, "nr_foll_pin_acquired"))
			pinned += value;
		else if (!strcmp(name, "nr_foll_pin_released"))
			pinned -= value;
	}
	if (file)
		fclose(file);
	return pinned;
}

bool dma_all_zero(int seconds)
{
	uint64_t end = dma_now() + (uint64_t)seconds * 1000000000;
	long sum;

	do {
		sum = labs(pinned_pages());
		for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++)
			sum += labs(dma_counter(counters[i]));
		if (!sum)
			return true;
		usleep(10000);
	} while (dma_now() < end);
	dma_print_counters();
	return false;
}

void dma_print_counters(void)
{
	printf("#");
	for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		printf(" %s=%ld", counters[i], dma_counter(counters[i]));
	printf(", by the kernel's own count %ld pages\n", pinned_pages());
}

int dma_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

void dma_provider(const char *parameter, long value)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "/sys/module/swdma/parameters/%s", parameter);
	snprintf(text, sizeof(text), "%ld", value);
	if (dma_write(path, text))
		dma_die(path);
}

bool dma_module_loaded(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

uint64_t dma_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

void dma_scramble(void *memory, size_t len, uint64_t *state)
{
	unsigned char *at = memory;
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), at += sizeof(word)) {
		word = dma_random(state);
		memcpy(at, &word, sizeof(word));
	}
	word = dma_random(state);
	memcpy(at, &word, len);
}

uint64_t dma_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}
