#!/bin/bash
# SPDX-License-Identifier: MIT
# sva-bench and icount: short runs, and the controls that prove that both can fail. Times are not looked at.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

export LC_ALL=C SVA_PLUGINS=file
unset SVA_PATHS SVA_QUEUES SVA_QUEUE_FILE SVA_EMU
bench=$top_builddir/bench/sva-bench
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

status() {
	"$@" >"$dir/stdout" 2>"$dir/stderr"
	echo $?
}

short() {
	status "$bench" --seconds 0.2 --sizes 100,4K "$@" # a later --sizes counts
}

# rows PATH: how many measured rows of a path the table has.
rows() {
	grep -E -c "^$1 +(memcpy|memfill) +(sync|async|batch) .* (ns|us|ms) .* [0-9.]+$" stdout
}

is "$(short --json out.json)" 0 "a short run"
is "$(rows soft)" 12 "soft has a row for each size, operation and mode"
is "$(rows cpu)" 12 "so has cpu"
for path in enqcmd movdir64b write dma; do
	ok "$path has a row that says why it cannot run" grep -Eq "^$path +cannot run here: .{20}" stdout
done
is "$(wc -c <stderr)" 0 "no progress where there is no terminal"
if command -v python3 >/dev/null; then
	cat >check.py <<'END'
import json
d = json.load(open("out.json"))
assert d["schema"] == 1 and d["emulated"] is False and d["threads"] == 1
rows = [r for r in d["rows"] if r["state"] == "measured"]
assert len(rows) == 24 and all(r["verified"] for r in rows)
for r in rows:
    assert r["p99_ns"] >= r["median_ns"] >= 0 and r["bytes_per_second"] > 0 and r["libc_bytes_per_second"] > 0
    assert r["ratio_to_libc"] > 0 and r["operations"] > 0 and r["share_on_other_paths"] == 0
    assert r["mapped_once"] is False and 0 <= r.get("idle_share", 0) <= 1
    assert r["queue"] == ("soft" if r["path"] == "soft" else None)
    assert r["operations_per_sample"] == 1 or r["operations_per_sample"] > 1 and r["mode"] == "sync", r
# Short synchronous calls are timed in groups; how large these are hangs on a measurement, and so on who else is on the machine.
assert any(r["operations_per_sample"] > 1 for r in rows) and d["clock_ns"] > 0
why = [r for r in d["rows"] if r["state"] == "unavailable"]
assert [r["path"] for r in why] == "enqcmd movdir64b write dma".split() and all(r["reason"] and r["text"] for r in why)
END
	ok "the JSON has the documented fields" python3 check.py
else
	skip "the JSON has the documented fields" "python3 is not installed"
fi

is "$(short --paths cpu --ops memcpy --modes sync --idle)" 0 "--idle"
is "$(grep -E -c '^cpu .* [0-9.]+ % idle$' stdout)" 2 "says in each row how idle the processors were"
is "$(short --paths soft --ops memcpy --modes sync --json -)" 0 "JSON on standard output"
is "$(head -c 1 stdout)" "{" "has no table before it"
is "$(short --paths cpu,soft --ops memcpy --modes batch --threads 2 --depth 3)" 0 "two threads"
is "$(rows soft)$(rows cpu)" 22 "have their rows"
ok "with the depth that was asked for" grep -Eq '^soft +memcpy +batch +3 ' stdout
is "$(short --list --paths soft --sizes 3M --depth 1000)" 0 "more in flight than there is memory for"
ok "is less in flight" grep -Eq '^soft +memfill +async +10 +3 MiB' stdout

for mode in sync async batch; do
	for op in memcpy memfill; do
		is "$(short --flip --paths soft --sizes 4K --ops $op --modes $mode)" 1 "control: flipped, $op $mode"
		ok "and is named" grep -q "FAILED: soft $op $mode 4 KiB: wrong data: byte 2048 of buffer 0" stderr
	done
done

