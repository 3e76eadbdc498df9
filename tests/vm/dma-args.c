// SPDX-License-Identifier: MIT
/* The arguments of /dev/sva_dma: what each call answers, how they grow, and what it refuses. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"

#define PAGE 4096UL

static struct dma dma;
static char *src, *dst;

/* Runs a function in a child and gives its answer, 0 to 255. */
static int in_child(int (*run)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(run());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void info(void)
{
	struct sva_dma_channel channel = { .size = sizeof(channel) };
	unsigned int found = 0;

	is(dma.info.version, SVA_DMA_VERSION, "INFO tells the version");
	is(dma.info.nr_channels, 4, "it counts the channels of the provider");
	is(dma.info.nodes, 3, "and names both nodes");
	is(dma.info.align, 1, "no alignment is asked for");
	ok(dma.info.features & SVA_DMA_FEATURE_URING, "it has io_uring");
	ok(!(dma.info.features & SVA_DMA_FEATURE_PASID) && !dma.info.pasid, "a process without a PASID has none");
	is(__builtin_popcount(dma.info.ring_entries), 1, "the ring is a power of two");
	for (unsigned int i = 0; i < dma.info.channel_limit; i++) {
		channel.index = i;
		if (dma_call(&dma, SVA_DMA_CHANNEL, &channel))
			continue;
		found++;
		if (i == 0) {
			is_str((const char *)channel.driver, "swdma.engine", "CHANNEL names the driver");
			ok(!strncmp((const char *)channel.device, "swdma.engine.", 13), "the device");
			ok(!strncmp((const char *)channel.name, "dma", 3), "and the channel");
			is(channel.max_segment, 65536, "and tells its segment size");
		}
	}
	is(found, 4, "each channel is told");
	channel.index = 64;
	is(dma_call(&dma, SVA_DMA_CHANNEL, &channel), -ENOENT, "there is no channel 64");
	channel.index = 0xffffffff;
	is(dma_call(&dma, SVA_DMA_CHANNEL, &channel), -ENOENT, "nor one with the largest number");
}

/* Each structure: too small, as known, longer with zeros, longer with something unknown. */
static void growth(void)
{
	static const struct { unsigned int call; unsigned int size; const char *name; } calls[] = {
		{ SVA_DMA_INFO, sizeof(struct sva_dma_info), "INFO" },
		{ SVA_DMA_CHANNEL, sizeof(struct sva_dma_channel), "CHANNEL" },
		{ SVA_DMA_COPY, sizeof(struct sva_dma_copy_args), "COPY" },
		{ SVA_DMA_FILL, sizeof(struct sva_dma_fill_args), "FILL" },
		{ SVA_DMA_MAP, sizeof(struct sva_dma_map_args), "MAP" },
		{ SVA_DMA_UNMAP, sizeof(struct sva_dma_unmap_args), "UNMAP" },
		{ SVA_DMA_SYNC, sizeof(struct sva_dma_sync_args), "SYNC" },
		{ SVA_DMA_SUBMIT, sizeof(struct sva_dma_submit_args), "SUBMIT" },
		{ SVA_DMA_WAIT, sizeof(struct sva_dma_wait_args), "WAIT" },
	};
	union { uint32_t size; unsigned char bytes[8192]; } arg;
	int known;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		memset(&arg, 0, sizeof(arg));
		arg.size = calls[i].size;
		known = dma_call(&dma, calls[i].call, &arg);
		memset(&arg, 0, sizeof(arg));
		arg.size = calls[i].size + 24;
		ok(dma_call(&dma, calls[i].call, &arg) == known && known != -E2BIG,
		   "%s: a longer structure that ends in zeros means the same (%d)", calls[i].name, known);
		arg.bytes[calls[i].size + 23] = 1;
		arg.size = calls[i].size + 24;
		is(dma_call(&dma, calls[i].call, &arg), -E2BIG, "something unknown at its end does not");
		arg.size = 8192;
		is(dma_call(&dma, calls[i].call, &arg), -E2BIG, "more than a page is never right");
		arg.size = calls[i].size - 1;
		is(dma_call(&dma, calls[i].call, &arg), -EINVAL, "less than the first version neither");
		arg.size = 0;
		is(dma_call(&dma, calls[i].call, &arg), -EINVAL, "nor nothing");
		memset(&arg, 0, sizeof(arg));
		arg.size = calls[i].size;
		arg.bytes[7] = 0x80;
		is(dma_call(&dma, calls[i].call, &arg), -EINVAL, "an unknown flag is refused");
		is(dma_call(&dma, calls[i].call, NULL), -EFAULT, "so is an argument that is not there");
		is(dma_call(&dma, calls[i].call, (void *)0xffff888000000000UL), -EFAULT, "or in the kernel");
	}
	is(dma_call(&dma, _IO(SVA_DMA_IOC, 200), &arg), -ENOTTY, "an unknown call is -ENOTTY");
	is(dma_call(&dma, _IOW(SVA_DMA_IOC, 0, int), &arg), -ENOTTY, "also with a size in its number");
	is(dma_call(&dma, SVA_DMA_OP_CMD, &arg), -ENOTTY, "io_uring's is no ioctl");
}

