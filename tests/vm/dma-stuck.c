// SPDX-License-Identifier: MIT
/*
 * Hardware that keeps a descriptor, and whose driver can stop it only by being removed (swdma
 * terminates=0): which calls wait for that, and which do not.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma.h"
#include "tap.h"

#define LEN (64UL << 10)
#define DRIVER "/sys/bus/auxiliary/drivers/swdma.engine"
#define DEVICE "swdma.engine."
#define SECOND 1000000000ULL

static char *src, *dst;

/* Reported by a process with a stuck operation to the others; in shared memory. */
static struct {
	volatile int device, channel; /* where it is stuck */
	volatile int ready;
	volatile int result; /* of the operation, when it has ended */
} * said;

static double seconds(uint64_t since)
{
	return (double)(dma_now() - since) / SECOND;
}

static const char *device_name(int device)
{
	static char name[32];

	snprintf(name, sizeof(name), DEVICE "%d", device);
	return name;
}

static unsigned int channels(void)
{
	struct sva_dma_info info = {.size = sizeof(info)};
	struct dma dma;

	dma_open(&dma);
	dma_call(&dma, SVA_DMA_INFO, &info);
	dma_close(&dma);
	return info.nr_channels;
}

static bool channels_become(unsigned int want)
{
	for (int i = 0; i < 500 && channels() != want; i++)
		usleep(10000);
	return channels() == want;
}

/* Which device and channel of it an index stands for. */
static void locate(const struct dma *dma, unsigned int index)
{
	struct sva_dma_channel channel = {.size = sizeof(channel), .index = index};
	char *at;

	if (dma_call(dma, SVA_DMA_CHANNEL, &channel))
		dma_die("CHANNEL");
	said->device = atoi((const char *)channel.device + strlen(DEVICE));
	at = strstr((const char *)channel.name, "chan");
	said->channel = at ? atoi(at + 4) : 0;
}

#define ALL_CHANNELS 0x7fffffffffffffffL

/*
 * Opens the device and gets an operation stuck, on a channel where no other is, or if @all where
 * others are.
 */
static void get_stuck(struct dma *dma, bool all)
{
	struct sva_dma_op op = dma_op_copy(dst, src, 4096, 0);
	unsigned int taken;

	dma_open(dma);
	dma_ring(dma);
	dma_provider("stall", 1);
	if (dma_submit(dma, &op, 1, 0, &taken) || taken != 1 || op.result)
		dma_die("SUBMIT");
	locate(dma, op.channel);
	dma_provider("stall_mask", all ? ALL_CHANNELS : 1L << (said->device * 8 + said->channel));
	dma_provider("stall", 0);
	said->ready = 1;
}

/*
 * A process with a stuck operation. Unless it is killed it waits for the operation and reports the
 * result.
 */
static pid_t stuck_process(void)
{
	struct sva_dma_cqe cqe;
	unsigned int available;
	struct dma dma;
	pid_t pid;

	memset(said, 0, sizeof(*said));
	said->result = 1;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		get_stuck(&dma, false);
		if (!dma_wait(&dma, 1, -1, &available) && dma_reap(&dma, &cqe))
			said->result = cqe.result;
		_exit(0);
	}
	while (!said->ready)
		usleep(1000);
	return pid;
}

/* Waits for a process to end; returns how long that took, or -1 after @seconds. */
static double ends(pid_t pid, double limit)
{
	uint64_t begin = dma_now();

	while (seconds(begin) < limit) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return seconds(begin);
		usleep(2000);
	}
	return -1;
}

static double killed(pid_t pid)
{
	kill(pid, SIGKILL);
	return ends(pid, 20);
}

/* Opens the device and copies, in a process of its own, since it could hang. */
static double another_opens(void)
{
	uint64_t begin = dma_now();
	struct dma dma;
	double took;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		dma_open(&dma);
		_exit(dma_copy(&dma, dst, src, LEN) || memcmp(dst, src, LEN));
	}
	took = ends(pid, 8);
	if (took < 0)
		printf("# process %d has not opened the device after %.1f s\n", (int)pid,
		       seconds(begin));
	return took;
}

static bool soon(double took, double limit)
{
	printf("# %.3f s\n", took);
	return took >= 0 && took < limit;
}

/* Unbinds a device in a process of its own; returns how long that took. */
static double unbound(int device)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(dma_write(DRIVER "/unbind", device_name(device)) != 0);
	return ends(pid, 20);
}

static void bind(int device)
{
	if (dma_write(DRIVER "/bind", device_name(device)))
		dma_die("bind");
	ok(channels_become(4), "device %d is bound again and all channels are there", device);
}

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

static void others(void)
{
	pid_t pid = stuck_process();
	int other;

	ok(soon(another_opens(), 2),
	   "another process opens the device and copies beside a stuck operation");
	ok(soon(killed(pid), 1), "a process with a stuck operation ends at once when it is killed");
	is(dma_counter("in_flight"), 1, "the hardware still has its descriptor");
	usleep(100000);
	ok(soon(another_opens(), 2),
	   "the device is opened with no user left but the stuck hardware");
	usleep(100000);
	is(unload("sva_dma"), -EAGAIN,
	   "the module cannot be unloaded, which rmmod reports at once");
	other = !said->device;
	ok(soon(unbound(other), 2), "another device is unbound without waiting for the stuck one");
	bind(other);
	is(dma_counter("in_flight"), 1, "the stuck descriptor is still there");
	ok(soon(unbound(said->device), 8),
	   "the stuck device can be unbound: its own removal aborts the descriptor");
	dma_provider("stall_mask", 0);
	bind(said->device);
	ok(dma_all_zero(5), "after the stuck device was unbound, the module's counters are zero");
}

