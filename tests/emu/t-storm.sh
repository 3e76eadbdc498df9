#!/bin/bash
# SPDX-License-Identifier: MIT
# Storms of descriptors on tiny queues: none is lost, none is executed twice, and a program that
# verifies its data notices sabotage.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

queues='wq0.0:shared,size=1;wq0.1:dedicated,size=2'

# storm QUEUE WAY THREADS OPERATIONS OPTION…: the storm succeeds, and as many descriptors were
# executed as the queue accepted.
storm() {
	local queue=$1 way=$2 threads=$3 operations=$4 taken
	shift 4
	ends_with 0 "$emu" run --stats="$work/stats" --queues "$queues" "$@" -- \
		"$bin/storm" "/dev/dsa/wq0.$queue" "$way" "$threads" "$operations" 2 || return 1
	taken=$(sed -n 's/.* taken=\([0-9]*\) .*/\1/p' "$work/out")
	[ -n "$taken" ] && [ "$taken" = "$(counter executed "$work/stats")" ]
}

# sabotage STATUS QUEUE WAY HOW: the storm must notice, and end with that status.
sabotage() {
	ends_with "$1" "$emu" run --queues "$queues" --sabotage "$4:20" -- \
		"$bin/storm" "/dev/dsa/wq0.$2" "$3" 1 50 2 0
}

# make check has eight threads and few operations; make check-emu sets EMU_LONG for more of both.
for way in portal write; do
	for queue in 0 1; do
		for threads in ${EMU_LONG:+1} 8; do
			name="wq0.$queue by $way, $threads threads: each copy is right"
			n=${EMU_LONG:+1000}
			n=${n:-25}
			ok "$name" storm $queue $way $threads $n
			ok "$name, every third ENQCMD is retried" \
				storm $queue $way $threads $n --retry 3
			ok "$name, every second descriptor faults" \
				storm $queue $way $threads $n --fault 2
			ok "$name, every fifth descriptor fails" \
				storm $queue $way $threads $n --error 5
			ok "$name, faults are strict" storm $queue $way $threads $n --strict-faults
		done
		ok "control: wq0.$queue by $way: a flipped byte is noticed" \
			sabotage 1 $queue $way flip
		ok "control: wq0.$queue by $way: a wrong length is noticed" \
			sabotage 1 $queue $way length
		ok "control: wq0.$queue by $way: a lost completion is noticed" \
			sabotage 2 $queue $way lose
	done
done
done_testing
