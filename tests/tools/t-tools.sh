#!/bin/bash
# SPDX-License-Identifier: MIT
# sva-info and sva-copy: what they print, what they refuse, and what remains after an error.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

export LC_ALL=C
unset SVA_PATHS SVA_QUEUES COLUMNS NO_COLOR
info=$top_builddir/src/tools/sva-info
copy=$top_builddir/src/tools/sva-copy
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# status COMMAND…: prints the exit status; the output is in the files stdout and stderr.
status() {
	"$@" >"$dir/stdout" 2>"$dir/stderr" </dev/null
	echo $?
}

has_no_escapes() {
	! grep -q $'\033' "$@"
}

# ------------------------------------------------------------------ sva-info

export SVA_PLUGINS=file
is "$(status "$info")" 0 "sva-info without a device ends with 0"
for path in enqcmd movdir64b write dma soft cpu; do
	ok "sva-info has a line with the state of $path" grep -Eq "^  $path +(yes|no ) +." stdout
done
ok "sva-info prints that no device is used, and how to try one" \
	grep -q '^No device is used: .*sva-emu run' stdout
ok "sva-info writes no escape sequences to a file" has_no_escapes stdout
ok "sva-info prints 'No device.' where there is none" grep -qx 'No device.' stdout
is "$(status "$info" -x)" 2 "an unknown option of sva-info is wrong usage"
ok "sva-info prints its usage line after wrong usage" grep -q '^usage: sva-info' stderr
is "$(status "$info" extra)" 2 "an argument of sva-info is wrong usage"
for wrong in --mode=neither '--for=a b' --for=-x --for= --watch=0 --watch=x; do
	is "$(status "$info" --setup "$wrong")" 2 "sva-info $wrong is wrong usage"
done
is "$(status "$info" -V)" 0 "sva-info -V ends with 0"
ok "sva-info -V prints its name and the version" \
	grep -Eqx 'sva-info \(libsva\) [0-9]+\.[0-9]+\.[0-9]+' stdout
is "$(SVA_PATHS=bogus status "$info")" 1 "sva-info ends with 1 if the library refuses SVA_PATHS"
ok "the message names the setting that the library refuses" grep -q 'SVA_PATHS' stderr
if [ -w /dev/full ]; then
	is "$("$info" >/dev/full 2>stderr; echo $?)" 1 \
		"sva-info ends with 1 if its output cannot be written"
fi

# A queue from a file, whose node is not there.
limits='entries=48 threshold=40 max-transfer=1M max-batch=16'
about="version=0x200 node=$dir/none label=lab numa=0 gen-cap=0x7"
echo "wq1.2 device=dsa1 mode=shared $limits $about" >queues
export SVA_QUEUE_FILE=$dir/queues
is "$(status "$info")" 0 "sva-info with a queue from a file ends with 0"
ok "sva-info names the device in one line, and the queue in another" \
	grep -Pzoq '\n  dsa1  version 2.0, .*node 0\n    wq1.2 "lab"  shared, 48 entries' stdout
ok "sva-info names first what programs use" grep -q '^Programs use: cpu$' stdout
ok "sva-info names what has to be mended first" \
	grep -q "^To mend first: the queue's device node is missing" stdout
is "$(status "$info" -a)" 0 "sva-info -a with a queue from a file ends with 0"
ok "sva-info prints the device of the queue" grep -qx 'Device dsa1' stdout
ok "sva-info prints the version of the device" grep -Eq '^  version +2\.0$' stdout
ok "sva-info prints the capabilities of the device in words" \
	grep -Eq '^  capabilities +block-on-fault overlapping-copy cache-control$' stdout
ok "sva-info prints the mode and the limits of the queue" \
	grep -q 'shared, 48 entries (threshold 40), transfers up to 1 MiB, batches up to 16' stdout
ok "sva-info prints the label of the queue" grep -q 'wq1.2 "lab"' stdout
no_node=$(sed -n 's/.*X(NO_NODE, "\([^:]*\).*/\1/p' "$top_srcdir/include/sva/sva.h")
ok "sva-info prints that a queue without a node cannot be used by write" \
	grep -Eq "^    write +no +$no_node" stdout
COLUMNS=60 "$info" -a >stdout
is "$(awk 'length > 60 && !/^libsva/ && !/node|run:/' stdout)" "" "sva-info breaks lines at COLUMNS"

