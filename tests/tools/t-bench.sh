#!/bin/bash
# SPDX-License-Identifier: MIT
# Short runs of sva-bench and icount, and controls that prove that both can fail. Times are not
# compared.
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

# rows PATH: prints how many measured rows of a path the table has.
rows() {
	grep -E -c "^$1 +[a-z0-9-]+ +(sync|async|many|batch) .* (ns|us|ms) .* ([0-9.]+|-)$" stdout
}

is "$(short --json out.json)" 0 "sva-bench of two sizes in 0.2 seconds ends with 0"
is "$(rows soft)" 12 "the table has a row of soft for each size, operation and mode"
is "$(rows cpu)" 12 "the table has a row of cpu for each size, operation and mode"
for path in enqcmd movdir64b write dma; do
	ok "without a device the row of $path gives the reason why it cannot run" \
		grep -Eq "^$path +cannot run here: .{20}" stdout
done
is "$(wc -c <stderr)" 0 "no progress is printed if standard error is not a terminal"
if command -v python3 >/dev/null; then
	cat >check.py <<'END'
import json
d = json.load(open("out.json"))
assert d["schema"] == 1 and d["emulated"] is False and d["threads"] == 1
rows = [r for r in d["rows"] if r["state"] == "measured"]
assert len(rows) == 24 and all(r["verified"] for r in rows)
for r in rows:
    assert r["p99_ns"] >= r["median_ns"] >= 0
    assert r["bytes_per_second"] > 0 and r["libc_bytes_per_second"] > 0
    assert r["p999_ns"] >= r["p99_ns"] and r["caller_cpu_ns"] > 0 and r["buffers"] == "turn"
    assert ("batch" in r) == (r["mode"] == "batch")
    # What runs beside the path cpu is libc alone.
    assert ("ratio_to_cpu" in r) == (r["path"] == "soft") and "histogram" not in r
    assert r["ratio_to_libc"] > 0 and r["operations"] > 0 and r["share_on_other_paths"] == 0
    assert r["mapped_once"] is False and 0 <= r.get("idle_share", 0) <= 1
    assert r["queue"] == ("soft" if r["path"] == "soft" else None)
    group = r["operations_per_sample"]
    assert group == 1 or group > 1 and r["mode"] == "sync", r
# Short synchronous calls are timed in groups; their size depends on a measurement, and so on what
# else runs on the machine.
assert any(r["operations_per_sample"] > 1 for r in rows) and d["clock_ns"] > 0
why = [r for r in d["rows"] if r["state"] == "unavailable"]
assert [r["path"] for r in why] == "enqcmd movdir64b write dma".split()
assert all(r["reason"] and r["text"] for r in why)
END
	ok "the file of --json has the fields that sva-bench(1) documents" python3 check.py
else
	skip "the file of --json has the fields that sva-bench(1) documents" \
		"python3 is not installed"
fi

is "$(short --paths cpu --ops copy --modes sync --idle)" 0 "sva-bench --idle ends with 0"
is "$(grep -E -c '^cpu .* [0-9.]+ % idle$' stdout)" 2 \
	"--idle adds the idle share of the processors to each row"
is "$(short --paths soft --ops copy --modes sync --json -)" 0 "sva-bench --json - ends with 0"
is "$(head -c 1 stdout)" "{" "--json - prints JSON from the first character on, and no table"
is "$(short --paths cpu,soft --ops copy --modes batch --threads 2 --depth 3)" 0 \
	"sva-bench with 2 threads and 2 paths ends with 0"
is "$(rows soft)$(rows cpu)" 22 "with 2 threads the table has the rows of both paths"
ok "--depth 3 is the depth that the rows show" grep -Eq '^soft +copy +batch +3 ' stdout
is "$(short --list --paths soft --sizes 3M --depth 1000)" 0 \
	"--list with 1000 operations of 3 MiB in flight ends with 0"
ok "the depth of 3 MiB operations is reduced to what fits the buffers" \
	grep -Eq '^soft +fill +async +10 +3 MiB' stdout

for mode in sync async batch; do
	for op in copy fill; do
		is "$(short --flip --paths soft --sizes 4K --ops $op --modes $mode)" 1 \
			"control: --flip makes a run of $op $mode fail"
		ok "control: the message names the flipped byte of $op $mode" grep -q \
			"FAILED: soft $op $mode 4 KiB: wrong data: byte 2048 of buffer 0" stderr
	done
done

# ------------------------------------------------------------------ operations, buffers, batches

is "$(short --seconds 1 --paths soft,cpu --ops all --modes sync,async,many,batch --sizes 512 \
	--depth 4 --batch 2 --csv all.csv --json all.json)" 0 \
	"sva-bench of all operations and modes ends with 0"
