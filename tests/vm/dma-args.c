// SPDX-License-Identifier: MIT
/* The arguments of /dev/sva_dma: the results of each ioctl, longer structures, and errors. */
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

/* Runs a function in a child and returns its result, 0 to 255. */
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

	is(dma.info.version, SVA_DMA_VERSION, "INFO reports the version of the interface");
	is(dma.info.nr_channels, 4, "INFO counts the four channels of the provider");
	is(dma.info.nodes, 3, "INFO reports both NUMA nodes of the channels");
	is(dma.info.align, 1, "INFO reports that no alignment is needed");
	ok(dma.info.features & SVA_DMA_FEATURE_URING, "INFO reports that io_uring is supported");
	ok(!(dma.info.features & SVA_DMA_FEATURE_PASID) && !dma.info.pasid,
	   "INFO reports no PASID to a process that has none");
	is(__builtin_popcount(dma.info.ring_entries), 1,
	   "INFO reports a ring whose size is a power of two");
	for (unsigned int i = 0; i < dma.info.channel_limit; i++) {
		channel.index = i;
		if (dma_call(&dma, SVA_DMA_CHANNEL, &channel))
			continue;
		found++;
		if (i == 0) {
			is_str((const char *)channel.driver, "swdma.engine",
			       "CHANNEL reports the name of the channel's driver");
			ok(!strncmp((const char *)channel.device, "swdma.engine.", 13),
			   "CHANNEL reports the name of the channel's device");
			ok(!strncmp((const char *)channel.name, "dma", 3),
			   "CHANNEL reports the name of the channel");
			is(channel.max_segment, 65536,
			   "CHANNEL reports the channel's segment size");
		}
	}
	is(found, 4, "CHANNEL reports each of the four channels");
	channel.index = 64;
	is(dma_call(&dma, SVA_DMA_CHANNEL, &channel), -ENOENT,
	   "CHANNEL with the index 64 is -ENOENT");
	channel.index = 0xffffffff;
	is(dma_call(&dma, SVA_DMA_CHANNEL, &channel), -ENOENT,
	   "CHANNEL with the largest index is -ENOENT");
}

/* Each structure: too small, as known, longer with zeros, longer with unknown bytes set. */
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
		unsigned int call = calls[i].call, size = calls[i].size;
		const char *name = calls[i].name;

		memset(&arg, 0, sizeof(arg));
		arg.size = size;
		known = dma_call(&dma, call, &arg);
		memset(&arg, 0, sizeof(arg));
		arg.size = size + 24;
		ok(dma_call(&dma, call, &arg) == known && known != -E2BIG,
		   "%s: a longer structure that ends in zeros has the same result (%d)", name,
		   known);
		arg.bytes[size + 23] = 1;
		arg.size = size + 24;
		ok(dma_call(&dma, call, &arg) == -E2BIG,
		   "%s: a longer structure with unknown bytes set is -E2BIG", name);
		arg.size = 8192;
		ok(dma_call(&dma, call, &arg) == -E2BIG,
		   "%s: a structure larger than a page is -E2BIG", name);
		arg.size = size - 1;
		ok(dma_call(&dma, call, &arg) == -EINVAL,
		   "%s: a structure smaller than in the first version is -EINVAL", name);
		arg.size = 0;
		ok(dma_call(&dma, call, &arg) == -EINVAL, "%s: the size 0 is -EINVAL", name);
		memset(&arg, 0, sizeof(arg));
		arg.size = size;
		arg.bytes[7] = 0x80;
		ok(dma_call(&dma, call, &arg) == -EINVAL, "%s: an unknown flag is -EINVAL", name);
		ok(dma_call(&dma, call, NULL) == -EFAULT,
		   "%s: an argument at a null pointer is -EFAULT", name);
		ok(dma_call(&dma, call, (void *)0xffff888000000000UL) == -EFAULT,
		   "%s: an argument at a kernel address is -EFAULT", name);
	}
	is(dma_call(&dma, _IO(SVA_DMA_IOC, 200), &arg), -ENOTTY,
	   "an ioctl with an unknown number is -ENOTTY");
	is(dma_call(&dma, _IOW(SVA_DMA_IOC, 0, int), &arg), -ENOTTY,
	   "a known ioctl with a size in its number is -ENOTTY");
	is(dma_call(&dma, SVA_DMA_OP_CMD, &arg), -ENOTTY,
	   "the command of io_uring as an ioctl is -ENOTTY");
}

static struct sva_dma_copy_args copy_args(const void *to, const void *from, size_t len)
{
	return (struct sva_dma_copy_args){
		.size = sizeof(struct sva_dma_copy_args),
		.dst = (uintptr_t)to,
		.src = (uintptr_t)from,
		.len = len,
		.node = SVA_DMA_NODE_ANY,
	};
}

