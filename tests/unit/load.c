/* SPDX-License-Identifier: MIT */
/* Copies of 100 bytes for a queue: see load.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/run/run.h"
#include "unit/load.h"
#include "unit/rig.h"

uint8_t *from, *to;
struct kernel_queue *queue;
struct sva *sva;
struct sva_op ops[MANY];
struct sva_op *list[MANY];

void load_init(void)
{
	from = rig_pages(BYTES / RIG_PAGE);
	to = rig_pages(BYTES / RIG_PAGE);
	for (unsigned int i = 0; i < BYTES; i++)
		from[i] = (uint8_t)(i * 7 + i / 251 + 1);
	setenv("SVA_THRESHOLD", "1", 1);
}

void load_timeout(struct sva_opts *opts)
{
	opts->record_timeout_ms = 200;
}

void load_begin(bool dedicated, unsigned int entries, const char *paths)
{
	kernel_begin();
	queue = kernel_add("wq0.0", dedicated, entries, "max-transfer=4096");
	sva = rig_open_opts(paths, load_timeout);
}

void load_prepare(unsigned int n)
{
	memset(to, 0, BYTES);
	for (unsigned int i = 0; i < n; i++) {
		sva_prep_memcpy(&ops[i], to + i * 100, from + i * 100, 100);
		ops[i].user_data = i;
		list[i] = &ops[i];
	}
}

unsigned int load_finish(unsigned int n)
{
	unsigned int good = 0;

	for (unsigned int i = 0; i < n; i++)
		good += sva_wait(&ops[i], -1) == 0 && !memcmp(to + i * 100, from + i * 100, 100);
	return good;
}

unsigned int load_free_credits(struct sva_bond *bond)
{
	unsigned int n;

	pthread_mutex_lock(&bond->lock);
	n = bond->pool;
	for (struct sva_lease *l = bond->leases; l; l = l->next)
		n += l->credits > 0 ? (unsigned int)l->credits : 0;
	pthread_mutex_unlock(&bond->lock);
	return n;
}

intptr_t load_in_thread(void *(*fn)(void *arg))
{
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, fn, NULL);
	pthread_join(thread, &result);
	return (intptr_t)result;
}