static struct sva_dma_copy_args copy_args(const void *to, const void *from, size_t len)
{
	return (struct sva_dma_copy_args) {
		.size = sizeof(struct sva_dma_copy_args), .dst = (uintptr_t)to, .src = (uintptr_t)from, .len = len,
		.node = SVA_DMA_NODE_ANY,
	};
}

static void copy_errors(void)
{
	struct sva_dma_copy_args args;
	char *hole = dma_alloc(8 * PAGE);

	args = copy_args(dst, src, 0);
	is(dma_call(&dma, SVA_DMA_COPY, &args), 0, "COPY of nothing is done");
	is(args.channel, SVA_DMA_CHANNEL_NONE, "by no channel");
	args = copy_args(dst, src, 3 * PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), 0, "COPY of something too");
	is(args.done, 3 * PAGE, "all of it");
	ok(args.channel < 4, "by a channel that is named");
	ok(!memcmp(dst, src, 3 * PAGE), "and it is right");

	args = copy_args(dst, dst + 100, 200);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EOPNOTSUPP, "ranges that overlap are the CPU's");
	args = copy_args(dst + 100, dst, 200);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EOPNOTSUPP, "in both directions");
	args = copy_args(dst, dst, 200);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EOPNOTSUPP, "and on themselves");
	args = copy_args(dst, dst + 200, 200);
	is(dma_call(&dma, SVA_DMA_COPY, &args), 0, "neighbours do not overlap");
	args = copy_args(dst, src, PAGE);
	args.node = 1;
	is(dma_call(&dma, SVA_DMA_COPY, &args), 0, "a node can be asked for");
	args.node = -2;
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EINVAL, "what can not be a node is refused");
	args.node = 1 << 20;
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EINVAL, "large ones as well");

	mprotect(hole + 4 * PAGE, PAGE, PROT_NONE);
	args = copy_args(hole + 10, src, 8 * PAGE - 10);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "a hole in the destination is found");
	is(args.fault, (uintptr_t)hole + 4 * PAGE, "and its address told");
	args = copy_args(dst, hole, 8 * PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "the same in the source");
	is(args.fault, (uintptr_t)hole + 4 * PAGE, "with the address");
	mprotect(hole + 4 * PAGE, PAGE, PROT_READ);
	args = copy_args(hole, src, 8 * PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "a destination must be writable");
	args = copy_args(dst, hole, 8 * PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), 0, "a source need not");

	args = copy_args((void *)0xffff888000000000UL, src, PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "kernel addresses are no destination");
	args = copy_args(dst, (void *)0xffffffff81000000UL, PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "and no source");
	args = copy_args(dst, (void *)0x800000000000UL, PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "nor are addresses between the halves");
	args = copy_args((void *)~0UL, src, PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "a range that wraps around is refused");
	args = copy_args(dst, src, ~0UL);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "so is the longest length");
	args = copy_args(dst, src, 1UL << 63);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "and half of it");
	args = copy_args(NULL, src, PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "a null pointer too");
	dma_free(hole, 8 * PAGE);
}

/* Twenty megabytes whose last page is missing: what was done before is told. */
static void far_fault(void)
{
	size_t len = 20 << 20;
	char *big = dma_alloc(len), *from = dma_alloc(len);
	struct sva_dma_copy_args args = copy_args(big, from, len);

	memset(from, 0x5a, len);
	mprotect(big + len - PAGE, PAGE, PROT_NONE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "a fault far inside is found");
	is(args.fault, (uintptr_t)big + len - PAGE, "where it is");
	ok(args.done > len / 2 && args.done < len, "what was done before is told");
	ok(!memcmp(big, from, args.done), "and is done");
	dma_free(big, len);
	dma_free(from, len);
}

