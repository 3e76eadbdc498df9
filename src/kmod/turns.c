// SPDX-License-Identifier: GPL-2.0
/*
 * Turns: which request a channel works on next.
 *
 * Users take turns on a channel; within the turn of a user, the user's processes do; within that of
 * a process, its open files. A user gets no more of a channel by starting more processes, nor a
 * process by opening more files.
 *
 * At each of the three levels a turn is a number of bytes (deficit round robin): a place is served
 * while it has credit; when that is used up it gets new credit and goes to the end of the line.
 * Descriptors are not cut for it, so credit can become negative, and the next turn is shorter by as
 * much.
 */
#include <linux/sched/mm.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include "turns.h"

#define TURN	(256 << 10)	/* bytes */

static DEFINE_SPINLOCK(owners_lock);
static LIST_HEAD(owners);	/* users and processes; owners_lock */

void svad_turns_init(struct svad_turn *turns, struct svad_turn *above)
{
	unsigned int i;

	for (i = 0; i < SVAD_MAX_CHANNELS; i++) {
		INIT_LIST_HEAD(&turns[i].link);
		INIT_LIST_HEAD(&turns[i].below);
		turns[i].above = above ? &above[i] : NULL;
	}
}

/*
 * The owner with this key below @above, with one more reference; @spare becomes it if there is
 * none.
 */
static struct svad_owner *owner_find(const void *key, struct svad_owner *above,
				    struct svad_owner **spare)
{
	struct svad_owner *owner;

	lockdep_assert_held(&owners_lock);
	list_for_each_entry(owner, &owners, link) {
		if (owner->key == key && owner->above == above) {
			owner->refs++;
			return owner;
		}
	}
	owner = *spare;
	*spare = NULL;
	owner->refs = 1;
	owner->key = key;
	owner->above = above;
	svad_turns_init(owner->turns, above ? above->turns : NULL);
	if (above)
		above->refs++;
	list_add(&owner->link, &owners);
	return owner;
}

/* Drops a reference; owners that have none left are moved to @dead. */
static void owner_drop(struct svad_owner *owner, struct list_head *dead)
{
	struct svad_owner *above;

	lockdep_assert_held(&owners_lock);
	for (; owner && !--owner->refs; owner = above) {
		above = owner->above;
		list_move(&owner->link, dead);
	}
}

static void owners_free(struct list_head *dead)
{
	struct svad_owner *owner, *next;

	list_for_each_entry_safe(owner, next, dead, link)
		kvfree(owner);
}

/**
 * svad_owner_get - the place of a process, below that of its user
 * @user: the user; the caller keeps a reference as long as it has the owner
 * @mm: the address space of the process; likewise
 *
 * Return: the owner, to be given to svad_owner_put(), or NULL without memory
 */
struct svad_owner *svad_owner_get(const struct user_struct *user, const struct mm_struct *mm)
{
	struct svad_owner *spare[2], *of_user, *of_process = NULL;
	LIST_HEAD(dead);

	spare[0] = kvzalloc(sizeof(*spare[0]), GFP_KERNEL_ACCOUNT);
	spare[1] = kvzalloc(sizeof(*spare[1]), GFP_KERNEL_ACCOUNT);
	if (spare[0] && spare[1]) {
		spin_lock(&owners_lock);
		of_user = owner_find(user, NULL, &spare[0]);
		of_process = owner_find(mm, of_user, &spare[1]);
		/* The owner of the process has a reference to that of the user. */
		owner_drop(of_user, &dead);
		spin_unlock(&owners_lock);
	}
	kvfree(spare[0]);
	kvfree(spare[1]);
	return of_process;
}

void svad_owner_put(struct svad_owner *owner)
{
	LIST_HEAD(dead);

	spin_lock(&owners_lock);
	owner_drop(owner, &dead);
	spin_unlock(&owners_lock);
	owners_free(&dead);
}

/**
 * svad_turn_add - queue a request
 * @turn: the place of its open file
 * @request: the request
 * @line: the turns of the channel
 *
 * The file, its process and its user get a place in the line where they have none.
 */
void svad_turn_add(struct svad_turn *turn, struct list_head *request, struct list_head *line)
{
	list_add_tail(request, &turn->below);
	for (; turn && list_empty(&turn->link); turn = turn->above) {
		turn->credit = TURN;
		list_add_tail(&turn->link, turn->above ? &turn->above->below : line);
	}
}

/* Removes a request from its queue, and from the line the places that have no other request. */
void svad_turn_remove(struct svad_turn *turn, struct list_head *request)
{
	list_del_init(request);
	for (; turn && list_empty(&turn->below); turn = turn->above)
		list_del_init(&turn->link);
}

void svad_turn_charge(struct svad_turn *turn, u64 bytes)
{
	for (; turn; turn = turn->above)
		turn->credit -= bytes;
}

/* The first place in a line that has credit. */
static struct svad_turn *first_turn(struct list_head *line)
{
	struct svad_turn *turn;

	for (;;) {
		turn = list_first_entry(line, struct svad_turn, link);
		if (turn->credit > 0)
			return turn;
		turn->credit += TURN;
		list_move_tail(&turn->link, line);
	}
}

/* The request that is served next, or NULL. It stays in its queue. */
struct list_head *svad_turn_next(struct list_head *line)
{
	struct svad_turn *turn;

	if (list_empty(line))
		return NULL;
	turn = first_turn(line);		/* of a user */
	turn = first_turn(&turn->below);	/* of a process */
	turn = first_turn(&turn->below);	/* of an open file */
	return turn->below.next;
}