is "$(rows soft)$(rows cpu)" 6868 "all 17 operations have a row in each of the 4 modes"
is "$(awk -F, 'NR > 1 && $2 == "measured" && $9 > 0 { n[$1]++ } END { print n["soft"] n["cpu"] }' \
	all.csv)" 6868 "the file of --csv has a measured line for each row"
is "$(awk -F, '{ print NF }' all.csv | sort -u)" 20 "each line of the CSV has 20 fields"
is "$(grep -c '"batch": *2' all.json)" 34 "the JSON has the operations of each batch"
is "$(short --paths soft --ops create-delta,dif-check --modes sync --sizes 100,1M)" 0 \
	"sizes that an operation cannot have are no failure of the run"
is "$(grep -c 'not here: ' stdout)" 3 "the rows of such sizes say so"
is "$(short --paths soft --ops dif-check --modes sync --sizes 100)" 1 \
	"a run of nothing but a size that the operation cannot have ends with 1"
for op in $ops; do
	is "$(short --flip --paths soft --sizes 4K --ops "$op" --modes batch)" 1 \
		"control: --flip makes a run of $op fail"
done
is "$(short --paths soft --ops copy --modes sync,async --buffers warm,cold --histogram)" 0 \
	"sva-bench with warm and cold buffers ends with 0"
is "$(grep -E -c '^soft +copy +(sync|async) +(warm|cold) .*[0-9]$' stdout)" 8 \
	"each state of the buffers has its rows"
is "$(grep -c '^ *p99.9 ' stdout)" 8 "--histogram adds the 99.9th percentile to each row"
ok "--histogram adds bars" grep -Eq '^ +from +[0-9.]+ (ns|us|ms) +[0-9]+ +#+$' stdout
is "$(grep -E -c '^soft +copy +(sync|async) +(warm|cold)  (at no size|[0-9]+ .*B$)' stdout)" 4 \
	"the summary has the break-even size of each series"

# ------------------------------------------------------------------ processors, nodes, pages

cpu=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
is "$(short --paths cpu --modes sync --ops copy --cpus "$cpu" --pages small --json place.json)" 0 \
	"sva-bench on one processor with small pages ends with 0"
is "$(grep -c -e '"pages": *"small"' -e '"cpus": *\[' place.json)" 2 \
	"the JSON has the processors and the pages"
is "$(short --cpus 1000; head -n 1 stderr)" "2
sva-bench: processor 1000 cannot be used by this process" "a processor that is not there is refused"
is "$(short --cpus 0-; head -n 1 stderr)" "2
sva-bench: bad list of processors '0-': numbers and ranges, such as 0,2,4-7" \
	"a list of processors without an end is refused"
unknown "--pages large" "unknown kind of pages 'large' (known: any small thp huge)"
is "$(short --paths cpu --node 1023; head -n 1 stderr | cut -d : -f 1,2)" "1
sva-bench: cannot put the buffers on NUMA node 1023" "a node that is not there is refused"
if [ -d /sys/devices/system/node/node0 ]; then
	is "$(short --paths cpu --modes sync --ops copy --node 0)" 0 \
		"buffers on NUMA node 0: sva-bench ends with 0"
else
	skip "buffers on NUMA node 0: sva-bench ends with 0" "this kernel has no NUMA nodes"
fi

# ------------------------------------------------------------------ thresholds

is "$(short --calibrate; head -n 1 stderr)" "1
sva-bench: nothing to calibrate: no path to a device can be used here" \
	"--calibrate without a device ends with 1 and says so"
ok "that message is followed by the reason of each path" \
	grep -q '^sva-bench: write: .\{20\}' stderr
is "$(short --paths soft --calibrate=new.conf; cat stderr)" "1
sva-bench: nothing to calibrate: none of these paths leads to a device" \
	"the path soft is not calibrated"
not_ok "without a result no fragment is left" test -e new.conf
is "$(SVA_EMU=1 short --calibrate=new.conf; cat stderr)" "1
sva-bench: an emulated device is not calibrated: its times are no device times" \
	"an emulated device is not calibrated"
is "$(short --paths soft --ops copy,crc --allow-emulated --calibrate=new.conf)" 0 \
	"--calibrate --allow-emulated calibrates the path soft"
size='([0-9.]+ (B|KiB|MiB)|never)'
is "$(grep -E -c "^soft +(copy|crc)( +$size){4}$" stdout)" 2 \
	"the table has a size, or 'never', for both modes and both states of the buffers"
ok "the fragment says that it is for tests only" grep -q '^# emulated: .* for tests only' new.conf
is "$(grep -c '^# *soft ' new.conf)" 2 "the fragment has the table in its comments"
is "$(grep -v '^#' new.conf | grep -E -c '^threshold = [0-9]+k?$')" 1 \
	"the fragment sets the threshold and nothing else"

