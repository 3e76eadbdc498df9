/* SPDX-License-Identifier: MIT */
/* --check: which rule a descriptor broke, in words. */
#include "emu/device/check.h"
#include "emu/host/maps.h"
#include "emu/host/memory.h"
#include "model/internal.h"
#include "emu/host/process.h"
#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/device/trace.h"

/* Program, thread, and address: as a number, and as the file and offset that addr2line takes. */
static void add_origin(struct emu_text *text, uint64_t site)
{
	struct emu_mapping mapping;
	const char *base, *at;

	text_add(text, "%s[%d] at 0x%lx", emu.program, emu_tid(), site);
	if (site && emu_maps_find(site, &mapping)) {
		for (base = at = mapping.path; *at; at++)
			if (*at == '/')
				base = at + 1;
		text_add(text, " (%s+0x%lx)", *base ? base : "?",
			 site - mapping.start + mapping.offset);
	}
	text_add(text, ": ");
}

/*
 * A program that tries again makes the same mistake again: each finding is printed once for one
 * instruction of a process. The table has no lock; if two threads are at one entry, a finding may
 * be printed twice.
 */
static bool was_printed(uint64_t site, const char *finding)
{
	static uint64_t printed[64];
	uint64_t hash = site ^ (uint64_t)(uint32_t)emu_pid() << 32, none;
	unsigned int i;

	for (; *finding; finding++)
		hash = (hash ^ (uint8_t)*finding) * 0x100000001b3ull;
	hash |= 1;
	for (i = 0; i < 64; i++) {
		none = 0;
		if (__atomic_compare_exchange_n(&printed[(hash + i) % 64], &none, hash, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return false;
		if (none == hash)
			return true;
	}
	return false;
}

void emu_check_say(uint64_t site, const char *fmt, ...)
{
	struct emu_text text;
	const char *finding;
	char line[400];
	va_list ap;

	if (!emu.state->opt.check)
		return;
	emu_count(emu.state, EMU_COUNT_UNLAWFUL, 1);
	text_init(&text, line, sizeof(line));
	add_origin(&text, site);
	finding = text.at;
	va_start(ap, fmt);
	text_vadd(&text, fmt, ap);
	va_end(ap);
	if (!was_printed(site, finding))
		emu_say("%s", line);
}

void emu_check_refused(emu_queue_id queue, const char *why, uint64_t site)
{
	char name[16];

	if (why)
		emu_check_say(site, "%s: %s", emu_queue_name(queue, name), why);
}

/* The bytes of the descriptor that the operation does not use and that are not zero. */
static void add_reserved(const struct sva_model_profile *profile, const struct sva_desc *desc,
			 struct emu_text *text)
{
	const struct model_op *op = model_op_find(profile, sva_desc_opcode(desc));
	const uint8_t *bytes = (const uint8_t *)desc;
	const char *between = ": ";
	unsigned int i;

	for (i = 16; op && i < 64; i++) {
		if ((op->used >> i & 1) || !bytes[i])
			continue;
		text_add(text, "%sbyte %u is 0x%02x", between, i, (unsigned int)bytes[i]);
		between = ", ";
	}
}

/* An invalid flag that is set is not allowed; one that is not set is missing. */
static void add_flags(const struct sva_desc *desc, uint32_t invalid, struct emu_text *text)
{
	uint32_t set = invalid & sva_desc_flags(desc), missing = invalid & ~sva_desc_flags(desc);

	if (set) {
		text_add(text, ": not allowed: ");
		emu_trace_flags(text, set);
	}
	if (missing) {
		text_add(text, ": missing: ");
		emu_trace_flags(text, missing);
	}
}

static void add_explanation(const struct sva_model_profile *profile, const struct sva_desc *desc,
			    const struct sva_comp *comp, struct emu_text *text)
{
	switch (comp->status & SVA_STATUS_MASK) {
	case SVA_STATUS_RESERVED_FIELD:
		add_reserved(profile, desc, text);
		break;
	case SVA_STATUS_INVALID_FLAGS:
		add_flags(desc, comp->op.invalid_flags, text);
		break;
	case SVA_STATUS_XFER_SIZE:
		text_add(text, ": %u bytes, this queue takes 1 to %lu", desc->size,
			 profile->max_transfer);
		break;
	case SVA_STATUS_DESC_COUNT:
		text_add(text, ": %u descriptors, this queue takes %u to %u", desc->size,
			 profile->gen_cap & SVA_GENCAP_BATCH_OF_ONE ? 1u : 2u, profile->max_batch);
		break;
	case SVA_STATUS_BAD_OPCODE:
		text_add(text, ": 0x%02x", sva_desc_opcode(desc));
		break;
	case SVA_STATUS_PAGE_FAULT_IR:
		text_add(text, ": 0x%lx", comp->fault_addr);
		break;
	default:
		text_add(text, ": src 0x%lx, dst 0x%lx, size %u", desc->src, desc->dst, desc->size);
	}
}

/*
 * Print what is wrong with one descriptor, by its status. index >= 0: it is that entry of a batch.
 */
static void check_status(const struct sva_model_profile *profile, const char *name, int index,
			 const struct sva_desc *desc, const struct sva_comp *comp, uint64_t site)
{
	unsigned int status = comp->status & SVA_STATUS_MASK;
	struct emu_text text;
	char line[300];

	if (status != SVA_STATUS_PAGE_FAULT_IR &&
	    (status < SVA_STATUS_BAD_OPCODE || status == SVA_STATUS_HW_ERROR))
		return;
	text_init(&text, line, sizeof(line));
	text_add(&text, "%s: %s", name, emu_opcode_name(sva_desc_opcode(desc)));
	if (index >= 0)
		text_add(&text, " (entry %d of a batch)", index);
	text_add(&text, ": %s (0x%02x)", emu_status_name(status), status);
	add_explanation(profile, desc, comp, &text);
	emu_check_say(site, "%s", line);
}

/* What this device accepts, but a program cannot have meant. */
static void check_habits(const char *name, const struct sva_desc *desc, uint64_t site)
{
	const char *op = emu_opcode_name(sva_desc_opcode(desc));
	uint32_t flags = sva_desc_flags(desc);

	if (!(flags & SVA_DESC_CRAV) && desc->completion_addr)
		emu_check_say(site, "%s: %s: a completion record address, but flag crav is not set",
			      name, op);
	else if (!(flags & SVA_DESC_CRAV) && sva_desc_opcode(desc) != SVA_OPCODE_NOOP)
		emu_check_say(site,
			      "%s: %s: without a completion record a program cannot see its end",
			      name, op);
	if (flags & (MODEL_CRSTS | MODEL_DSTS))
		emu_check_say(
			site,
			"%s: %s: flags 5 and 15 were steering tags of revision 1; later devices refuse them",
			name, op);
}

/* Check the entries of a batch that were executed, by the records that they wrote. */
static void check_batch(const struct sva_model_profile *profile, const char *name,
			const struct sva_desc *batch, uint32_t ran, uint64_t site)
{
	struct sva_desc desc;
	struct sva_comp comp;
	uint32_t i;

	for (i = 0; i < ran; i++) {
		if (emu_fetch(&desc, batch->src + i * sizeof(desc), sizeof(desc), NULL))
			return;
		if ((sva_desc_flags(&desc) & SVA_DESC_CRAV) &&
		    !emu_fetch(&comp, desc.completion_addr, sizeof(comp), NULL))
			check_status(profile, name, (int)i, &desc, &comp, site);
	}
}

void emu_check_outcome(emu_queue_id queue, const struct sva_desc *desc,
		       const struct sva_model_outcome *outcome, uint64_t site)
{
	struct sva_model_profile profile;
	char name[16];

	emu_queue_name(queue, name);
	emu_profile(emu_queue_device(emu.state, queue), emu_queue_wq(emu.state, queue), &profile);
	if (outcome->end == SVA_MODEL_LOST)
		emu_check_say(
			site,
			"%s: %s: the completion record at 0x%lx cannot be written (0x%02x, %s): a poller "
			"waits forever",
			name, emu_opcode_name(sva_desc_opcode(desc)), desc->completion_addr,
			(unsigned int)outcome->swerror, emu_status_name(outcome->swerror));
	check_status(&profile, name, -1, desc, &outcome->comp, site);
	if (sva_desc_opcode(desc) == SVA_OPCODE_BATCH &&
	    outcome->comp.status == SVA_STATUS_BATCH_FAIL)
		check_batch(&profile, name, desc, outcome->comp.bytes, site);
	check_habits(name, desc, site);
}
