/* SPDX-License-Identifier: GPL-2.0 */
/*
 * turns.c: which request a channel works on next. Calls no other file of the module, and knows
 * neither channels nor requests: a channel has a list of turns, a request is a list entry.
 */
#ifndef SVA_KMOD_TURNS_H
#define SVA_KMOD_TURNS_H

#include <linux/list.h>
#include <linux/types.h>

#define SVAD_MAX_CHANNELS	64

struct mm_struct;
struct user_struct;

/**
 * struct svad_turn - a place in the turns of a channel: of a user, of a process or of an open file
 * @link: in @below of the level above, or in the channel's list, while there is something to do
 * @below: the places of the level below; of an open file: its requests
 * @above: the place of the level above, or NULL
 * @credit: bytes that it may submit before the next place is served
 */
struct svad_turn {
	struct list_head link;
	struct list_head below;
	struct svad_turn *above;
	s64 credit;
};

/**
 * struct svad_owner - a user, or a process of a user, that has the device open
 * @link: in the list of owners
 * @refs: one for each owner below it, or for each open file
 * @key: the user or the address space; only compared, never followed
 * @above: the user of a process, or NULL
 * @turns: one for each channel (svad_chan::lock)
 */
struct svad_owner {
	struct list_head link;
	unsigned int refs;
	const void *key;
	struct svad_owner *above;
	struct svad_turn turns[SVAD_MAX_CHANNELS];
};

struct svad_owner *svad_owner_get(const struct user_struct *user, const struct mm_struct *mm);
void svad_owner_put(struct svad_owner *owner);
void svad_turns_init(struct svad_turn *turns, struct svad_turn *above);

/* Called with svad_chan::lock of the channel held. */
void svad_turn_add(struct svad_turn *turn, struct list_head *request, struct list_head *line);
void svad_turn_remove(struct svad_turn *turn, struct list_head *request);
void svad_turn_charge(struct svad_turn *turn, u64 bytes);
struct list_head *svad_turn_next(struct list_head *line);

#endif /* SVA_KMOD_TURNS_H */
