# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# TAP for tests in bash, the twin of tap.h: ok, is, skip, skip_all, done_testing. To be sourced.

tap_count=0
tap_failed=0

# ok "name" COMMAND…: one test, passed if the command succeeds.
ok() {
	local name=$1 out
	shift
	tap_count=$((tap_count + 1))
	if out=$("$@" 2>&1); then
		echo "ok $tap_count - $name"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $name"
		[ -z "$out" ] || shorten <<<"$out" | sed 's/^/# /'
	fi
}

# Of long output the begin, the failed tests in it and the end: a program that dies says nothing
# after its last line.
shorten() {
	awk '{ line[NR] = $0 }
	     END {
		if (NR <= 40) {
			for (i = 1; i <= NR; i++) print line[i]
			exit
		}
		for (i = 1; i <= 10; i++) print line[i]
		printf "[%d lines left out, but for those of failed tests]\n", NR - 20
		for (i = 11; i <= NR - 10; i++) {
			if (line[i] ~ /^(# )*not ok/) left = 3
			if (left-- > 0 && shown++ < 20) print line[i]
		}
		for (i = NR - 9; i <= NR; i++) print line[i]
	     }'
}

# not_ok "name" COMMAND…: the same for a command that must fail; for controls that prove that a
# check can fail.
not_ok() {
	local name=$1
	shift
	ok "$name" succeed_if_fails "$@"
}

succeed_if_fails() {
	! "$@"
}

# is GOT WANT "name": one test of two strings, which prints the difference.
is() {
	ok "$3" diff <(printf '%s\n' "$2") <(printf '%s\n' "$1")
}

# skip "name" "reason": one test that cannot run here.
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# skip_all "reason": the whole file cannot run here.
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# Prints the plan and ends the test.
done_testing() {
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
	exit
}
