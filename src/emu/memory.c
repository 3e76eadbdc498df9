/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "memory.h"
#include "process.h"
#include "raw.h"

#define PAGE 4096u
#define WINDOW (256u << 10) /* of a direct window: large enough to cost nothing, small enough to stay in the cache */
#define BOUNCE 4096u

/*
 * The instructions that may fault, and where to go on after each. emu_copy_raw returns in rax how many bytes are left; the
 * probes return 0, or 1 after a fault. emu_checkpoint is a setjmp that emu_memory_fault() returns to by changing the
 * context: a longjmp would leave the signal mask and the signal stack in the state of the nested handler.
 */
size_t emu_copy_raw(void *dst, const void *src, size_t len);
int emu_probe_read(uint64_t addr);
int emu_probe_write(uint64_t addr);
int emu_checkpoint(uint64_t save[8]) __attribute__((returns_twice));
extern const char emu_copy_insn[], emu_copy_fixup[], emu_read_insn[], emu_read_fixup[], emu_write_insn[],
	emu_write_fixup[];

__asm__(".text\n"
	".hidden emu_copy_raw, emu_probe_read, emu_probe_write, emu_checkpoint, emu_copy_insn, emu_copy_fixup\n"
	".hidden emu_read_insn, emu_read_fixup, emu_write_insn, emu_write_fixup\n"
	".globl emu_copy_raw, emu_probe_read, emu_probe_write, emu_checkpoint, emu_copy_insn, emu_copy_fixup\n"
	".globl emu_read_insn, emu_read_fixup, emu_write_insn, emu_write_fixup\n"
	".type emu_copy_raw,@function\n"
	"emu_copy_raw:\n"
	"	mov %rdx,%rcx\n"
	"emu_copy_insn:\n"
	"	rep movsb\n"
	"emu_copy_fixup:\n"
	"	mov %rcx,%rax\n"
	"	ret\n"
	".size emu_copy_raw,.-emu_copy_raw\n"
	".type emu_probe_read,@function\n"
	"emu_probe_read:\n"
	"	xor %eax,%eax\n"
	"emu_read_insn:\n"
	"	movb (%rdi),%dl\n"
	"	ret\n"
	"emu_read_fixup:\n"
	"	mov $1,%eax\n"
	"	ret\n"
	".size emu_probe_read,.-emu_probe_read\n"
	".type emu_probe_write,@function\n"
	"emu_probe_write:\n"
	"	xor %eax,%eax\n"
	"emu_write_insn:\n"
	"	lock orb $0,(%rdi)\n"
	"	ret\n"
	"emu_write_fixup:\n"
	"	mov $1,%eax\n"
	"	ret\n"
	".size emu_probe_write,.-emu_probe_write\n"
	".type emu_checkpoint,@function\n"
	"emu_checkpoint:\n"
	"	mov %rbx,(%rdi)\n"
	"	mov %rbp,8(%rdi)\n"
	"	mov %r12,16(%rdi)\n"
	"	mov %r13,24(%rdi)\n"
	"	mov %r14,32(%rdi)\n"
	"	mov %r15,40(%rdi)\n"
	"	lea 8(%rsp),%rax\n"
	"	mov %rax,48(%rdi)\n"
	"	mov (%rsp),%rax\n"
	"	mov %rax,56(%rdi)\n"
	"	xor %eax,%eax\n"
	"	ret\n"
	".size emu_checkpoint,.-emu_checkpoint\n"
	".previous\n");

static EMU_TLS struct emu_fault last_fault;
static EMU_TLS uint64_t *checkpoint; /* set while the model works on memory directly */

bool emu_memory_fault(int signo, const siginfo_t *info, ucontext_t *uc)
{
	greg_t *gregs = uc->uc_mcontext.gregs;
	const char *rip = (const char *)gregs[REG_RIP];
	uint64_t *save = checkpoint;

	if (rip == emu_copy_insn)
		gregs[REG_RIP] = (greg_t)emu_copy_fixup;
	else if (rip == emu_read_insn)
		gregs[REG_RIP] = (greg_t)emu_read_fixup;
	else if (rip == emu_write_insn)
		gregs[REG_RIP] = (greg_t)emu_write_fixup;
	else if (!save)
		return false;
	last_fault = (struct emu_fault){ signo, info->si_code, (uint64_t)(uintptr_t)info->si_addr };
	if ((const char *)gregs[REG_RIP] == rip) {
		gregs[REG_RBX] = (greg_t)save[0];
		gregs[REG_RBP] = (greg_t)save[1];
		gregs[REG_R12] = (greg_t)save[2];
		gregs[REG_R13] = (greg_t)save[3];
		gregs[REG_R14] = (greg_t)save[4];
		gregs[REG_R15] = (greg_t)save[5];
		gregs[REG_RSP] = (greg_t)save[6];
		gregs[REG_RIP] = (greg_t)save[7];
		gregs[REG_RAX] = 1;
		checkpoint = NULL;
	}
	return true;
}

