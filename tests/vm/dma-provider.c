// SPDX-License-Identifier: MIT
/*
 * Hardware that fails, refuses, is slow, works out of order, and goes away with descriptors in
 * flight; which channel is taken, and that each open file gets its turns; unloading with operations
 * in flight.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"

#define LEN	(512UL << 10)
#define DRIVER	"/sys/bus/auxiliary/drivers/swdma.engine"

static struct dma dma;
static char *src, *dst;

static bool copies(void)
{
	memset(dst, 0, LEN);
	return !dma_copy(&dma, dst + 9, src, LEN - 9) && !memcmp(dst + 9, src, LEN - 9);
}

static unsigned int channels(void)
{
	struct sva_dma_info info = { .size = sizeof(info) };

	dma_call(&dma, SVA_DMA_INFO, &info);
	return info.nr_channels;
}

/* Waits until there are @n channels, and returns how many there are. */
static unsigned int channels_become(unsigned int want)
{
	for (int i = 0; i < 300 && channels() != want; i++)
		usleep(10000);
	return channels();
}

static void errors(void)
{
	struct sva_dma_copy_args args = {
		.size = sizeof(args), .dst = (uintptr_t)dst, .src = (uintptr_t)src, .len = LEN,
		.node = SVA_DMA_NODE_ANY,
	};
	int failed = 0, wrong = 0, odd = 0, ret;
	struct sva_dma_op ops[16];
	unsigned int taken;

	dma_provider("error_every", 13);
	for (int i = 0; i < 20; i++) {
		memset(dst, 0, LEN);
		ret = dma_call(&dma, SVA_DMA_COPY, &args);
		failed += ret == -EIO;
		odd += ret && ret != -EIO;
		wrong += !ret && (memcmp(dst, src, LEN) || args.done != LEN);
		wrong += ret && memcmp(dst, src, args.done);
		wrong += ret && args.done == LEN;
	}
	ok(failed && !odd, "COPY reports errors of the hardware as -EIO (%d of 20)", failed);
	is(wrong, 0, "COPY has copied the bytes that it reports as done");
	failed = wrong = odd = 0;
	for (int round = 0; round < 4; round++) {
		memset(dst, 0, LEN);
		for (unsigned int i = 0; i < 16; i++)
			ops[i] = dma_op_copy(dst + i * 4096, src + i * 4096, 4096, i);
		if (dma_submit(&dma, ops, 16, SVA_DMA_SUBMIT_WAIT, &taken) || taken != 16)
			odd++;
		for (unsigned int i = 0; i < 16; i++) {
			failed += ops[i].result == -EIO;
			odd += ops[i].result && ops[i].result != -EIO;
			wrong += !ops[i].result && memcmp(dst + i * 4096, src + i * 4096, 4096);
		}
	}
	ok(failed >= 2 && failed <= 16 && !odd && !wrong,
	   "SUBMIT reports -EIO for the operations that the hardware failed (%d of 64)", failed);
	dma_provider("error_every", 0);
	ok(copies(), "copies succeed when the hardware has no errors any more");

	dma_provider("refuse_submit", 1);
	is(dma_copy(&dma, dst, src, LEN), -EIO,
	   "COPY is -EIO if the hardware accepts no descriptor");
	dma_provider("refuse_submit", 0);
	dma_provider("refuse_prep", 1);
	is(dma_copy(&dma, dst, src, LEN), -EIO, "COPY is -EIO if the driver makes no descriptor");
	dma_provider("refuse_prep", 0);
	ok(copies(), "copies succeed when the hardware accepts descriptors again");
}

static void habits(void)
{
	dma_provider("reorder", 1);
	ok(copies() && copies(), "copies are right on hardware that works out of order");
	dma_provider("slots", 1);
	ok(copies(), "copies are right on hardware with a single descriptor");
	dma_provider("sleeps", 1);
	ok(copies(), "copies are right if making a descriptor sleeps");
	dma_provider("slots", 16);
	dma_provider("delay_us", 500);
	ok(copies(), "copies are right on slow hardware");
	dma_provider("delay_us", 0);
	dma_provider("sleeps", 0);
	dma_provider("reorder", 0);
}

static int node_of(unsigned int index)
{
	struct sva_dma_channel channel = { .size = sizeof(channel), .index = index };

	return dma_call(&dma, SVA_DMA_CHANNEL, &channel) ? -9 : channel.node;
}

