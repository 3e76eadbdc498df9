/* SPDX-License-Identifier: MIT */
/* --trace: descriptors and records as text or JSON. And names for both, which --check uses, too. */
#ifndef EMU_DEVICE_TRACE_H
#define EMU_DEVICE_TRACE_H

#include "emu/device/state.h"

enum emu_fate { EMU_FATE_EXECUTED, EMU_FATE_RETRY, EMU_FATE_DROPPED };

/* Write one submission and its result. outcome is NULL unless the descriptor was executed. */
void emu_trace(emu_queue_id queue, const char *way, const struct sva_desc *desc, enum emu_fate fate,
	       const struct sva_model_outcome *outcome, uint64_t rip);

/* The instruction that this thread submits a descriptor with, for messages. */
void emu_trace_site(uint64_t rip);
uint64_t emu_trace_get_site(void);

/* The name of an operation or a status, or "?". */
const char *emu_opcode_name(unsigned int opcode);
const char *emu_status_name(unsigned int status);

/* The names of flags, joined by bars. */
struct emu_text;
void emu_trace_flags(struct emu_text *text, uint32_t flags);

#endif
