/* SPDX-License-Identifier: GPL-2.0 */
/*
 * queue.c: requests wait for their turn, become descriptors, and are completed by callbacks. Calls
 * op.c, turns.c, table.c and users.c.
 */
#ifndef SVA_KMOD_QUEUE_H
#define SVA_KMOD_QUEUE_H

#include "client.h"
#include "op.h"
#include "table.h"

void svad_queue_add(struct svad_req *req, bool nonblock);
void svad_queue_work(struct work_struct *work);
void svad_queue_cancel(struct svad_client *client);
void svad_queue_kick(struct svad_chan *chan);
void svad_queue_stop(struct svad_chan *chan);
void svad_queue_abort(struct svad_chan *chan, int error);
bool svad_queue_drain(struct svad_chan *chan, unsigned long until);
bool svad_queue_pause(struct svad_chan *chan, unsigned long until);
void svad_queue_resume(void);

#endif /* SVA_KMOD_QUEUE_H */
