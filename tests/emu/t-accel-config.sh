#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's accel-config and Intel's dsa_test, unmodified. make check-emu also runs all of
# dsa_user_test_runner.sh.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

command -v accel-config >/dev/null || skip_all "accel-config is not installed"
tests=/usr/libexec/accel-config/test

listed() {
	ends_with 0 "$emu" run "$@" -- accel-config list >/dev/null &&
		said '"dev":"dsa0"' && said '"mode":"shared"' &&
		said '"mode":"dedicated"'
}

ok "accel-config list: one device, a shared and a dedicated queue" listed
ok "accel-config list: one device, a shared and a dedicated queue (paths redirected)" \
	listed --redirect
for how in "" --redirect; do
	ok "accel-config disables, configures and enables a queue ${how:+(paths redirected)}" \
		ends_with 0 \
		"$emu" run $how -- bash "$top_srcdir/tests/emu/session"
done
for file in /etc/accel-config/contrib/configs/*.conf; do
	[ -e "$file" ] || continue
	[ "${file##*/}" != user_default_profile.conf ] || continue # of another command, see below
	ok "accel-config load-config -e loads ${file##*/}" ends_with 0 \
		"$emu" run --queues none -- accel-config load-config -c "$file" -e
done

# Version 4 has a command that configures all queues of all devices alike, and a template for it,
# which also names an IAX device. On a machine without one accel-config reports that as an error, so
# the template is used without it.
dsa_only() {
	awk '/^  {/ { object = ""; dsa = 0 }
	     { object = object $0 "\n" }
	     /^    "dev":"dsa/ { dsa = 1 }
	     /^  }/ && dsa {
		sub(/},\n$/, "}\n", object)
		printf "%s%s", n++ ? "," : "[\n", object
	     }
	     END { print "]" }' "$1"
}
user_default() {
	ends_with 0 "$emu" run $how --queues none -- \
		sh -c "accel-config config-user-default $*" || return
}
names_queues() {
	[ "$(grep -o '"name":"user_default_wq"' "$work/out" | wc -l)" -eq "$1" ] ||
		! cat "$work/out"
}
if accel-config --list-cmds | grep -q config-user-default; then
	template=/etc/accel-config/contrib/configs/user_default_profile.conf
	[ ! -e $template ] || dsa_only $template >"$work/template.conf"
	for how in "" --redirect; do
		name=${how:+ (paths redirected)}
		ok "accel-config config-user-default configures all queues$name" \
			user_default '&& accel-config list'
		ok "config-user-default: eight queues are enabled under its name$name" \
			names_queues 8
		ok "accel-config config-user-default -d disables all queues$name" \
			user_default '&& accel-config config-user-default -d && accel-config list'
		ok "config-user-default -d: no queue of its name is left$name" \
			names_queues 0
		[ -e "$work/template.conf" ] || continue
		ok "accel-config config-user-default -c loads its template$name" \
			user_default "-c $work/template.conf && accel-config list"
		ok "config-user-default -c: the queues of the template are enabled$name" \
			names_queues 8
	done
else
	skip "accel-config config-user-default configures all queues" \
		"this version of accel-config has no such command"
fi

if [ ! -x $tests/dsa_test ]; then
	skip "dsa_test passes on each queue" "accel-config-test is not installed"
	done_testing
fi

# Up to 4.1.8 dsa_test uses ENQCMD for a shared queue; later versions use write(2) without -u.
enqcmd=()
writes=
if $tests/dsa_test -h 2>&1 | grep -q '^-u'; then
	enqcmd=(-u)
	writes=yes
fi

# dsa_test QUEUE OPERATION WAY COUNTER [OPTION OF sva-emu]…: dsa_test succeeds, and its descriptors
# went that way.
dsa_test() {
	local wq=$1 op=$2 way=$3 name=$4
	shift 4
	ends_with 0 "$emu" run --stats="$work/stats" "$@" -- \
		$tests/dsa_test -w "$wq" -l 65536 -o "$op" -f 0x1 -t 5000 $way &&
		[ "$(counter executed "$work/stats")" -ge 1 ] &&
		[ "$(counter "$name" "$work/stats")" -ge 1 ]
}
batch() {
	"$emu" run "$@" -- $tests/dsa_test -w 1 -l 4096 -o 0x1 -b 0x3 -c 16 -f 0x1 -t 5000 $way
}

for op in ${EMU_LONG:+0x0 0x2 0x4 0x6 0x7 0x9 0x10 0x12 0x14 0x20} 0x3 0x5 0x11; do
	ok "dsa_test: operation $op on a dedicated queue, by MOVDIR64B" \
		dsa_test 0 "$op" "" movdir64b
	ok "dsa_test: operation $op on a shared queue, by ENQCMD with retries" \
		dsa_test 1 "$op" "${enqcmd[*]}" enqcmd --retry 2
	[ -z "$writes" ] ||
		ok "dsa_test: operation $op on a shared queue, by write(2)" \
			dsa_test 1 "$op" "" write
done
way=${enqcmd[*]}
ok "dsa_test: a batch of copies succeeds" ends_with 0 batch
if [ -n "$writes" ]; then
	# The driver accepts a batch by write(2) from DSA 2 on; on a DSA 1 it could not check the
	# descriptors that the batch points to.
	way=
	ok "dsa_test: a batch of copies by write(2) succeeds on DSA 2" \
		ends_with 0 batch --profile dsa2
	not_ok "dsa_test: a batch of copies by write(2) is refused on DSA 1" batch
else
	skip "dsa_test: a batch of copies by write(2)" \
		"this version of dsa_test does not use write(2)"
fi
not_ok "control: dsa_test notices a flipped byte" \
	"$emu" run --sabotage flip:1 -- $tests/dsa_test -w 1 -l 4096 -o 0x3 -f 0x1
not_ok "control: dsa_test notices a lost completion" \
	"$emu" run --sabotage lose:1 -- $tests/dsa_test -w 1 -l 4096 -o 0x3 -f 0x1 -t 100
not_ok "control: dsa_test notices a wrong length" \
	"$emu" run --sabotage length:1 -- $tests/dsa_test -w 1 -l 4096 -o 0x3 -f 0x1

if [ -n "$EMU_LONG" ]; then
	for how in "" --redirect; do
		ok "dsa_user_test_runner.sh passes ${how:+(paths redirected)}" ends_with 0 \
			"$emu" run $how --queues none --stats="$work/stats" -- \
			$tests/dsa_user_test_runner.sh
		echo "# descriptors executed: $(counter executed "$work/stats")," \
			"traps: $(counter traps "$work/stats")"
	done
fi
done_testing
