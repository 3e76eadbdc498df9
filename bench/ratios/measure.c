/* SPDX-License-Identifier: MIT */
/*
 * Pairs of runs that take turns, so that what else the machine does falls on both; the median of
 * the ratios of the pairs, which a few bad ones do not move.
 */
#include <stdlib.h>
#include <time.h>

#include "ratios.h"

#define RUN_NS 40000.0 /* a run of short work is repeated for as long as this */
#define MOST_PAIRS 101

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double run(void (*work_on)(struct work *work), struct work *work, unsigned int times)
{
	double begin = now_ns();

	for (unsigned int i = 0; i < times; i++)
		work_on(work);
	return (now_ns() - begin) / times;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *value, unsigned int n)
{
	qsort(value, n, sizeof(*value), compare);
	return value[n / 2];
}

struct ratio measure(const struct row *row, struct work *work, unsigned int pairs)
{
	double library[MOST_PAIRS], plain[MOST_PAIRS], ratio[MOST_PAIRS], once;
	unsigned int times;

	if (pairs > MOST_PAIRS)
		pairs = MOST_PAIRS;
	/* Pages, caches and the first call are not what is measured. */
	row->library(work);
	row->plain(work);
	once = run(row->plain, work, 1);
	times = once < RUN_NS ? (unsigned int)(RUN_NS / (once + 1)) : 1;
	for (unsigned int i = 0; i < pairs; i++) {
		if (i % 2)
			library[i] = run(row->library, work, times);
		plain[i] = run(row->plain, work, times);
		if (!(i % 2))
			library[i] = run(row->library, work, times);
		ratio[i] = library[i] / plain[i];
	}
	return (struct ratio){median(ratio, pairs), median(library, pairs), median(plain, pairs)};
}
