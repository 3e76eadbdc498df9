#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that replace functions of libc, several processes on one queue, what a run shows of the
# machine and does not change in it, and machines where little is allowed.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

if "$emu" run -- "$bin/interpose"; [ $? -eq 77 ]; then
	skip "memcpy of a program is not called by the emulator" \
		"the build has a sanitizer, which has one"
else
	ok "memcpy of a program is not called by the emulator" \
		ends_with 0 "$emu" run -- "$bin/interpose"
	ok "memcpy of a program is not called by the emulator with --fast" ends_with 0 \
		"$emu" run --fast -- "$bin/interpose"
fi

# Four processes, one entry: each descriptor is executed once.
several() {
	ends_with 0 "$emu" run --redirect --stats="$work/stats" --queues 'wq0.0:shared,size=1' -- \
		bash -c "
		for i in 1 2 3 4; do '$bin/storm' /dev/dsa/wq0.0 portal 1 50 1 & pids+=(\$!); done
		for pid in \${pids[@]}; do wait \$pid || exit 1; done" &&
		[ "$(counter executed "$work/stats")" = 200 ]
}
ok "4 processes share a queue of one entry: 200 descriptors are executed" several

# The entries of a process that is killed become free again.
killed() {
	ends_with 0 "$emu" run --redirect --delay 10000000 --queues wq0.0:shared,size=4 -- bash -c "
		for time in first second; do
			coproc '$bin/hold'; read -r n <&\${COPROC[0]}; echo \$time got \$n
			kill -9 \$COPROC_PID; wait \$COPROC_PID
		done; true" \
		>/dev/null && said 'first got 4' && said 'second got 4'
}
ok "the entries of a killed process become free again" killed

exit_status() {
	"$emu" run "$@" 2>/dev/null
	echo $?
}
is "$(exit_status -- sh -c 'exit 42')" 42 "sva-emu run exits with the status of the program"
is "$(exit_status -- sh -c 'kill -9 $$')" 137 \
	"sva-emu run exits with 128 and the signal that killed the program"
is "$(exit_status -- /nonexistent)" 127 "sva-emu run exits with 127 if there is no such program"
is "$(exit_status -- /etc/passwd)" 126 "sva-emu run exits with 126 if it cannot be executed"
is "$(exit_status --queues wq0.0:bogus -- true)" 2 "sva-emu run exits with 2 if an option is wrong"
is "$(exit_status --queues 'wq0.0:shared,size=100;wq0.1:dedicated,size=100' -- true)" 2 \
	"sva-emu run exits with 2 if the queues are larger than the device"
is "$(SVA_EMU_QUIET='' "$emu" run -- true 2>&1)" \
	"sva-emu: the DSA is emulated; times are not DSA times" "a run prints that it is emulated"

ok "a program is started without the environment of the run: it runs" ends_with 0 \
	env SVA_EMU_QUIET='' "$emu" run -- env -i /bin/true
ok "a program is started without the environment of the run: a warning names it" \
	said "/bin/true without the environment"
ok "a run within a run: the test of instructions passes" ends_with 0 \
	"$emu" run -- "$emu" run -- "$bin/insn"

# Scripts look for the module of the driver, remove it and load it again.
asks_for_modules() {
	ends_with 0 "$emu" run "$@" -- sh -ec '
		lsmod | grep -q "^idxd  *[0-9][0-9]*  [0-9]"
		! lsmod | grep -q idxd_mdev
		modprobe idxd; modprobe -q idxd sva=1
		devices=/sys/bus/dsa/devices
		test "$(cat $devices/dsa0/state $devices/wq0.0/size | xargs)" = "enabled 16"
		rmmod idxd
		! lsmod | grep -q ^idxd
		! rmmod idxd
		test ! -e /dev/dsa/wq0.0
		test "$(cat $devices/dsa0/state $devices/wq0.0/size | xargs)" = "disabled 0"
		modprobe idxd
		lsmod | grep -q ^idxd
		modprobe -r idxd
		! modprobe no_such_module_anywhere
		! rmmod no_such_module_anywhere'
}
for how in "" --redirect --ptrace; do
	if [ "$how" = --ptrace ] && ! "$emu" run --ptrace -- true 2>/dev/null; then
		skip "lsmod, modprobe and rmmod list, load and remove idxd, --ptrace" \
			"ptrace is not possible here"
		continue
	fi
	ok "lsmod, modprobe and rmmod list, load and remove idxd${how:+, $how}" \
		asks_for_modules $how
done
ok "rmmod refuses to remove the driver while a queue is open" ends_with 0 "$emu" run -- bash -c "
	exec 7<>/dev/dsa/wq0.0 || exit 1
	! rmmod idxd && test -e /dev/dsa/wq0.0 && exec 7>&- && rmmod idxd"
