#!/bin/bash
# SPDX-License-Identifier: MIT
# From nothing to a copy: what sva-info --setup prints is run on an emulated device that is not
# configured, in a root whose /etc is a copy, and ends in copies by enqcmd, movdir64b and write(2).
# Then the same by following the reasons of sva-info, one command after the other.
# shellcheck source=tests/tap.sh
. "${top_srcdir:?}/tests/tap.sh"

export LC_ALL=C SVA_EMU_QUIET=1
unset SVA_PATHS SVA_QUEUES COLUMNS container SUDO_USER
emu=$top_builddir/src/emu/sva-emu
info=$top_builddir/src/tools/sva-info
[ "$SANITIZERS" = no ] || skip_all "the emulator is tested without sanitizers"
[ -x "$emu" ] || skip_all "sva-emu was not built (no Zydis, or no x86-64)"
[ -f "$SVA_PLUGIN_DIR/dsa.so" ] || skip_all "this build has no libaccel-config"
command -v accel-config >/dev/null || skip_all "accel-config is not installed"

work=$(mktemp -d) || exit 99
made=() # folders of this machine that were missing, the deepest first
trap 'rm -rf "$work"; [ ${#made[@]} = 0 ] || rmdir "${made[@]}"' EXIT
PATH=$top_builddir/src/tools:$PATH:/usr/sbin:/sbin
export work

# on OPTIONS… -- COMMAND…: runs the command under sva-emu; root in a namespace where /etc and the
# folder of the queues' configuration are copies, so that groups and rules of the machine stay as
# they are. A folder that is missing is made for that time, or the script would make it for good.
file=$(strings "$top_builddir/src/tools/.libs/sva-info" "$info" 2>/dev/null |
	grep -m1 'libsva-queues.json$')