size_t emu_copy(void *dst, const void *src, size_t len, struct emu_fault *fault)
{
	size_t left = emu_copy_raw(dst, src, len);

	if (EMU_UNLIKELY(left) && fault)
		*fault = last_fault;
	return left;
}

bool emu_probe(uint64_t addr, bool write, struct emu_fault *fault)
{
	if (EMU_LIKELY(!(write ? emu_probe_write(addr) : emu_probe_read(addr))))
		return true;
	if (fault)
		*fault = last_fault;
	return false;
}

/*
 * Strict faults: would a device find this page in the page table? For a write the page must be this process's own: one
 * that is still shared by copy on write, the zero page too, is read-only in the table (bit 56: mapped by us alone;
 * bit 61: of a file or shared memory, where writable means written).
 */
static bool page_present(uint64_t addr, bool write)
{
	uint64_t entry = 0;
	int fd = raw_openat(AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return true;
	raw_syscall4(SYS_pread64, fd, &entry, sizeof(entry), addr / PAGE * sizeof(entry));
	raw_close(fd);
	if (!(entry >> 63))
		return false;
	return !write || (entry & (1ull << 56 | 1ull << 61));
}

/* How many of the len bytes from addr on can be used; 0 with *fault_addr if not even the first. */
static size_t reachable(struct emu_access *access, uint64_t addr, size_t len, unsigned int how, uint64_t *fault_addr)
{
	bool strict = access->strict && !(how & (SVA_MODEL_BOF | SVA_MODEL_RECORD));
	bool write = how & SVA_MODEL_WRITE;
	size_t done = 0, border = PAGE - addr % PAGE;

	if (access->inject && !(how & (SVA_MODEL_BOF | SVA_MODEL_RECORD))) {
		if (addr % PAGE == 0 || len <= border) {
			access->inject = false;
			*fault_addr = addr;
			return 0;
		}
		len = border; /* the next window starts at the border, and faults there */
	}
	while (done < len) {
		if ((strict && !page_present(addr + done, write)) || !emu_probe(addr + done, write, NULL)) {
			*fault_addr = addr + done;
			break;
		}
		done += PAGE - (addr + done) % PAGE;
	}
	return done < len ? done : len;
}

size_t emu_write_record(uint64_t addr, const struct sva_comp *comp)
{
	uint8_t *record = (uint8_t *)(uintptr_t)addr;

	/* The first eight bytes have the status, so they come last, and in one store. */
	if (emu_copy(record + 8, (const uint8_t *)comp + 8, sizeof(*comp) - 8, NULL))
		return sizeof(*comp);
	__atomic_store_n((uint64_t *)(void *)record, *(const uint64_t *)(const void *)comp, __ATOMIC_RELEASE);
	return 0;
}

/* The two things that sabotage does to data: one byte is wrong, here in the middle of what was written. */
static void flip_data(struct emu_access *access, uint8_t *data, size_t used, unsigned int how)
{
	if (access->sabotage != EMU_SABOTAGE_FLIP || access->sabotaged || !(how & SVA_MODEL_WRITE) || used == 0)
		return;
	data[used / 2] ^= 0x10;
	access->sabotaged = true;
}

static void *map_scratch(struct emu_access *access, uint64_t addr, uint64_t *fault)
{
	struct emu_fault why;

	if (!emu_probe(addr, true, &why)) {
		*fault = addr;
		return NULL;
	}
	access->record = addr;
	emu_copy(&access->scratch, (const void *)(uintptr_t)addr, sizeof(access->scratch), NULL);
	return &access->scratch;
}

/* The record of a sabotaged descriptor: lost, or with another result than it has. */
static void unmap_scratch(struct emu_access *access)
{
	struct sva_comp *comp = &access->scratch;

	if (access->sabotage == EMU_SABOTAGE_LOSE) {
		access->sabotaged = true;
		return;
	}
	if (access->sabotage == EMU_SABOTAGE_FLIP && !access->sabotaged) {
		comp->result ^= 1;
		comp->op.crc ^= 1;
		access->sabotaged = true;
	}
	if (access->sabotage == EMU_SABOTAGE_LENGTH && comp->bytes) {
		comp->bytes -= comp->bytes > 64 ? 64 : 1;
		access->sabotaged = true;
	}
	emu_write_record(access->record, comp);
}

static void *map_direct(void *ctx, uint64_t addr, size_t *len, unsigned int how, uint64_t *fault)
{
	struct emu_access *access = ctx;
	size_t want = *len < WINDOW ? *len : WINDOW, got;

	if ((how & SVA_MODEL_RECORD) && access->sabotage && *len == sizeof(access->scratch))
		return map_scratch(access, addr, fault);
	got = reachable(access, addr, want, how, fault);
	if (got == 0 || ((how & SVA_MODEL_RECORD) && got < *len))
		return NULL;
	*len = got;
	return (void *)(uintptr_t)addr;
}

static void unmap_direct(void *ctx, void *host, size_t used, unsigned int how)
{
	struct emu_access *access = ctx;

	if (host == &access->scratch)
		unmap_scratch(access);
	else if (!(how & SVA_MODEL_RECORD))
		flip_data(access, host, used, how);
}

/* Bounce buffers are a thread's own, and exist from its first descriptor that needs them. */
static EMU_TLS uint8_t *bounce;

static bool have_bounce(void)
{
	long mem;

	if (bounce)
		return true;
	mem = raw_syscall6(SYS_mmap, 0, 3 * BOUNCE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (raw_failed(mem))
		return false;
	bounce = (uint8_t *)mem;
	return true;
}

static void *map_bounce(void *ctx, uint64_t addr, size_t *len, unsigned int how, uint64_t *fault)
{
	struct emu_access *access = ctx;
	size_t want = *len < BOUNCE ? *len : BOUNCE, got = 0;
	unsigned int slot;

	if ((how & SVA_MODEL_RECORD) && *len == sizeof(access->scratch))
		return map_scratch(access, addr, fault);
	for (slot = 0; slot < 3 && (access->open & 1u << slot); slot++)
		;
	*fault = addr;
	if (slot < 3 && have_bounce())
		got = reachable(access, addr, want, how, fault);
	if (got)
		got -= emu_copy(bounce + slot * BOUNCE, (const void *)(uintptr_t)addr, got, NULL);
	if (got == 0)
		return NULL;
	*len = got;
	access->open |= 1u << slot;
	access->target[slot] = addr;
	return bounce + slot * BOUNCE;
}

static void unmap_bounce(void *ctx, void *host, size_t used, unsigned int how)
{
	struct emu_access *access = ctx;
	unsigned int slot;

	if (host == &access->scratch) {
		unmap_scratch(access);
		return;
	}
	slot = (unsigned int)(((uint8_t *)host - bounce) / BOUNCE);
	access->open &= ~(1u << slot);
	if (!(how & SVA_MODEL_WRITE))
		return;
	flip_data(access, host, used, how);
	emu_copy((void *)(uintptr_t)access->target[slot], host, used, NULL);
}

void emu_execute(const struct sva_model_profile *profile, const struct sva_desc *desc, struct emu_access *access,
		 struct sva_model_outcome *outcome)
{
	struct sva_model_mem mem = { .map = map_direct, .unmap = unmap_direct, .ctx = access, .event = access->event };
	uint64_t save[8];

	if (emu_checkpoint(save) == 0) {
		checkpoint = save;
		sva_model_execute(profile, &mem, desc, outcome);
		checkpoint = NULL;
		return;
	}
	/* A page went away in between. Bytes that an overlapping copy has moved already are moved once more; whoever unmaps
	 * memory under a running descriptor can not expect its content to be defined. */
	access->open = 0;
	mem.map = map_bounce;
	mem.unmap = unmap_bounce;
	sva_model_execute(profile, &mem, desc, outcome);
}