is "$(SVA_EMU=1 short --paths soft --sizes 4K --json out.json)" 0 \
	"sva-bench with SVA_EMU=1 ends with 0"
is "$(grep -c 'emulated: not a device time' stdout)" 7 \
	"with SVA_EMU=1 the header and each row say that it is emulated"
is "$(grep -c 'emulated: not a device time' out.json)" 7 \
	"with SVA_EMU=1 the JSON and each of its rows have the note"
ok "with SVA_EMU=1 the field emulated of the JSON is true" grep -q '"emulated": *true' out.json

is "$(status "$bench" --list)" 0 "sva-bench --list ends with 0"
is "$(grep -c '^soft ' stdout)" 30 "--list prints each row of soft that would be measured"
ok "--list gives the reason why dma cannot run" grep -q '^dma .*cannot run here' stdout
is "$(SVA_PATHS=soft status "$bench" --list)" 0 "sva-bench --list with SVA_PATHS=soft ends with 0"
ok "--list with SVA_PATHS=soft gives the reason why cpu cannot run" \
	grep -q '^cpu .*cannot run here: ' stdout
for wrong in "--sizes 0" "--sizes 4X" "--sizes 5G" "--sizes 4K," "--ops xor" "--modes slow" \
	"--batch 0" "--calibrate --instructions" "--paths soft,warp" \
	"--paths soft," "--seconds none" "--threads 0" -x extra; do
	# shellcheck disable=SC2086 # an option and its argument
	is "$(status "$bench" $wrong)" 2 "sva-bench $wrong is wrong usage"
done
# unknown ARGUMENTS MESSAGE: wrong usage, and the message lists the known words.
unknown() {
	# shellcheck disable=SC2086
	is "$(status "$bench" $1; head -n 1 stderr)" "2
sva-bench: $2" "sva-bench $1 is refused, with the list of known words"
}
ops="copy fill fill16 compare compare-pattern crc copy-crc dualcast create-delta apply-delta"
ops+=" dif-check dif-insert dif-strip dif-update dix-generate cache-flush noop"
unknown "--ops xor" "unknown operation 'xor' (known: $ops)"
unknown "--buffers hot" "unknown state of the buffers 'hot' (known: turn warm cold)"
unknown "--modes sync,slow" "unknown mode 'slow' (known: sync async many batch)"
unknown "--paths warp,soft" "unknown path 'warp' (known: enqcmd movdir64b write dma soft cpu)"

# refused_file ARGUMENTS…: the run ends with 1 before anything is measured or printed.
refused_file() {
	is "$(short --paths soft "$@"; wc -c <stdout)" "1
0" "sva-bench $* is refused before the run"
}
refused_file --json none/out.json
is "$(cat stderr)" "sva-bench: cannot write none/out.json: No such file or directory" \
	"the message about --json none/out.json names the file and the error"
refused_file --json .
refused_file --csv none/out.csv
refused_file --paths cpu --calibrate=none/out.conf
echo before >kept.json
if command -v gnuplot >/dev/null; then
	refused_file --json kept.json --plot none/out.svg
	is "$(cat stderr)" "sva-bench: cannot write none/out.svg: No such file or directory" \
		"the message about --plot none/out.svg names the file and the error"
	refused_file --json new.json --plot none/out.svg
	not_ok "a file created for --json is removed if the run is refused" test -e new.json
	refused_file --json kept.json --plot ./kept.json
	ok "the message says that --json and --plot name the same file" \
		grep -q 'name the same file' stderr
else
	skip "a plot that cannot be written is refused before the run" "gnuplot is not installed"
fi
is "$(cat kept.json)" before "a refused run does not change the file of an earlier one"
is "$(short --list --json none/out.json)" 0 "--list with a file that cannot be written ends with 0"
# quickstart bench --vm refuses them, too, before it builds and boots a virtual machine.
vm_bench=$top_srcdir/tests/vm/idxd/bench
is "$(status "$vm_bench" --json new.json --plot none/out.svg)" 1 \
	"bench --vm refuses a file that cannot be written"
ok "the message of bench --vm names the file" grep -q 'none/out.svg: No such file' stderr
not_ok "bench --vm removes the empty file that it created" test -e new.json
is "$(status "$vm_bench" --sizes 4K,huge)" 2 "bench --vm refuses the size 'huge'"

is "$(short --paths dma)" 1 "a run whose only path cannot run ends with 1"
ok "the table of that run gives the reason" grep -Eq '^dma +cannot run here: ' stdout
is "$(cat stderr)" "sva-bench: nothing was measured: none of these paths can do it here" \
	"the message of that run says that nothing was measured"
is "$(short --paths dma --json out.json)" 1 \
	"a run with --json whose only path cannot run ends with 1"
ok "the JSON of that run has the state unavailable" grep -q '"state": *"unavailable"' out.json