static void owner(void)
{
	pid_t pid = stuck_process();
	char path[96], channel[8];

	ok(soon(unbound(said->device), 8),
	   "a device with a stuck operation of a living process is unbound");
	ok(ends(pid, 5) >= 0, "the process with the stuck operation gets its completion");
	is(said->result, -ENODEV, "the result of its operation is -ENODEV");
	dma_provider("stall_mask", 0);
	bind(said->device);

	pid = stuck_process();
	snprintf(path, sizeof(path), "/sys/kernel/debug/swdma/%s/unregister",
		 device_name(said->device));
	snprintf(channel, sizeof(channel), "%d", said->channel);
	is(dma_write(path, channel), 0, "a single channel with a stuck operation is unregistered");
	ok(ends(pid, 5) >= 0,
	   "the process with the operation stuck in the channel gets its completion");
	is(said->result, -ENODEV, "the result of the operation stuck in the channel is -ENODEV");
	dma_provider("stall_mask", 0);
	ok(soon(unbound(said->device), 2),
	   "the device of the unregistered channel can be unbound afterwards");
	bind(said->device);
	ok(dma_all_zero(5), "after the channel was unregistered, the module's counters are zero");
}

/* With all of its descriptors in use, the provider makes submitters sleep, as idxd does. */
static void sleeper(void)
{
	struct dma dma;
	pid_t pid;

	memset(said, 0, sizeof(*said));
	dma_provider("sleeps", 1);
	dma_provider("slots", 1);
	dma_provider("stall_mask", 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		get_stuck(&dma, true);
		said->result = dma_copy(&dma, dst, src, LEN);
		_exit(0);
	}
	while (!said->ready)
		usleep(1000);
	usleep(300000);
	ok(soon(unbound(0), 8),
	   "a device is unbound while a thread sleeps for one of its descriptors (0)");
	ok(soon(unbound(1), 8),
	   "a device is unbound while a thread sleeps for one of its descriptors (1)");
	ok(ends(pid, 5) >= 0, "both threads that slept for a descriptor return");
	is(said->result, -ENODEV, "COPY of a thread that slept for a descriptor is -ENODEV");
	dma_provider("stall_mask", 0);
	dma_provider("stall", 0);
	dma_provider("sleeps", 0);
	dma_provider("slots", 16);
	if (dma_write(DRIVER "/bind", device_name(0)))
		dma_die("bind");
	bind(1);
	ok(dma_all_zero(5), "after those threads return, the module's counters are zero");
}

/* A driver that takes long to provide a channel. */
static void slow_open(void)
{
	uint64_t begin;
	struct dma dma;
	pid_t pid;

	ok(dma_all_zero(5), "before a driver delays its channels, the module's counters are zero");
	dma_provider("alloc_ms", 2000);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dma_open(&dma);
		_exit(0);
	}
	usleep(300000);
	ok(soon(killed(pid), 1),
	   "a process that opens the device can be killed while a driver delays its channels");
	dma_provider("alloc_ms", 0);
	begin = dma_now();
	ok(channels_become(4),
	   "the next process that opens the device has all channels (after %.1f s)",
	   seconds(begin));
	ok(dma_all_zero(5), "after both processes have ended, the module's counters are zero");
}

static void closing(void)
{
	struct dma dma[4];
	uint64_t begin;
	double took;
	int status;
	pid_t pid;

	memset(said, 0, sizeof(*said));
	for (int i = 0; i < 4; i++)
		get_stuck(&dma[i], true);
	begin = dma_now();
	for (int i = 0; i < 4; i++)
		dma_close(&dma[i]);
	took = seconds(begin);
	ok(took >= 1 && took < 5,
	   "closing four files with stuck operations takes as long as one (%.1f s)", took);
	dma_provider("stall_mask", 0);
	ok(dma_all_zero(5),
	   "when the hardware goes on, four closed files leave the module's counters at zero");

	memset(said, 0, sizeof(*said));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		get_stuck(&dma[0], true);
		said->ready = 2;
		dma_close(&dma[0]);
		_exit(0);
	}
	while (said->ready < 2)
		usleep(1000);
	usleep(200000);
	ok(soon(killed(pid), 1),
	   "a thread that closes a file with a stuck operation can be killed meanwhile");
	fflush(stdout);
	memset(said, 0, sizeof(*said));
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 4; i++)
			get_stuck(&dma[i], true);
		said->ready = 2;
		_exit(7);
	}
	while (said->ready < 2)
		usleep(1000);
	begin = dma_now();
	waitpid(pid, &status, 0);
	took = seconds(begin);
	ok(WIFEXITED(status) && took < 1, "a process with four stuck files ends at once (%.3f s)",
	   took);
	dma_provider("stall_mask", 0);
	ok(dma_all_zero(5),
	   "when the hardware goes on, the ended process leaves the counters at zero");
}

int main(void)
{
	uint64_t seed = 1;

	src = dma_alloc(LEN);
	dst = dma_alloc(LEN);
	said = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (said == MAP_FAILED)
		dma_die("mmap");
	dma_scramble(src, LEN, &seed);
	memset(dst, 0, LEN);
	others();
	owner();
	sleeper();
	slow_open();
	closing();
	return done();
}