[ -n "$file" ] || { echo "Bail out! sva-info does not name the queues' configuration"; exit 99; }
config=${file%/*}
had=$(ls -l "$file" 2>/dev/null)
if [ "$(id -u)" = 0 ]; then
	dir=$config
	while [ ! -d "$dir" ]; do
		made+=("$dir")
		dir=${dir%/*}
	done
	mkdir -p "$config"
fi
on() {
	if [ "$(id -u)" != 0 ]; then
		"$emu" run "$@"
		return
	fi
	unshare --mount --propagation private bash -c '
		for dir in /etc "$0"; do
			rm -rf "$work/copy" && cp -a "$dir" "$work/copy" &&
				mount -t tmpfs tmpfs "$dir" &&
				cp -a "$work/copy/." "$dir/" || exit 1
		done
		exec "$@"' "$config" "$emu" run "$@"
}

# ------------------------------------------------------------------ what is printed

"$emu" run --queues none -- "$info" --setup >"$work/setup.sh" 2>"$work/err"
is "$?$(cat "$work/err")" 0 "sva-info --setup ends with 0, on a device without queues"
ok "the script is one for sh" sh -n "$work/setup.sh"
is "$(awk 'length > 80 && /^# / && !/docker/' "$work/setup.sh")" "" \
	"comments have at most 80 columns"
is "$(sed -n 's/^# \([0-9]*\)\. .*/\1/p' "$work/setup.sh" | tr '\n' ' ')" "$(seq -s ' ' 12) " \
	"the steps are numbered"
for word in 'config-engine dsa0/engine0.0 --group-id=0' '--mode=shared --wq-size=128 --threshold' \
	'--type=user' '--priority=' '--name=' '--block-on-fault=' 'enable-device dsa0' \
	'enable-wq dsa0/wq0.0' 'SUBSYSTEM=="dsa"' 'groupadd --system sva' 'memlock\|pinned' \
	'podman run --device' 'dsa.intel.com/wq-user' 'vfio-pci' 'libsva-queues.json'; do
	ok "it has: $word" grep -q -e "$word" "$work/setup.sh"
done
"$emu" run --queues none -- accel-config list -i >"$work/before"
"$emu" run --queues none -- sh -c "'$info' --setup >/dev/null; accel-config list -i" >"$work/after"
is "$(cat "$work/after")" "$(cat "$work/before")" "printing it changes no device"
"$emu" run --queues none -- "$info" --setup --for lab --mode both >"$work/both.sh"
ok "--for names the group in the rule" grep -q 'GROUP="lab"' "$work/both.sh"
ok "--for names the group in groupadd" grep -q 'groupadd --system lab' "$work/both.sh"
ok "--mode both has a shared queue" grep -q 'wq0.0 .*--mode=shared' "$work/both.sh"
ok "--mode both has dedicated queues, which may block on faults" \
	grep -q 'wq0.2 .*--mode=dedicated --wq-size=32 .*--block-on-fault=1' "$work/both.sh"
"$emu" run -- "$info" --setup >"$work/ready.sh"
not_ok "where queues are enabled no command configures any" \
	grep -E '^accel-config (config|enable|disable)' "$work/ready.sh"
ok "where queues are enabled their configuration is saved for the next boot" \
	grep -q '^accel-config save-config -s' "$work/ready.sh"
"$info" --setup >"$work/none.sh"
if [ -e /sys/bus/dsa ]; then
	skip "without a DSA no step has a command" "this machine has the idxd driver"
else
	is "$(grep -v -e '^#' -e '^$' "$work/none.sh")" "set -e" \
		"without a DSA no step has a command"
fi
if [ -f "$top_builddir/tests/preload/.libs/path.so" ]; then
	machine() { # TREE: what is printed on the machine of this tree
		[ -d "$work/$1" ] || sh "$top_srcdir/tests/fixtures/make-tree" "$1" "$work/$1"
		SVA_TEST_ROOT=$work/$1 LD_PRELOAD=$top_builddir/tests/preload/.libs/path.so \
			"$info" --setup
	}
	machine no-iommu >"$work/iommu.sh"
	ok "without PASIDs the parameters of the kernel come first" \
		grep -q 'intel_iommu=on,sm_on' "$work/iommu.sh"
	not_ok "and nothing else is done before the reboot" grep -q accel-config "$work/iommu.sh"
	machine halted-device >"$work/halted.sh"
	ok "of a halted device the script says so" grep -q 'dsa0 is halted' "$work/halted.sh"
	machine disabled-device >"$work/disabled.sh"
	is "$(grep -E '^accel-config (config|enable)' "$work/disabled.sh")" \
		"$(printf 'accel-config enable-%s\n' 'device dsa0' 'wq dsa0/wq0.0')" \
		"queues that are configured are enabled as they are"
	rm -rf "$work/two-sockets"
	machine two-sockets >"$work/two.sh"
	ok "with several devices each has its line" grep -q '^# dsa2: done' "$work/two.sh"
fi

# ------------------------------------------------------------------ what is printed is run

if [ "$(id -u)" != 0 ] || ! unshare --mount true 2>/dev/null; then
	skip "the script is run and ends in a copy" "root with a mount namespace is needed"
	done_testing
fi
head -c 3000000 /dev/urandom >"$work/from"
chmod 755 "$work"

# copies MODE PATH [OPTION…]: from a device without queues, by the script, to a copy on that path.
copies() {
	local mode=$1 path=$2
	shift 2
	rm -f "$work/to"
	on --queues none "$@" -- bash -c "set -e
		'$info' --setup --mode $mode >$work/run.sh
		sh $work/run.sh
		sva-copy --paths $path -v $work/from $work/to" >"$work/out" 2>&1 &&
		grep "path=$path" "$work/out" && cmp "$work/from" "$work/to" ||
		{ cat "$work/out"; return 1; }
}
ok "the script's shared queue copies by enqcmd" copies shared enqcmd
ok "the script's dedicated queues copy by movdir64b" copies dedicated movdir64b
ok "the script's both kinds copy by write(2), of 2 devices" copies both write --devices 2
ok "the script configures a DSA 2 as well" copies both enqcmd --profile dsa2
is "$(ls -l "$file" 2>/dev/null)" "$had" "the configuration for boot of this machine is as it was"
ok "no group and no rule was left on this machine" test ! -e /etc/udev/rules.d/61-libsva.rules

# loads MODE: the configuration that -j prints, loaded as at boot.
loads() {
	rm -f "$work/to"
	on --queues none -- bash -c "set -e
		'$info' --setup --mode $1 -j >$work/boot.json
		accel-config load-config -c $work/boot.json -e
		sva-copy --paths $2 -v $work/from $work/to" >"$work/out" 2>&1 &&
		grep "path=$2" "$work/out" && cmp "$work/from" "$work/to" ||
		{ cat "$work/out"; return 1; }
}
ok "the configuration for boot has a shared queue that copies by enqcmd" loads shared enqcmd
ok "the configuration for boot has dedicated queues that copy by movdir64b" \
	loads dedicated movdir64b
ok "the configuration for boot may have both" loads both write
twice() {
	on --queues none -- bash -c "set -e
		'$info' --setup >$work/run.sh
		sh $work/run.sh
		'$info' --setup >$work/again.sh
		sh $work/again.sh" >"$work/out" 2>&1 || { cat "$work/out"; return 1; }
	! grep -E '^accel-config (config|enable|disable)' "$work/again.sh"
}
ok "after the script nothing is left to configure, and it may run again" twice
changes() {
	on --queues none -- bash -c "set -e
		'$info' --setup --mode dedicated >$work/run.sh
		sh $work/run.sh
		'$info' --setup --mode shared >$work/run.sh
		sh $work/run.sh
		sva-copy --paths enqcmd -v $work/from $work/to" >"$work/out" 2>&1 &&
		grep path=enqcmd "$work/out" || { cat "$work/out"; return 1; }
}
ok "another mode replaces the queues that there are" changes

# ------------------------------------------------------------------ the reasons, step by step

# follow: runs what sva-info names to mend first, until it names nothing. Prints each reason.
cat >"$work/follow" <<'END'
for step in 1 2 3 4 5 6 7 8; do
	"$info" >"$work/state" || exit 1
	grep -q '^Programs use: enqcmd' "$work/state" && exit 0
	sed -n 's/^  run: //p' "$work/state" >"$work/step.sh"
	[ -s "$work/step.sh" ] || exit 2
	"$info" -j | sed -n 's/.*"reason": *"\([A-Z_]*\)".*/\1/p' | head -n 1
	sh -e "$work/step.sh" >"$work/step.out" 2>&1 || { cat "$work/step.out"; exit 3; }
done
exit 4
END
export info
is "$(on --queues none -- bash "$work/follow"; echo $?)" \
	"$(printf '%s\n' QUEUE_UNCONFIGURED DEVICE_DISABLED QUEUE_DISABLED 0)" \
	"each reason leads to the command that mends it, until enqcmd is used"
cat >"$work/kernel" <<'END'
accel-config config-engine dsa0/engine0.0 --group-id=0
accel-config config-wq dsa0/wq0.0 --group-id=0 --mode=shared --wq-size=16 --threshold=16 \
	--priority=10 --type=kernel --name=dma --driver-name=dmaengine
accel-config enable-device dsa0
END
is "$(on --queues none -- bash -c \
		"sh '$work/kernel' >/dev/null 2>&1; bash '$work/follow'"; echo $?)" \
	"$(printf '%s\n' WRONG_TYPE QUEUE_DISABLED 0)" \
	"a queue of the kernel is configured anew, then enabled"
done_testing
