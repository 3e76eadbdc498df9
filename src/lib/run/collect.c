/* SPDX-License-Identifier: MIT */
/* Collecting operations that have ended from the list of a share. */
#include "lib/run/run.h"

/*
 * How far one call looks behind operations that have not ended. A queue executes what it has taken
 * in about its order, and never has more in hand than it has entries, so what has ended is found
 * within that many; and a call costs as much with a hundred thousand operations in flight as with
 * some hundred.
 */
#define LOOKS   256u
#define AT_ONCE 32u

/* Does a look at this operation, by sva_poll(), bring anything? */
static inline bool is_ready(const struct sva_op *op)
{
	return !sva_op_is_in(op, SVA_OP_FAST) || sva_record_status(&op->comp);
}

/*
 * Pick operations that are ready, and move the head of the list behind the last one looked at. The
 * first is always picked: polling it looks after the queue.
 */
static unsigned int pick(struct sva_thread *thread, bool first, unsigned int looks,
			 struct sva_op **ready, unsigned int n)
{
	struct sva_op_node *head = &thread->list, *at;
	unsigned int found = 0;

	sva_bias_enter(&thread->lessee.bias);
	for (at = head->next; at != head && looks && found < n; at = at->next, looks--) {
		struct sva_op *op = sva_op_of_node(at);

		__builtin_prefetch(sva_op_of_node(at->next));
		if (first || is_ready(op))
			ready[found++] = op;
		first = false;
	}
	if (at != head && at != head->next) {
		sva_node_remove(head);
		head->next = at;
		head->prev = at->prev;
		at->prev->next = head;
		at->prev = head;
	}
	sva_bias_exit(&thread->lessee.bias);
	return found;
}

unsigned int sva_collect(struct sva_thread *thread, struct sva_op **done, unsigned int n)
{
	struct sva_op *ready[AT_ONCE];
	unsigned int found = 0, picked;
	bool first = true;

	for (unsigned int looks = LOOKS; looks && found < n; looks -= AT_ONCE, first = false) {
		unsigned int most = n - found < AT_ONCE ? n - found : AT_ONCE;

		picked = pick(thread, first, AT_ONCE, ready, most);
		for (unsigned int i = 0; i < picked; i++) {
			int rc = sva_poll(ready[i]);

			/* -ENOMEM of a batch is no end. */
			if (rc == 1 || (rc && !sva_op_is_pending(ready[i])))
				done[found++] = ready[i];
		}
	}
	return found;
}
