/* SPDX-License-Identifier: MIT */
/*
 * From a submitted descriptor to its completion record: acceptance by the queue, shaping, execution
 * by the model.
 */
#ifndef EMU_DEVICE_ENGINE_H
#define EMU_DEVICE_ENGINE_H

#include <stdbool.h>

#include "emu/device/state.h"

/*
 * A descriptor meets a queue. 0: taken, or, for MOVDIR64B, lost without a word; -EAGAIN: retry.
 * by_write: it came through write(2). Executes the descriptor before it returns, unless the run is
 * asynchronous.
 */
int emu_submit(emu_queue_id queue, enum sva_model_store how, const struct sva_desc *desc,
	       bool by_write);

/*
 * A queue was opened: have the engine threads of this process ready, if the run has any. 0 or
 * -errno.
 */
int emu_engine_prepare(void);

#endif
