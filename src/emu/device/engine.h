/* SPDX-License-Identifier: MIT */
/*
 * The room "device" is the DSA: its state, its queues and engines, trace and checks. From a
 * submitted descriptor to its completion record: acceptance by the queue, what options change,
 * execution by the model. It calls "host" and "base", and must not know of instructions or of files
 * other than the node.
 */
#ifndef EMU_DEVICE_ENGINE_H
#define EMU_DEVICE_ENGINE_H

#include <stdbool.h>

#include "emu/device/state.h"

/*
 * Submit a descriptor to a queue. Returns 0 if it was accepted, or, with MOVDIR64B, dropped;
 * -EAGAIN for retry. by_write: it came through write(2). Executes the descriptor before it returns,
 * unless the run is asynchronous.
 */
int emu_submit(emu_queue_id queue, enum sva_model_store how, const struct sva_desc *desc,
	       bool by_write);

/*
 * Start the engine threads of this process, if the run has any, when a queue is opened. 0 or
 * -errno.
 */
int emu_engine_prepare(void);

#endif
