#!/bin/bash
# SPDX-License-Identifier: MIT
# Discovery from end to end on machines that are trees of files, with path.so preloaded: sva-info
# with the whole library, and accel-config, which shows that libaccel-config accepts the trees.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

preload=$top_builddir/tests/preload/.libs/path.so
info=$top_builddir/src/tools/sva-info
[ -f "$preload" ] || skip_all "no $preload"
[ "$SANITIZERS" = no ] ||
	skip_all "a sanitizer must be loaded before path.so (t-find-discover covers this)"
[ -f "$SVA_PLUGIN_DIR/dsa.so" ] || skip_all "this build has no libaccel-config"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for name in $(env | sed -n 's/^\(SVA_[A-Z_]*\)=.*/\1/p'); do
	[ "$name" = SVA_PLUGIN_DIR ] || unset "$name"
done
export SVA_RECORD_TIMEOUT_MS=20 # a node that is a plain file answers nothing

# on TREE COMMAND …: runs the command on the machine of this tree.
on() {
	local tree=$1
	shift
	[ -d "$tmp/$tree" ] || sh "$top_srcdir/tests/fixtures/make-tree" "$tree" "$tmp/$tree"
	SVA_TEST_ROOT=$tmp/$tree LD_PRELOAD=$preload "$@" 2>&1
}

# says TREE TEXT COMMAND …: the command prints the text on this machine.
says() {
	local tree=$1 text=$2
	shift 2
	ok "$tree: ${1##*/} prints: $text" grep -q -F -- "$text" <(on "$tree" "$@")
}

says no-driver "the idxd driver is not loaded" "$info"
says no-device "the idxd driver is loaded, but it has no device" "$info"
says disabled-device "the device is disabled" "$info"
says unconfigured "the queue is not configured" "$info"
says disabled-queue "the queue is disabled" "$info"
says kernel-type "the queue is not of type user" "$info"
says hostile "plug-in dsa: queue wq0.1 refused: the field max_transfer makes no sense" "$info"
not_ok "hostile: no escape sequence of a name reaches the terminal" \
	grep -q "$(printf '\033')\[[23]" <(on hostile "$info")

says no-sysfs "/sys is empty, not mounted or not readable here" "$info"
says empty-sysfs "/sys is empty, not mounted or not readable here" "$info"
says refused-beside-disabled "a queue was left out, since a field of it makes no sense" "$info"
says any-names 'wq0.0 "a\x09b"' "$info"
# Since 4.0 libaccel-config cuts a name at a newline.
newline='"a\x0ab"'
! grep -qF 'wq0.1 "a"' <(on any-names "$info") || newline='"a"'
says any-names "wq0.1 $newline" "$info"
says any-names 'wq0.2 "\xff\xc0\x80z"' "$info"
says any-names 'wq0.5 "\xc2\x9b\x1b[31m\xe2\x80\xae"' "$info"
says any-names 'wq0.6 "Prüfstand"' "$info"
not_ok "any-names: sva-info reports no problem" grep -q "^Problems" <(on any-names "$info")
if command -v python3 >/dev/null; then
	on any-names "$info" -j >"$tmp/names.json"
	ok "any-names: the JSON is valid and has each name" python3 - "$tmp/names.json" <<-'END'
		import json, sys
		(device,) = json.loads(open(sys.argv[1], "rb").read().decode())["devices"]
		names = [queue["label"] for queue in device["queues"]]
		assert names[0] == "a\tb" and names[1] in ("a\nb", "a"), names
		assert names[2] == "\\xff\\xc0\\x80z" and names[4] == 'say "\\"', names
		assert names[5] == "\x9b\x1b[31m\u202e" and names[6] == "Pr\u00fcfstand", names
	END
else
	skip "any-names: the JSON is valid and has each name" "python3 is not installed"
fi

mkdir -p "$tmp/no-driver/etc"
echo 'paths = cpu, soft' >"$tmp/no-driver/etc/libsva.conf"
says no-driver "now cpu,soft" "$info" -e
echo 'paths = cpu, quick' >"$tmp/no-driver/etc/libsva.conf"
says no-driver "libsva.conf:1: paths: unknown word 'quick'" "$info"
not_ok "no-driver: sva-info fails if the configuration has a mistake" on no-driver "$info"

# With few descriptors sva-info shows every queue or reports EMFILE; it never leaves a queue out.
program=$info
[ -x "${info%/*}/.libs/sva-info" ] && program=${info%/*}/.libs/sva-info
export LD_LIBRARY_PATH=$top_builddir/src/lib/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
all=$(on two-sockets "$program" -j)
wrong= refused=0
for n in $(seq 3 16); do
	few=$(on two-sockets bash -c 'ulimit -n "$1" && exec "$2" -j' - "$n" "$program")
	case $few in
	"$all") ;;
	*"Too many open files"* | *"Error 24"*) refused=$((refused + 1)) ;;
	*) wrong="$wrong $n" ;;
	esac
done
is "$wrong" "" "two-sockets: with 3 to 16 descriptors, every queue is shown or EMFILE"
ok "two-sockets: some of 3 to 16 descriptors are too few, some enough" \
	test "$refused" -gt 0 -a "$refused" -lt 14

if command -v accel-config >/dev/null; then
	says two-sockets '"dev":"wq2.0"' accel-config list
	says mixed-modes '"mode":"dedicated"' accel-config list
else
	skip "accel-config lists the queues" "accel-config is not installed"
fi

done_testing
