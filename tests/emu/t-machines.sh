#!/bin/bash
# SPDX-License-Identifier: MIT
# The machines that sva-emu knows by name, what its default shows of a current kernel, and programs
# of several users in one run: root configures a queue, and only members of its group may use it.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"
unset SVA_EMU_RAWIO SVA_PATHS SVA_QUEUES container
[ "$SANITIZERS" = no ] || skip_all "the machines are the same with sanitizers"
[ -f "$SVA_PLUGIN_DIR/dsa.so" ] || skip_all "this build has no libaccel-config"
info=$top_builddir/src/tools/sva-info
copy=$top_builddir/src/tools/sva-copy

# names: of the machines that are listed, one a line.
names() {
	"$emu" machines | sed -n '/^$/q; s/^\([^ ]*\)  .*/\1/p'
}
is "$(names | tr '\n' ' ')" "spr-2s emr gnr kernel-6.12 container " "sva-emu machines lists five"
for name in $(names); do
	ok "sva-emu(1) describes the machine $name" \
		grep -qxF ".B ${name//-/\\-}" "$top_srcdir/man/sva-emu.1"
done
ok "a machine that is not known exits with 2" ends_with 2 "$emu" run --machine z -- true
ok "the message names sva-emu machines" said "sva-emu machines lists, not 'z'"

# shows MACHINE PATTERN [OPTION…]: sva-info prints this on the machine.
shows() {
	local machine=$1 pattern=$2
	shift 2
	ends_with 0 "$emu" run --machine "$machine" "$@" -- "$info" >/dev/null && said "$pattern"
}
devices() {
	"$emu" run --machine "$1" -- "$info" | grep -c '^  dsa[0-9]  version'
}
is "$(devices spr-2s) $(devices emr) $(devices gnr)" "8 4 4" \
	"spr-2s, emr and gnr have 8, 4 and 4 devices"
is "$(COLUMNS=80 "$emu" run --machine spr-2s -- "$info" | awk 'END { print NR <= 24 }')" 1 \
	"sva-info shows the 8 devices of spr-2s on a screen of 24 lines"
ok "spr-2s has DSA 1" shows spr-2s 'dsa7  version 1.0'
ok "gnr has DSA 2" shows gnr 'dsa3  version 2.0'
ok "kernel-6.12 refuses shared virtual addressing" shows kernel-6.12 \
	'^  write *no *this kernel refuses shared virtual addressing'
ok "on kernel-6.12 sva-info names the kernel as the obstacle" \
	shows kernel-6.12 '^To mend first: this'
ok "a portal cannot be mapped in the container" shows container \
	'^  enqcmd *no *mapping a portal needs CAP_SYS_RAWIO'
ok "write(2) works in the container" shows container '^  write *yes'
ok "sva-info names the container" shows container '^in a container (oci)'
ok "an option after --machine changes it" shows container '^  enqcmd *yes' --rawio

# ------------------------------------------------------------------ CAP_SYS_RAWIO

# without_rawio COMMAND…: root as before, but for this capability.
without_rawio() {
	setpriv --bounding-set -sys_rawio --inh-caps -sys_rawio "$@"
}
has_rawio() {
	[ $((0x$(sed -n 's/^CapEff:\t*//p' /proc/self/status) >> 17 & 1)) = 1 ] &&
		grep -q '^ *0 *0 *4294967295$' /proc/self/uid_map
}
maps() {
	ends_with 0 "$emu" run "$@" -- "$bin/cdev" normal
}
refuses() {
	ends_with 0 without_rawio "$emu" run "$@" -- "$bin/cdev" no-mmap
}
if has_rawio && without_rawio true 2>/dev/null; then
	for how in "" --redirect; do
		ok "with CAP_SYS_RAWIO a portal can be mapped ${how:+(paths redirected)}" maps $how
		ok "without it mmap(2) fails with EPERM ${how:+(paths redirected)}" refuses $how
	done
	ok "with --rawio it can be mapped without the capability" \
		ends_with 0 without_rawio "$emu" run --rawio -- "$bin/cdev" normal
	ok "with SVA_EMU_RAWIO=1 as well" ends_with 0 \
		without_rawio env SVA_EMU_RAWIO=1 "$emu" run -- "$bin/cdev" normal
	ok "a program that drops the capability in the run cannot map one" ends_with 0 \
		"$emu" run -- setpriv --bounding-set -sys_rawio "$bin/cdev" no-mmap
else
	skip "without CAP_SYS_RAWIO mmap(2) fails with EPERM" \
		"root in the initial namespace is needed"
fi
if can_take_all && unshare -U -r true 2>/dev/null; then
	ok "root of another user namespace cannot map a portal" ends_with 0 \
		unshare -U -r "$emu" run -- "$bin/cdev" no-mmap
fi

# ------------------------------------------------------------------ other users

refused_users() {
	ends_with 2 setpriv --reuid 65534 --regid 65534 --clear-groups "$emu" run --users 7 -- true
}
ok "a group that does not exist exits with 2" ends_with 2 "$emu" run --users no-such-group -- true
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && command -v accel-config >/dev/null || {
	skip "a member of the group copies by write(2)" "root, setpriv and accel-config are needed"
	done_testing
}
if setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$emu" -a -x "$copy"; then
	ok "--users is refused to others than root" refused_users
else
	skip "--users is refused to others than root" "the build cannot be read by others"
	done_testing
fi
chmod 755 "$work"
head -c 300000 /dev/urandom >"$work/from"
# 7001 is the group of the run, 7002 that of the queue; neither has to exist.
"$info" --setup >/dev/null
cat >"$work/session" <<END
"$info" --setup >"$work/setup.sh"
grep '^accel-config' "$work/setup.sh" | sh -e >/dev/null || exit 1
as() { setpriv --reuid 65534 --regid 65534 --groups "\$@"; }
as 7001 "$info" >"$work/before"
chgrp 7002 /dev/dsa/wq0.0 && chmod 0660 /dev/dsa/wq0.0
as 7001 "$info" >"$work/stranger"
as 7001,7002 "$info" >"$work/member"
as 7001,7002 "$copy" --paths write -v "$work/from" /dev/shm/users.\$\$ >"$work/copied"
cmp "$work/from" /dev/shm/users.\$\$; rc=\$?
rm -f /dev/shm/users.\$\$
exit \$rc
END
ok "root configures a queue, a member of its group copies by write(2)" ends_with 0 \
	"$emu" run --users 7001 --queues none -- bash "$work/session"
ok "the copy went by write(2)" grep -q '^path=write' "$work/copied"
ok "before root gave the node to the group, it was for root alone" \
	grep -q '^To mend first: no permission .*for root alone' "$work/before"
ok "the remedy for that is to give the node to a group" \
	grep -q '^  run: chgrp sva /dev/dsa/wq0.0' "$work/before"
ok "who is not in the group of the node has no permission" \
	grep -q '^  write *no *no permission' "$work/stranger"
ok "the member uses write(2), and sva-info says why not enqcmd" \
	grep -q '^enqcmd: mapping a portal needs CAP_SYS_RAWIO' "$work/member"
done_testing
