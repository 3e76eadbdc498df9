/* SPDX-License-Identifier: MIT */
/*
 * Run under sva-emu: storm QUEUE portal|write THREADS OPERATIONS SIZE [SECONDS]. Threads submit
 * copies, fills and compares as fast as they can, resume after page faults, resubmit after hardware
 * errors, and verify every byte. The library is not used; tests/storm/ does the same with it.
 * Prints one line: how many were submitted and accepted. Exits with 1 if anything was wrong, with 2
 * if a completion was lost.
 */
#include <pthread.h>
#include <stdio.h>

#include "client.h"

#define BYTES 20000

static const char *path;
static bool by_write, dedicated;
static int seconds = 10; /* a completion that takes longer counts as lost */
static unsigned int threads, operations, queue_size;
static unsigned int in_flight; /* the credits of a dedicated queue */
static unsigned long taken, retries, faults, errors;
static int failed;

struct worker {
	pthread_t thread;
	unsigned int number;
	int fd;
	void *portal;
	struct sva_desc desc;
	struct sva_comp comp;
	uint8_t *from, *to;
	uint64_t random;
};

static unsigned int roll(struct worker *worker, unsigned int below)
{
	worker->random = worker->random * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(worker->random >> 33) % below;
}

static void take_credit(void)
{
	unsigned int now = __atomic_load_n(&in_flight, __ATOMIC_RELAXED);

	for (;;) {
		if (now >= queue_size) {
			sched_yield();
			now = __atomic_load_n(&in_flight, __ATOMIC_RELAXED);
		} else if (__atomic_compare_exchange_n(&in_flight, &now, now + 1, false,
						       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
			return;
		}
	}
}

/* Submit until the queue accepts the descriptor. False if it does not. */
static bool submit(struct worker *worker)
{
	unsigned long tries;

	for (tries = 0; tries < 2000000; tries++) {
		if (by_write) {
			ssize_t ret = write(worker->fd, &worker->desc, 64);

			if (ret == 64)
				return true;
			if (ret != -1 || errno != EAGAIN)
				return false;
		} else if (dedicated) {
			movdir64b(worker->portal, &worker->desc);
			return true;
		} else if (!enqcmd(worker->portal, &worker->desc)) {
			return true;
		}
		__atomic_add_fetch(&retries, 1, __ATOMIC_RELAXED);
		sched_yield();
	}
	return false;
}

/* Submit once, and wait. Returns the status, 0 if the completion was lost. */
static uint8_t submit_once(struct worker *worker)
{
	uint8_t status = 0;

	worker->comp = (struct sva_comp){ 0 };
	if (dedicated)
		take_credit();
	if (submit(worker)) {
		__atomic_add_fetch(&taken, 1, __ATOMIC_RELAXED);
		status = wait_record(&worker->comp, seconds);
	}
	if (dedicated)
		__atomic_sub_fetch(&in_flight, 1, __ATOMIC_RELEASE);
	return status;
}

/* Submit until the operation is complete, after faults and errors too. Returns the final status. */
static uint8_t complete_operation(struct worker *worker)
{
	unsigned int tries;
	uint8_t status = 0;

	for (tries = 0; tries < 1000; tries++) {
		status = submit_once(worker);
		if (status == SVA_STATUS_HW_ERROR) {
			__atomic_add_fetch(&errors, 1, __ATOMIC_RELAXED);
			continue;
		}
		if ((status & SVA_STATUS_MASK) != SVA_STATUS_PAGE_FAULT)
			return status;
		__atomic_add_fetch(&faults, 1, __ATOMIC_RELAXED);
		if (sva_desc_opcode(&worker->desc) != SVA_OPCODE_FILL)
			worker->desc.src += worker->comp.bytes;
		else if (worker->comp.bytes % 8)
			worker->desc.src = worker->desc.src >> worker->comp.bytes % 8 * 8 |
				worker->desc.src << (64 - worker->comp.bytes % 8 * 8);
		worker->desc.dst += worker->comp.bytes;
		worker->desc.size -= worker->comp.bytes;
	}
	return status;
}

static bool one(struct worker *worker)
{
	unsigned int size = 1 + roll(worker, BYTES), at = roll(worker, 64), i;
	uint8_t byte = (uint8_t)roll(worker, 256), *from = worker->from + at, *to = worker->to + at;

	switch (roll(worker, 3)) {
	case 0:
		for (i = 0; i < size; i++)
			from[i] = (uint8_t)(byte + i * 7);
		memset(worker->to, 0, BYTES + 128);
		prep(&worker->desc, &worker->comp, SVA_OPCODE_MEMMOVE, from, to, size);
		return complete_operation(worker) == SVA_STATUS_SUCCESS &&
		       !memcmp(from, to, size) && to[size] == 0;
	case 1:
		memset(worker->to, 0, BYTES + 128);
		prep(&worker->desc, &worker->comp, SVA_OPCODE_FILL,
		     (void *)(0x0101010101010101ull * byte), to, size);
		if (complete_operation(worker) != SVA_STATUS_SUCCESS)
			return false;
		for (i = 0; i < size; i++)
			if (to[i] != byte)
				return false;
		return to[size] == 0;
	default:
		memset(from, byte, size);
		memset(to, byte, size);
		i = roll(worker, size);
		to[i] ^= 1;
		prep(&worker->desc, &worker->comp, SVA_OPCODE_COMPARE, from, to, size);
		return complete_operation(worker) == SVA_STATUS_SUCCESS &&
		       worker->comp.result == 1 &&
		       worker->desc.dst + worker->comp.bytes == (uintptr_t)to + i;
	}
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	unsigned int i;

	for (i = 0; i < operations && !__atomic_load_n(&failed, __ATOMIC_RELAXED); i++) {
		if (one(worker))
			continue;
		fprintf(stderr, "storm: thread %u, operation %u (opcode %u): status 0x%02x\n",
			worker->number, i, sva_desc_opcode(&worker->desc), worker->comp.status);
		__atomic_store_n(&failed, worker->comp.status ? 1 : 2, __ATOMIC_RELAXED);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct worker *workers;
	void *portal = NULL;
	unsigned int i;
	int fd;

	if (argc < 6)
		return 3;
	path = argv[1];
	by_write = !strcmp(argv[2], "write");
	threads = (unsigned int)atoi(argv[3]);
	operations = (unsigned int)atoi(argv[4]);
	queue_size = (unsigned int)atoi(argv[5]);
	if (argc > 6)
		seconds = atoi(argv[6]);
	dedicated = !strcmp(strrchr(path, '.'), ".1");
	if (by_write)
		fd = open(path, O_RDWR | O_CLOEXEC);
	else
		portal = map_queue(path, &fd);
	if (fd < 0 || portal == MAP_FAILED) {
		perror(path);
		return 3;
	}
	workers = aligned_alloc(64, threads * ((sizeof(*workers) + 63) / 64 * 64));
	for (i = 0; i < threads; i++) {
		workers[i] =
			(struct worker){.number = i, .fd = fd, .portal = portal, .random = i + 1};
		workers[i].from = calloc(1, BYTES + 128);
		workers[i].to = calloc(1, BYTES + 128);
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		free(workers[i].from);
		free(workers[i].to);
	}
	free(workers);
	printf("operations=%u taken=%lu retries=%lu faults=%lu errors=%lu\n", threads * operations,
	       taken, retries, faults, errors);
	return failed;
}