static void copy_errors(void)
{
	struct sva_dma_copy_args args;
	char *hole = dma_alloc(8 * PAGE);

	args = copy_args(dst, src, 0);
	is(dma_call(&dma, SVA_DMA_COPY, &args), 0, "COPY of no bytes succeeds");
	is(args.channel, SVA_DMA_CHANNEL_NONE, "COPY of no bytes reports that no channel was used");
	args = copy_args(dst, src, 3 * PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), 0, "COPY of three pages succeeds");
	is(args.done, 3 * PAGE, "COPY of three pages reports that all bytes are done");
	ok(args.channel < 4, "COPY of three pages reports the channel that was used");
	ok(!memcmp(dst, src, 3 * PAGE), "COPY of three pages copies every byte");

	args = copy_args(dst, dst + 100, 200);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EOPNOTSUPP,
	   "COPY to lower addresses of an overlapping range is -EOPNOTSUPP");
	args = copy_args(dst + 100, dst, 200);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EOPNOTSUPP,
	   "COPY to higher addresses of an overlapping range is -EOPNOTSUPP");
	args = copy_args(dst, dst, 200);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EOPNOTSUPP,
	   "COPY of a range onto itself is -EOPNOTSUPP");
	args = copy_args(dst, dst + 200, 200);
	is(dma_call(&dma, SVA_DMA_COPY, &args), 0, "COPY between adjacent ranges succeeds");
	args = copy_args(dst, src, PAGE);
	args.node = 1;
	is(dma_call(&dma, SVA_DMA_COPY, &args), 0, "COPY with a NUMA node succeeds");
	args.node = -2;
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EINVAL, "COPY with the node -2 is -EINVAL");
	args.node = 1 << 20;
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EINVAL,
	   "COPY with a node that is too large is -EINVAL");

	mprotect(hole + 4 * PAGE, PAGE, PROT_NONE);
	args = copy_args(hole + 10, src, 8 * PAGE - 10);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT,
	   "COPY to a range with an inaccessible page is -EFAULT");
	is(args.fault, (uintptr_t)hole + 4 * PAGE,
	   "COPY to a range with an inaccessible page reports its address");
	args = copy_args(dst, hole, 8 * PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT,
	   "COPY from a range with an inaccessible page is -EFAULT");
	is(args.fault, (uintptr_t)hole + 4 * PAGE,
	   "COPY from a range with an inaccessible page reports its address");
	mprotect(hole + 4 * PAGE, PAGE, PROT_READ);
	args = copy_args(hole, src, 8 * PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT,
	   "COPY to a page that is only readable is -EFAULT");
	args = copy_args(dst, hole, 8 * PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), 0,
	   "COPY from a page that is only readable succeeds");

	args = copy_args((void *)0xffff888000000000UL, src, PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "COPY to a kernel address is -EFAULT");
	args = copy_args(dst, (void *)0xffffffff81000000UL, PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "COPY from a kernel address is -EFAULT");
	args = copy_args(dst, (void *)0x800000000000UL, PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT,
	   "COPY from a non-canonical address is -EFAULT");
	args = copy_args((void *)~0UL, src, PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT,
	   "COPY to a range that wraps around is -EFAULT");
	args = copy_args(dst, src, ~0UL);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "COPY of the largest length is -EFAULT");
	args = copy_args(dst, src, 1UL << 63);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT,
	   "COPY of half the largest length is -EFAULT");
	args = copy_args(NULL, src, PAGE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT, "COPY to a null pointer is -EFAULT");
	dma_free(hole, 8 * PAGE);
}

