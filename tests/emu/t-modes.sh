#!/bin/bash
# SPDX-License-Identifier: MIT
# The same programs with engine threads (--async, --delay) and with patched call sites (--fast).
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

operations=${EMU_LONG:+500}
operations=${operations:-25}
modes=("--async=4" "--delay 200" "--fast")
[ -n "$EMU_LONG" ] && modes+=("--async" "--fast --async=2")
for mode in "${modes[@]}"; do
	ok "the test of instructions passes with $mode" \
		ends_with 0 "$emu" run --redirect $mode -- "$bin/insn"
	ok "the test of the character device passes with $mode" \
		ends_with 0 "$emu" run --redirect $mode -- "$bin/cdev"
	ok "the test of page faults passes with $mode" \
		ends_with 0 "$emu" run --redirect $mode -- "$bin/faults"
	for queue in 0 1; do
		ok "8 threads on wq0.$queue with $mode: each copy is right" ends_with 0 \
			"$emu" run --redirect $mode --stats="$work/stats" --fault 3 \
			--queues 'wq0.0:shared,size=2;wq0.1:dedicated,size=3' -- \
			"$bin/storm" /dev/dsa/wq0.$queue portal 8 "$operations" 3
	done
done

# Instructions that are patched while other threads execute them.
for ((i = 0; i < ${EMU_LONG:+10}2; i++)); do
	ok "8 threads at 64 instructions that are patched: each copy is right, run $i" ends_with 0 \
		"$emu" run --redirect --fast --stats="$work/stats" -- "$bin/sites" 8 5
done
is "$(counter patched "$work/stats")" 64 "8 threads: all 64 instructions were patched"
# Several threads trap at an instruction until it is patched, so the traps are counted with one.
ok "one thread, 64 instructions, 20 times each: each copy is right" ends_with 0 \
	"$emu" run --redirect --fast --stats="$work/stats" -- "$bin/sites" 1 20
is "$(counter traps "$work/stats") $(counter executed "$work/stats")" "64 1280" \
	"one thread: each instruction trapped once and was executed 20 times"

# Some kernels do not let a program write to its code through /proc/self/mem. A filter does the
# same.
cat >"$work/closed.c" <<'END'
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, code };

	(void)argc;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 9;
	execvp(argv[1], argv + 1);
	return 8;
}
END
if ${CC:-cc} "$work/closed.c" -o "$work/closed" 2>"$work/out" && "$work/closed" true; then
	ok "8 threads at 64 instructions, /proc/self/mem closed: each copy is right" \
		ends_with 0 "$work/closed" \
		"$emu" run --redirect --fast --stats="$work/stats" -- "$bin/sites" 8 5
	is "$(counter patched "$work/stats")" 64 \
		"/proc/self/mem closed: all 64 instructions were patched"
	ok "the test of bare system calls passes with /proc/self/mem closed" ends_with 0 \
		"$work/closed" "$emu" run --redirect -- "$bin/raw" insn
else
	skip "8 threads at 64 instructions, /proc/self/mem closed" \
		"seccomp is not possible here: $(head -n 1 "$work/out")"
fi

# The stubs of --fast save what FXSAVE saves. An AVX instruction in the code that they call would
# change a register of the program.
wide() {
	objdump -d --no-show-raw-insn "$@" | grep -E '%[yz]mm|[[:space:]]v(mov|p|zero)'
}
if ! command -v objdump >/dev/null; then
	skip "the preload library has no AVX instruction" "objdump is not installed"
	skip "control: an AVX instruction is found" "objdump is not installed"
else
	not_ok "the preload library has no AVX instruction" \
		wide "$top_builddir/src/emu/.libs/libsva-emu.so"
	echo '#include <immintrin.h>
__attribute__((target("avx2"))) void f(char *p)
{
	_mm256_storeu_si256((void *)p, _mm256_setzero_si256());
}' >"$work/wide.c"
	${CC:-cc} -O2 -c "$work/wide.c" -o "$work/wide.o"
	ok "control: an AVX instruction is found" wide "$work/wide.o"
fi

# A poller on the CPU of the engine must not wait for the end of a time slice.
ok "--async: 100 copies of a poller on the CPU of the engine take less than 60 s" ends_with 0 \
	timeout 60 taskset -c 0 "$emu" run --redirect --async -- \
	"$bin/storm" /dev/dsa/wq0.0 portal 1 100 16
done_testing