static void nodes(void)
{
	struct sva_dma_copy_args args = { .size = sizeof(args), .src = (uintptr_t)src, .len = LEN };
	int right[2] = { 0 };
	unsigned long mask;
	char *there;

	args.dst = (uintptr_t)dst;
	for (int i = 0; i < 16; i++) {
		args.node = i % 2;
		if (!dma_call(&dma, SVA_DMA_COPY, &args))
			right[0] += node_of(args.channel) == i % 2;
	}
	is(right[0], 16, "COPY takes a channel of the node that is asked for");
	args.node = SVA_DMA_NODE_ANY;
	for (int i = 0; i < 2; i++) {
		there = dma_alloc(LEN);
		mask = 1UL << i;
		if (syscall(SYS_mbind, there, LEN, MPOL_BIND, &mask, 64, 0))
			dma_die("mbind");
		memset(there, 1, LEN);
		args.dst = (uintptr_t)there;
		for (int n = 0; n < 8; n++)
			if (!dma_call(&dma, SVA_DMA_COPY, &args))
				right[1] += node_of(args.channel) == i;
		dma_free(there, LEN);
	}
	is(right[1], 16, "COPY without a node takes a channel of the destination's node");
}

/* One file has seconds of work queued on every channel; another one copies a page. */
static void turns(void)
{
	size_t big = 8UL << 20;
	char *from = dma_alloc(big), *to = dma_alloc(big);
	struct sva_dma_op ops[16];
	struct sva_dma_cqe cqe;
	unsigned int taken, left = 16, before;
	struct dma other;

	dma_open(&other);
	dma_ring(&other);
	memset(from, 1, big);
	dma_provider("delay_us", 1500);
	for (unsigned int i = 0; i < 16; i++)
		ops[i] = dma_op_copy(to + i % 8 * (big / 8), from, big / 8, i);
	/*
	 * Twice eight megabytes, a descriptor for each of 256 pieces of 64 KiB, 1.5 ms each, on
	 * four channels.
	 */
	if (dma_submit(&other, ops, 16, 0, &taken) || taken != 16)
		dma_die("SUBMIT");
	is(dma_copy(&dma, dst, src, 4096), 0,
	   "a small copy succeeds while another file has queued 16 MiB");
	before = left;
	while (dma_reap(&other, &cqe))
		left--;
	ok(left > 8, "a small copy is done before most of the queued ones (%u of %u are left)",
	   left, before);
	while (left) {
		if (dma_wait(&other, 1, 20000000000, &taken))
			break;
		while (dma_reap(&other, &cqe))
			left--;
	}
	is(left, 0, "the queued copies are done in the end");
	dma_provider("delay_us", 0);
	dma_close(&other);
	dma_free(from, big);
	dma_free(to, big);
}

static volatile bool stop;
static int outcomes[4];	/* 0, -ENODEV, -EIO, another error */
static int ready;	/* copiers that have what they need */

static void *copier(void *arg)
{
	char *to = dma_alloc(LEN);
	bool handles = arg;
	struct sva_dma_op op = { .opcode = SVA_DMA_OP_COPY, .len = LEN };
	uint32_t from = 0, there = 0;
	unsigned int taken;
	int ret;

	if (handles && (dma_map(&dma, src, LEN, SVA_DMA_MAP_READ, &from) ||
			dma_map(&dma, to, LEN, SVA_DMA_MAP_WRITE, &there)))
		dma_die("MAP");
	op.dst_handle = there;
	op.src_handle = from;
	__atomic_add_fetch(&ready, 1, __ATOMIC_RELAXED);
	while (!stop) {
		if (handles) {
			ret = dma_submit(&dma, &op, 1, SVA_DMA_SUBMIT_WAIT, &taken);
			ret = ret ? ret : op.result;
		} else {
			ret = dma_copy(&dma, to, src, LEN);
		}
		__atomic_add_fetch(&outcomes[!ret	    ? 0 :
					     ret == -ENODEV ? 1 :
					     ret == -EIO    ? 2 :
							      3],
				   1, __ATOMIC_RELAXED);
	}
	if (handles && (dma_unmap(&dma, from) || dma_unmap(&dma, there)))
		outcomes[3]++;
	dma_free(to, LEN);
	return NULL;
}