if command -v python3 >/dev/null; then
	"$info" -j >info.json
	"$info" -j -e >settings.json
	cat >check.py <<'END'
import json, sys
d = json.load(open("info.json"))
assert d["summary"]["path"] == "cpu" and d["summary"]["reason"] == "NO_NODE"
assert d["surroundings"]["proc"] is True
assert d["schema"] == 1 and d["emulated"] is False
assert [p["path"] for p in d["paths"]] == "enqcmd movdir64b write dma soft cpu".split()
assert all(p["usable"] == (p["reason"] == "OK") and p["text"] for p in d["paths"])
(device,) = d["devices"]
assert (device["device"], device["plugin"]) == ("dsa1", "file")
assert (device["version"], device["numa_node"]) == ("2.0", 0)
assert device["gen_cap"] == "0x0000000000000007" and device["trust"] == "unknown"
assert len(device["op_cap"]) == 4
(queue,) = device["queues"]
assert (queue["queue"], queue["mode"]) == ("wq1.2", "shared")
assert (queue["entries"], queue["threshold"]) == (48, 40)
assert (queue["max_transfer"], queue["max_batch"], queue["pasid"]) == (1 << 20, 16, None)
reasons = {p["path"]: p["reason"] for p in queue["paths"]}
assert reasons == {"enqcmd": sys.argv[1], "movdir64b": sys.argv[2], "write": "NO_NODE"}
s = json.load(open("settings.json"))["settings"]
row = [r for r in s if r["variable"] == "SVA_QUEUE_FILE"][0]
assert row["key"] == "queue-file" and row["value"].endswith("/queues")
assert row["default"] == "" and row["help"]
END
	# The reason depends on whether this CPU has the instructions; the text shows which it is.
	reason() { sed -n "/^  wq1/,\$s/^    $1 *no *\(.*\)/\1/p" text; }
	"$info" -a >text
	name() {
		local begin
		begin=$(reason "$1" | cut -c 1-20)
		sed -n "/X(.*, \\\\$/ { N; s/\\\\\n[[:space:]]*//; }
			s/.*X(\([A-Z0-9_]*\), \"$begin[^\"]*\").*/\1/p" \
			"$top_srcdir/include/sva/sva.h" | head -n 1
	}
	ok "sva-info -j has the documented fields, with the reasons of the text" \
		python3 check.py "$(name enqcmd)" "$(name movdir64b)"
else
	skip "sva-info -j has the documented fields, with the reasons of the text" \
		"python3 is not installed"
fi

"$info" -e >stdout
is "$(grep -c '^SVA_' stdout)" "$("$top_builddir/tests/tree/settings" | grep -c .)" \
	"sva-info -e lists every setting"
ok "sva-info -e shows the value that is in force" grep -q "now $dir/queues" stdout
if command -v script >/dev/null; then
	TERM=xterm script -qec "$info" tty </dev/null >/dev/null 2>&1
	not_ok "sva-info uses colour on a terminal" has_no_escapes tty
	NO_COLOR=1 TERM=xterm script -qec "$info" tty </dev/null >/dev/null 2>&1
	ok "sva-info uses no colour with NO_COLOR" has_no_escapes tty
else
	skip "sva-info uses colour on a terminal" "script(1) is not installed"
fi
timeout 3 "$info" --watch=1 >stdout
is "$?" 124 "sva-info --watch ends only when it is interrupted"
ok "sva-info --watch prints again and again, with an empty line between" \
	test "$(grep -c '^Programs use:' stdout)" -ge 2
if [ -w /dev/full ]; then
	timeout 20 "$info" --watch=1 >/dev/full 2>stderr
	is "$?" 1 "sva-info --watch ends with 1 if its output cannot be written"
fi
echo 'wq0.0 device=dsa0 mode=neither' >queues
"$info" >stdout
ok "sva-info shows file and line of a malformed list of queues" \
	grep -q "$dir/queues:1: .*neither" stdout
unset SVA_QUEUE_FILE

# Without /proc the plug-ins are loaded, and sva-info names what it could not read.
without_proc() {
	unshare -rm bash -c "mount -t tmpfs none /proc && exec '$info' -a"
}
if unshare -rm mount -t tmpfs none /proc 2>/dev/null; then
	echo "wq1.2 device=dsa1 mode=shared $limits node=/dev/null" >queues
	SVA_QUEUE_FILE=$dir/queues without_proc >stdout
	ok "without /proc: the plug-in file is loaded" grep -qx 'Device dsa1' stdout
	ok "without /proc: sva-info shows that /proc is not mounted" \
		grep -q '^  /proc is not mounted: ' stdout
	ok "without /proc: the reason of enqcmd is /proc, not the CPU" \
		grep -q '^    enqcmd *no  */proc is not mounted here' stdout
	not_ok "without /proc: no plug-in is refused" grep -q 'plug-in .*refused' stdout
else
	skip "without /proc: sva-info shows that /proc is not mounted" \
		"no mount namespace may be made here"
fi

# ------------------------------------------------------------------ sva-copy

# copied LABEL SRC ARGUMENT…: copies SRC, which must succeed.
copied() {
	local label=$1 src=$2
	shift 2
	rm -f out
	ok "$label is copied with exit status 0" "$copy" "$@" "$src" out
	ok "$label is equal to its copy" cmp "$src" out
}

head -c 5000001 /dev/urandom >src
copied "a file on the soft path" src --paths soft
copied "a file on the cpu path" src --paths cpu
copied "a file on the default paths" src
for size in 0 1 4095 4096 2097152 2097153; do
	head -c "$size" src >sized
	copied "a file of $size bytes" sized --paths soft
done
head -c 1048576 src >other
is "$("$copy" -v --paths soft src out)" "path=soft queue=soft device=soft bytes=5000001" \
	"sva-copy -v prints that soft moved the bytes"
is "$("$copy" -v --paths cpu src out)" "path=cpu queue=- device=- bytes=5000001" \
	"sva-copy -v prints that cpu moved the bytes"
is "$("$copy" -v src out 2>stderr | sed 's/reason=[A-Z_]*/reason=/')" \
	"path=cpu queue=- device=- bytes=5000001 reason=" \
	"sva-copy -v prints why no better path than cpu was taken"
ok "sva-copy -v prints that reason in words, too" grep -q '^sva-copy: [A-Z_]*: .' stderr
: >empty
is "$("$copy" -v empty out)" "path=none queue=- device=- bytes=0" \
	"sva-copy -v of an empty file prints path=none"
SVA_SOFT_THREADS=2 copied "a file with several chunks in flight" src --paths soft

is "$("$copy" --paths soft /dev/stdin out <src; cmp src out && echo same)" same \
	"a file on standard input is copied whole"
is "$(dd if=src bs=1000 status=none | "$copy" --paths soft /dev/stdin out
	cmp src out && echo same)" same "a pipe on standard input is copied whole"
