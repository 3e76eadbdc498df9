#!/bin/bash
# SPDX-License-Identifier: MIT
# A short run of bench/ratios, and controls that prove that it can fail. Its times are not judged
# here; make check-ratios does that.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

export LC_ALL=C SVA_PLUGINS=file
unset SVA_PATHS SVA_QUEUES SVA_QUEUE_FILE SVA_EMU
ratios=$top_builddir/bench/ratios/ratios
[ -x "$ratios" ] || skip_all "this build is without ISA-L, which the ratios are to"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

status() {
	"$@" >"$dir/stdout" 2>"$dir/stderr"
	echo $?
}

is "$(status "$ratios" --quick --limit 100000)" 0 "a short run meets a limit of 100000"
is "$(grep -Ec '^.{39}( +([0-9.]+|-)){5} *$' stdout)" "$(($(wc -l <stdout) - 1))" \
	"each row of the table has five columns"
is "$(awk 'length > 100' stdout | wc -l)" 0 "no line of the table is longer than 100 columns"
is "$(status "$ratios" --quick --limit 0.01)" 1 "control: a limit of 0.01 fails"
ok "control: the ratios over it are marked" grep -q '[0-9]!' stdout
is "$(status "$ratios" --quick --json --limit 100000 --only CRC)" 0 \
	"a run of some operations as JSON ends with 0"
if command -v python3 >/dev/null; then
	cat >check.py <<'END'
import json
rows = json.load(open("stdout"))
assert {row["operation"] for row in rows} == {"CRC-32C", "copy with CRC"}, rows
assert {row["bytes"] for row in rows} == {64, 4096, 65536}, rows
assert all(row["ratio"] > 0 and row["plain_ns"] > 0 and not row["over"] for row in rows), rows
END
	ok "the JSON has a number for each operation and length" python3 check.py
fi
is "$(status "$ratios" --only nothing)" 2 "an operation that there is not: exit status 2"
ok "its name is reported" grep -q '"nothing"' stderr
is "$(status "$ratios" --limit x)" 2 "a limit that is no number: exit status 2"
ok "the usage is printed" grep -q '^Usage: ratios' stderr

done_testing