static void copy_kinds(void)
{
	int fd = memfd_create("file", MFD_ALLOW_SEALING), pci;
	char *file, *huge;
	uint32_t handle;

	if (fd < 0 || ftruncate(fd, 4 * PAGE))
		dma_die("memfd");
	file = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	is(dma_copy(&dma, file, src, 4 * PAGE), 0, "shared memory is a destination");
	ok(!memcmp(file, src, 4 * PAGE), "and has the bytes");
	is(dma_map(&dma, file, 4 * PAGE, SVA_DMA_MAP_WRITE, &handle), 0, "it can be mapped for long");
	is(ftruncate(fd, PAGE), 0, "the file is cut while it is mapped");
	is(dma_copy(&dma, file, src, 4 * PAGE), -EFAULT, "what was cut off is no destination any more");
	is(dma_copy(&dma, dst, file, 4 * PAGE), -EFAULT, "and no source");
	is(dma_unmap(&dma, handle), 0, "its handle can still be let go");
	munmap(file, 4 * PAGE);
	is(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0, "it is sealed");
	file = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)	/* kernels before 6.7 do not even let us map it like this */
		file = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	is(dma_copy(&dma, dst, file, PAGE), 0, "a sealed file is a source");
	is(dma_copy(&dma, file, src, PAGE), -EFAULT, "but no destination");
	is(dma_map(&dma, file, PAGE, SVA_DMA_MAP_WRITE, &handle), -EFAULT, "also by mapping it");
	munmap(file, PAGE);
	close(fd);

	if (dma_write("/proc/sys/vm/nr_hugepages", "4"))
		dma_die("nr_hugepages");
	huge = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (huge == MAP_FAILED) {
		skip("large pages", "none to be had: %s", strerror(errno));
	} else {
		is(dma_fill(&dma, huge + 3, 0x1122334455667788, (4 << 20) - 3), 0, "large pages can be filled");
		ok(!memcmp(huge + 3, huge + 11, (4 << 20) - 11), "and are");
		is(dma_map(&dma, huge, 4 << 20, SVA_DMA_MAP_WRITE, &handle), 0, "and mapped");
		is(dma_unmap(&dma, handle), 0, "and unmapped");
		munmap(huge, 4 << 20);
	}
	dma_write("/proc/sys/vm/nr_hugepages", "0");

	pci = open("/sys/bus/pci/devices/0000:00:1f.2/resource5", O_RDWR);
	file = pci < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, pci, 0);
	if (file == MAP_FAILED) {
		skip("device memory", "no PCI memory to map here");
	} else {
		is(dma_copy(&dma, file, src, PAGE), -EFAULT, "device memory is no destination");
		is(dma_copy(&dma, dst, file, PAGE), -EFAULT, "and no source");
		is(dma_map(&dma, file, PAGE, SVA_DMA_MAP_READ, &handle), -EFAULT, "and can not be mapped");
		munmap(file, PAGE);
	}
	close(pci);
}

/* A source that is pinned for long must follow what the program writes to it later. */
static void map_follows(void)
{
	char *memory = dma_alloc(4 * PAGE);
	uint32_t from, to;
	struct sva_dma_op op = { .opcode = SVA_DMA_OP_COPY, .len = 4 * PAGE };
	unsigned int taken;

	is(memory[0], 0, "a page is read, so it is the shared page of zeros");
	is(dma_map(&dma, memory, 4 * PAGE, SVA_DMA_MAP_READ, &from), 0, "it is mapped as a source");
	is(dma_map(&dma, dst, 4 * PAGE, SVA_DMA_MAP_WRITE, &to), 0, "and something as a destination");
	memset(memory, 0x77, 4 * PAGE);
	op.dst_handle = to;
	op.src_handle = from;
	is(dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken), 0, "then it is written to, and copied");
	is(op.result, 0, "which works");
	ok(!memcmp(memory, dst, 4 * PAGE), "and copies what was written");
	is(dma_unmap(&dma, from), 0, "unmap one");
	is(dma_unmap(&dma, to), 0, "unmap the other");
	dma_free(memory, 4 * PAGE);
}

