#!/bin/bash
# SPDX-License-Identifier: MIT
# DPDK's test of its DSA driver, unmodified: copies, bursts up to the size of the queue, errors,
# fill.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

command -v dpdk-test >/dev/null || skip_all "dpdk-test (package dpdk-dev) is not installed"
[ "$(awk '/MemAvailable/ { print $2 }' /proc/meminfo)" -gt 700000 ] ||
	skip_all "not enough memory for dpdk-test"

autotest() {
	"$emu" run --stats="$work/stats" \
		--queues 'wq0.0:dedicated,name=dpdk_emu,size=64,batch=1024' "$@" -- \
		bash "$top_srcdir/tests/emu/dpdk" "$work"
}

[ -e /usr/lib/x86_64-linux-gnu/librte_dma_idxd.so.23 ] || skip_all "this DPDK is not 22.11"
ok "dmadev_autotest of DPDK passes on a dedicated queue" autotest
ok "dmadev_autotest submitted more than 1000 descriptors" \
	test "$(counter movdir64b "$work/stats")" -gt 1000
not_ok "control: dmadev_autotest notices flipped bytes" autotest --sabotage flip:50
done_testing
