#!/bin/bash
# SPDX-License-Identifier: MIT
# The programs of the manual: each page shows the very file, and each program runs and says what it
# should on a machine without an accelerator.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

man=$top_srcdir/man
examples=$top_builddir/man/examples
# The answers below are those of the software path, which is taken where SVA_PATHS names it.
export SVA_PATHS=soft,cpu

for page in "$man"/*.[1-9]; do
	grep -q '^\.\\" example: ' "$page" || continue
	is "$("${AWK:-awk}" -v dir="$man/examples" -f "$man/embed.awk" "$page")" "$(cat "$page")" \
		"${page##*/} shows its program as it is"
done
for file in "$man"/examples/*.c; do
	ok "${file##*/} is shown in a page" grep -q "^\.\\\\\" example: ${file##*/}" "$man"/*.[1-9]
done

# says PROGRAM [ARGUMENT] -- PATTERN…: the program succeeds, and each pattern is a line of what it
# prints.
says() {
	local program=$1 argument=() out pattern
	shift
	[ "$1" = -- ] || { argument=("$1"); shift; }
	shift
	out=$("$examples/$program" "${argument[@]}" 2>&1)
	is $? 0 "the example $program succeeds"
	for pattern; do
		ok "the example $program prints '$pattern'" matches "$pattern" "$out"
	done
}

matches() {
	grep -q -x -E -- "$1" <<<"$2" || { echo "$2"; return 1; }
}

says overview -- '67108864 bytes: path=soft queue=soft' 'enqcmd +.*excluded.*' 'soft +.*usable.*'
says open -- 'copied by soft: the bytes'
says bind -- 'soft: path=soft pasid=undisclosed' 'filled, last byte 8'
says copy -- 'fill: done, path=soft, faults=0' 'move: done, path=soft, faults=0' \
	'run: done, path=soft, faults=0' 'bad: Bad address.*'
says prep -- 'memcpy +opcode=03 .* size=4096 length=4096' 'fill16 +opcode=04 flags=040000 .*' \
	'drain +opcode=02 .* length=0'
says tutorial -- '8 blocks, sum 65530900, path=soft'
says submit -- '1000 blocks, 0 failed, equal'
says wait -- 'done'
says cq -- '256 blocks, 0 failed, equal'
says result -- 'error +Bad address' 'path +soft, queue soft, device soft' 'bytes +32768 of 65536' \
	'fault +write at \+32768'
says explain -- 'libsva [0-9]+\.[0-9]+\.[0-9]+' 'enqcmd +EXCLUDED .*' 'soft +OK .*' 'cpu +OK .*'
says compare -- 'different at 700000' 'zero up to 1048576'
says delta -- 'the record has [0-9]+ bytes' 'applied, equal'
# The check values of the two catalogued CRCs.
says crc -- 'crc=e3069283 copy=56789' 'crc64=ae8b14860a799888'
says dif -- 'insert: done, the next reference tag is 108' \
	'check: .* in block 5, the guard does not match'
says batch -- 'done, crc=[0-9a-f]{8}'
says copyv -- "done: 18 bytes, 'gath' 'er and scatter'"
says dma -- 'mapped=0 path=soft last=p'
says queues -- '[0-9]+ queues' 'SVA_PATHS=soft,cpu' 'SVA_THRESHOLD=16384'

# The plug-in of the manual is loaded like any other, and what it reports is seen.
plugins=$(mktemp -d)
trap 'rm -rf "$plugins"' EXIT
cp "$examples/.libs/example.so" "$plugins"
chmod 755 "$plugins/example.so"
SVA_PLUGIN_DIR=$plugins SVA_PLUGINS=example SVA_QUEUE_FILE=$plugins/no-such-node \
	says queues -- 'wq7.0 of example7 \(shared\), 16 entries, node -1' '1 queues'

not_ok "control: a program that fails is noticed" "$examples/bind" wq99.0

done_testing
