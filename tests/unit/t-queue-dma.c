/* SPDX-License-Identifier: MIT */
/*
 * The dma path and the mapped family, with the sva_dma module played by this file: open, ioctl and
 * mmap of /dev/sva_dma are wrapped, operations are executed here, and completions go into a real
 * ring, at once or when the test says so. What the real module does is tested in virtual machines.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sva/sva.h"
#include "uapi/sva_dma.h"
#include "../tap.h"

#define RING 64u
#define RING_BYTES 4096u

/* ------------------------------------------------------------------ the module */

static struct {
	int fd;                  /* of the open file, -1: closed */
	int other_fd;            /* the number that it had before, -1: none */
	int open_error;          /* errno of open(2) */
	int info_error;          /* errno of INFO */
	uint32_t version, channels, features;
	unsigned int major;      /* of the node */
	bool hold;               /* completions wait until release_held() */
	int refuse;              /* errno of the next refusals of SUBMIT */
	unsigned int refusals;   /* how many */
	unsigned int good_before; /* operations before the next one, whose result is */
	int result_once;         /* this, told at once */
	int complete_once;       /* the same, told by its completion */
	uint64_t max_len;
	uint64_t pin_limit, pinned; /* bytes; a limit of 0: none */
	ino_t taken;             /* of the file that has the number of the module's; 0: none */
	unsigned int foreign;    /* calls on other files */
	unsigned int opens, submits, ops, maps, unmaps, syncs;
	unsigned int overruns;   /* completions for which the ring had no room */
	struct sva_dma_ring *ring;
	uint64_t held[RING];
	unsigned int held_count;
	struct { uint64_t addr, len; bool used; } map[8];
} module;

int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
int __real_fcntl(int fd, int command, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __real_stat(const char *path, struct stat *st);
int __real_fstat(int fd, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

static void reset_module(void)
{
	memset(&module, 0, sizeof(module));
	module.fd = module.other_fd = -1;
	module.version = SVA_DMA_VERSION;
	module.channels = 1;
	module.major = 10;
	module.max_len = 1 << 20;
}

int __wrap_open(const char *path, int flags, ...)
{
	if (strcmp(path, "/dev/sva_dma"))
		return __real_open(path, flags, 0600);
	module.opens++;
	if (module.open_error) {
		errno = module.open_error;
		return -1;
	}
	module.fd = memfd_create("sva_dma", 0);
	if (ftruncate(module.fd, RING_BYTES))
		abort();
	module.ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, module.fd, 0);
	return module.fd;
}

/* A miscellaneous character device. */
static void look_like_module(struct stat *st)
{
	st->st_mode = S_IFCHR | 0600;
	st->st_rdev = makedev(module.major, 126);
}

int __wrap_stat(const char *path, struct stat *st)
{
	if (strcmp(path, "/dev/sva_dma"))
		return __real_stat(path, st);
	if (module.open_error == ENOENT) {
		errno = ENOENT;
		return -1;
	}
	memset(st, 0, sizeof(*st));
	look_like_module(st);
	return 0;
}

int __wrap_fstat(int fd, struct stat *st)
{
	int ret = __real_fstat(fd, st);

	if (!ret && fd == module.fd && st->st_ino != module.taken)
		look_like_module(st);
	return ret;
}

int __wrap_fcntl(int fd, int command, ...)
{
	va_list ap;
	long arg;
	int ret;

	va_start(ap, command);
	arg = va_arg(ap, long);
	va_end(ap);
	ret = __real_fcntl(fd, command, arg);
	if (fd == module.fd && command == F_DUPFD_CLOEXEC && ret >= 0) {
		module.other_fd = fd;
		module.fd = ret;
	}
	return ret;
}

int __wrap_close(int fd)
{
	if (fd == module.other_fd)
		module.other_fd = -1;
	else if (fd == module.fd && module.ring) {
		munmap(module.ring, RING_BYTES);
		module.ring = NULL;
		module.fd = -1;
	}
	return __real_close(fd);
}

static void complete(uint64_t user_data, int result)
{
	struct sva_dma_cqe *cqe = &module.ring->cqe[module.ring->tail & (RING - 1)];

	/* The module takes nothing that it has no room for; room is what is behind the head. */
	module.overruns +=
		module.ring->tail - __atomic_load_n(&module.ring->head, __ATOMIC_ACQUIRE) >= RING;
	cqe->user_data = user_data;
	cqe->result = result;
	cqe->channel = 0;
	__atomic_store_n(&module.ring->tail, module.ring->tail + 1, __ATOMIC_RELEASE);
}

static void release_held(void)
{
	for (unsigned int i = 0; i < module.held_count; i++)
		complete(module.held[i], 0);
	module.held_count = 0;
	module.pinned = 0;
}

static void *address(uint32_t handle, uint64_t at)
{
	return (void *)(uintptr_t)(handle ? module.map[handle - 1].addr + at : at);
}

static int run_op(struct sva_dma_op *op)
{
	unsigned char *dst = address(op->dst_handle, op->dst), *src;

	module.ops++;
	op->result = module.good_before ? 0 : module.result_once;
	if (module.good_before)
		module.good_before--;
	else
		module.result_once = 0;
	if (module.pin_limit && !op->dst_handle && module.pinned + 2 * op->len > module.pin_limit)
		op->result = -ENOMEM;
	if (op->result) {
		op->fault = op->result == -EFAULT ? op->src : 0;
		return op->result;
	}
	if (op->opcode == SVA_DMA_OP_FILL) {
		for (uint64_t i = 0; i < op->len; i++)
			dst[i] = (unsigned char)(op->src >> i % 8 * 8);
	} else {
		src = address(op->src_handle, op->src);
		if (dst < src + op->len && src < dst + op->len)
			return op->result = -EOPNOTSUPP;
		memcpy(dst, src, op->len);
	}
	if (module.hold) {
		module.held[module.held_count++] = op->user_data;
		module.pinned += 2 * op->len;
	} else {
		complete(op->user_data, module.complete_once);
	}
	module.complete_once = 0;
	return 0;
}

static int submit(struct sva_dma_submit_args *args)
{
	struct sva_dma_op *ops = (struct sva_dma_op *)(uintptr_t)args->ops;

	module.submits++;
	if (module.refusals) {
		module.refusals--;
		errno = module.refuse;
		return -1;
	}
	for (args->taken = 0; args->taken < args->nr; args->taken++)
		run_op(&ops[args->taken]);
	return 0;
}

static int map(struct sva_dma_map_args *args)
{
	for (uint32_t i = 0; i < 8; i++) {
		if (module.map[i].used)
			continue;
		module.map[i].addr = args->addr;
		module.map[i].len = args->len;
		module.map[i].used = true;
		module.maps++;
		args->handle = i + 1;
		args->segments = 1;
		args->state = SVA_DMA_STATE_NEEDS_SYNC;
		return 0;
	}
	errno = ENOSPC;
	return -1;
}

static int info(struct sva_dma_info *args)
{
	if (module.info_error) {
		errno = module.info_error;
		return -1;
	}
	args->version = module.version;
	args->nr_channels = module.channels;
	args->features = module.features;
	args->pasid = 4711;
	args->max_addr_len = module.max_len;
	args->max_map_len = 1 << 30;
	args->max_ops = 64;
	args->max_in_flight = 64;
	args->ring_entries = RING;
	args->ring_bytes = RING_BYTES;
	return 0;
}

/*
 * Another file of the program's has the number of the module's, which lives on behind the mapped
 * ring.
 */
static bool is_taken(void)
{
	struct stat st;

	return module.taken && !__real_fstat(module.fd, &st) && st.st_ino == module.taken;
}

static unsigned int ring_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned int found = 0;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		found += strstr(line, "memfd:sva_dma") != NULL;
	if (maps)
		fclose(maps);
	return found;
}