/* Begins or ends copies by four threads. They map what they need before this returns. */
static void busy(bool begin)
{
	static pthread_t ids[4];

	if (begin) {
		memset(outcomes, 0, sizeof(outcomes));
		ready = 0;
	}
	stop = !begin;
	for (long i = 0; i < 4; i++) {
		if (begin ? pthread_create(&ids[i], NULL, copier, (void *)(i & 1)) :
			    pthread_join(ids[i], NULL))
			dma_die("pthread");
	}
	while (begin && __atomic_load_n(&ready, __ATOMIC_RELAXED) < 4)
		usleep(1000);
	if (!begin)
		printf("# %d done, %d -ENODEV, %d -EIO, %d other errors\n", outcomes[0],
		       outcomes[1], outcomes[2], outcomes[3]);
}

static void removal(void)
{
	dma_provider("delay_us", 1000);
	busy(true);
	usleep(100000);
	is(dma_write(DRIVER "/unbind", "swdma.engine.0"), 0,
	   "a device with descriptors in flight can be unbound");
	is(channels(), 2, "after a device is unbound, the two channels of the other are left");
	usleep(100000);
	is(dma_write(DRIVER "/bind", "swdma.engine.0"), 0, "the device can be bound again");
	is(channels_become(4), 4, "after the device is bound again, its channels are taken");
	is(dma_write("/sys/kernel/debug/swdma/swdma.engine.1/unregister", "0"), 0,
	   "a single channel with descriptors in flight can be unregistered");
	is(channels(), 3, "after a channel is unregistered, three are left");
	usleep(50000);
	busy(false);
	ok(outcomes[0] && !outcomes[2] && !outcomes[3],
	   "each copy meanwhile succeeded or got -ENODEV");

	busy(true);
	usleep(50000);
	is(dma_write(DRIVER "/unbind", "swdma.engine.0"), 0,
	   "the first device is unbound while copies run");
	is(dma_write(DRIVER "/unbind", "swdma.engine.1"), 0,
	   "the second device is unbound while copies run");
	is(channels(), 0, "without devices there are no channels");
	is(dma_copy(&dma, dst, src, LEN), -ENODEV, "without devices COPY is -ENODEV");
	busy(false);
	ok(outcomes[1] && !outcomes[2] && !outcomes[3],
	   "without devices each copy of the other threads got -ENODEV");
	is(dma_counter("mapped"), 0, "without devices no buffer is mapped");
	is(dma_write(DRIVER "/bind", "swdma.engine.0"), 0, "the first device is bound again");
	is(dma_write(DRIVER "/bind", "swdma.engine.1"), 0, "the second device is bound again");
	is(channels_become(4), 4, "all channels of the two devices are taken again");
	dma_provider("delay_us", 0);
	ok(copies(), "copies succeed with the devices that were bound again");
}

/*
 * idxd unregisters the channel of a queue first and takes it off the list of its device later.
 * A search for channels meanwhile, because the device is opened or another channel was registered,
 * must not take it: its memory is freed next.
 */
static void lingering(void)
{
	pid_t pid;

	dma_close(&dma);
	ok(dma_all_zero(5), "before a channel lingers, the module's counters are zero");
	dma_provider("linger_ms", 1500);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(dma_write("/sys/kernel/debug/swdma/swdma.engine.1/unregister", "1") != 0);
	usleep(300000);
	dma_open(&dma);
	dma_ring(&dma);
	is(channels(), 3,
	   "a channel that is being unregistered is not taken when the device is opened");
	ok(copies(), "copies succeed while a channel is being unregistered");
	is(dma_write(DRIVER "/unbind", "swdma.engine.0"), 0,
	   "another device can be unbound while a channel is being unregistered");
	is(channels(), 1, "after that the one registered channel is left");
	is(dma_write(DRIVER "/bind", "swdma.engine.0"), 0,
	   "that device can be bound while a channel is being unregistered");
	is(channels_become(3), 3,
	   "its channels are taken, the one that is being unregistered is not");
	is(waitpid(pid, NULL, WNOHANG), 0, "the channel is still being unregistered");
	usleep(200000);
	ok(channels() == 3 && copies(),
	   "the channel that is being unregistered is not taken later either");
	waitpid(pid, NULL, 0);
	dma_provider("linger_ms", 0);
	is(dma_write(DRIVER "/unbind", "swdma.engine.1"), 0,
	   "the device of the unregistered channel can be unbound");
	is(dma_write(DRIVER "/bind", "swdma.engine.1"), 0,
	   "the device of the unregistered channel can be bound again");
	is(channels_become(4), 4, "after that all four channels are taken");
}

