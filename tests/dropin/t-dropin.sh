#!/bin/bash
# SPDX-License-Identifier: MIT
# The drop-in: its functions in every place where they may be called (dropin.c) and its options,
# without a device, with the DSA in software, and on the emulated device.
# shellcheck source=tests/dropin/lib.sh
. "${top_srcdir:?}/tests/dropin/lib.sh"

dropin=$top_builddir/tests/dropin/dropin

# tap COMMAND…: a program that prints TAP succeeds.
tap() {
	timeout 300 "$@" >"$work/out" 2>&1 && grep -q '^1\.\.' "$work/out" || ! cat "$work/out"
}

# used CALL: a device has done some; the numbers are in $work/stats.
used() {
	[ "$(by_device "$1" "$work/stats")" -gt 0 ] || { cat "$work/stats"; false; }
}

ok "without the drop-in: what dropin.c asserts holds" tap "$dropin"
ok "without a device: the same holds" tap "$preload" "$dropin"
ok "without a device, preloaded by hand: the same holds" tap env LD_PRELOAD="$library" \
	SVA_PRELOAD_STATS="$work/none" "$dropin"
is "$(by_device memcpy "$work/none")" 0 "without a device no copy is counted for one"
ok "with the DSA in software: the same holds" \
	tap env SVA_PATHS=soft "$preload" -a -s"$work/stats" "$dropin"
for call in memcpy memmove memset memcmp; do
	ok "the DSA in software does $call" used $call
done
ok "calls in signal handlers and children of vfork() are left to the CPU" \
	test "$(by_cpu memcpy context "$work/stats")" -gt 0
ok "overlapping copies are left to the CPU" \
	test "$(by_cpu memmove overlap "$work/stats")" -gt 0

if [ ! -x "$emu" ]; then
	skip "on the emulated device: the same holds" "sva-emu was not built"
else
	for mode in '' --no-mmap '--fault 3 --retry 3'; do
		rm -f "$work/stats"
		# shellcheck disable=SC2086
		ok "on the emulated device ${mode:-by portals}: the same holds" \
			tap "$emu" run $mode -- "$preload" -s"$work/stats" "$dropin"
		for call in memcpy memmove memset memcmp; do
			ok "the emulated device ${mode:-by portals} does $call" used $call
		done
	done
	not_ok "control: a device that flips a byte is noticed" \
		timeout 300 "$emu" run --sabotage flip:3 -- "$preload" "$dropin"
fi

# ------------------------------------------------------------------ options

export SVA_PATHS=soft
zeros() {
	rm -f "$work/stats"
	"$preload" -a -s"$work/stats" "$@"
}
ok "--calls=memset leaves the others to libc" zeros -c memset "$dropin"
is "$(by_device memcpy "$work/stats") $(by_device memmove "$work/stats")" "0 0" \
	"--calls=memset: no copy is counted"
ok "--calls=memset: fills are done by the library" used memset
ok "--only with another name runs the program" zeros -o other "$dropin"
is "$(by_device memcpy "$work/stats")" 0 "--only with another name leaves all to libc"
ok "--only with the program's name runs it" zeros -o other,dropin "$dropin"
ok "--only with the program's name has the library used" used memcpy
ok "--min=1M leaves shorter calls to libc" zeros -m 1M "$dropin"
is "$(by_device memcpy "$work/stats")" 0 "--min=1M: no copy of 300000 bytes is counted"
SVA_PRELOAD_MIN=1M zeros "$dropin" >/dev/null
is "$(by_device memcpy "$work/stats")" 0 "SVA_PRELOAD_MIN does what --min does"
for bad in '-m 0' '-m 12x' '-m k' '-c strcpy' '--none' ''; do
	# shellcheck disable=SC2086
	"$preload" $bad ${bad:+true} >/dev/null 2>"$work/out"
	is $? 2 "sva-preload $bad is wrong usage"
done
"$preload" "$work/absent" 2>/dev/null
is $? 127 "a program that is not there ends with 127"
is "$("$preload" sh -c 'exit 7'; echo $?)" 7 "the exit status is that of the program"
unset SVA_PATHS

# Where libsva cannot be loaded libc does the work. It also works where a program has used up the
# static TLS that is spare: then the one or the other happens.
ok "where libsva cannot be found the program runs as without" \
	tap env LD_LIBRARY_PATH="$work" "$preload" -a "$dropin"
ok "without spare static TLS the program runs as without" \
	tap env GLIBC_TUNABLES=glibc.rtld.optional_static_tls=0 SVA_PATHS=soft \
	"$preload" -a "$dropin"
done_testing
