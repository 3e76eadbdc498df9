#!/bin/sh
# SPDX-License-Identifier: MIT
# The portal and write paths with the real instructions, under sva-emu: shared and dedicated queues,
# mapped and not, small and full ones, page faults, refused submissions, one and eight threads. Each
# line is one run of t-api-portal, whose own TAP is printed as comments.
emu=$top_builddir/src/emu/sva-emu
program=$top_builddir/tests/unit/t-api-portal
n=0 failed=0

if ! "$emu" run -- true >/dev/null 2>&1; then
	echo "1..0 # SKIP sva-emu cannot run here: $("$emu" run -- true 2>&1 | tail -1)"
	exit 0
fi
case $SANITIZERS in
*address*) export ASAN_OPTIONS=verify_asan_link_order=0:$ASAN_OPTIONS ;;
esac

run() # PATHS THREADS OPERATIONS EMULATOR-OPTIONS…
{
	paths=$1 threads=$2 operations=$3
	shift 3
	n=$((n + 1))
	if output=$(SVA_LOG=error timeout 120 "$emu" run "$@" -- \
		"$program" "$paths" "$threads" "$operations" 2>&1); then
		echo "ok $n - $paths, $threads threads, $*"
	else
		echo "not ok $n - $paths, $threads threads, $*"
		echo "$output" | grep -v '^ok' | tail -20 | sed 's/^/# /'
		failed=1
	fi
}

shared='wq0.0:shared,size=16'
dedicated='wq0.0:dedicated,size=16'
for threads in 1 8; do
	run enqcmd $threads 12 --queues "$shared"
	run movdir64b $threads 12 --queues "$dedicated"
	run write $threads 12 --queues "$shared" --no-mmap
	run write $threads 12 --queues "$dedicated" --no-mmap
	run enqcmd,movdir64b,write,soft,cpu $threads 12 --queues "$shared;wq0.1:dedicated,size=4"
done
# A queue of one entry, which is always full, and refusals on top: no operation is lost, hangs or is
# done twice.
run enqcmd 8 8 --queues 'wq0.0:shared,size=1' --retry 3
run movdir64b 8 8 --queues 'wq0.0:dedicated,size=1'
run write 8 8 --queues 'wq0.0:dedicated,size=1' --no-mmap
run enqcmd,soft,cpu 8 8 --queues 'wq0.0:shared,size=1' --retry 2
# Page faults: every operation is resumed.
run enqcmd,cpu 2 8 --queues "$shared" --fault 3
run movdir64b,cpu 2 8 --queues "$dedicated" --strict-faults
run write,cpu 2 8 --queues "$shared" --no-mmap --fault 2
# Small limits: every copy goes out in chunks.
run enqcmd 2 8 --queues 'wq0.0:shared,size=8,xfer=4096'
run movdir64b 2 8 --queues 'wq0.0:dedicated,size=8,xfer=4096'
run enqcmd 2 8 --profile dsa2 --queues "$shared"
echo "1..$n"
exit $failed
