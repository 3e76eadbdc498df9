/* SPDX-License-Identifier: MIT */
/*
 * How one descriptor reaches the program's memory: strict faults, injected faults, sabotage, and
 * bounce buffers.
 */
#ifndef EMU_DEVICE_ACCESS_H
#define EMU_DEVICE_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "emu/device/pages.h"

struct emu_access {
	/* a page that is not present faults unless the flags say block on fault */
	bool strict;
	/* the next access to data that may fault does so, at a page border if there is one */
	bool inject;
	unsigned int sabotage; /* enum emu_sabotage: what this descriptor is to do wrong */
	bool sabotaged;        /* it has done so */
	struct emu_pages pages; /* what is known of the pages that it used */
	unsigned int open;     /* bounce windows in use, a bit each */
	uint64_t target[3];    /* the program's address of each */
	uint64_t record;       /* the program's address of the record in scratch */
	/* a record is made here if it is to be changed before the program sees it */
	struct sva_comp scratch;
	void (*event)(void *ctx, const struct sva_desc *desc,
		      const struct sva_model_outcome *outcome);
};

/*
 * Returns how many of the len bytes from addr on can be used; 0, and the address in *fault, if not
 * even the first can. how: enum sva_model_access.
 */
size_t emu_access_reach(struct emu_access *access, uint64_t addr, size_t len, unsigned int how,
			uint64_t *fault);

/* Sabotage data that was written or is about to be, if this descriptor is to be sabotaged. */
void emu_access_flip(struct emu_access *access, uint8_t *data, size_t used, unsigned int how);

/* Open a completion record in scratch instead of in the program's memory; and write it there. */
void *emu_access_scratch(struct emu_access *access, uint64_t addr, uint64_t *fault);
void emu_access_unscratch(struct emu_access *access);

/* Open and close a window of the model as a copy. ctx is a struct emu_access. */
void *emu_access_map(void *ctx, uint64_t addr, size_t *len, unsigned int how, uint64_t *fault);
void emu_access_unmap(void *ctx, void *host, size_t used, unsigned int how);

#endif
