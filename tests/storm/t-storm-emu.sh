#!/bin/bash
# SPDX-License-Identifier: MIT
# The storm on an emulated device: portals and write(2), full queues, page faults, chunks, hardware
# errors, records that are late or lost, queues and devices that are taken away meanwhile.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/storm/lib.sh"

[ -x "$emu" ] || skip_all "sva-emu was not built (no Zydis, or no x86-64)"
"$emu" run -- true >"$work/out" 2>&1 ||
	skip_all "sva-emu cannot run here: $(tail -n 1 "$work/out")"

# Fewer entries than there are operations, and operations of several chunks.
small='wq0.0:shared,size=8,xfer=8192,batch=8;wq0.1:dedicated,size=4,xfer=16384'
all=enqcmd,movdir64b,soft,cpu

row 70 "all paths of a DSA 1" "enqcmd movdir64b soft cpu" \
	"$emu" run -- "$storm" --paths enqcmd,movdir64b,write,soft,cpu
row 50 "a DSA 2, pages that were not touched fault" "enqcmd faults" \
	"$emu" run --profile dsa2 --strict-faults -- "$storm" --paths enqcmd,cpu
row 50 "a DSA 3, small queues, every third descriptor faults" "enqcmd movdir64b faults" \
	"$emu" run --profile dsa3 --fault 3 --queues "$small" -- \
	"$storm" --paths enqcmd,movdir64b,cpu --tiny
row 50 "small queues, two engine threads, every third ENQCMD is retried" "enqcmd soft retries" \
	"$emu" run --async=2 --retry 3 --queues "$small" -- "$storm" --paths enqcmd,soft,cpu
row 30 "small queues, records come after 100 microseconds" "movdir64b enqcmd" \
	"$emu" run --delay 100 --queues "$small" -- "$storm" --paths movdir64b,enqcmd,cpu --tiny
row 50 "write(2), every fourth descriptor faults, every third is retried" "write faults" \
	"$emu" run --no-mmap --fault 4 --retry 3 --queues "$small" -- \
	"$storm" --paths write,cpu --tiny
row 50 "small queues, every fortieth descriptor ends with a hardware error" "enqcmd failed" \
	"$emu" run --error 40 --queues "$small" -- "$storm" --paths $all --errors --tiny
row 60 "jumps instead of traps, two engine threads, every fifth descriptor faults" "enqcmd faults" \
	"$emu" run --fast --async=2 --fault 5 --queues "$small" -- "$storm" --paths $all --tiny
row 40 "only portals are permitted" "enqcmd movdir64b" \
	"$emu" run --profile dsa2 \
	--queues "wq0.0:shared,size=64,xfer=8192;wq0.1:dedicated,size=64" \
	-- "$storm" --paths movdir64b,enqcmd --tiny
row 40 "12 threads on two devices" "enqcmd movdir64b" \
	"$emu" run --devices 2 --retry 5 -- "$storm" --paths $all --threads 12 --tiny

# As in t-storm-soft.sh, with credits of a dedicated queue, and chunks that are still to come.
row 250 "a dedicated queue: the last reference is released while other threads wait" "movdir64b" \
	"$emu" run --async --queues wq0.0:dedicated,size=96,xfer=4096 -- \
	"$storm" --paths movdir64b,cpu --actions bond,bind,collect,hand,unmap \
	--bonds 1 --early-unbind
for seed in 1 2 3 4 5 6; do
	ok "exit() while threads have operations in flight on a portal, seed $seed" \
		exits $seed "$emu" run --async -- "$storm" --paths enqcmd,cpu
done

# Records that never come retire their queue: what was on it ends with -EIO, all else is done.
export SVA_RECORD_TIMEOUT_MS=300
row 20 "every hundredth record is lost" "enqcmd failed" \
	"$emu" run --sabotage lose:100 --queues "$small" -- "$storm" --paths $all --losses --tiny
row 4 "records come after 20 ms" "enqcmd" \
	"$emu" run --delay 20000 --queues "$small" -- "$storm" --paths enqcmd,soft,cpu --losses

row 15 "a queue is disabled after half of the operations" "enqcmd movdir64b" \
	"$emu" run --async=2 -- "$storm" --paths enqcmd,movdir64b,cpu --losses \
	--half 'echo wq0.0 >/sys/bus/dsa/drivers/user/unbind'
row 15 "a device is taken away after half of the operations" "enqcmd cpu" \
	"$emu" run -- "$storm" --paths $all --losses \
	--half 'echo dsa0 >/sys/bus/dsa/drivers/idxd/unbind'
unset SVA_RECORD_TIMEOUT_MS

# What the device does wrong without a word must be noticed.
for how in flip length; do
	spoiled "--sabotage $how: a descriptor that goes wrong is noticed" "" \
		"$emu" run --sabotage $how:50 -- "$storm" --paths enqcmd --operations 20000
done
spoiled "--sabotage lose: a record that is lost is noticed" "" env SVA_RECORD_TIMEOUT_MS=300 \
	"$emu" run --sabotage lose:50 -- "$storm" --paths enqcmd --operations 20000
done_testing
