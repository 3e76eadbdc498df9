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
	ok "instructions, $mode" ends_with 0 "$emu" run --redirect $mode -- "$bin/insn"
	ok "character device, $mode" ends_with 0 "$emu" run --redirect $mode -- "$bin/cdev"
	ok "page faults, $mode" ends_with 0 "$emu" run --redirect $mode -- "$bin/faults"
	for queue in 0 1; do
		ok "a storm on wq0.$queue, $mode" ends_with 0 "$emu" run --redirect $mode --stats="$work/stats" --fault 3 \
			--queues 'wq0.0:shared,size=2;wq0.1:dedicated,size=3' -- \
			"$bin/storm" /dev/dsa/wq0.$queue portal 8 "$operations" 3
	done
done

# Call sites that are patched while other threads are in them.
for ((i = 0; i < ${EMU_LONG:+10}2; i++)); do
	ok "64 call sites, 8 threads, run $i" ends_with 0 "$emu" run --redirect --fast --stats="$work/stats" -- "$bin/sites" 8 5
done
ok "they were patched" test "$(counter patched "$work/stats")" -eq 64
# Threads that meet at an instruction all trap until it is patched, so what it saves is counted with one.
ok "64 call sites, one thread, 20 times each" ends_with 0 "$emu" run --redirect --fast --stats="$work/stats" -- "$bin/sites" 1 20
is "$(counter traps "$work/stats") $(counter executed "$work/stats")" "64 1280" "each trapped once and no more"

# Some kernels do not let a program write to its code through /proc/self/mem. Here a filter does what they do.
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
	ok "64 call sites, 8 threads, /proc/self/mem closed" ends_with 0 "$work/closed" \
		"$emu" run --redirect --fast --stats="$work/stats" -- "$bin/sites" 8 5
	is "$(counter patched "$work/stats")" 64 "they were patched all the same"
	ok "system calls by insn, /proc/self/mem closed" ends_with 0 "$work/closed" "$emu" run --redirect -- "$bin/raw" insn
else
	skip "call sites, /proc/self/mem closed" "no seccomp here: $(head -n 1 "$work/out")"
fi

# The stubs of --fast save what FXSAVE does. An instruction of AVX anywhere in what they call would change a register of the program.
wide() {
	objdump -d --no-show-raw-insn "$@" | grep -E '%[yz]mm|[[:space:]]v(mov|p|zero)'
}
if ! command -v objdump >/dev/null; then
	skip "no AVX in what stubs call" "objdump is not installed"
	skip "… and it would be found" "objdump is not installed"
else
	not_ok "no AVX in what stubs call" wide "$top_builddir/src/emu/.libs/libsva-emu.so"
	echo '#include <immintrin.h>
__attribute__((target("avx2"))) void f(char *p) { _mm256_storeu_si256((void *)p, _mm256_setzero_si256()); }' >"$work/wide.c"
	${CC:-cc} -O2 -c "$work/wide.c" -o "$work/wide.o"
	ok "… and it would be found" wide "$work/wide.o"
fi

# A poller on the CPU of the engine must not wait for the end of a time slice. 400 round trips: with that, 1.6 seconds.
ok "an engine does not starve on a poller's CPU" ends_with 0 timeout 60 taskset -c 0 "$emu" run --redirect --async -- \
	"$bin/storm" /dev/dsa/wq0.0 portal 1 100 16
done_testing