static void take_number(void)
{
	int fd = memfd_create("mine", MFD_CLOEXEC);
	struct stat st;

	if (dup2(fd, module.fd) != module.fd || __real_close(fd) || __real_fstat(module.fd, &st))
		abort();
	module.taken = st.st_ino;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (fd != module.fd || is_taken()) {
		module.foreign++;
		errno = ENOTTY;
		return -1;
	}
	switch (request) {
	case SVA_DMA_INFO:
		return info(arg);
	case SVA_DMA_CHANNEL:
		strcpy((char *)((struct sva_dma_channel *)arg)->device, "played0");
		return 0;
	case SVA_DMA_SUBMIT:
		return submit(arg);
	case SVA_DMA_WAIT:
		release_held();
		return 0;
	case SVA_DMA_MAP:
		return map(arg);
	case SVA_DMA_UNMAP:
		module.map[((struct sva_dma_unmap_args *)arg)->handle - 1].used = false;
		module.unmaps++;
		return 0;
	case SVA_DMA_SYNC:
		module.syncs++;
		return 0;
	default:
		errno = ENOTTY;
		return -1;
	}
}

/* ------------------------------------------------------------------ the tests */

static unsigned char from[1 << 20], to[1 << 20];

static struct sva *open_dma(const char *paths)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	struct sva *sva = NULL;

	opts.paths = paths;
	opts.threshold = 1;
	is_rc(sva_open(&sva, &opts), 0, "a context opens");
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (unsigned char)(i * 7 + i / 251);
	memset(to, 0, sizeof(to));
	return sva;
}

