/* SPDX-License-Identifier: MIT */
/*
 * Names of the operations of a descriptor, as sva-info and sva-emu print them. A header alone, so
 * that programs which do not link the library's internals can include it.
 */
#ifndef SVA_OPCODES_H
#define SVA_OPCODES_H

#include <stddef.h>

#include "sva/desc.h"

/* The name of an operation, or NULL for one that has none here. */
static inline const char *sva_opcode_name(unsigned int opcode)
{
	static const char *const names[] = {
		[SVA_OPCODE_NOOP] = "noop",
		[SVA_OPCODE_BATCH] = "batch",
		[SVA_OPCODE_DRAIN] = "drain",
		[SVA_OPCODE_MEMMOVE] = "memmove",
		[SVA_OPCODE_FILL] = "fill",
		[SVA_OPCODE_COMPARE] = "compare",
		[SVA_OPCODE_COMPARE_PATTERN] = "compare-pattern",
		[SVA_OPCODE_CREATE_DELTA] = "create-delta",
		[SVA_OPCODE_APPLY_DELTA] = "apply-delta",
		[SVA_OPCODE_DUALCAST] = "dualcast",
		[SVA_OPCODE_TRANSLATION_FETCH] = "translation-fetch",
		[SVA_OPCODE_CRC] = "crc",
		[SVA_OPCODE_COPY_CRC] = "copy-crc",
		[SVA_OPCODE_DIF_CHECK] = "dif-check",
		[SVA_OPCODE_DIF_INSERT] = "dif-insert",
		[SVA_OPCODE_DIF_STRIP] = "dif-strip",
		[SVA_OPCODE_DIF_UPDATE] = "dif-update",
		[SVA_OPCODE_DIX_GENERATE] = "dix-generate",
		[SVA_OPCODE_TYPE_CONVERT] = "type-convert",
		[SVA_OPCODE_REDUCE] = "reduce",
		[SVA_OPCODE_REDUCE_DUALCAST] = "reduce-dualcast",
		[SVA_OPCODE_GATHER_REDUCE] = "gather-reduce",
		[SVA_OPCODE_GATHER_COPY] = "gather-copy",
		[SVA_OPCODE_SCATTER_COPY] = "scatter-copy",
		[SVA_OPCODE_SCATTER_FILL] = "scatter-fill",
		[SVA_OPCODE_CACHE_FLUSH] = "cache-flush",
		[SVA_OPCODE_UPDATE_WINDOW] = "update-window",
	};

	return opcode < sizeof(names) / sizeof(names[0]) ? names[opcode] : NULL;
}

#endif