static void map_errors(void)
{
	struct sva_dma_map_args args = { .size = sizeof(args), .addr = (uintptr_t)dst, .len = PAGE, .node = -1 };
	struct dma other;
	uint32_t handle, second;
	struct sva_dma_op op = { .opcode = SVA_DMA_OP_COPY, .len = PAGE };
	unsigned int taken;

	is(dma_call(&dma, SVA_DMA_MAP, &args), -EINVAL, "MAP wants a direction");
	args.flags = SVA_DMA_MAP_READ;
	args.len = 0;
	is(dma_call(&dma, SVA_DMA_MAP, &args), -EINVAL, "and a length");
	args.len = dma.info.max_map_len + 1;
	is(dma_call(&dma, SVA_DMA_MAP, &args), -EMSGSIZE, "which has a limit");
	args.len = dma.info.max_map_len;
	is(dma_call(&dma, SVA_DMA_MAP, &args), -EFAULT, "the longest one is not there");
	args.len = PAGE;
	args.addr = ~0UL - 10;
	is(dma_call(&dma, SVA_DMA_MAP, &args), -EFAULT, "it must not wrap around");

	is(dma_map(&dma, dst, 2 * PAGE, SVA_DMA_MAP_WRITE, &handle), 0, "MAP a destination");
	is(dma_map(&dma, src, 2 * PAGE, SVA_DMA_MAP_READ, &second), 0, "MAP a source");
	ok(handle && second && handle != second, "the handles differ");
	op.dst_handle = second;
	op.src_handle = handle;
	is(dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken), 0, "use them the wrong way round");
	is(op.result, -EINVAL, "which is refused");
	op.dst_handle = handle;
	op.src_handle = second;
	op.dst = 1;
	op.len = 2 * PAGE;
	is(dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken), 0, "go beyond the end");
	is(op.result, -ERANGE, "which is refused");
	op.dst = ~0UL;
	is(dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken), 0, "with an offset that wraps around");
	is(op.result, -ERANGE, "which is refused");
	op.dst = 0;
	op.dst_handle = 4000;
	is(dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken), 0, "with a handle that is none");
	is(op.result, -EBADF, "which is refused");

	dma_open(&other);
	op.dst_handle = handle;
	is(dma_submit(&other, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken), 0, "with the handles of another file");
	is(op.result, -EBADF, "which is refused");
	is(dma_unmap(&other, handle), -EBADF, "and they can not be unmapped there");
	dma_close(&other);

	is(dma_sync(&dma, handle, 0, 2 * PAGE, SVA_DMA_SYNC_CPU), 0, "SYNC for the CPU");
	is(dma_sync(&dma, handle, 5, 7, SVA_DMA_SYNC_DEVICE), 0, "SYNC a part for the device");
	is(dma_sync(&dma, handle, 0, PAGE, 3), -EINVAL, "not for both");
	is(dma_sync(&dma, handle, 1, 2 * PAGE, SVA_DMA_SYNC_CPU), -ERANGE, "not beyond the end");
	is(dma_sync(&dma, handle, ~0UL, 2, SVA_DMA_SYNC_CPU), -ERANGE, "nor around it");
	is(dma_sync(&dma, 77, 0, PAGE, SVA_DMA_SYNC_CPU), -EBADF, "nor what is not mapped");
	is(dma_unmap(&dma, handle), 0, "UNMAP");
	is(dma_unmap(&dma, handle), -EBADF, "only once");
	is(dma_unmap(&dma, 0), -EBADF, "0 is no handle");
	is(dma_unmap(&dma, second), 0, "UNMAP the other");
}

static void too_many_maps(void)
{
	uint32_t handle = 0;
	unsigned int n = 0;
	int ret;

	do {
		ret = dma_map(&dma, dst, 1, SVA_DMA_MAP_READ, &handle);
		n += !ret;
	} while (!ret);
	is(ret, -ENOSPC, "handles run out");
	is(n, dma.info.max_maps, "after as many as were promised");
	for (; n; n--)
		ret |= dma_unmap(&dma, n);
	is(ret, -ENOSPC, "all of them can be let go");
}