/* 20 MiB whose last page is inaccessible: COPY reports how many bytes it has done. */
static void far_fault(void)
{
	size_t len = 20 << 20;
	char *big = dma_alloc(len), *from = dma_alloc(len);
	struct sva_dma_copy_args args = copy_args(big, from, len);

	memset(from, 0x5a, len);
	mprotect(big + len - PAGE, PAGE, PROT_NONE);
	is(dma_call(&dma, SVA_DMA_COPY, &args), -EFAULT,
	   "COPY of 20 MiB whose last page is inaccessible is -EFAULT");
	is(args.fault, (uintptr_t)big + len - PAGE,
	   "COPY of 20 MiB reports the address of the inaccessible page");
	ok(args.done > len / 2 && args.done < len,
	   "COPY of 20 MiB reports how many bytes were done before the fault");
	ok(!memcmp(big, from, args.done),
	   "COPY of 20 MiB has copied the bytes that it reports as done");
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
	is(dma_copy(&dma, file, src, 4 * PAGE), 0, "COPY to shared memory of a file succeeds");
	ok(!memcmp(file, src, 4 * PAGE), "COPY to shared memory of a file copies every byte");
	is(dma_map(&dma, file, 4 * PAGE, SVA_DMA_MAP_WRITE, &handle), 0,
	   "MAP of shared memory of a file succeeds");
	is(ftruncate(fd, PAGE), 0, "a file can be truncated while its memory has a handle");
	is(dma_copy(&dma, file, src, 4 * PAGE), -EFAULT,
	   "COPY to pages that were truncated is -EFAULT");
	is(dma_copy(&dma, dst, file, 4 * PAGE), -EFAULT,
	   "COPY from pages that were truncated is -EFAULT");
	is(dma_unmap(&dma, handle), 0, "UNMAP of pages that were truncated succeeds");
	munmap(file, 4 * PAGE);
	is(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0,
	   "a memfd can be sealed against writing after UNMAP");
	file = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	/* Before Linux 6.7 a sealed file cannot be mapped like this. */
	if (file == MAP_FAILED)
		file = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	is(dma_copy(&dma, dst, file, PAGE), 0, "COPY from a sealed file succeeds");
	is(dma_copy(&dma, file, src, PAGE), -EFAULT, "COPY to a sealed file is -EFAULT");
	is(dma_map(&dma, file, PAGE, SVA_DMA_MAP_WRITE, &handle), -EFAULT,
	   "MAP of a sealed file for writing is -EFAULT");
	munmap(file, PAGE);
	close(fd);

	if (dma_write("/proc/sys/vm/nr_hugepages", "4"))
		dma_die("nr_hugepages");
	huge = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (huge == MAP_FAILED) {
		skip("large pages as a destination", "none to be had: %s", strerror(errno));
	} else {
		is(dma_fill(&dma, huge + 3, 0x1122334455667788, (4 << 20) - 3), 0,
		   "FILL of large pages succeeds");
		ok(!memcmp(huge + 3, huge + 11, (4 << 20) - 11),
		   "FILL of large pages writes every byte");
		is(dma_map(&dma, huge, 4 << 20, SVA_DMA_MAP_WRITE, &handle), 0,
		   "MAP of large pages succeeds");
		is(dma_unmap(&dma, handle), 0, "UNMAP of large pages succeeds");
		munmap(huge, 4 << 20);
	}
	dma_write("/proc/sys/vm/nr_hugepages", "0");

	pci = open("/sys/bus/pci/devices/0000:00:1f.2/resource5", O_RDWR);
	file = pci < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, pci, 0);
	if (file == MAP_FAILED) {
		skip("memory of a PCI device as a buffer", "no PCI memory to map here");
	} else {
		is(dma_copy(&dma, file, src, PAGE), -EFAULT,
		   "COPY to memory of a PCI device is -EFAULT");
		is(dma_copy(&dma, dst, file, PAGE), -EFAULT,
		   "COPY from memory of a PCI device is -EFAULT");
		is(dma_map(&dma, file, PAGE, SVA_DMA_MAP_READ, &handle), -EFAULT,
		   "MAP of memory of a PCI device is -EFAULT");
		munmap(file, PAGE);
	}
	close(pci);
}

/* A mapped source must have the bytes that the program writes to it after MAP. */
static void map_follows(void)
{
	char *memory = dma_alloc(4 * PAGE);
	uint32_t from, to;
	struct sva_dma_op op = { .opcode = SVA_DMA_OP_COPY, .len = 4 * PAGE };
	unsigned int taken;

	is(memory[0], 0, "an untouched page reads as zeros (it is the shared page of zeros)");
	is(dma_map(&dma, memory, 4 * PAGE, SVA_DMA_MAP_READ, &from), 0,
	   "MAP of the shared page of zeros for reading succeeds");
	is(dma_map(&dma, dst, 4 * PAGE, SVA_DMA_MAP_WRITE, &to), 0,
	   "MAP of a destination for it succeeds");
	memset(memory, 0x77, 4 * PAGE);
	op.dst_handle = to;
	op.src_handle = from;
	is(dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken), 0,
	   "SUBMIT is accepted after the program wrote to the mapped source");
	is(op.result, 0, "SUBMIT from the source that was written to has the result 0");
	ok(!memcmp(memory, dst, 4 * PAGE),
	   "SUBMIT copies what the program wrote to the source after MAP");
	is(dma_unmap(&dma, from), 0, "UNMAP of the source that was written to succeeds");
	is(dma_unmap(&dma, to), 0, "UNMAP of its destination succeeds");
	dma_free(memory, 4 * PAGE);
}