if command -v gnuplot >/dev/null; then
	is "$(short --paths soft,cpu --plot out.svg)" 0 "sva-bench --plot ends with 0"
	is "$(grep -c -e '<svg' -e '>soft<' -e '>cpu<' out.svg)" 9 \
		"the plot is an SVG with a line for each path in four panels"
	is "$(wc -c <stderr)" 0 "gnuplot prints no warning about four panels"
	is "$(short --paths cpu --ops copy --modes sync --sizes 4K --plot one.svg)" 0 \
		"sva-bench --plot of one size ends with 0"
	is "$(wc -c <stderr)" 0 "gnuplot prints no warning about a single size"
	# Two lines in each of two panels, each with one point in the legend and one of its own.
	is "$(grep -o -E "<use xlink:href='#gpPt[0-9]+' transform" one.svg | wc -l)" 8 \
		"the plot of one size has the point of both lines"
	is "$(short --paths dma --plot none.svg)" 1 \
		"sva-bench --plot ends with 1 if nothing could be measured"
	ok "a message says that nothing was measured for the plot" \
		grep -q 'nothing was measured' stderr
	not_ok "without a result no file is left for the plot" test -e none.svg
	# gnuplot never sees the name of the file, which is its standard output.
	is "$(short --paths cpu --ops copy --sizes 4K --plot "it's {a} \"plot\".svg")" 0 \
		"a file name of --plot may have quotes, braces and spaces"
	ok "the file of that name has an SVG in it" grep -q '</svg>' "it's {a} \"plot\".svg"
else
	skip "sva-bench --plot ends with 0" "gnuplot is not installed"
fi
is "$(PATH=/nowhere short --plot out2.svg)" 1 "sva-bench --plot without gnuplot is refused"
ok "the message about gnuplot names the package to install" grep -q 'gnuplot-nox' stderr

# ------------------------------------------------------------------ icount

icount=$top_builddir/bench/icount/icount
if [ ! -x "$icount" ]; then
	skip "icount counts instructions" "it knows the instructions of x86-64 only"
elif [ "$SANITIZERS" != no ]; then
	skip "icount counts instructions" "counts of a build with sanitizers mean nothing"
else
	echo 'sync-movdir64b limit 1 0 0' >budgets
	rc=$(status "$icount" --budgets budgets sync-movdir64b)
	if [ "$rc" = 77 ]; then
		skip "icount counts instructions" "ptrace is not permitted here"
	else
		is "$rc" 1 "control: icount fails with a limit of 1 instruction"
		ok "control: the row of icount shows that the limit failed" \
			grep -Eq '^sync-movdir64b( +[0-9]+){5} +1  limit 1/0/0: FAILED' stdout
		read -r _ before after total locked syscalls _ < <(grep '^sync-movdir64b' stdout)
		is "$((before + after))" "$total" "icount: the sum of before and after is the total"
		is "$locked $syscalls" "0 0" \
			"icount: a copy on a mapped portal has no locked instruction or system call"
	fi
	echo 'sync-movdir64b limit many 0 0' >budgets
	is "$(status "$icount" --budgets budgets)" 2 "icount refuses a budget that is not a number"
	ok "icount names file and line of a bad budget" grep -q 'budgets:1:' stderr
	echo 'sync-teleport limit 1 0 0' >budgets
	is "$(status "$icount" --budgets budgets; cat stderr)" "2
icount: budgets:1: unknown case 'sync-teleport'; icount --help lists the cases" \
		"icount refuses a budget of an unknown case, with file and line"
	is "$(status "$icount" sync-teleport)" 2 \
		"icount refuses an unknown case on the command line"
	ok "icount lists the cases after an unknown one" grep -q '^  sync-movdir64b ' stderr
fi

# Counts of instructions, where perf can count them.
count_copies=(--instructions --paths "cpu,soft,enqcmd" --sizes 4K,64K --json counts.json)
if [ "$(status "$bench" "${count_copies[@]}")" = 0 ]; then
	counts='^(cpu|soft) +- +(4|64) KiB +[1-9][0-9]* +[0-9]+ +[1-9][0-9]*$'
	is "$(grep -E -c "$counts" stdout)" 4 "--instructions prints a row for each path and size"
	ok "--instructions gives the reason why enqcmd cannot run" \
		grep -Eq '^enqcmd +cannot run here: .{20}' stdout
	is "$(grep -c '"user_instructions":' counts.json)" 4 \
		"--instructions adds its fields to the JSON"
	is "$(status "$bench" --instructions --paths soft --sizes 4K --flip)" 1 \
		"control: --instructions --flip fails"
else
	ok "--instructions without counters says that it cannot count" \
		grep -q 'instructions cannot be counted here: .' stderr
	skip "--instructions counts copies on cpu and soft" "$(head -n 1 stderr)"
fi
done_testing