static void test_reasons(void)
{
	static const struct {
		int open_error, info_error;
		uint32_t version, channels, reason;
	} cases[] = {
		{ENOENT, 0, SVA_DMA_VERSION, 1, SVA_REASON_MODULE_ABSENT},
		{EACCES, 0, SVA_DMA_VERSION, 1, SVA_REASON_MODULE_PERMISSION},
		{0, ENOTTY, SVA_DMA_VERSION, 1, SVA_REASON_MODULE_FOREIGN},
		{0, EINVAL, SVA_DMA_VERSION, 1, SVA_REASON_MODULE_VERSION},
		{0, 0, SVA_DMA_VERSION + (1u << 16), 1, SVA_REASON_MODULE_VERSION},
		{0, 0, SVA_DMA_VERSION, 0, SVA_REASON_MODULE_NO_CHANNEL},
		{0, 0, SVA_DMA_VERSION, 1, SVA_REASON_OK},
	};
	char text[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reset_module();
		module.open_error = cases[i].open_error;
		module.info_error = cases[i].info_error;
		module.version = cases[i].version;
		module.channels = cases[i].channels;
		is(sva_explain(NULL, SVA_PATH_DMA, text, sizeof(text)), cases[i].reason, text);
	}
	reset_module();
	module.major = 1;
	module.opens = 0;
	is(sva_explain(NULL, SVA_PATH_DMA, text, sizeof(text)), SVA_REASON_MODULE_FOREIGN,
	   "another device under the name /dev/sva_dma is not taken for the module");
	is(module.opens, 0, "and it is not opened");
	reset_module();
	module.open_error = ENOENT;
	sva_explain(NULL, SVA_PATH_DMA, text, sizeof(text));
	is_str(text, "/dev/sva_dma is absent: the sva_dma module is not loaded",
	       "the text for an absent module");
}

static void test_sync(void)
{
	const struct sva_result *result;
	struct sva *sva;

	reset_module();
	sva = open_dma("dma");
	is_rc(sva_memcpy(sva, to, from, 100000), 0, "a copy by address");
	ok(!memcmp(to, from, 100000), "has the right bytes");
	result = sva_last_result();
	is(result->path, SVA_PATH_DMA, "the path is dma");
	is_str(result->device, "played0", "the device is the channel's");
	is_rc(sva_memfill(sva, to, 0x1122334455667788, 1001), 0, "a fill");
	ok(to[0] == 0x88 && to[7] == 0x11 && to[1000] == 0x88, "has the right bytes");
	module.hold = true;
	is_rc(sva_memcpy(sva, to, from, 5000), 0,
	   "a copy whose completion is waited for in the kernel");
	ok(!memcmp(to, from, 5000), "has the right bytes");
	module.hold = false;
	sva_close(sva);

	reset_module();
	module.max_len = 1000;
	sva = open_dma("dma");
	module.ops = 0;
	is_rc(sva_memcpy(sva, to, from, 10001), 0, "a copy longer than the module takes");
	ok(!memcmp(to, from, 10001), "has the right bytes");
	is(module.ops, 11, "went out in eleven parts");
	sva_close(sva);
}

static void test_errors(void)
{
	struct sva *sva;

	reset_module();
	sva = open_dma("dma,cpu");
	module.refuse = EAGAIN;
	module.refusals = 1;
	is_rc(sva_memcpy(sva, to, from, 100000), 0, "a full ring is tried again");
	is(sva_last_result()->path, SVA_PATH_DMA, "on the same path");
	memcpy(to, from, 1000);
	is_rc(sva_memcpy(sva, to + 100, to, 900), 0, "an overlapping copy is left to the CPU");
	ok(!memcmp(to + 100, from, 900), "and has the right bytes");
	is(sva_last_result()->path, SVA_PATH_CPU, "the route says so");
	module.refuse = ENODEV;
	module.refusals = 2;
	is_rc(sva_memcpy(sva, to, from, 100000), 0, "a channel that went away: the CPU");
	is(sva_last_result()->path, SVA_PATH_CPU, "the route says so");
	module.result_once = -EFAULT;
	is_rc(sva_memcpy(sva, to, from, 100000), 0, "a page that only needs a touch is tried again");
	is(sva_last_result()->faults, 1, "one fault is told");
	sva_close(sva);

	reset_module();
	sva = open_dma("dma");
	module.result_once = -EFAULT;
	is_rc(sva_memcpy(sva, to, (void *)0x10000, 4096), -EFAULT, "a bad pointer");
	is(sva_last_result()->fault_addr, 0x10000, "its address is told");
	module.complete_once = -EIO;
	is_rc(sva_memcpy(sva, to, from, 4096), -EIO, "a device error");
	sva_close(sva);
}

static void test_async(void)
{
	struct sva_op ops[40], *list[40], *done[40];
	struct sva *sva;
	int n = 0, reaped = 0;

	reset_module();
	sva = open_dma("dma");
	module.hold = true;
	sva_prep_memcpy(&ops[0], to, from, 1000);
	is_rc(sva_submit(sva, &ops[0]), 0, "an asynchronous copy");
	is_rc(sva_poll(&ops[0]), 0, "is pending as long as the ring has nothing");
	release_held();
	is(sva_poll(&ops[0]), 1, "and done when it has");
	for (int i = 0; i < 40; i++) {
		list[i] = &ops[i];
		sva_prep_memcpy(&ops[i], to + i * 1000, from + i * 1000, 1000);
	}
	module.submits = 0;
	module.hold = false;
	n = sva_submit_many(sva, list, 40);
	is(n, 40, "forty at a time");
	ok(module.submits <= 4, "in few calls: %u", module.submits);
	while (reaped < n)
		reaped += sva_reap(sva, done, 40);
	is(reaped, 40, "each is reaped once");
	ok(!memcmp(to, from, 40000), "and has the right bytes");
	sva_prep_batch(&ops[39], list, 30);
	for (int i = 0; i < 30; i++)
		sva_prep_memcpy(&ops[i], to + i * 1000, from + 100000 + i * 1000, 1000);
	is_rc(sva_run(sva, &ops[39]), 0, "a batch, which this path has no descriptor for");
	ok(!memcmp(to, from + 100000, 30000), "has the right bytes");
	sva_close(sva);
}

