/* SPDX-License-Identifier: MIT */
/* The sva_dma module, played by the test: see module.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "unit/module.h"

#define RING_BYTES 4096u

struct module module;
unsigned char from[1 << 20], to[1 << 20];

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

void module_reset(void)
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

	/* The module refuses what it has no room for; there is room behind the head. */
	module.overruns +=
		module.ring->tail - __atomic_load_n(&module.ring->head, __ATOMIC_ACQUIRE) >= RING;
	cqe->user_data = user_data;
	cqe->result = result;
	cqe->channel = 0;
	__atomic_store_n(&module.ring->tail, module.ring->tail + 1, __ATOMIC_RELEASE);
}

void module_release(void)
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

int module_run_op(struct sva_dma_op *op)
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
		module_run_op(&ops[args->taken]);
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
 * Another file of the program has the number of the module's file, which stays open by the mapped
 * ring.
 */
static bool is_taken(void)
{
	struct stat st;

	return module.taken && !__real_fstat(module.fd, &st) && st.st_ino == module.taken;
}

unsigned int module_ring_mappings(void)
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

void module_take_number(void)
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
		module_release();
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

struct sva *module_open(const char *paths)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	struct sva *sva = NULL;

	opts.paths = paths;
	opts.threshold = 1;
	if (sva_open(&sva, &opts)) {
		printf("Bail out! no context opens\n");
		exit(1);
	}
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (unsigned char)(i * 7 + i / 251);
	memset(to, 0, sizeof(to));
	return sva;
}
