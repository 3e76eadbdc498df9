#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that make system calls past libc: the emulator sees them, or a warning names the program
# and --ptrace.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

for way in insn syscall; do
	for mode in "" --async=2 --fast --redirect; do
		ok "the test of system calls by $way passes${mode:+ with $mode}" \
			ends_with 0 "$emu" run $mode -- "$bin/raw" $way
	done
	ok "the test of system calls by $way passes with --no-mmap" ends_with 0 \
		"$emu" run --no-mmap -- "$bin/raw" $way no-mmap
	ok "the test of system calls by $way passes with --refuse-sva" ends_with 0 \
		"$emu" run --refuse-sva -- "$bin/raw" $way refuse-sva
done
for mode in "" --async=2 "--delay 100" --fast; do
	ok "a queue that is opened and mapped unseen: its test passes${mode:+, $mode}" ends_with 0 \
		"$emu" run --stats="$work/stats" $mode -- "$bin/raw" insn unseen
	is "$(counter executed "$work/stats")" 2 \
		"a queue that is opened and mapped unseen: 2 descriptors are executed${mode:+, $mode}"
done
ok "a queue that is opened and mapped unseen: its test passes, --check" ends_with 0 \
	"$emu" run --check -- "$bin/raw" insn unseen
not_ok "--check does not report a missing PASID for a queue that is opened unseen" \
	said "has opened no queue"

# A program without libc, as Go programs without cgo are: the library needs the threads of libc.
cat >"$work/bare.c" <<'END'
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "sva/desc.h"
static struct sva_desc desc __attribute__((aligned(64)));
static volatile struct sva_comp comp __attribute__((aligned(32)));
static char from[64] = "copied", to[64];
static long call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
void _start(void)
{
	long fd = call(SYS_openat, AT_FDCWD, (long)"/dev/dsa/wq0.0", O_RDWR, 0, 0, 0);
	long portal = call(SYS_mmap, 0, 4096, PROT_WRITE, MAP_SHARED, fd, 0);

	desc.flags_opcode = sva_desc_word(SVA_OPCODE_MEMMOVE, SVA_DESC_CRAV | SVA_DESC_RCR);
	desc.completion_addr = (unsigned long)&comp;
	desc.src = (unsigned long)from;
	desc.dst = (unsigned long)to;
	desc.size = sizeof(from);
	__asm__ volatile(".byte 0xf2, 0x0f, 0x38, 0xf8, 0x02"
			 : : "a"(portal), "d"(&desc) : "memory", "cc");
	call(SYS_exit, comp.status == SVA_STATUS_SUCCESS && to[0] == 'c' ? 0 : 1, 0, 0, 0, 0, 0);
}
END
if ${CC:-cc} -O1 -nostdlib -fno-stack-protector -fpie -pie -D_GNU_SOURCE \
	-I"$top_srcdir/include" "$work/bare.c" -o "$work/bare" 2>"$work/out"; then
	ok "a program without libc is refused without --ptrace" \
		ends_with 126 "$emu" run -- "$work/bare"
	ok "the refusal of a program without libc names the reason, and --ptrace" \
		said "linked without libc.*--ptrace can"
	SVA_EMU_QUIET='' "$emu" run -- bash -c "exec '$work/bare'" >"$work/out" 2>&1
	ok "a program without libc that another one starts: a warning names it, and --ptrace" \
		said "bare is linked without libc.*--ptrace"
	if "$emu" run --ptrace -- true 2>/dev/null; then
		ok "a program without libc copies with --ptrace" \
			ends_with 0 "$emu" run --ptrace -- "$work/bare"
	else
		skip "a program without libc copies with --ptrace" "ptrace is not possible here"
	fi
else
	skip "a program without libc is refused without --ptrace" \
		"it cannot be linked here: $(head -n 1 "$work/out")"
fi

