#!/bin/bash
# SPDX-License-Identifier: MIT
# Completion queues under load (cq-load.c): on the CPU, on soft, and on emulated devices with
# faults, full queues and records that are late or lost. OPERATIONS is how many all rows do
# together; make check-cq OPERATIONS=10000000 sets it.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

load=$top_builddir/tests/unit/cq-load
emu=$top_builddir/src/emu/sva-emu
work=$(mktemp -d "${TMPDIR:-/tmp}/cq-XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
export SVA_EMU_QUIET=1 SVA_LOG=error SVA_THRESHOLD=1
: "${OPERATIONS:=40000}"
case $SANITIZERS in
*address*)
	export ASAN_OPTIONS=verify_asan_link_order=0:$ASAN_OPTIONS
	OPERATIONS=$((OPERATIONS / 3))
	;;
*thread*) OPERATIONS=$((OPERATIONS / 6)) ;;
esac

# row SHARE PATHS "NAME" "WORD…" COMMAND…: SHARE thousandths of all operations. Each WORD must have
# a number other than 0 in what is reported.
row() {
	local share=$1 paths=$2 name=$3 words=$4 n
	shift 4
	n=$((OPERATIONS * share / 1000))
	[ $n -ge 500 ] || n=500
	ok "$name, $n operations" passes "$words" env SVA_PATHS="$paths" "$@" --operations $n
}

passes() {
	local words=$1 word status=0
	shift
	"$@" >"$work/out" 2>&1 || status=$?
	cat "$work/out"
	echo "ended with $status"
	[ $status = 0 ] || return 1
	for word in $words; do
		grep -q -E "(^| )$word=[1-9]" "$work/out" || return 1
	done
}

fails() {
	local status=0
	"$@" >"$work/out" 2>&1 || status=$?
	cat "$work/out"
	echo "ended with $status"
	[ $status = 1 ] && grep -q 'doubled=1' "$work/out"
}

row 100 cpu "64 threads on the CPU, epoll" "" "$load" --epoll --submitters 32 --collectors 32
row 100 soft,cpu "64 threads, three engine threads, sva_cq_wait()" "" \
	env SVA_SOFT_THREADS=3 "$load" --submitters 32 --collectors 32
row 100 soft "an engine thread, a small window, two completion queues, epoll" "" \
	env SVA_SOFT_THREADS=1 "$load" --window 2 --queues 2 --epoll
ok "control: an operation that is collected twice is noticed" fails env SVA_PATHS=soft,cpu \
	"$load" --operations 2000 --twice

[ -x "$emu" ] || { skip "on emulated devices" "sva-emu was not built"; done_testing; exit; }
"$emu" run -- true >"$work/out" 2>&1 || {
	skip "on emulated devices" "sva-emu cannot run here: $(tail -n 1 "$work/out")"
	done_testing
	exit
}

small='wq0.0:shared,size=8,batch=8;wq0.1:dedicated,size=4'
row 150 enqcmd,movdir64b "64 threads, small queues, every third ENQCMD is retried" "" \
	"$emu" run --async=2 --retry 3 --queues "$small" -- \
	"$load" --submitters 32 --collectors 32
row 150 enqcmd,movdir64b,cpu "64 threads, every fifth descriptor faults, epoll" "faults" \
	"$emu" run --async=2 --fault 5 --queues "$small" -- \
	"$load" --submitters 32 --collectors 32 --epoll
row 100 enqcmd "groups of sixteen, three completion queues, pages that fault" "faults" \
	"$emu" run --async --strict-faults -- "$load" --batch 16 --queues 3 --pages
row 100 movdir64b "a dedicated queue of four entries, epoll" "full" \
	"$emu" run --async --queues wq0.0:dedicated,size=4 -- "$load" --epoll --submitters 8
row 50 write,cpu "write(2), every fourth descriptor faults" "faults" \
	"$emu" run --no-mmap --async --fault 4 -- "$load" --epoll
row 20 enqcmd "records come after 300 microseconds, epoll" "" \
	"$emu" run --delay 300 -- "$load" --epoll --submitters 2 --collectors 2
SVA_RECORD_TIMEOUT_MS=300 row 10 enqcmd,cpu "records are lost" "lost" \
	"$emu" run --async --sabotage lose:400 -- "$load" --losses --submitters 2
done_testing