/*
 * RLIMIT_MEMLOCK: what may not be pinned at once is done piece by piece, and what is in flight
 * makes room when it ends.
 */
static void test_pin_limit(void)
{
	struct sva_op ops[8], *list[8];
	struct sva *sva;
	int taken;

	reset_module();
	sva = open_dma("dma");
	module.pin_limit = 20000;
	is_rc(sva_memcpy(sva, to, from, 100000), 0, "a copy of more than may be pinned");
	ok(!memcmp(to, from, 100000), "has the right bytes");
	is(sva_last_result()->path_bytes[SVA_PATH_DMA], 100000, "all of it on the path dma");
	is_rc(sva_memfill(sva, to, 0x0807060504030201, 100001), 0, "a fill");
	ok(to[0] == 1 && to[65535] == 8 && to[100000] == 1, "has the right bytes");

	module.hold = true;
	for (int i = 0; i < 8; i++) {
		list[i] = &ops[i];
		sva_prep_memcpy(&ops[i], to + i * 4000, from + i * 4000, 4000);
	}
	taken = sva_submit_many(sva, list, 8);
	is(taken, 2, "of eight at a time as many are taken as may be pinned");
	is_rc(sva_submit(sva, &ops[2]), -EAGAIN, "the next one has to wait");
	release_held();
	is_rc(sva_wait(&ops[0], -1) | sva_wait(&ops[1], -1), 0, "until they have ended");
	is_rc(sva_submit(sva, &ops[2]), 0, "then there is room");
	release_held();
	is_rc(sva_wait(&ops[2], -1), 0, "and it is done");
	ok(!memcmp(to, from, 12000), "and has the right bytes");
	module.hold = false;
	sva_prep_memcpy(&ops[0], to, from, 100000);
	is_rc(sva_submit(sva, &ops[0]) | sva_wait(&ops[0], -1), 0, "a long one goes piece by piece");
	ok(!memcmp(to, from, 100000), "and has the right bytes");

	module.pin_limit = 100;
	is_rc(sva_memcpy(sva, to, from, 100000), -ENOMEM,
	   "where nothing may be pinned it is an error");
	sva_close(sva);
	sva = open_dma("dma,cpu");
	is_rc(sva_memcpy(sva, to, from, 100000), 0, "or the CPU does it");
	is(sva_last_result()->path, SVA_PATH_CPU, "and says so");
	is(sva_last_result()->reason, SVA_REASON_MEMLOCK, "and why");
	sva_close(sva);
}

static void test_mapped(void)
{
	struct sva_dma_buf *a = NULL, *b = NULL, *small = NULL;
	struct sva_op op;
	struct sva *sva;

	reset_module();
	sva = open_dma("dma,cpu");
	is_rc(sva_dma_map(sva, from, sizeof(from), SVA_DMA_SOURCE, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), SVA_DMA_DESTINATION, &b), 0, "map a destination");
	is(sva_dma_is_mapped(a), 1, "it is mapped for a device");
	is(module.maps, 2, "two mappings");
	is_rc(sva_dma_copy(sva, b, 10, a, 500000, 400000), 0, "a copy by handle");
	ok(!memcmp(to + 10, from + 500000, 400000), "has the right bytes");
	is(sva_last_result()->path, SVA_PATH_DMA, "on the dma path");
	is_rc(sva_dma_sync(b, 0, 100, SVA_DMA_FOR_CPU), 0, "sync for the CPU");
	is(module.syncs, 1, "reaches the module");
	is_rc(sva_dma_sync(b, sizeof(to), 1, SVA_DMA_FOR_CPU), -EINVAL, "not beyond the end");
	is_rc(sva_dma_sync(b, 0, 1, 3), -EINVAL, "not in two directions");
	is_rc(sva_dma_copy(sva, a, 0, b, 0, 10), -EINVAL, "not against the direction of a mapping");
	is_rc(sva_dma_copy(sva, b, 0, a, sizeof(from) - 5, 10), -EINVAL,
	   "not beyond the end of a buffer");
	is_rc(sva_dma_fill(sva, b, 3, 0x0101010101010101, 77), 0, "a fill by handle");
	ok(to[3] == 1 && to[79] == 1, "has the right bytes");
	module.hold = true;
	sva_prep_dma_copy(&op, b, 0, a, 0, 1000);
	is_rc(sva_submit(sva, &op), 0, "an asynchronous one");
	is_rc(sva_dma_unmap(b), -EBUSY, "a buffer in use is not unmapped");
	is_rc(sva_wait(&op, -1), 0, "it ends");
	module.hold = false;
	is_rc(sva_dma_unmap(a), 0, "unmap");
	is_rc(sva_dma_unmap(b), 0, "unmap");
	is(module.unmaps, 2, "two are gone");
	is_rc(sva_dma_map(sva, NULL, 10, 0, &small), -EFAULT, "null is not mapped");
	is_rc(sva_dma_map(sva, from, 0, 0, &small), -EINVAL, "nothing is not mapped");
	is_rc(sva_dma_map(sva, from, 10, 8, &small), -EINVAL, "unknown flags");
	is_rc(sva_dma_unmap(NULL), 0, "null is unmapped already");
	sva_close(sva);

	/* The same program without the module. */
	reset_module();
	module.open_error = ENOENT;
	sva = open_dma(NULL);
	is_rc(sva_dma_map(sva, from, sizeof(from), 0, &a), 0,
	   "without the module, map notes the buffer");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "and another one");
	is_rc(sva_dma_is_mapped(a), 0, "and says so");
	is_rc(sva_dma_copy(sva, b, 0, a, 1, 100000), 0, "a copy");
	ok(!memcmp(to, from + 1, 100000), "has the right bytes");
	ok(sva_last_result()->path != SVA_PATH_DMA, "on another path");
	is_rc(sva_dma_copy(sva, b, 5, b, 0, 1000), 0, "within one buffer, overlapping");
	ok(!memcmp(to + 5, from + 1, 1000), "has the right bytes");
	is_rc(sva_dma_map(sva, (void *)0x10000, 4096, 0, &small), -EFAULT,
	   "what is no memory is not noted");
	is_rc(sva_dma_unmap(a), 0, "unmap");
	is_rc(sva_dma_unmap(b), 0, "unmap");
	sva_close(sva);
}

