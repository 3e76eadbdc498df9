/* SPDX-License-Identifier: MIT */
/* Descriptors and records as text or JSON, and the findings of --check in words. */
#ifndef EMU_DEVICE_TRACE_H
#define EMU_DEVICE_TRACE_H

#include "emu/device/state.h"

enum emu_fate { EMU_FATE_EXECUTED, EMU_FATE_RETRY, EMU_FATE_DROPPED };

/* One submission and what became of it. outcome is NULL unless it was executed. */
void emu_trace(emu_queue_id queue, const char *way, const struct sva_desc *desc, enum emu_fate fate,
	       const struct sva_model_outcome *outcome, uint64_t rip);

/* Where the descriptor that is under way was submitted from; for messages. */
void emu_trace_site(uint64_t rip);
uint64_t emu_trace_get_site(void);

/* The name of an operation, or "?". */
const char *emu_opcode_name(unsigned int opcode);
const char *emu_status_name(unsigned int status);

/* The names of flags, joined by bars. */
struct emu_text;
void emu_trace_flags(struct emu_text *text, uint32_t flags);

#endif
