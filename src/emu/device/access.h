/* SPDX-License-Identifier: MIT */
/*
 * How the execution of one descriptor meets its memory: strict faults, injected ones, sabotage; and
 * the bounce buffers.
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
	unsigned int sabotage; /* enum emu_sabotage: what is to go wrong with this descriptor */
	bool sabotaged;        /* it has gone wrong */
	struct emu_pages pages; /* what this descriptor has found out about memory */
	unsigned int open;     /* bounce windows in use, a bit each */
	uint64_t target[3];    /* where each belongs */
	uint64_t record;       /* where the record that is in scratch belongs */
	/* a record is made here when it is to be changed before it is told */
	struct sva_comp scratch;
	void (*event)(void *ctx, const struct sva_desc *desc,
		      const struct sva_model_outcome *outcome);
};

/*
 * How many of the len bytes from addr on can be used; 0 with *fault if not even the first. how:
 * enum sva_model_access.
 */
size_t emu_access_reach(struct emu_access *access, uint64_t addr, size_t len, unsigned int how,
			uint64_t *fault);

/* Sabotage of data that was written, or is about to be; nothing if the descriptor is spared. */
void emu_access_flip(struct emu_access *access, uint8_t *data, size_t used, unsigned int how);

/* A record in scratch instead of where it belongs, and its end. */
void *emu_access_scratch(struct emu_access *access, uint64_t addr, uint64_t *fault);
void emu_access_unscratch(struct emu_access *access);

/* The model's windows as copies. ctx is a struct emu_access. */
void *emu_access_map(void *ctx, uint64_t addr, size_t *len, unsigned int how, uint64_t *fault);
void emu_access_unmap(void *ctx, void *host, size_t used, unsigned int how);

#endif