ok "rmmod names the queue that is open" said "Module idxd is in use: wq0.0 is open"

# What the program has to see, and what it must not be able to do.
presented() {
	ends_with 0 "$emu" run "$@" -- bash -ec '
		grep -q enqcmd /proc/cpuinfo; grep -q movdir64b /proc/cpuinfo; grep -q waitpkg \
			/proc/cpuinfo
		test -c /dev/dsa/wq0.0
		test "$(readlink /sys/bus/dsa/devices/wq0.1)" = \
			../../../devices/pci0000:6a/0000:6a:01.0/dsa0/wq0.1
		test "$(readlink -f /sys/bus/dsa/devices/dsa0/driver)" = /sys/bus/dsa/drivers/idxd
		pci=/sys/bus/pci/devices/0000:6a:01.0
		test "$(cat $pci/vendor $pci/device | xargs)" = "0x8086 0x0b25"
		ls /sys/bus/pci/devices | grep -qx 0000:6a:01.0
		ls /sys/bus /sys/bus/ | grep -qx dsa; ls /sys/module | grep -qx idxd
		ls /sys/bus/pci/drivers | grep -qx idxd; ls /sys/devices | grep -qx pci0000:6a
		test -z "$MACHINE" || ls /sys/bus/pci/devices | grep -qx "$MACHINE"
		test "$(od -A n -t x2 -N 4 $pci/config | xargs)" = "8086 0b25"
		node=$(cat /sys/bus/dsa/devices/dsa0/numa_node)
		test "$node" = -1 -o -d "/sys/devices/system/node/node$node"
		test -e /dev/null; echo >/dev/null
		cd /sys/bus/dsa/devices/wq0.0; test "$(cat ../state)" = enabled
		test "$(pwd -P)" = /sys/devices/pci0000:6a/0000:6a:01.0/dsa0/wq0.0
		! (echo 1 >/proc/sys/kernel/panic) 2>/dev/null
		! (echo 1 >/sys/module/kernel/parameters/panic) 2>/dev/null'
}
MACHINE=$(ls /sys/bus/pci/devices 2>/dev/null | head -n 1)
export MACHINE # a device of this machine, if it has any: it must be listed beside the emulated one
before=$(cat /proc/sys/kernel/panic)
ok "a program sees the device in sysfs, /dev and /proc, and cannot change settings" presented
ok "--redirect: a program sees the device in sysfs, /dev and /proc, and cannot change settings" \
	presented --redirect
if command -v setpci >/dev/null; then
	for how in "" --redirect; do
		is "$("$emu" run $how -- sh -c 'setpci -d 8086:0b25 VENDOR_ID DEVICE_ID
			setpci -s 6a:01.0 CLASS_DEVICE' | xargs)" \
			"8086 0b25 0880" "setpci reads vendor, device and class${how:+, $how}"
	done
else
	skip "setpci reads vendor, device and class" "pciutils is not installed"
fi
is "$(cat /proc/sys/kernel/panic)" "$before" \
	"kernel.panic of the machine has its value from before the runs"
ok "the machine has no emulated device after the runs" \
	test ! -e /sys/bus/dsa/devices/dsa0 -a ! -e /dev/dsa/wq0.0
"$emu" run --keep -- true 2>"$work/out"
dir=$(sed -n "s/.*directory is //p" "$work/out")
ok "--keep keeps the directory of the run" test -d "$dir/root"
"$emu" run -- true
ok "the next run does not remove a kept directory" test -d "$dir/root"
rm -rf "$dir"

# abandon OPTION…: starts a run in $work/shm and kills its launcher; its directory is in $dir, the
# id of its program in $pid.
abandon() {
	local tries
	rm -f "$work/pid"
	"$emu" run "$@" -- sh -c \
		"echo \$\$ >'$work/pid.new'; mv '$work/pid.new' '$work/pid'; exec sleep 60" &
	launcher=$!
	for ((tries = 0; tries < 200; tries++)); do
		[ ! -s "$work/pid" ] || break
		sleep 0.1
	done
	pid=$(cat "$work/pid")
	dir=$(echo "$TMPDIR"/sva-emu-*)
	kill -9 $launcher
	wait $launcher 2>/dev/null
}
mkdir "$work/shm"
before_shm=$TMPDIR
shm=$(mktemp -d -p /dev/shm 2>/dev/null) || shm=$work/shm
for how in "" --redirect; do
	# On any file system, overlayfs with its other locks included.
	export TMPDIR=$work/shm
	abandon $how
	"$emu" run -- true
	ok "the directory of a killed launcher stays while its program runs${how:+, $how}" \
		test -d "$dir/root"
	kill "$pid"
	rm -rf "$dir"
	export TMPDIR=$shm
	abandon $how
	"$emu" run -- true
	ok "in memory, it stays while its program runs${how:+, $how}" test -d "$dir/root"
	kill "$pid"
	for ((i = 0; i < 100; i++)); do
		sleep 0.1
		"$emu" run -- true
		[ -e "$dir" ] || break
	done
	ok "the next run removes it when the program has ended${how:+, $how}" test ! -e "$dir"