is "$(SVA_EMU=1 short --paths soft --sizes 4K --json out.json)" 0 "an emulated run"
is "$(grep -c 'emulated: not a device time' stdout)" 7 "is marked in the header and in each row"
is "$(grep -c 'emulated: not a device time' out.json)" 7 "and in the JSON"
ok "which has a field for it" grep -q '"emulated": *true' out.json

is "$(status "$bench" --list)" 0 "--list"
is "$(grep -c '^soft ' stdout)" 30 "lists what would be measured"
ok "and what cannot be" grep -q '^dma .*cannot run here' stdout
is "$(SVA_PATHS=soft status "$bench" --list)" 0 "--list with only one path permitted"
ok "says which are ruled out" grep -q '^cpu .*cannot run here: ' stdout
for wrong in "--sizes 0" "--sizes 4X" "--sizes 5G" "--ops xor" "--modes slow" "--paths soft,warp" "--seconds none" \
	"--threads 0" -x extra; do
	# shellcheck disable=SC2086 # an option and its argument
	is "$(status "$bench" $wrong)" 2 "'$wrong' is wrong usage"
done
# unknown ARGUMENTS MESSAGE: wrong usage, and the message lists the words that there are.
unknown() {
	# shellcheck disable=SC2086
	is "$(status "$bench" $1; head -n 1 stderr)" "2
sva-bench: $2" "'$1' is refused with the words that are known"
}
unknown "--ops crc" "unknown operation 'crc' (known: memcpy memfill)"
unknown "--modes sync,slow" "unknown mode 'slow' (known: sync async batch)"
unknown "--paths warp,soft" "unknown path 'warp' (known: enqcmd movdir64b write dma soft cpu)"

# refused_file ARGUMENTS…: the run ends with 1 before anything is measured or printed.
refused_file() {
	is "$(short --paths soft "$@"; wc -c <stdout)" "1
0" "$* is refused before the run"
}
refused_file --json none/out.json
is "$(cat stderr)" "sva-bench: cannot write none/out.json: No such file or directory" "the message names the file and the error"
refused_file --json "$dir"
echo before >kept.json
if command -v gnuplot >/dev/null; then
	refused_file --json kept.json --plot none/out.svg
	is "$(cat stderr)" "sva-bench: cannot write none/out.svg: No such file or directory" "so is that of a plot"
	refused_file --json new.json --plot none/out.svg
	not_ok "a file that nothing was written to does not stay" test -e new.json
	refused_file --json kept.json --plot ./kept.json
	ok "the message says that both are one file" grep -q 'name the same file' stderr
else
	skip "a plot that cannot be written is refused before the run" "gnuplot is not installed"
fi
is "$(cat kept.json)" before "a refused run leaves the file of an earlier one as it was"
is "$(short --list --json none/out.json)" 0 "--list opens no file"
# quickstart bench --vm: the same, before a virtual machine is built and booted.
vm_bench=$top_srcdir/tests/vm/idxd/bench
is "$(status "$vm_bench" --json new.json --plot none/out.svg)" 1 "bench --vm refuses a file that cannot be written"
ok "naming it" grep -q 'none/out.svg: No such file' stderr
not_ok "and leaves no empty file of its own" test -e new.json
is "$(status "$vm_bench" --sizes 4K,huge)" 2 "bench --vm refuses a bad size"

is "$(short --paths dma)" 1 "a run in which nothing could be measured is a failure"
ok "the table still gives the reason" grep -Eq '^dma +cannot run here: ' stdout
is "$(cat stderr)" "sva-bench: nothing was measured: none of these paths can run here" "and the message says what is missing"
is "$(short --paths dma --json out.json)" 1 "nothing measured, with JSON"
ok "the JSON has the reason" grep -q '"state": *"unavailable"' out.json