is "$("$copy" --paths soft src /dev/stdout | cmp - src && echo same)" same \
	"a file is copied whole to a pipe on standard output"
is "$("$copy" -v --paths soft src /dev/stdout 2>said | cmp - src && echo same)" same \
	"with -v a copy to a pipe has only the data"
is "$(grep -c '^path=soft' said)" 1 "with -v to a pipe the report is on standard error"
"$copy" -v --paths soft src /dev/stdout >out 2>said
is "$(cmp src out && grep -c '^path=soft' said)" 1 \
	"with -v to a file that is standard output the report is not in it"
# Without the descriptors 0 to 2 nothing is printed anywhere, and nothing into the files.
without_standard_files() (
	exec 0<&- 1>&- 2>&-
	"$@"
)
rm -f out
without_standard_files "$copy" -v --paths soft src out
ok "sva-copy -v without standard input, output and error prints nothing into the copy" cmp src out
is "$(without_standard_files "$info"; echo $?)" 1 "sva-info without standard output ends with 1"
without_standard_files "$copy" --paths teleport src keep-out
ok "sva-copy without standard error does not write its message to a file" test ! -e keep-out
emu=$top_builddir/src/emu/sva-emu
if "$emu" run -- true 2>/dev/null; then
	is "$("$emu" run -- readlink /proc/self/fd/0 0<&-; echo $?)" 1 \
		"sva-emu leaves a closed standard input closed"
else
	skip "sva-emu leaves a closed standard input closed" "sva-emu cannot run here"