/* What a device will not have, others do, and the route says so. */
static void test_mapped_refused(void)
{
	struct sva_dma_buf *a = NULL, *b = NULL;
	struct sva_desc before;
	struct sva_op op;
	struct sva *sva;

	reset_module();
	sva = open_dma("dma,cpu");
	is_rc(sva_dma_map(sva, from, sizeof(from), 0, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "map a destination");
	/* By handle, and then by address. */
	module.refuse = EOPNOTSUPP;
	module.refusals = 2;
	is_rc(sva_dma_copy(sva, b, 1, a, 3, 5000), 0,
	   "a copy that is not aligned as the channel wants it");
	ok(!memcmp(to + 1, from + 3, 5000), "has the right bytes");
	is(sva_last_result()->path, SVA_PATH_CPU, "from the CPU");
	is(sva_last_result()->reason, SVA_REASON_NO_OPERATION,
	   "because the device has no such thing");
	module.refusals = 2;
	is_rc(sva_dma_fill(sva, b, 7, 0x0807060504030201, 1001), 0, "a fill of that kind");
	ok(to[7] == 1 && to[8] == 2 && to[1007] == 1, "has the right bytes");
	module.refuse = ENODEV;
	module.refusals = 1;
	is_rc(sva_dma_copy(sva, b, 0, a, 0, 5000), 0, "a device that went away: by address");
	ok(!memcmp(to, from, 5000), "has the right bytes");
	is(sva_last_result()->path, SVA_PATH_DMA, "which another one has");
	module.result_once = -EBADF;
	is_rc(sva_dma_copy(sva, b, 0, a, 100, 5000), 0, "a handle that the module has lost");
	ok(!memcmp(to, from + 100, 5000), "has the right bytes");
	is_rc(sva_dma_unmap(a), 0, "nothing holds the source");
	is_rc(sva_dma_unmap(b), 0, "nor the destination");
	sva_close(sva);

	reset_module();
	module.max_len = 1000;
	sva = open_dma("dma,cpu");
	is_rc(sva_dma_map(sva, from, sizeof(from), 0, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "map a destination");
	module.good_before = 3;
	module.result_once = -EOPNOTSUPP;
	is_rc(sva_dma_copy(sva, b, 10, a, 20, 4501), 0, "a copy whose last but one part is refused");
	ok(!memcmp(to + 10, from + 20, 4501) && !to[4511], "has the right bytes");
	is(sva_last_result()->path_bytes[SVA_PATH_DMA], 3000, "the device's part");
	is(sva_last_result()->path_bytes[SVA_PATH_CPU], 1501, "the CPU's");
	module.good_before = 1;
	module.result_once = -EOPNOTSUPP;
	is_rc(sva_dma_fill(sva, b, 10, 0x0807060504030201, 2003), 0,
	   "a fill, from its second part on");
	ok(to[10] == 1 && to[1010] == 1 && to[1011] == 2 && to[2012] == 3, "has the right bytes");
	is_rc(sva_dma_unmap(a), 0, "nothing holds the source");
	is_rc(sva_dma_unmap(b), 0, "nor the destination");
	sva_close(sva);

	reset_module();
	sva = open_dma("dma");
	is_rc(sva_dma_map(sva, from, sizeof(from), 0, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "map a destination");
	sva_prep_dma_copy(&op, b, 1, a, 3, 500);
	before = op.desc;
	module.refuse = EOPNOTSUPP;
	module.refusals = 2;
	is_rc(sva_submit(sva, &op), -EOPNOTSUPP, "where nobody else may, it is refused");
	ok(!memcmp(&op.desc, &before, sizeof(before)), "and as it was");
	is_rc(sva_run(sva, &op), 0, "so it can be submitted again");
	ok(!memcmp(to + 1, from + 3, 500), "and has the right bytes");
	is_rc(sva_dma_unmap(a), 0, "nothing holds the source");
	is_rc(sva_dma_unmap(b), 0, "nor the destination");
	sva_close(sva);
}

/* Many of them: in one call to the module, and as entries of a batch. */
static void test_mapped_many(void)
{
	struct sva_op ops[41], *list[40];
	struct sva_dma_buf *a = NULL, *b = NULL;
	bool all = true;
	struct sva *sva;

	reset_module();
	sva = open_dma("dma,cpu");
	is_rc(sva_dma_map(sva, from, sizeof(from), 0, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "map a destination");
	for (int i = 0; i < 40; i++) {
		list[i] = &ops[i];
		sva_prep_dma_copy(&ops[i], b, (size_t)i * 1000, a, (size_t)i * 1000 + 7, 1000);
	}
	module.submits = 0;
	module.good_before = 20;
	module.result_once = -EOPNOTSUPP;
	is(sva_submit_many(sva, list, 40), 40, "forty by handle");
	ok(module.submits <= 4, "in few calls: %u", module.submits);
	is_rc(sva_dma_unmap(a), -EBUSY, "they hold their buffers");
	for (int i = 0; i < 40; i++)
		all &= !sva_wait(&ops[i], -1);
	ok(all && !memcmp(to, from + 7, 40000),
	   "all have the right bytes, the one that was refused, too");
	is(sva_op_result(&ops[0])->path, SVA_PATH_DMA, "the first went by dma");

	for (int i = 0; i < 30; i++)
		sva_prep_dma_copy(&ops[i], b, (size_t)i * 1000, a, 100000 + (size_t)i * 1000, 1000);
	sva_prep_dma_fill(&ops[30], b, 30000, 0x4444444444444444, 1000);
	sva_prep_memcpy(&ops[31], to + 31000, from + 131000, 1000);
	sva_prep_batch(&ops[40], list, 32);
	ops[30].flags |= SVA_OP_FENCE;
	module.hold = true;
	is_rc(sva_submit(sva, &ops[40]), 0, "a batch of such and other operations");
	is_rc(sva_dma_unmap(b), -EBUSY, "holds their buffers");
	module.hold = false;
	release_held();
	is_rc(sva_wait(&ops[40], -1), 0, "it ends");
	ok(!memcmp(to, from + 100000, 30000) && to[30000] == 0x44 && to[30999] == 0x44 &&
		   !memcmp(to + 31000, from + 131000, 1000), "has the right bytes");
	is(sva_op_result(&ops[3])->path, SVA_PATH_DMA, "an entry went by dma");
	for (int i = 0; i < 3; i++)
		sva_prep_dma_copy(&ops[i], b, (size_t)i * 1000, a, 0,
				  i == 2 ? sizeof(from) + 1 : 1000);
	sva_prep_batch(&ops[40], list, 3);
	is_rc(sva_run(sva, &ops[40]), -EINVAL,
	   "one with an entry beyond the end of a buffer is refused");
	sva_prep_batch(&ops[40], list, 2);
	is_rc(sva_run(sva, &ops[40]), 0, "and the others are as they were");
	ok(!memcmp(to + 1000, from, 1000), "and have the right bytes");
	sva_prep_dma_copy(&ops[0], b, 0, a, 0, 1000);
	sva_prep_memcpy(&ops[1], to + 1000, from + 1000, 1000);
	ops[1].flags |= SVA_OP_FENCE;
	sva_prep_batch(&ops[40], list, 2);
	module.hold = true;
	is_rc(sva_submit(sva, &ops[40]), 0, "a batch whose second entry waits for the first");
	release_held();
	is_rc(sva_poll(&ops[40]), 0, "when the first is done the batch is not");
	is_rc(sva_op_result(&ops[0])->error, 0, "though that entry has ended");
	is_rc(sva_dma_unmap(a), -EBUSY,
	   "the batch, which names what the entry used, holds its buffers");
	release_held();
	module.hold = false;
	is(sva_poll(&ops[40]), 1, "the batch ends");
	is_rc(sva_dma_unmap(a), 0, "nothing holds the source");
	is_rc(sva_dma_unmap(b), 0, "nor the destination");
	sva_close(sva);

	reset_module();
	module.open_error = ENOENT;
	sva = open_dma(NULL);
	is_rc(sva_dma_map(sva, from, sizeof(from), 0, &a), 0, "without the module");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "buffers are noted");
	sva_prep_dma_copy(&ops[0], b, 5, a, 0, 1000);
	sva_prep_dma_copy(&ops[1], b, 1105, a, 1000, 1000);
	sva_prep_dma_copy(&ops[2], b, 0, a, 0, sizeof(from) + 1);
	sva_prep_batch(&ops[40], list, 3);
	is_rc(sva_run(sva, &ops[40]), -EINVAL, "a batch with a bad entry is refused");
	sva_prep_batch(&ops[40], list, 2);
	is_rc(sva_run(sva, &ops[40]), 0, "one without is done by others");
	ok(!memcmp(to + 5, from, 1000) && !memcmp(to + 1105, from + 1000, 1000),
	   "and has the right bytes");
	is_rc(sva_dma_unmap(a), 0, "nothing holds the source");
	is_rc(sva_dma_unmap(b), 0, "nor the destination");
	sva_close(sva);
}

/* The kernel's part of it. */
static int play_uring(const struct io_uring_sqe *sqe)
{
	struct sva_dma_uring_cmd cmd;
	struct sva_dma_op op;
	uint32_t tail = module.ring->tail;
	int result;

	memcpy(&cmd, sqe->cmd, sizeof(cmd));
	if (sqe->opcode != IORING_OP_URING_CMD || sqe->fd != module.fd ||
	    sqe->cmd_op != SVA_DMA_OP_CMD || cmd.op_size != sizeof(op) ||
	    cmd.node != SVA_DMA_NODE_ANY)
		return -EINVAL;
	memcpy(&op, (void *)(uintptr_t)cmd.op, sizeof(op));
	result = run_op(&op);
	module.ring->tail = tail; /* the completion goes elsewhere */
	return result;
}

static void test_uring(void)
{
	struct sva_dma_buf *a = NULL, *b = NULL;
	struct io_uring_sqe sqe;
	struct sva_op op;
	struct sva *sva;

	reset_module();
	sva = open_dma("dma,cpu");
	is_rc(sva_dma_map(sva, from, sizeof(from), SVA_DMA_SOURCE, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), SVA_DMA_DESTINATION, &b), 0, "map a destination");
	sva_prep_dma_copy(&op, b, 1, a, 2, 1000);
	is_rc(sva_dma_uring_prep(&op, &sqe), -EOPNOTSUPP, "a kernel whose io_uring has no commands");
	is_rc(sva_run(sva, &op), 0, "the operation can be submitted nevertheless");
	sva_dma_unmap(a);
	sva_dma_unmap(b);
	sva_close(sva);

	reset_module();
	module.features = SVA_DMA_FEATURE_URING;
	sva = open_dma("dma,cpu");
	is_rc(sva_dma_map(sva, from, sizeof(from), SVA_DMA_SOURCE, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), 0, &b), 0, "map a destination");
	sva_prep_dma_copy(&op, b, 1, a, 2, sizeof(from) - 2);
	op.user_data = 77;
	memset(&sqe, 0xff, sizeof(sqe));
	is_rc(sva_dma_uring_prep(&op, &sqe), 0, "a copy for a ring");
	is(sqe.user_data, (uintptr_t)&op, "the submission names the operation");
	ok(!sqe.flags && !sqe.ioprio && !sqe.rw_flags && !sqe.buf_index && !sqe.personality,
	   "and asks for nothing else");
	is_rc(sva_submit(sva, &op), -EBUSY, "it can not be submitted a second time");
	is_rc(sva_dma_uring_prep(&op, &sqe), -EBUSY, "nor prepared");
	is_rc(sva_poll(&op), -EINVAL, "nor polled");
	is_rc(sva_dma_unmap(a), -EBUSY, "and it holds its buffers");
	is_rc(sva_dma_uring_done(&op, play_uring(&sqe)), 0, "it ends well");
	ok(!memcmp(to + 1, from + 2, sizeof(from) - 2),
	   "has the right bytes, though longer than an operation by address");
	is(sva_op_result(&op)->path, SVA_PATH_DMA, "the result knows the path");
	is(sva_op_result(&op)->bytes, sizeof(from) - 2, "the bytes");
	is_str(sva_op_result(&op)->device, "played0", "and the device");
	is(op.user_data, 77, "the caller's word is untouched");
	is_rc(sva_dma_uring_done(&op, 0), -EINVAL, "it ends once");
	sva_prep_dma_fill(&op, b, 5, 0x0807060504030201, 100);
	is_rc(sva_dma_uring_prep(&op, &sqe), 0, "a fill");
	is_rc(sva_dma_uring_done(&op, play_uring(&sqe)), 0, "ends well");
	ok(to[5] == 1 && to[104] == 4, "has the right bytes");
	sva_prep_dma_copy(&op, b, 0, a, 0, 100);
	is_rc(sva_dma_uring_prep(&op, &sqe), 0, "one that the device fails");
	is_rc(sva_dma_uring_done(&op, -EIO), -EIO, "ends so");
	is_rc(sva_op_result(&op)->error, -EIO, "and its result says so");
	is_rc(sva_op_result(&op)->bytes, 0, "with nothing done");
	sva_prep_memcpy(&op, to, from, 100);
	is_rc(sva_dma_uring_prep(&op, &sqe), -EINVAL, "by address there is none");
	sva_prep_dma_copy(&op, b, 0, a, 1, sizeof(from));
	is_rc(sva_dma_uring_prep(&op, &sqe), -EINVAL, "nor beyond the end of a buffer");
	sva_prep_dma_copy(&op, a, 0, b, 0, 1);
	is_rc(sva_dma_uring_prep(&op, &sqe), -EINVAL, "nor against its direction");
	sva_prep_dma_copy(&op, b, 0, b, 1, 100);
	is_rc(sva_dma_uring_prep(&op, &sqe), -EOPNOTSUPP, "an overlap is for others");
	is_rc(sva_run(sva, &op), 0, "who take it as it is");
	is_rc(sva_dma_uring_prep(&op, &sqe), -EINVAL, "what has ended is not prepared");
	is_rc(sva_dma_unmap(a), 0, "nothing holds the source");
	is_rc(sva_dma_unmap(b), 0, "nor the destination");
	sva_close(sva);
}

/* The program closes the module's descriptor, and a file of its own gets the number. */
static void test_closed_by_program(void)
{
	struct sva_dma_buf *a = NULL, *b = NULL;
	unsigned int opens, rings;
	struct io_uring_sqe sqe;
	struct sva *sva;
	struct sva_op op;
	int taken;

	reset_module();
	module.features = SVA_DMA_FEATURE_URING;
	sva = open_dma("dma,cpu");
	is_rc(sva_dma_map(sva, from, sizeof(from), SVA_DMA_SOURCE, &a), 0, "map a source");
	is_rc(sva_dma_map(sva, to, sizeof(to), SVA_DMA_DESTINATION, &b), 0, "map a destination");
	is_rc(sva_dma_copy(sva, b, 0, a, 0, 1000), 0, "a copy by handle");
	module.hold = true;
	sva_prep_memcpy(&op, to + 5000, from + 5000, 70000);
	is_rc(sva_submit(sva, &op), 0, "an operation in flight");
	module.foreign = 0;
	opens = module.opens;
	rings = ring_mappings();
	take_number();
	taken = module.fd;
	is_rc(sva_poll(&op), 0, "after the program closed the file, what is in flight is awaited");
	release_held();
	module.hold = false;
	ok(!sva_wait(&op, -1) && !memcmp(to + 5000, from + 5000, 70000), "and ends well");
	is_rc(sva_dma_sync(b, 0, 100, SVA_DMA_FOR_CPU), -EIO,
	   "a buffer cannot be handed over any more");
	sva_prep_dma_copy(&op, b, 0, a, 100, 1000);
	is_rc(sva_dma_uring_prep(&op, &sqe), -EOPNOTSUPP,
	   "nothing is prepared for an io_uring with the number that is not ours");
	is(ring_mappings(), rings - 1,
	   "and the ring goes, with all that the module holds for the file");
	is_rc(sva_dma_is_mapped(b), 0, "the buffers are not mapped any more");
	ok(!sva_dma_copy(sva, b, 0, a, 7, 3000) && !memcmp(to, from + 7, 3000),
	   "a copy by handle is done, by address");
	ok(!sva_memcpy(sva, to, from, 100000) && !memcmp(to, from, 100000),
	   "a copy by address is done");
	is(sva_last_result()->path, SVA_PATH_DMA, "on the dma path");
	is(module.opens, opens + 1, "whose file was opened anew, once");
	is_rc(sva_dma_unmap(a), 0, "unmap");
	is_rc(sva_dma_unmap(b), 0, "unmap");
	is(module.unmaps, 0, "no handle of the old file was given to the new one");
	is_rc(sva_dma_map(sva, to, sizeof(to), SVA_DMA_DESTINATION, &b), 0, "map once more");
	is(sva_dma_is_mapped(b), 1, "it is mapped, on the new file");
	sva_dma_unmap(b);
	sva_close(sva);
	is(module.foreign, 0, "no call was made on the program's file");
	ok(fcntl(taken, F_GETFD) >= 0, "which is open still");
	__real_close(taken);
}

/*
 * The module puts completions where the library has read those before, and knows that by the head
 * alone.
 */
static void test_ring(void)
{
	struct sva *sva;

	reset_module();
	sva = open_dma("dma");
	for (unsigned int i = 0; i < 3 * RING; i++)
		if (sva_memcpy(sva, to, from, 100))
			ok(false, "copy %u fails", i);
	is(module.ring->tail, 3 * RING,
	   "three times as many copies as the ring has entries are completed through it");
	is(module.ring->head, module.ring->tail,
	   "the library gives the ring's head back to the module");
	is(module.overruns, 0, "so that there was room for each completion");
	is(ring_mappings(), 2, "the library has the ring mapped");
	sva_close(sva);
	is(ring_mappings(), 0, "and has not when the last context is closed");
}

static void test_pasid(void)
{
	struct sva_bond *bond = NULL;
	uint32_t pasid = 0;
	struct sva *sva;

	reset_module();
	sva = open_dma("soft");
	is_rc(sva_bind(sva, "soft", 0, &bond), 0, "a bond");
	is_rc(sva_bond_pasid(bond, &pasid), -ENODATA, "without the feature there is no PASID");
	module.features = SVA_DMA_FEATURE_PASID;
	is_rc(sva_bond_pasid(bond, &pasid), 0, "with it there is one");
	is(pasid, 4711, "it is the module's");
	sva_unbind(bond);
	sva_close(sva);
}

int main(void)
{
	reset_module();
	test_reasons();
	test_sync();
	test_errors();
	test_async();
	test_pin_limit();
	test_mapped();
	test_mapped_refused();
	test_mapped_many();
	test_uring();
	test_ring();
	test_closed_by_program();
	test_pasid();
	return done();
}