/*
 * Hardware that has stopped and whose driver is then unbound: its operations end with an error.
 */
static void stopped(void)
{
	struct sva_dma_op op = dma_op_copy(dst, src, LEN, 1);
	struct sva_dma_cqe cqe = { 0 };
	unsigned int taken, available;
	struct sva_dma_channel channel = { .size = sizeof(channel) };
	char device[33] = "";

	dma_provider("stall", 1);
	is(dma_submit(&dma, &op, 1, 0, &taken), 0,
	   "SUBMIT succeeds with hardware that has stopped");
	for (channel.index = 0; channel.index < 4; channel.index++) {
		if (!dma_call(&dma, SVA_DMA_CHANNEL, &channel) && channel.in_flight)
			memcpy(device, channel.device, 32);
	}
	is(dma_write(DRIVER "/unbind", device), 0,
	   "the device of hardware that has stopped can be unbound");
	is(dma_wait(&dma, 1, 10000000000, &available), 0,
	   "the operation of hardware that has stopped completes after the unbind");
	ok(dma_reap(&dma, &cqe) && (cqe.result == -EIO || cqe.result == -ENODEV),
	   "the operation of hardware that has stopped has an error (%d)", cqe.result);
	dma_provider("stall", 0);
	is(dma_write(DRIVER "/bind", device), 0,
	   "the device of hardware that had stopped can be bound again");
	is(channels_become(4), 4, "the channels of hardware that had stopped are taken again");
	ok(copies(), "copies succeed on hardware that had stopped");
}

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

static int load(const char *module)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/lib/sva/%s.ko", module);
	fd = open(path, O_RDONLY);
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

static void unloading(void)
{
	struct sva_dma_op ops[8];
	int status, unloaded = -EAGAIN;
	unsigned int taken;
	pid_t pid;

	is(unload("sva_dma"), -EAGAIN,
	   "the module cannot be unloaded while the device is open (-EAGAIN)");
	is(unload("swdma"), -EAGAIN,
	   "the provider cannot be unloaded while the device is open (-EAGAIN)");
	dma_close(&dma);
	dma_provider("delay_us", 20000);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dma_open(&dma);
		dma_ring(&dma);
		for (unsigned int i = 0; i < 8; i++)
			ops[i] = dma_op_copy(dst + i * 65536, src, 65536, i);
		_exit(dma_submit(&dma, ops, 8, 0, &taken) || taken != 8);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "a process ends with operations in flight");
	for (int i = 0; i < 500 && (unloaded = unload("sva_dma")) == -EAGAIN; i++)
		usleep(10000);
	is(unloaded, 0,
	   "when the operations of an ended process are done, the module can be unloaded");
	ok(!dma_module_loaded("sva_dma"), "the module is not in /sys/module any more");
	dma_provider("delay_us", 0);
	is(unload("swdma"), 0, "without the module the provider can be unloaded");
	is(load("sva_dma"), 0, "the module can be loaded without a provider");
	dma_open(&dma);
	is(channels(), 0, "without a provider there are no channels");
	is(dma_copy(&dma, dst, src, 5), -ENODEV, "without a provider COPY is -ENODEV");
	is(load("swdma"), 0, "the provider can be loaded after the module");
	dma_close(&dma);
	dma_open(&dma);
	is(channels(), 4, "the device is opened with the channels of the new provider");
	ok(copies(), "copies succeed with the new provider");
}

int main(void)
{
	uint64_t seed = 1;

	src = dma_alloc(LEN);
	dst = dma_alloc(LEN);
	dma_scramble(src, LEN, &seed);
	dma_open(&dma);
	dma_ring(&dma);
	errors();
	habits();
	nodes();
	turns();
	removal();
	lingering();
	stopped();
	dma_close(&dma);
	ok(dma_all_zero(5), "after the file is closed, the module's counters are zero");
	dma_open(&dma);
	unloading();
	dma_close(&dma);
	ok(dma_all_zero(5), "after loading and unloading, the module's counters are zero");
	return done();
}
