#!/bin/bash
# SPDX-License-Identifier: MIT
# DPDK's own test of its DSA driver, unmodified: copies, bursts up to the queue's size, error handling, fill.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

command -v dpdk-test >/dev/null || skip_all "dpdk-test (package dpdk-dev) is not installed"
[ "$(awk '/MemAvailable/ { print $2 }' /proc/meminfo)" -gt 700000 ] || skip_all "not enough memory for dpdk-test"

# autotest OPTION…: DPDK's verdict on the queue.
autotest() {
	(echo dmadev_autotest; echo quit) | XDG_RUNTIME_DIR=$work timeout 100 "$emu" run --stats="$work/stats" \
		--queues 'wq0.0:dedicated,name=dpdk_emu,size=64,batch=1024' "$@" -- dpdk-test --no-huge -m 256 --no-pci \
		--no-telemetry --file-prefix "emu$$" -d librte_dma_idxd.so.23 -d librte_mempool_ring.so.23 2>&1 |
		tr '\r' '\n' | grep -v '^Ops submitted' >"$work/out"
	grep -v '^EAL' "$work/out"
	grep -q '^### Test dmadev instance 0 \[wq0.0\]' "$work/out" && grep -q '^Test OK' "$work/out"
}

[ -e /usr/lib/x86_64-linux-gnu/librte_dma_idxd.so.23 ] || skip_all "this DPDK is not 22.11"
ok "dmadev_autotest" autotest
ok "it did use the queue" test "$(counter movdir64b "$work/stats")" -gt 1000
not_ok "dmadev_autotest notices flipped bytes" autotest --sabotage flip:50
done_testing
