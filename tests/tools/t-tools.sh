#!/bin/bash
# SPDX-License-Identifier: MIT
# sva-info and sva-copy, as a user meets them: what they print, what they refuse, and what is left after an error.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

export LC_ALL=C
unset SVA_PATHS SVA_QUEUES COLUMNS NO_COLOR
info=$top_builddir/src/tools/sva-info
copy=$top_builddir/src/tools/sva-copy
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# What a command ends with, as a number.
status() {
	"$@" >"$dir/stdout" 2>"$dir/stderr" </dev/null
	echo $?
}

has_no_escapes() {
	! grep -q $'\033' "$@"
}

# ------------------------------------------------------------------ sva-info

export SVA_PLUGINS=file
is "$(status "$info")" 0 "sva-info without a device is no failure"
for path in enqcmd movdir64b write dma soft cpu; do
	ok "it tells of $path" grep -Eq "^  $path +(yes|no ) +." stdout
done
ok "no escape sequences in a file" has_no_escapes stdout
ok "it says that there is no device" grep -qx 'No device.' stdout
is "$(status "$info" -x)" 2 "an unknown option is wrong usage"
ok "which is told" grep -q '^usage: sva-info' stderr
is "$(status "$info" extra)" 2 "so is an argument"
is "$(status "$info" -V)" 0 "-V"
ok "-V tells the version" grep -Eqx 'sva-info \(libsva\) [0-9]+\.[0-9]+\.[0-9]+' stdout
is "$(SVA_PATHS=bogus status "$info")" 1 "settings that the library refuses are a failure"
ok "and told" grep -q 'SVA_PATHS' stderr
if [ -w /dev/full ]; then
	is "$("$info" >/dev/full 2>stderr; echo $?)" 1 "output that does not arrive is a failure"
fi

# A queue from a file, whose node is not there.
limits='entries=48 threshold=40 max-transfer=1M max-batch=16'
echo "wq1.2 device=dsa1 mode=shared $limits version=0x200 node=$dir/none label=lab numa=0 gen-cap=0x7" >queues
export SVA_QUEUE_FILE=$dir/queues
is "$(status "$info")" 0 "sva-info with a queue"
ok "the device" grep -qx 'Device dsa1' stdout
ok "its version" grep -Eq '^  version +2\.0$' stdout
ok "its capabilities in words" grep -Eq '^  capabilities +block-on-fault overlapping-copy cache-control$' stdout
ok "the queue's limits" grep -q 'shared, 48 entries (threshold 40), transfers up to 1 MiB, batches up to 16' stdout
ok "its label" grep -q 'wq1.2 "lab"' stdout
no_node=$(sed -n 's/.*X(NO_NODE, "\([^:]*\).*/\1/p' "$top_srcdir/include/sva/sva.h")
ok "why it is not usable" grep -Eq "^    write +no +$no_node" stdout
COLUMNS=60 "$info" >stdout
is "$(awk 'length > 60 && !/^libsva/ && !/node/' stdout)" "" "lines are broken at COLUMNS"

if command -v python3 >/dev/null; then
	"$info" -j >info.json
	"$info" -j -e >settings.json
	cat >check.py <<'END'
import json, sys
d = json.load(open("info.json"))
assert d["schema"] == 1 and d["emulated"] is False
assert [p["path"] for p in d["paths"]] == "enqcmd movdir64b write dma soft cpu".split()
assert all(p["usable"] == (p["reason"] == "OK") and p["text"] for p in d["paths"])
(device,) = d["devices"]
assert (device["device"], device["plugin"], device["version"], device["numa_node"]) == ("dsa1", "file", "2.0", 0)
assert device["gen_cap"] == "0x0000000000000007" and device["trust"] == "unknown" and len(device["op_cap"]) == 4
(queue,) = device["queues"]
assert (queue["queue"], queue["mode"], queue["entries"], queue["threshold"]) == ("wq1.2", "shared", 48, 40)
assert (queue["max_transfer"], queue["max_batch"], queue["pasid"]) == (1 << 20, 16, None)
reasons = {p["path"]: p["reason"] for p in queue["paths"]}
assert reasons == {"enqcmd": sys.argv[1], "movdir64b": sys.argv[2], "write": "NO_NODE"}
s = json.load(open("settings.json"))["settings"]
row = [r for r in s if r["variable"] == "SVA_QUEUE_FILE"][0]
assert row["key"] == "queue-file" and row["value"].endswith("/queues") and row["default"] == "" and row["help"]
END
	# What the file says of both is more than this CPU may have; either reason is right.
	reason() { sed -n "/^  wq1/,\$s/^    $1 *no *\(.*\)/\1/p" text; }
	"$info" >text
	name() {
		local begin
		begin=$(reason "$1" | cut -c 1-20)
		sed -n "s/.*X(\([A-Z0-9_]*\), \"$begin[^\"]*\").*/\1/p" "$top_srcdir/include/sva/sva.h" | head -n 1
	}
	ok "-j has the documented fields, as the text" python3 check.py "$(name enqcmd)" "$(name movdir64b)"