static void submit_errors(void)
{
	struct sva_dma_op ops[4];
	struct sva_dma_submit_args args = {
		.size = sizeof(args), .flags = SVA_DMA_SUBMIT_WAIT, .ops = (uintptr_t)ops, .nr = 4,
		.op_size = sizeof(*ops), .node = -1,
	};
	struct { struct sva_dma_op op; uint64_t more; } longer[2];
	char *readonly = dma_alloc(PAGE);

	for (int i = 0; i < 4; i++)
		ops[i] = dma_op_copy(dst + i * (long)PAGE, src, PAGE, 0);
	ops[1].opcode = 99;
	ops[2].flags = 1;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), 0, "SUBMIT with two bad ones among four");
	is(args.taken, 4, "answers for all");
	ok(!ops[0].result && ops[1].result == -EINVAL && ops[2].result == -EINVAL && !ops[3].result, "each its own");
	ops[1] = dma_op_copy(dst, NULL, PAGE, 0);
	ops[2] = dma_op_copy(dst, src, dma.info.max_addr_len + 1, 0);
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), 0, "SUBMIT with an address that is none, and a length too long");
	ok(ops[1].result == -EFAULT && ops[2].result == -EMSGSIZE, "which they are told");
	ops[1] = (struct sva_dma_op) { .opcode = SVA_DMA_OP_FILL, .src_handle = 1, .dst = (uintptr_t)dst, .len = 8 };
	ops[2] = dma_op_copy(dst, src, 0, 0);
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), 0, "SUBMIT with a fill from a handle, and nothing at all");
	ok(ops[1].result == -EINVAL && !ops[2].result && ops[2].channel == SVA_DMA_CHANNEL_NONE, "as it should be");

	args.nr = 0;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -EINVAL, "SUBMIT of none");
	args.nr = dma.info.max_ops + 1;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -EINVAL, "SUBMIT of too many");
	args.nr = 1;
	args.op_size = sizeof(*ops) - 8;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -EINVAL, "SUBMIT of small ones");
	args.op_size = 1 << 20;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -E2BIG, "SUBMIT of huge ones");
	memset(longer, 0, sizeof(longer));
	longer[0].op = dma_op_copy(dst, src, 5, 0);
	longer[1].op = dma_op_copy(dst, src, 5, 0);
	args.ops = (uintptr_t)longer;
	args.op_size = sizeof(*longer);
	args.nr = 2;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), 0, "SUBMIT of longer ones that end in zeros");
	longer[1].more = 1;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), 0, "with something unknown in the second");
	is(args.taken, 1, "the first is taken");
	longer[0].more = 1;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -E2BIG, "and if it is the first, none");
	args.op_size = sizeof(*ops);
	args.ops = 0;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -EFAULT, "SUBMIT of nowhere");
	args.ops = ~0UL - 63;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -EFAULT, "SUBMIT of the end of the world");
	args.ops = (uintptr_t)readonly;
	memcpy(readonly, &longer[0].op, sizeof(longer[0].op));
	mprotect(readonly, PAGE, PROT_READ);
	args.nr = 1;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -EFAULT, "SUBMIT where no result can be written");
	args.ops = (uintptr_t)ops;
	args.flags = 0;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -ENXIO, "SUBMIT without waiting and without a ring");
	dma_free(readonly, PAGE);
}

static int child_is_refused(void)
{
	struct sva_dma_info again = { .size = sizeof(again) };

	if (dma_call(&dma, SVA_DMA_INFO, &again) != -EPERM)
		return 1;
	if (dma_copy(&dma, dst, src, PAGE) != -EPERM)
		return 2;
	if (mmap(NULL, dma.info.ring_bytes, PROT_READ, MAP_SHARED, dma.fd, 0) != MAP_FAILED || errno != EPERM)
		return 3;
	return 0;
}

int main(void)
{
	src = dma_alloc(64 * PAGE);
	dst = dma_alloc(64 * PAGE);
	memset(src, 0x3c, 64 * PAGE);
	for (size_t i = 0; i < 64 * PAGE; i += 7)
		src[i] = (char)i;
	dma_open(&dma);
	info();
	growth();
	copy_errors();
	far_fault();
	copy_kinds();
	map_follows();
	map_errors();
	too_many_maps();
	submit_errors();
	is(in_child(child_is_refused), 0, "a forked child is refused everything");
	dma_close(&dma);
	ok(dma_all_zero(5), "nothing is left");
	return done();
}
