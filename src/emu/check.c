/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "process.h"
#include "raw.h"
#include "text.h"
#include "trace.h"

/* Every finding begins so: who, and where. */
static void begin(struct emu_text *text, char *buf, size_t size, uint64_t site)
{
	text_init(text, buf, size);
	text_add(text, "%s[%d] at 0x%lx: ", emu.program, raw_gettid(), site);
}

void emu_check_say(uint64_t site, const char *fmt, ...)
{
	struct emu_text text;
	char line[400];
	va_list ap;

	if (!emu.state->opt.check)
		return;
	emu_count(emu.state, EMU_COUNT_UNLAWFUL, 1);
	begin(&text, line, sizeof(line), site);
	va_start(ap, fmt);
	text_vadd(&text, fmt, ap);
	va_end(ap);
	emu_say("%s", line);
}

void emu_check_refused(emu_queue_id queue, const char *why, uint64_t site)
{
	char name[16];

	if (why)
		emu_check_say(site, "%s: %s", emu_queue_name(queue, name), why);
}

/* Lawful for the device that is shown, but not what the program can have meant. */
static void check_habits(const char *name, const struct sva_desc *desc, uint64_t site)
{
	uint32_t flags = sva_desc_flags(desc);
	unsigned int opcode = sva_desc_opcode(desc);

	if (!(flags & SVA_DESC_CRAV) && desc->completion_addr)
		emu_check_say(site, "%s: %s: a completion record address, but flag CRAV is not set", name,
			      emu_opcode_name(opcode));
	if (flags & 0x8020u)
		emu_check_say(site, "%s: %s: flags 5 and 15 were steering tags of revision 1; later devices refuse them",
			      name, emu_opcode_name(opcode));
	if (!(flags & SVA_DESC_CRAV) && opcode != SVA_OPCODE_NOOP)
		emu_check_say(site, "%s: %s: without a completion record its end can not be known", name,
			      emu_opcode_name(opcode));
}

void emu_check_outcome(emu_queue_id queue, const struct sva_desc *desc, const struct sva_model_outcome *outcome,
		       uint64_t site)
{
	unsigned int status = outcome->comp.status & SVA_STATUS_MASK, opcode = sva_desc_opcode(desc);
	char name[16];

	emu_queue_name(queue, name);
	if (outcome->end == SVA_MODEL_LOST)
		emu_check_say(site, "%s: %s: the completion record at 0x%lx can not be written (0x%02x, %s): a poller waits "
			      "for ever", name, emu_opcode_name(opcode), desc->completion_addr,
			      (unsigned int)outcome->swerror, emu_status_name(outcome->swerror));
	if (status == SVA_STATUS_INVALID_FLAGS)
		emu_check_say(site, "%s: %s: flags 0x%x are not allowed (or missing) here", name, emu_opcode_name(opcode),
			      outcome->comp.op.invalid_flags);
	else if (status == SVA_STATUS_PAGE_FAULT_IR)
		emu_check_say(site, "%s: %s: nothing is mapped at 0x%lx", name, emu_opcode_name(opcode),
			      outcome->comp.fault_addr);
	else if (status >= SVA_STATUS_BAD_OPCODE && status != SVA_STATUS_HW_ERROR)
		emu_check_say(site, "%s: %s (0x%02x), size %u, src 0x%lx, dst 0x%lx: %s", name, emu_opcode_name(opcode),
			      opcode, desc->size, desc->src, desc->dst, emu_status_name(status));
	check_habits(name, desc, site);
}