else
	skip "-j has the documented fields" "python3 is not installed"
fi

"$info" -e >stdout
is "$(grep -c '^SVA_' stdout)" "$("$top_builddir/tests/tree/settings" | grep -c .)" "-e lists every setting"
ok "with the value in force" grep -q "now $dir/queues" stdout
if command -v script >/dev/null; then
	TERM=xterm script -qec "$info" tty </dev/null >/dev/null 2>&1
	not_ok "colour on a terminal" has_no_escapes tty
	NO_COLOR=1 TERM=xterm script -qec "$info" tty </dev/null >/dev/null 2>&1
	ok "but not with NO_COLOR" has_no_escapes tty
else
	skip "colour on a terminal" "script(1) is not installed"
fi
echo 'wq0.0 device=dsa0 mode=neither' >queues
"$info" >stdout
ok "a malformed list of queues is a problem, with file and line" grep -q "$dir/queues:1: .*neither" stdout
unset SVA_QUEUE_FILE

# Without /proc the plug-ins are loaded all the same, and what cannot be seen is named.
without_proc() {
	unshare -rm bash -c "mount -t tmpfs none /proc && exec '$info'"
}
if unshare -rm mount -t tmpfs none /proc 2>/dev/null; then
	echo "wq1.2 device=dsa1 mode=shared $limits node=/dev/null" >queues
	SVA_QUEUE_FILE=$dir/queues without_proc >stdout
	ok "without /proc: the plug-in file is loaded" grep -qx 'Device dsa1' stdout
	ok "without /proc: that is a problem, by name" grep -q '^  /proc is not mounted: ' stdout
	ok "without /proc: the reason is not that the CPU lacks the instruction" \
		grep -q '^    enqcmd *no  */proc is not mounted here' stdout
	not_ok "without /proc: no plug-in is refused" grep -q 'plug-in .*refused' stdout
else
	skip "without /proc" "no mount namespace may be made here"
fi

# ------------------------------------------------------------------ sva-copy

# copied LABEL SRC ARGUMENT…: a copy that must arrive.
copied() {
	local label=$1 src=$2
	shift 2
	rm -f out
	ok "$label" "$copy" "$@" "$src" out
	ok "$label: the files are equal" cmp "$src" out
}

head -c 5000001 /dev/urandom >src
copied "a file on the soft path" src --paths soft
copied "a file on the cpu path" src --paths cpu
copied "a file" src
for size in 0 1 4095 4096 2097152 2097153; do
	head -c "$size" src >sized
	copied "a file of $size bytes" sized --paths soft
done
head -c 1048576 src >other
is "$("$copy" -v --paths soft src out)" "path=soft queue=soft device=soft bytes=5000001" "-v says what was used: soft"
is "$("$copy" -v --paths cpu src out)" "path=cpu queue=- device=- bytes=5000001" "-v says what was used: cpu"
is "$("$copy" -v src out 2>stderr | sed 's/reason=[A-Z_]*/reason=/')" \
	"path=cpu queue=- device=- bytes=5000001 reason=" "-v says why no better path was taken"
ok "in words, too" grep -q '^sva-copy: [A-Z_]*: .' stderr
: >empty
is "$("$copy" -v empty out)" "path=none queue=- device=- bytes=0" "-v of an empty file"
SVA_SOFT_THREADS=2 copied "a file with several chunks in flight" src --paths soft

is "$("$copy" --paths soft /dev/stdin out <src; cmp src out && echo same)" same "from a file on standard input"
is "$(dd if=src bs=1000 status=none | "$copy" --paths soft /dev/stdin out; cmp src out && echo same)" same "from a pipe"
is "$("$copy" --paths soft src /dev/stdout | cmp - src && echo same)" same "to a pipe"
is "$("$copy" -v --paths soft src /dev/stdout 2>said | cmp - src && echo same)" same "to a pipe, -v"
is "$(grep -c '^path=soft' said)" 1 "which is told on standard error"
"$copy" -v --paths soft src /dev/stdout >out 2>said
is "$(cmp src out && grep -c '^path=soft' said)" 1 "to a file that is standard output, -v"
# Started without 0 to 2: what is printed goes nowhere, least of all into the files.
without_standard_files() (
	exec 0<&- 1>&- 2>&-
	"$@"
)
rm -f out
without_standard_files "$copy" -v --paths soft src out
ok "sva-copy -v without standard input, output and error prints nothing into the copy" cmp src out
is "$(without_standard_files "$info"; echo $?)" 1 "sva-info without standard output is a failure"
without_standard_files "$copy" --paths teleport src keep-out
ok "a message without standard error creates no file" test ! -e keep-out
emu=$top_builddir/src/emu/sva-emu
if "$emu" run -- true 2>/dev/null; then
	is "$("$emu" run -- readlink /proc/self/fd/0 0<&-; echo $?)" 1 "sva-emu leaves a closed standard input closed"