if command -v gnuplot >/dev/null; then
	is "$(short --paths soft,cpu --plot out.svg)" 0 "a plot"
	is "$(grep -c -e '<svg' -e '>soft<' -e '>cpu<' out.svg)" 9 "is an SVG with a line for each path in four panels"
	is "$(wc -c <stderr)" 0 "and gnuplot had no objection"
	is "$(short --paths cpu --ops memcpy --modes sync --sizes 4K --plot one.svg)" 0 "a plot of one size"
	is "$(wc -c <stderr)" 0 "is no reason for a warning"
	# The points of the two lines in each of the two panels: beside the one in the legend each has one of its own.
	is "$(grep -o -E "<use xlink:href='#gpPt[0-9]+' transform" one.svg | wc -l)" 8 "and both lines have their point in it"
	is "$(short --paths dma --plot none.svg)" 1 "a plot of nothing"
	ok "is not written, with a message" grep -q 'nothing was measured' stderr
	not_ok "and there is no file" test -e none.svg
	# The file is gnuplot's standard output: no character of its name means anything to gnuplot.
	is "$(short --paths cpu --ops memcpy --sizes 4K --plot "it's {a} \"plot\".svg")" 0 "a plot under an odd name"
	ok "has an SVG in it" grep -q '</svg>' "it's {a} \"plot\".svg"
else
	skip "a plot" "gnuplot is not installed"
fi
is "$(PATH=/nowhere short --plot out2.svg)" 1 "a plot without gnuplot is refused"
ok "with what to install" grep -q 'gnuplot-nox' stderr

# ------------------------------------------------------------------ icount

icount=$top_builddir/bench/icount/icount
if [ ! -x "$icount" ]; then
	skip "icount counts" "it knows the instructions of x86-64 only"
elif [ "$SANITIZERS" != no ]; then
	skip "icount counts" "counts of a build with sanitizers mean nothing"
else
	echo 'sync-movdir64b limit 1 0 0' >budgets
	rc=$(status "$icount" --budgets budgets sync-movdir64b)
	if [ "$rc" = 77 ]; then
		skip "icount counts" "ptrace is not permitted here"
	else
		is "$rc" 1 "control: a limit of 1 instruction fails"
		ok "and says so" grep -Eq '^sync-movdir64b( +[0-9]+){5} +1  limit 1/0/0: FAILED' stdout
		read -r _ before after total locked syscalls _ < <(grep '^sync-movdir64b' stdout)
		is "$((before + after))" "$total" "before and after make the total"
		is "$locked $syscalls" "0 0" "no locked instruction and no system call on a mapped portal"
	fi
	echo 'sync-movdir64b limit many 0 0' >budgets
	is "$(status "$icount" --budgets budgets)" 2 "a malformed budget is refused"
	ok "with file and line" grep -q 'budgets:1:' stderr
	echo 'sync-teleport limit 1 0 0' >budgets
	is "$(status "$icount" --budgets budgets; cat stderr)" "2
icount: budgets:1: unknown case 'sync-teleport'; icount --help lists the cases" "a budget of an unknown case is refused"
	is "$(status "$icount" sync-teleport)" 2 "an unknown case is refused"
	ok "with the list of the cases" grep -q '^  sync-movdir64b ' stderr
fi

# Instructions, where they can be counted.
if [ "$(status "$bench" --instructions --paths cpu,soft,enqcmd --sizes 4K,64K --json counts.json)" = 0 ]; then
	is "$(grep -E -c '^(cpu|soft) +- +(4|64) KiB +[1-9][0-9]* +[0-9]+ +[1-9][0-9]*$' stdout)" 4 "counts have a row for each path and size"
	ok "and one for a path that cannot run" grep -Eq '^enqcmd +cannot run here: .{20}' stdout
	is "$(grep -c '"user_instructions":' counts.json)" 4 "and their fields in the JSON"
	is "$(status "$bench" --instructions --paths soft --sizes 4K --flip)" 1 "control: a flipped byte is noticed in a count"
else
	ok "what cannot be counted says so" grep -q 'instructions cannot be counted here: .' stderr
	skip "counts" "$(head -n 1 stderr)"
fi
done_testing
