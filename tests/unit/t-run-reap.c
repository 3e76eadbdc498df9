/* SPDX-License-Identifier: MIT */
/*
 * sva_reap() with 1, 1,000 and 100,000 operations in flight, on a queue that takes them and never
 * executes them: the test writes their records. What a call looks at is counted by where it leaves
 * the head of the list; the order in which operations are returned; each is returned once.
 */
#include <errno.h>

#include "lib/run/run.h"
#include "sva/ops.h"
#include "tap.h"
#include "unit/kernel.h"
#include "unit/rig.h"

#define MOST  100000u
#define LOOKS 256u /* behind operations that have not ended, of one call: run/collect.c */

static struct kernel_queue *queue;
static struct sva *sva;
static struct sva_op *ops;
static uint8_t *seen, byte[2];

static void begin(unsigned int n)
{
	unsigned int bad = 0;

	kernel_begin();
	queue = kernel_add("wq0.0", false, 16, NULL);
	sva = rig_open("write", 0);
	sva_prep_memcpy(&ops[0], &byte[0], &byte[1], 1);
	if (sva_submit(sva, &ops[0]) || sva_wait(&ops[0], -1))
		ok(false, "the first operation, which opens the queue");
	queue->swallow = UINT32_MAX;
	memset(seen, 0, MOST);
	for (unsigned int i = 0; i < n; i++) {
		sva_prep_memcpy(&ops[i], &byte[0], &byte[1], 1);
		ops[i].user_data = i;
		bad += sva_submit(sva, &ops[i]) != 0;
	}
	subject("%u operations in flight", n);
	is(bad, 0, "all are submitted");
}

/* The device has executed it. */
static void finish(unsigned int i)
{
	__atomic_store_n(&ops[i].comp.status, SVA_STATUS_SUCCESS, __ATOMIC_RELEASE);
}

/* Returns how many are returned; sorted: in the order in which they were submitted. */
static unsigned int reap(unsigned int room, bool *sorted)
{
	static struct sva_op *done[MOST];
	int n = sva_reap(sva, done, room);

	for (int i = 0; i < n; i++) {
		seen[done[i]->user_data]++;
		if (i && done[i]->user_data < done[i - 1]->user_data)
			*sorted = false;
	}
	return n > 0 ? (unsigned int)n : 0;
}

/* The number of the operation that a call looks at first. */
static unsigned int head(void)
{
	return (unsigned int)sva_op_of_node(sva_tls.current->list.next)->user_data;
}

static bool each_once(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (seen[i] != 1)
			return false;
	return true;
}

static void reap_all(unsigned int n)
{
	unsigned int late = n - 1, calls = 0, found, moved, most = 0;
	bool sorted = true;

	begin(n);
	/* None has ended: what does it cost to find that out? */
	for (unsigned int i = 0; i < 20; i++) {
		unsigned int before = head();

		found = reap(64, &sorted);
		moved = (head() + n - before) % n;
		if (found || moved > LOOKS)
			ok(false, "call %u: %u found, %u looked at", i, found, moved);
		most = moved > most ? moved : most;
	}
	ok(most <= LOOKS, "no call looks at more than %u of them (%u)", LOOKS, most);
	/* The one that was submitted last has ended first. */
	finish(late);
	for (found = 0; !found && calls < n; calls++)
		found = reap(64, &sorted);
	is(found, 1, "the last one has ended first: it is found");
	ok(seen[late] == 1, "it is the one that has ended");
	ok(calls <= n / LOOKS + 2, "that takes at most one call for each %u in flight (%u)", LOOKS,
	   calls);
	/* Others end one by one, behind the head and before it. */
	for (unsigned int k = 0; n > 1 && k < 10; k++) {
		unsigned int before = found;

		finish(k * (n / 10));
		for (calls = 0; found == before && calls < n; calls++)
			found += reap(64, &sorted);
		most = calls > n / LOOKS + 2 ? n : most;
	}
	ok(n == 1 || (found == 11 && most <= LOOKS),
	   "ten others end one by one: each is found within as many calls");
	for (unsigned int i = 0; i < n; i++)
		if (!seen[i])
			finish(i);
	for (calls = 0; found < n && calls < n; calls++)
		found += reap(64, &sorted);
	is(found, n, "all others are returned");
	ok(calls <= n / 64 + n / LOOKS + 2, "by calls that are full (%u calls)", calls);
	ok(each_once(n), "each was returned once");
	ok(sva_thread_is_idle(sva_tls.current), "none is on the list any more");
	sva_close(sva);
}

static void in_order(unsigned int n)
{
	unsigned int found = 0;
	bool sorted = true;

	begin(n);
	for (unsigned int i = 0; i < n; i++)
		finish(i);
	for (unsigned int calls = 0; found < n && calls < n; calls++)
		found += reap(n < 200 ? n : 200, &sorted);
	is(found, n, "all have ended: all are returned");
	ok(sorted, "in the order of their submission");
	ok(each_once(n), "each of them once");
	sva_close(sva);
}

int main(void)
{
	static const unsigned int sizes[] = { 1, 1000, MOST };
	void *memory;

	rig_begin();
	if (posix_memalign(&memory, 64, MOST * sizeof(*ops)))
		return 1;
	ops = memory;
	memset(ops, 0, MOST * sizeof(*ops));
	seen = calloc(MOST, 1);
	setenv("SVA_THRESHOLD", "1", 1);
	for (unsigned int i = 0; i < 3; i++) {
		reap_all(sizes[i]);
		in_order(sizes[i]);
	}
	free(seen);
	free(ops);
	return done();
}