static void map_errors(void)
{
	struct sva_dma_map_args args = {
		.size = sizeof(args), .addr = (uintptr_t)dst, .len = PAGE, .node = -1};
	struct dma other;
	uint32_t handle, second;
	struct sva_dma_op op = { .opcode = SVA_DMA_OP_COPY, .len = PAGE };
	unsigned int taken;

	is(dma_call(&dma, SVA_DMA_MAP, &args), -EINVAL, "MAP without a direction is -EINVAL");
	args.flags = SVA_DMA_MAP_READ;
	args.len = 0;
	is(dma_call(&dma, SVA_DMA_MAP, &args), -EINVAL, "MAP of no bytes is -EINVAL");
	args.len = dma.info.max_map_len + 1;
	is(dma_call(&dma, SVA_DMA_MAP, &args), -EMSGSIZE,
	   "MAP of more than the reported limit is -EMSGSIZE");
	args.len = dma.info.max_map_len;
	is(dma_call(&dma, SVA_DMA_MAP, &args), -EFAULT,
	   "MAP of the longest length, where there is no memory, is -EFAULT");
	args.len = PAGE;
	args.addr = ~0UL - 10;
	is(dma_call(&dma, SVA_DMA_MAP, &args), -EFAULT,
	   "MAP of a range that wraps around is -EFAULT");

	is(dma_map(&dma, dst, 2 * PAGE, SVA_DMA_MAP_WRITE, &handle), 0,
	   "MAP of two pages for writing succeeds");
	is(dma_map(&dma, src, 2 * PAGE, SVA_DMA_MAP_READ, &second), 0,
	   "MAP of two pages for reading succeeds");
	ok(handle && second && handle != second,
	   "two buffers get different handles, neither of them 0");
	op.dst_handle = second;
	op.src_handle = handle;
	is(dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken), 0,
	   "SUBMIT accepts an operation that writes to a source");
	is(op.result, -EINVAL, "an operation that writes to a source has the result -EINVAL");
	op.dst_handle = handle;
	op.src_handle = second;
	op.dst = 1;
	op.len = 2 * PAGE;
	is(dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken), 0,
	   "SUBMIT accepts an operation beyond the end of a buffer");
	is(op.result, -ERANGE, "an operation beyond the end of a buffer has the result -ERANGE");
	op.dst = ~0UL;
	is(dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken), 0,
	   "SUBMIT accepts an operation with an offset that wraps around");
	is(op.result, -ERANGE,
	   "an operation with an offset that wraps around has the result -ERANGE");
	op.dst = 0;
	op.dst_handle = 4000;
	is(dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken), 0,
	   "SUBMIT accepts an operation with an unknown handle");
	is(op.result, -EBADF, "an operation with an unknown handle has the result -EBADF");

	dma_open(&other);
	op.dst_handle = handle;
	is(dma_submit(&other, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken), 0,
	   "SUBMIT accepts an operation with a handle of another open file");
	is(op.result, -EBADF,
	   "an operation with a handle of another open file has the result -EBADF");
	is(dma_unmap(&other, handle), -EBADF, "UNMAP of a handle of another open file is -EBADF");
	dma_close(&other);

	is(dma_sync(&dma, handle, 0, 2 * PAGE, SVA_DMA_SYNC_CPU), 0,
	   "SYNC of a whole buffer for the CPU succeeds");
	is(dma_sync(&dma, handle, 5, 7, SVA_DMA_SYNC_DEVICE), 0,
	   "SYNC of a part of a buffer for the device succeeds");
	is(dma_sync(&dma, handle, 0, PAGE, 3), -EINVAL,
	   "SYNC for the CPU and the device at once is -EINVAL");
	is(dma_sync(&dma, handle, 1, 2 * PAGE, SVA_DMA_SYNC_CPU), -ERANGE,
	   "SYNC beyond the end of a buffer is -ERANGE");
	is(dma_sync(&dma, handle, ~0UL, 2, SVA_DMA_SYNC_CPU), -ERANGE,
	   "SYNC with an offset that wraps around is -ERANGE");
	is(dma_sync(&dma, 77, 0, PAGE, SVA_DMA_SYNC_CPU), -EBADF,
	   "SYNC of an unknown handle is -EBADF");
	is(dma_unmap(&dma, handle), 0, "UNMAP of a handle succeeds");
	is(dma_unmap(&dma, handle), -EBADF, "UNMAP of a handle that was unmapped is -EBADF");
	is(dma_unmap(&dma, 0), -EBADF, "UNMAP of the handle 0 is -EBADF");
	is(dma_unmap(&dma, second), 0, "UNMAP of the second handle succeeds");
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
	is(ret, -ENOSPC, "MAP without a free handle is -ENOSPC");
	is(n, dma.info.max_maps, "MAP succeeds as often as INFO reports");
	for (; n; n--)
		ret |= dma_unmap(&dma, n);
	is(ret, -ENOSPC, "UNMAP of each of those handles succeeds");
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
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), 0,
	   "SUBMIT of four operations, two of them invalid, succeeds");
	is(args.taken, 4, "SUBMIT of four operations, two of them invalid, takes all four");
	ok(!ops[0].result && ops[1].result == -EINVAL && ops[2].result == -EINVAL && !ops[3].result,
	   "each of the four operations has its own result, 0 or -EINVAL");
	ops[1] = dma_op_copy(dst, NULL, PAGE, 0);
	ops[2] = dma_op_copy(dst, src, dma.info.max_addr_len + 1, 0);
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), 0,
	   "SUBMIT with a bad address and with a length over the limit succeeds");
	ok(ops[1].result == -EFAULT && ops[2].result == -EMSGSIZE,
	   "a bad address has the result -EFAULT, a length over the limit -EMSGSIZE");
	ops[1] = (struct sva_dma_op){
		.opcode = SVA_DMA_OP_FILL, .src_handle = 1, .dst = (uintptr_t)dst, .len = 8};
	ops[2] = dma_op_copy(dst, src, 0, 0);
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), 0,
	   "SUBMIT with a fill from a handle and with a copy of no bytes succeeds");
	ok(ops[1].result == -EINVAL && !ops[2].result && ops[2].channel == SVA_DMA_CHANNEL_NONE,
	   "a fill from a handle has the result -EINVAL, a copy of no bytes 0");

	args.nr = 0;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -EINVAL, "SUBMIT of no operation is -EINVAL");
	args.nr = dma.info.max_ops + 1;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -EINVAL,
	   "SUBMIT of more operations than INFO reports is -EINVAL");
	args.nr = 1;
	args.op_size = sizeof(*ops) - 8;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -EINVAL,
	   "SUBMIT of operations that are too small is -EINVAL");
	args.op_size = 1 << 20;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -E2BIG,
	   "SUBMIT of operations larger than a page is -E2BIG");
	memset(longer, 0, sizeof(longer));
	longer[0].op = dma_op_copy(dst, src, 5, 0);
	longer[1].op = dma_op_copy(dst, src, 5, 0);
	args.ops = (uintptr_t)longer;
	args.op_size = sizeof(*longer);
	args.nr = 2;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), 0,
	   "SUBMIT of longer operations that end in zeros succeeds");
	longer[1].more = 1;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), 0,
	   "SUBMIT succeeds if only its second operation has unknown bytes set");
	is(args.taken, 1, "SUBMIT takes the first operation if the second has unknown bytes set");
	longer[0].more = 1;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -E2BIG,
	   "SUBMIT is -E2BIG if its first operation has unknown bytes set");
	args.op_size = sizeof(*ops);
	args.ops = 0;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -EFAULT,
	   "SUBMIT of operations at a null pointer is -EFAULT");
	args.ops = ~0UL - 63;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -EFAULT,
	   "SUBMIT of operations at the last address is -EFAULT");
	args.ops = (uintptr_t)readonly;
	memcpy(readonly, &longer[0].op, sizeof(longer[0].op));
	mprotect(readonly, PAGE, PROT_READ);
	args.nr = 1;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -EFAULT,
	   "SUBMIT of operations in memory that is only readable is -EFAULT");
	args.ops = (uintptr_t)ops;
	args.flags = 0;
	is(dma_call(&dma, SVA_DMA_SUBMIT, &args), -ENXIO,
	   "SUBMIT without waiting, before the ring is mapped, is -ENXIO");
	dma_free(readonly, PAGE);
}

static int child_is_refused(void)
{
	struct sva_dma_info again = { .size = sizeof(again) };

	if (dma_call(&dma, SVA_DMA_INFO, &again) != -EPERM)
		return 1;
	if (dma_copy(&dma, dst, src, PAGE) != -EPERM)
		return 2;
	if (mmap(NULL, dma.info.ring_bytes, PROT_READ, MAP_SHARED, dma.fd, 0) != MAP_FAILED ||
	    errno != EPERM)
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
	is(in_child(child_is_refused), 0,
	   "a forked child cannot use the open file of its parent (-EPERM)");
	dma_close(&dma);
	ok(dma_all_zero(5), "after the file is closed, the module's counters are zero");
	return done();
}