done
mkdir "$TMPDIR/sva-emu-ABCDEF" "$TMPDIR/sva-emu-other-ABCDEF"
"$emu" run -- true
ok "a run does not remove a directory that is just being made" test -d "$TMPDIR/sva-emu-ABCDEF"
touch -d '5 minutes ago' "$TMPDIR/sva-emu-ABCDEF" "$TMPDIR/sva-emu-other-ABCDEF"
"$emu" run -- true
ok "a run removes a directory that was left half made" test ! -e "$TMPDIR/sva-emu-ABCDEF"
is "$(ls "$TMPDIR")" sva-emu-other-ABCDEF "a run does not remove directories of another name"
[ "$shm" = "$work/shm" ] || rm -rf "$shm"
TMPDIR=$before_shm
[ -n "$TMPDIR" ] || unset TMPDIR

# In a container without privileges: no namespace of any kind, no capability.
if can_take_all; then
	ok "without privileges sva-emu doctor exits with 0" ends_with 0 take_all "$emu" doctor
	ok "without privileges sva-emu doctor reports path redirection" \
		said "uses: path redirection"
	ok "without privileges the test of instructions passes" \
		ends_with 0 take_all "$emu" run -- "$bin/insn"
else
	skip "without privileges the test of instructions passes" "no user namespace, or no setpriv"
fi
ok "sva-emu doctor exits with 0" ends_with 0 "$emu" doctor
ok "sva-emu doctor reports which presentation a run uses" said "^sva-emu run uses: "

# An ordinary user, with or without user namespaces.
ordinary() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
if [ "$(id -u)" = 0 ] && ordinary test -x "$emu" -a -x "$bin/insn" 2>/dev/null; then
	ok "an ordinary user: the test of instructions passes" \
		ends_with 0 ordinary "$emu" run -- "$bin/insn"
	ok "an ordinary user: sva-emu doctor exits with 0" ends_with 0 ordinary "$emu" doctor
	ok "an ordinary user: sva-emu doctor reports that a mount namespace needs root" \
		said "mount namespace  *no  *needs root"
else
	skip "an ordinary user: the test of instructions passes" \
		"only root can become one here, and the build must be readable"
fi

# The program of the manual page, and the output that the page describes.
if ${CC:-cc} -o "$work/first-dsa" "$top_srcdir/man/examples/first-dsa.c" 2>"$work/out"; then
	ok "the first program of the manual page exits with 0" \
		ends_with 0 "$emu" run -- "$work/first-dsa"
	ok "the first program of the manual page prints what a DSA has copied" \
		said '^status 1: moved by a DSA$'
	sed 's/= sizeof(from);/= 8 << 20;/' "$top_srcdir/man/examples/first-dsa.c" >"$work/big.c"
	${CC:-cc} -o "$work/big" "$work/big.c"
	ok "the first program with a size of 8 MiB exits with 1" ends_with 1 \
		"$emu" run --check -- "$work/big"
	big="wq0.0: memmove: transfer size out of range (0x13): 8388608 bytes"
	ok "the first program with a size of 8 MiB: --check prints the reason and the address" \
		said "(big+0x[0-9a-f]*): $big, this queue takes 1 to 2097152"
else
	skip "the first program of the manual page exits with 0" \
		"it does not compile here: $(head -n 1 "$work/out")"
fi
for option in $("$emu" run --help | grep -o -e '--[a-z-]*' | sort -u); do
	ok "the manual page describes $option" \
		grep -q -e "${option//-/\\\\-}" "$top_srcdir/man/sva-emu.1"
done

# The trace, which has each descriptor and its record.
"$emu" run --redirect --trace "$work/trace.json" --queues 'wq0.0:shared' -- \
	"$bin/storm" /dev/dsa/wq0.0 portal 2 20 16 >/dev/null
is "$(grep -c '"fate":"executed","descriptor":{"op":"[a-z]*",.*"completion":{"status":1,' \
	"$work/trace.json")" 40 "the trace as JSON has the 40 descriptors and their records"
"$emu" run --redirect --trace "$work/trace" -- "$bin/storm" /dev/dsa/wq0.0 write 2 20 16 >/dev/null
is "$(grep -c ' wq0.0 write at 0x[0-9a-f]*: .* -> status=0x01 (success)' "$work/trace")" 40 \
	"the trace as text has the 40 descriptors and their records"
done_testing