else
	skip "sva-emu leaves a closed standard input closed" "sva-emu cannot run here"
fi
# The size of a file in /proc reads as 0.
copied "a file of /proc" /proc/version
truncate -s 40M sparse
printf x | dd of=sparse bs=1 seek=12345678 conv=notrunc status=none
copied "a sparse file" sparse --paths soft
is "$(stat -c %s out)" 41943040 "a hole at the end is there"
if [ "$(stat -c %b sparse)" -lt 1000 ]; then
	ok "holes stay holes" test "$(stat -c %b out)" -lt 1000
else
	skip "holes stay holes" "this file system has no holes"
fi
rm -f out
(umask 027 && "$copy" src out)
is "$(stat -c %a out)" 640 "a new file has mode 0666 less the umask"
printf 'longer than nothing' >out
chmod 600 out
"$copy" other out
is "$(stat -c '%a %s' out)" "600 1048576" "an old file keeps its mode, and nothing of its contents"

is "$(status "$copy")" 2 "no arguments are wrong usage"
ok "with a usage line" grep -q '^usage: sva-copy' stderr
is "$(status "$copy" src)" 2 "so is one"
is "$(status "$copy" src out more)" 2 "so are three"
is "$(status "$copy" --paths teleport src out)" 2 "so is an unknown path"
ok "the message names the paths that there are" grep -qF "unknown path 'teleport' (known: enqcmd movdir64b write dma soft cpu)" stderr
is "$(status "$copy" --paths soft, src out)" 2 "so is a list with nothing behind the comma"
cp src keep
is "$(status "$copy" keep keep)" 1 "a file is not copied to itself"
ln keep hard
is "$(status "$copy" keep hard)" 1 "nor by another name"
ok "and is unharmed" cmp src keep
is "$(status "$copy" nowhere keep)" 1 "a source that is not there"
is "$(status "$copy" --paths dma,write src keep)" 1 "no usable path"
ok "which says why" grep -q 'no path can be used: write: ' stderr
ok "neither touched the destination" cmp src keep
is "$(status "$copy" . out)" 1 "a directory is no source"
is "$(status "$copy" src .)" 1 "and no destination"
is "$(status "$copy" src nowhere/out)" 1 "a destination that cannot be made"
if [ -w /dev/full ]; then
	is "$(status "$copy" src /dev/full)" 1 "a full device"
	ok "is told" grep -q 'No space left' stderr
fi
is "$(rm -f out; ulimit -f 3000; status "$copy" --paths soft src out)" 1 "a file that may not grow so long"
ok "says how much of it is there" grep -q "out is incomplete: it has the first $(stat -c %s out) bytes" stderr
ok "and that is right" cmp -n "$(stat -c %s out)" src out
is "$(status bash -c "'$copy' src /dev/stdout | head -c 1 >/dev/null; exit \${PIPESTATUS[0]}")" 1 "a reader that leaves"

full_disk() {
	mkdir -p disk
	unshare -rm bash -c "mount -t tmpfs -o size=1m none disk && { '$copy' $1 src disk/out; echo \$?; }" 2>stderr
}
if unshare -rm true 2>/dev/null && [ -n "$(full_disk --verbose)" ]; then
	is "$(full_disk "--paths soft" | head -n 1)" 1 "a full disk is an error and no signal"
	ok "which is told" grep -q 'No space left' stderr
	ok "and so is what is left" grep -q 'disk/out is incomplete' stderr
else
	skip "a full disk is an error and no signal" "no mount namespace for this user here"
fi

# A source that is truncated while it is copied: whenever that happens, the end is an error or a copy, never a signal.
truncated() {
	local i rc
	for i in 1 2 3 4 5 6; do
		cp src5 victim
		{ sleep "0.0$i"; truncate -s 4097 victim; } &
		"$copy" --paths "$1" victim out 2>/dev/null
		rc=$?
		wait
		[ $rc -le 1 ] || return 1
		[ $rc = 1 ] || cmp -n "$(stat -c %s out)" src5 out || return 1
	done
}
cat src src src src src >src5
ok "a source that is truncated meanwhile, cpu" truncated cpu
ok "a source that is truncated meanwhile, soft" truncated soft

done_testing