# A program that limits its system calls may be killed at one that the emulator makes.
cat >"$work/limited.c" <<'END'
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include "client.h"
int main(int argc, char **argv)
{
	static struct sva_desc desc;
	static struct sva_comp comp;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = { 5, code };
	void *portal = argc > 2 ? map_queue("/dev/dsa/wq0.0", NULL) : NULL;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prep(&desc, &comp, SVA_OPCODE_NOOP, NULL, NULL, 0);
	if (argv[1][0] == 'p' ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) :
				syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		_exit(3);
	if (portal)
		enqcmd(portal, &desc);
	syscall(SYS_exit_group, portal && comp.status != SVA_STATUS_SUCCESS);
}
END
if ${CC:-cc} -O1 -D_GNU_SOURCE -I"$top_srcdir/include" -I"$top_srcdir/tests/emu" "$work/limited.c" \
	-o "$work/limited" 2>"$work/out" && "$work/limited" prctl; then
	for way in prctl seccomp; do
		ok "a program that limits its system calls by $way is killed at one of ours" \
			ends_with 159 \
			env SVA_EMU_QUIET='' "$emu" run -- "$work/limited" $way portal
		ok "limits by $way: a warning names the program, and --ptrace" \
			said "limits its system calls (seccomp).*--ptrace makes none"
		"$emu" run --ptrace -- true 2>/dev/null || continue
		ok "limits by $way: the program copies with --ptrace" ends_with 0 \
			"$emu" run --ptrace -- "$work/limited" $way portal
	done
	ok "a program that limits its system calls and opens no queue exits with 0" ends_with 0 \
		 env SVA_EMU_QUIET='' "$emu" run -- "$work/limited" prctl
	not_ok "a program that limits its system calls and opens no queue is not warned of" \
		said "limits its system calls"
else
	skip "a program that limits its system calls" \
		"seccomp is not possible here: $(head -n 1 "$work/out")"
fi

# A Go program: its runtime opens, maps, installs handlers, blocks signals and starts children by
# instructions of its own.
cat >"$work/queue.go" <<'END'
package main

/*
#include <stdint.h>
static char from[64] = "copied", to[64];
static uint64_t desc[8] __attribute__((aligned(64)));
static volatile uint8_t comp[64] __attribute__((aligned(64)));
static int copy(void *portal)
{
	uint8_t retry;

	comp[0] = to[0] = 0;
	desc[0] = 0x0300000cull << 32;
	desc[1] = (uintptr_t)comp;
	desc[2] = (uintptr_t)from;
	desc[3] = (uintptr_t)to;
	desc[4] = sizeof(from);
	__asm__ volatile(".byte 0xf2,0x0f,0x38,0xf8,0x02\n\tsetz %0"
			 : "=r"(retry) : "a"(portal), "d"(desc) : "memory", "cc");
	while (!retry && !comp[0])
		;
	return comp[0] == 1 && to[0] == 'c';
}
*/
import "C"
import (
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

func main() {
	fd, err := syscall.Open("/dev/dsa/wq0.0", syscall.O_RDWR, 0)
	if err != nil {
		os.Exit(2)
	}
	portal, err := syscall.Mmap(fd, 0, 4096, syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		os.Exit(3)
	}
	var one sync.Mutex
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func() {
			runtime.LockOSThread()
			for j := 0; j < 20; j++ {
				one.Lock()
				if C.copy(unsafe.Pointer(&portal[0])) != 1 {
					os.Exit(4)
				}
				one.Unlock()
			}
			all.Done()
		}()
	}
	all.Wait()
	if exec.Command("/bin/true").Run() != nil {
		os.Exit(5)
	}
	defer func() {
		if recover() == nil {
			os.Exit(6)
		}
		os.Exit(0)
	}()
	var nothing *int
	*nothing = 1
}
END
if command -v go >/dev/null && HOME=$work GO111MODULE=off CGO_ENABLED=1 \
	go build -o "$work/queue" "$work/queue.go" 2>"$work/out"; then
	for mode in "" --async=2 --fast --redirect; do
		ok "a Go program with 8 threads copies${mode:+, $mode}" ends_with 0 \
			"$emu" run --stats="$work/stats" $mode -- "$work/queue"
		is "$(counter executed "$work/stats")" 160 \
			"a Go program with 8 threads: 160 descriptors are executed${mode:+, $mode}"
	done
else
	skip "a Go program with 8 threads copies" "no Go compiler with cgo here"
fi
done_testing
