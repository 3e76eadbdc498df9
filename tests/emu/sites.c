/* SPDX-License-Identifier: MIT */
/*
 * Run under sva-emu --fast: threads execute one ENQCMD after the other, each in code of its own, so
 * that an instruction is patched while other threads execute it. sites THREADS ROUNDS. Exits with 1
 * if a copy is wrong.
 */
#include <pthread.h>
#include <stdio.h>

#include "client.h"

#define SITE(n) \
	static bool __attribute__((noinline)) site_##n(void *portal, const struct sva_desc *desc) \
	{ \
		return enqcmd(portal, desc); \
	}
#define SITES8(n) \
	SITE(n##0) SITE(n##1) SITE(n##2) SITE(n##3) SITE(n##4) SITE(n##5) SITE(n##6) SITE(n##7)
#define NAMES8(n) \
	site_##n##0, site_##n##1, site_##n##2, site_##n##3, site_##n##4, site_##n##5, site_##n##6, \
		site_##n##7
SITES8(a) SITES8(b) SITES8(c) SITES8(d) SITES8(e) SITES8(f) SITES8(g) SITES8(h)

static bool (*const sites[])(void *, const struct sva_desc *) = {
	NAMES8(a), NAMES8(b), NAMES8(c), NAMES8(d), NAMES8(e), NAMES8(f), NAMES8(g), NAMES8(h),
};

static void *portal;
static int rounds;
static pthread_barrier_t barrier;
static int bad;

static void *work(void *arg)
{
	uint8_t from[256], to[256];
	struct sva_desc desc;
	struct sva_comp comp;
	unsigned int s;
	int i;

	for (s = 0; s < sizeof(sites) / sizeof(sites[0]); s++) {
		pthread_barrier_wait(&barrier);
		for (i = 0; i < rounds; i++) {
			memset(from, (int)(s + (unsigned int)i) + (int)(uintptr_t)arg,
			       sizeof(from));
			memset(to, 0, sizeof(to));
			prep(&desc, &comp, SVA_OPCODE_MEMMOVE, from, to, sizeof(from));
			while (sites[s](portal, &desc))
				sched_yield();
			if (wait_record(&comp, 10) != SVA_STATUS_SUCCESS ||
			    memcmp(from, to, sizeof(from)))
				__atomic_store_n(&bad, 1, __ATOMIC_RELAXED);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[32];
	int threads, i;

	if (argc != 3 || atoi(argv[1]) > 32)
		return 3;
	threads = atoi(argv[1]);
	rounds = atoi(argv[2]);
	portal = map_queue("/dev/dsa/wq0.0", NULL);
	if (portal == MAP_FAILED)
		return 3;
	pthread_barrier_init(&barrier, NULL, (unsigned int)threads);
	for (i = 0; i < threads; i++)
		pthread_create(&thread[i], NULL, work, (void *)(intptr_t)i);
	for (i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	return bad;
}