fi
# A file in /proc has the size 0.
copied "a file of /proc" /proc/version
truncate -s 40M sparse
printf x | dd of=sparse bs=1 seek=12345678 conv=notrunc status=none
copied "a sparse file" sparse --paths soft
is "$(stat -c %s out)" 41943040 "the hole at the end of a sparse file is in the copy"
if [ "$(stat -c %b sparse)" -lt 1000 ]; then
	ok "the holes of a sparse file are holes in the copy" test "$(stat -c %b out)" -lt 1000
else
	skip "the holes of a sparse file are holes in the copy" "this file system has no holes"
fi
rm -f out
(umask 027 && "$copy" src out)
is "$(stat -c %a out)" 640 "a new file gets mode 0666 less the umask"
printf 'longer than nothing' >out
chmod 600 out
"$copy" other out
is "$(stat -c '%a %s' out)" "600 1048576" \
	"a file that is overwritten keeps its mode and loses its contents"

is "$(status "$copy")" 2 "sva-copy without arguments is wrong usage"
ok "sva-copy prints its usage line after wrong usage" grep -q '^usage: sva-copy' stderr
is "$(status "$copy" src)" 2 "sva-copy with one argument is wrong usage"
is "$(status "$copy" src out more)" 2 "sva-copy with three arguments is wrong usage"
is "$(status "$copy" --paths teleport src out)" 2 "sva-copy with an unknown path is wrong usage"
ok "the message about an unknown path lists the known ones" \
	grep -qF "unknown path 'teleport' (known: enqcmd movdir64b write dma soft cpu)" stderr
is "$(status "$copy" --paths soft, src out)" 2 \
	"a list of paths that ends with a comma is wrong usage"
cp src keep
is "$(status "$copy" keep keep)" 1 "sva-copy refuses to copy a file to itself"
ln keep hard
is "$(status "$copy" keep hard)" 1 "sva-copy refuses to copy a file to another name of it"
ok "the file that was not copied to itself is unchanged" cmp src keep
is "$(status "$copy" nowhere keep)" 1 "sva-copy of a source that does not exist ends with 1"
is "$(status "$copy" --paths dma,write src keep)" 1 "sva-copy without a usable path ends with 1"
ok "the message gives the reason why write cannot be used" \
	grep -q 'no path can be used: write: ' stderr
ok "neither failure changed the destination" cmp src keep
is "$(status "$copy" . out)" 1 "sva-copy refuses a directory as source"
is "$(status "$copy" src .)" 1 "sva-copy refuses a directory as destination"
is "$(status "$copy" src nowhere/out)" 1 "sva-copy ends with 1 if the destination cannot be created"
if [ -w /dev/full ]; then
	is "$(status "$copy" src /dev/full)" 1 "sva-copy to a full device ends with 1"
	ok "the message about a full device says 'No space left'" grep -q 'No space left' stderr
fi
is "$(rm -f out; ulimit -f 3000; status "$copy" --paths soft src out)" 1 \
	"sva-copy ends with 1 where the limit of file sizes is reached"
ok "the message says how many bytes of the file were copied" \
	grep -q "out is incomplete: it has the first $(stat -c %s out) bytes" stderr
ok "the bytes that were copied up to the limit are right" cmp -n "$(stat -c %s out)" src out
is "$(status bash -c "'$copy' src /dev/stdout | head -c 1 >/dev/null; exit \${PIPESTATUS[0]}")" 1 \
	"sva-copy ends with 1 if the reader of its pipe leaves"

full_disk() {
	mkdir -p disk
	unshare -rm bash -c "mount -t tmpfs -o size=1m none disk &&
		{ '$copy' $1 src disk/out; echo \$?; }" 2>stderr
}
if unshare -rm true 2>/dev/null && [ -n "$(full_disk --verbose)" ]; then
	is "$(full_disk "--paths soft" | head -n 1)" 1 \
		"a full disk ends with exit status 1 and not with a signal"
	ok "the message about a full disk says 'No space left'" grep -q 'No space left' stderr
	ok "the message about a full disk says that the copy is incomplete" \
		grep -q 'disk/out is incomplete' stderr
else
	skip "a full disk ends with exit status 1 and not with a signal" \
		"no mount namespace for this user here"
fi

# truncated PATH: whenever SRC is truncated during a copy, sva-copy ends with an error or a right
# copy, and never with a signal.
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
ok "truncating SRC during a copy on cpu ends with an error or a right copy" truncated cpu
ok "truncating SRC during a copy on soft ends with an error or a right copy" truncated soft

done_testing
