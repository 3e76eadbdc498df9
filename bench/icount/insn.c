/* SPDX-License-Identifier: MIT */
/*
 * icount: recognises the few instructions that are counted apart or emulated. Encodings: Intel SDM
 * volume 2, chapter 2 and appendix A.
 */
#include "icount.h"

#include <string.h>

struct prefixes {
	bool lock, repne, rep, size, fs, gs, addr32;
	uint8_t rex;
};

static unsigned int read_prefixes(const uint8_t *bytes, struct prefixes *p)
{
	unsigned int at = 0;

	for (; at < INSN_MAX - 4; at++) {
		switch (bytes[at]) {
		case 0xf0:
			p->lock = true;
			break;
		case 0xf2:
			p->repne = true;
			break;
		case 0xf3:
			p->rep = true;
			break;
		case 0x66:
			p->size = true;
			break;
		case 0x67:
			p->addr32 = true;
			break;
		case 0x64:
			p->fs = true;
			break;
		case 0x65:
			p->gs = true;
			break;
		case 0x26: case 0x2e: case 0x36: case 0x3e:
			break;
		default:
			if ((bytes[at] & 0xf0) == 0x40)
				p->rex = bytes[at++];
			return at;
		}
	}
	return at;
}

static uint64_t reg(const struct user_regs_struct *regs, unsigned int number)
{
	switch (number) {
	case 0: return regs->rax;
	case 1: return regs->rcx;
	case 2: return regs->rdx;
	case 3: return regs->rbx;
	case 4: return regs->rsp;
	case 5: return regs->rbp;
	case 6: return regs->rsi;
	case 7: return regs->rdi;
	case 8: return regs->r8;
	case 9: return regs->r9;
	case 10: return regs->r10;
	case 11: return regs->r11;
	case 12: return regs->r12;
	case 13: return regs->r13;
	case 14: return regs->r14;
	default: return regs->r15;
	}
}

static int32_t read_i32(const uint8_t *bytes)
{
	int32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/*
 * The address of the memory operand whose ModRM byte is at bytes[at]; *end: the offset behind it.
 */
static uint64_t memory_operand(const uint8_t *bytes, unsigned int at, const struct prefixes *p,
			       const struct user_regs_struct *regs, unsigned int *end)
{
	unsigned int mod = bytes[at] >> 6, rm = bytes[at] & 7, high = p->rex & 1 ? 8 : 0;
	uint64_t addr = 0;
	bool rip = false;

	at++;
	if (rm == 4) {
		unsigned int sib = bytes[at++], index = (sib >> 3 & 7) | (p->rex & 2 ? 8 : 0),
			     base = sib & 7;

		if (index != 4)
			addr += reg(regs, index) << (sib >> 6);
		if (base == 5 && mod == 0) {
			addr += (uint64_t)(int64_t)read_i32(bytes + at);
			at += 4;
		} else {
			addr += reg(regs, base | high);
		}
	} else if (rm == 5 && mod == 0) {
		addr += (uint64_t)(int64_t)read_i32(bytes + at);
		at += 4;
		rip = true;
	} else {
		addr += reg(regs, rm | high);
	}
	if (mod == 1)
		addr += (uint64_t)(int64_t)(int8_t)bytes[at++];
	if (mod == 2) {
		addr += (uint64_t)(int64_t)read_i32(bytes + at);
		at += 4;
	}
	if (rip)
		addr += regs->rip + at;
	if (p->addr32)
		addr &= 0xffffffffu;
	*end = at;
	return addr + (p->fs ? regs->fs_base : 0) + (p->gs ? regs->gs_base : 0);
}

static bool is_string(uint8_t opcode)
{
	return (opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf);
}

void insn_decode(const uint8_t bytes[INSN_MAX], const struct user_regs_struct *regs,
		 struct insn *insn)
{
	struct prefixes p = { 0 };
	unsigned int at;

	*insn = (struct insn){ .kind = INSN_OTHER };
	if (bytes[0] == 0xcc && bytes[1] == 0x0f && bytes[2] == 0x1f && bytes[3] == 0x40) {
		*insn = (struct insn){ .kind = INSN_MARK, .len = 5, .mark = bytes[4] };
		return;
	}
	at = read_prefixes(bytes, &p);
	insn->locked =
		p.lock || ((bytes[at] == 0x86 || bytes[at] == 0x87) && bytes[at + 1] >> 6 != 3);
	insn->repeated = (p.rep || p.repne) && is_string(bytes[at]);
	if (insn->repeated)
		insn->len = at + 1;
	if (bytes[at] == 0x0f && bytes[at + 1] == 0x05) {
		insn->kind = INSN_SYSCALL;
		insn->len = at + 2;
	}
	if (bytes[at] != 0x0f || bytes[at + 1] != 0x38 || bytes[at + 2] != 0xf8 ||
	    bytes[at + 3] >> 6 == 3)
		return;
	/*
	 * 0F 38 F8 with memory: F2 is ENQCMD, 66 is MOVDIR64B. Only the kernel may use F3, ENQCMDS.
	 */
	if (p.repne)
		insn->kind = INSN_ENQCMD;
	else if (p.size)
		insn->kind = INSN_MOVDIR64B;
	else
		return;
	insn->source = memory_operand(bytes, at + 3, &p, regs, &insn->len);
}
