/* SPDX-License-Identifier: MIT */
/* Decodes an instruction with Zydis, and computes the addresses of its operands. */
#include <errno.h>

#include <Zydis/Zydis.h>

#include "emu/insn/decode.h"

static ZydisDecoder decoder;

void emu_decode_init(void)
{
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
}

/* The value of a register that is part of an address. */
static uint64_t reg_value(ZydisRegister reg, const struct emu_regs *regs, uint64_t next_rip)
{
	if (reg >= ZYDIS_REGISTER_RAX && reg <= ZYDIS_REGISTER_R15)
		return regs->gpr[reg - ZYDIS_REGISTER_RAX];
	if (reg >= ZYDIS_REGISTER_EAX && reg <= ZYDIS_REGISTER_R15D)
		return (uint32_t)regs->gpr[reg - ZYDIS_REGISTER_EAX];
	if (reg == ZYDIS_REGISTER_RIP)
		return next_rip;
	if (reg == ZYDIS_REGISTER_EIP)
		return (uint32_t)next_rip;
	return 0;
}

/* In 64-bit mode only FS and GS have a base. */
static uint64_t segment_base(ZydisRegister segment, const struct emu_regs *regs)
{
	if (segment == ZYDIS_REGISTER_FS)
		return regs->fs_base;
	if (segment == ZYDIS_REGISTER_GS)
		return regs->gs_base;
	return 0;
}

static uint64_t operand_address(const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *op,
				const struct emu_regs *regs)
{
	uint64_t next_rip = regs->rip + zi->length;
	uint64_t addr = reg_value(op->mem.base, regs, next_rip);

	addr += reg_value(op->mem.index, regs, next_rip) * op->mem.scale;
	if (op->mem.disp.has_displacement)
		addr += (uint64_t)op->mem.disp.value;
	if (zi->address_width == 32)
		addr = (uint32_t)addr;
	return addr + segment_base(op->mem.segment, regs);
}

static enum emu_kind find_kind(ZydisMnemonic mnemonic)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_ENQCMD:
		return EMU_INSN_ENQCMD;
	case ZYDIS_MNEMONIC_ENQCMDS:
		return EMU_INSN_ENQCMDS;
	case ZYDIS_MNEMONIC_MOVDIR64B:
		return EMU_INSN_MOVDIR64B;
	case ZYDIS_MNEMONIC_UMONITOR:
		return EMU_INSN_UMONITOR;
	case ZYDIS_MNEMONIC_UMWAIT:
		return EMU_INSN_UMWAIT;
	case ZYDIS_MNEMONIC_TPAUSE:
		return EMU_INSN_TPAUSE;
	default:
		return EMU_INSN_OTHER;
	}
}

/* What any other instruction does to memory, for ordinary accesses to a portal. */
static void describe_other(const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *ops,
			   const struct emu_regs *regs, struct emu_insn *insn)
{
	unsigned int i;

	insn->load_reg = -1;
	for (i = 0; i < zi->operand_count_visible; i++) {
		const ZydisDecodedOperand *op = &ops[i];
		ZydisRegister full;

		if (op->type == ZYDIS_OPERAND_TYPE_MEMORY && op->mem.type == ZYDIS_MEMOP_TYPE_MEM) {
			insn->mem = operand_address(zi, op, regs);
			insn->loads = op->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
			insn->stores = op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
		} else if (op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
			   op->actions == ZYDIS_OPERAND_ACTION_WRITE) {
			full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
								op->reg.value);
			if (full >= ZYDIS_REGISTER_RAX && full <= ZYDIS_REGISTER_R15) {
				insn->load_reg = (int)(full - ZYDIS_REGISTER_RAX);
				insn->load_bytes = op->size / 8;
			}
		}
	}
}

int emu_decode(const uint8_t *code, size_t len, const struct emu_regs *regs, struct emu_insn *insn)
{
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction zi;
	ZydisDecoderContext context;

	*insn = (struct emu_insn){ .kind = EMU_INSN_OTHER };
	if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, &context, code, len, &zi)) ||
	    ZYAN_FAILED(ZydisDecoderDecodeOperands(&decoder, &context, &zi, ops, zi.operand_count)))
		return -EILSEQ;
	insn->kind = find_kind(zi.mnemonic);
	insn->length = zi.length;
	switch (insn->kind) {
	case EMU_INSN_ENQCMD:
	case EMU_INSN_ENQCMDS:
	case EMU_INSN_MOVDIR64B:
		/* The destination is a register that holds an address in ES, whose base is 0. */
		insn->dst =
			reg_value(ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER ? ops[0].reg.value :
									       ops[0].mem.base,
				  regs, 0);
		insn->src = operand_address(&zi, &ops[1], regs);
		break;
	case EMU_INSN_UMONITOR:
		insn->dst = ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER ?
				    reg_value(ops[0].reg.value, regs, 0) :
				    operand_address(&zi, &ops[0], regs);
		if (zi.address_width == 32)
			insn->dst = (uint32_t)insn->dst;
		break;
	case EMU_INSN_UMWAIT:
	case EMU_INSN_TPAUSE:
		insn->control = reg_value(ops[0].reg.value, regs, 0);
		break;
	default:
		describe_other(&zi, ops, regs, insn);
	}
	return 0;
}
