#!/bin/bash
# SPDX-License-Identifier: MIT
# The storm on the paths soft and cpu, with and without engine threads; and its control: whatever is
# damaged before it is compared must be noticed.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/storm/lib.sh"

kinds="copy move fill fill16 dualcast compare pattern create-delta apply-delta crc crc64 copy-crc
	dif-check dif-insert dif-strip dif-update dix-generate cache-flush translation-fetch noop
	drain mapped-copy mapped-fill"
actions="sync run submit many bond batch lists collect hand bind context visit bad drop unmap"

row 110 "soft and cpu, executed by the thread that submits" "soft cpu $kinds $actions faults" \
	"$storm" --paths soft,cpu
row 110 "soft alone, one engine thread" "soft $kinds $actions" \
	env SVA_SOFT_THREADS=1 "$storm" --paths soft
row 110 "soft and cpu, three engine threads" "soft cpu" \
	env SVA_SOFT_THREADS=3 "$storm" --paths soft,cpu
row 60 "cpu alone" "cpu $kinds" "$storm" --paths cpu
row 40 "soft as a DSA 1" "soft cpu" \
	env SVA_SOFT_PROFILE=dsa1 SVA_SOFT_THREADS=2 "$storm" --paths soft,cpu
row 40 "12 threads on soft with two engine threads" "soft" \
	env SVA_SOFT_THREADS=2 "$storm" --paths soft --threads 12
row 10 "operations of up to 2 MiB" "soft" \
	env SVA_SOFT_THREADS=2 "$storm" --paths soft,cpu --length 2000000 --threads 2

# References that are released while operations are in flight on them, so that the last one to go is
# another thread's; and a process that ends while its threads work.
racing=(--actions bond,bind,collect,hand,unmap --bonds 1 --early-unbind)
row 700 "the last reference is released while other threads wait for their operations" "soft" \
	env SVA_SOFT_THREADS=1 "$storm" --paths soft "${racing[@]}" --length 4000
for seed in 1 2 3 4 5 6; do
	ok "exit() while threads have operations in flight, seed $seed" \
		exits $seed env SVA_SOFT_THREADS=1 "$storm" --paths soft
done

while IFS='|' read -r what name message; do
	spoiled "$name is noticed" "$message" "$storm" --operations 20000 --spoil "$what:50"
done <<'WHAT'
byte|a wrong byte of a destination|destination.*must be
guard|a write beside a buffer|must be
source|a changed byte of a source|source.*must be
record|a write beside an operation|something wrote beside the operation
error|an error that the result does not have|was returned, but the result has error
bytes|a wrong number of bytes|the number of bytes is wrong
sum|a wrong number of bytes by path|the bytes by path do not add up
path|a path that is not permitted|the path is not permitted
queue|a queue that the operation did not take|the result names a queue
status|a status that does not fit the error|the status is not that of a success
fault|a fault address without a fault|there is a fault address without a fault
value|a wrong value|the value is wrong
late|a write to an operation that has ended|was written after it had ended
WHAT
done_testing
