#!/bin/bash
# SPDX-License-Identifier: MIT
# Each option of sva-emu run: what it changes in the device that is shown, and which arguments it
# refuses, by name.
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/emu/lib.sh"

# refused PATTERN OPTION…: exits with 2, starts nothing, and prints what was wrong.
refused() {
	local pattern=$1
	shift
	ok "sva-emu run ${*:-without an option} exits with 2" \
		ends_with 2 "$emu" run "$@" -- sh -c 'echo started'
	ok "sva-emu run ${*:-without an option} prints \"$pattern\"" said "$pattern"
	not_ok "sva-emu run ${*:-without an option} does not start the program" \
		grep -q '^started' "$work/out"
}

# refused_key PATTERN KEY…: each key of a queue is refused, and the message names its range.
refused_key() {
	local pattern=$1 key
	shift
	for key in "$@"; do
		refused "wq0.0: $pattern" --queues "wq0.0:shared,$key"
	done
}
refused_key "'size=.*': size is a number from 1 to 128" size=0 size=129 size=x size=
refused_key "'threshold=.*': threshold is a number from 1 to 128" threshold=0 threshold=129
refused_key "'xfer=.*': xfer is a power of two from 1 to 2147483648" xfer=0 xfer=3000 xfer=4G
refused_key "'batch=.*': batch is a power of two from 1 to 1024" batch=0 batch=3 batch=2048
refused_key "'group=4': group is a number from 0 to 3" group=4
refused_key "'priority=.*': priority is a number from 1 to 15" priority=0 priority=16
refused_key "'bof=2': bof is a number from 0 to 1" bof=2
refused_key "'retries=.*': retries is a number from 0 to 64" retries=65 retries=-1
refused_key "'name=.*': a name has 1 to 63 characters" name= "name=$(printf '%064d' 0)"
keys='shared dedicated size= threshold= batch= xfer= group= priority= bof= retries= name='
refused_key "unknown 'bogus=*' (known: $keys)" bogus bogus=1
for key in $keys; do
	ok "--help lists $key as a key of --queues" \
		grep -qw -e "${key%=}" <("$emu" run --help | sed -n '/--queues/,/default/p')
done
refused "the threshold 9 is larger than the size 8" --queues wq0.0:shared,size=8,threshold=9
refused "'wq8.0' is not a queue" --queues wq8.0
refused "'wq0.8' is not a queue" --queues wq0.8
refused "'wq0' is not a queue" --queues wq0
refused "wq0.1 is described twice" --queues 'wq0.1:shared;wq0.1:dedicated'
refused "sizes add up to 200" --queues 'wq0.0:size=100;wq0.1:size=100'
refused "describes no queue" --queues ''
for n in 0 9 x '' 1x -1; do
	refused "--devices takes a number from 1 to 8, not '$n'" --devices "$n"
done
refused "--profile takes dsa1, dsa2 or dsa3, not 'dsa4'" --profile dsa4
for option in retry fault error delay; do
	for n in 0 x '' -3 5000000000 '3 '; do
		refused "--$option takes a number from 1 on, not '$n'" --$option "$n"
	done
done
for n in 0 17 x ''; do
	refused "--async takes a number of threads from 1 to 16, not '$n'" "--async=$n"
done
refused "--sabotage takes flip, lose or length, not 'bogus'" --sabotage bogus
refused "--sabotage takes flip, lose or length, not 'fli'" --sabotage fli
refused "takes a number from 1 on, not '0'" --sabotage flip:0
refused "--trace-format takes text or json, not 'xml'" --trace-format xml
refused "--trace-format needs --trace" --trace-format json
refused "it cannot be combined with --async or --delay" --ptrace --async
refused "it cannot be combined with --async or --delay" --ptrace --delay 10
refused "it cannot be combined with --ptrace" --ptrace --fast
refused "--config cannot be combined with --queues or --devices" --config /dev/null --queues wq0.0
refused "--config cannot be combined with --queues or --devices" --config /dev/null --devices 2
refused "unrecognized option '--bogus'" --bogus
refused "doesn't allow an argument" --check=1
for option in --trace --stats; do
	ok "$option to a file that cannot be made exits with 125" ends_with 125 \
		"$emu" run $option="$work/none/file" -- sh -c 'echo started'
	ok "$option to a file that cannot be made: the error names the file" \
		said "^sva-emu: $work/none/file: No such file"
	not_ok "$option to a file that cannot be made does not start the program" \
		grep -q '^started' "$work/out"
done
ok "sva-emu run without a program exits with 2" ends_with 2 "$emu" run --check
ok "sva-emu run without a program prints that none is given" said "no program is given"
ok "--retry without its argument exits with 2" ends_with 2 "$emu" run --retry
ok "--retry without its argument prints that it requires one" said "requires an argument"
ok "sva-emu without a command exits with 2" ends_with 2 "$emu"
ok "sva-emu with an unknown command exits with 2" ends_with 2 "$emu" bogus
ok "sva-emu doctor with an argument exits with 2" ends_with 2 "$emu" doctor --verbose
ok "sva-emu --help exits with 0" ends_with 0 "$emu" --help
ok "sva-emu --version exits with 0" ends_with 0 "$emu" --version

# --- the configuration file ---

cat >"$work/good.conf" <<'END'
[
  {
    "dev":"dsa0",
    "groups":[
      {
        "dev":"group0.0",
        "grouped_workqueues":[
          {
            "dev":"wq0.0", "mode":"shared", "size":24, "group_id":0, "priority":7,
            "block_on_fault":1, "max_batch_size":16, "max_transfer_size":65536,
            "type":"user", "driver_name":"user", "name":"from_a_file", "threshold":20
          }
        ],
        "grouped_engines":[ { "dev":"engine0.0", "group_id":0 } ]
      },
      {
        "dev":"group0.1",
        "grouped_workqueues":[
          { "dev":"wq0.1", "mode":"dedicated", "size":8, "group_id":1, "priority":1,
            "type":"user", "driver_name":"user", "name":"mine" }
        ],
        "grouped_engines":[ { "dev":"engine0.1", "group_id":1 } ]
      }
    ]
  }
]
END
shown() {
	"$emu" run "$@" -- sh -c 'cd /sys/bus/dsa/devices && for a in size threshold priority \
		max_batch_size max_transfer_size name block_on_fault mode group_id state; do
			echo "$a=$(cat wq0.0/$a)"
		done; ls /dev/dsa' | xargs
}
is "$(shown --config "$work/good.conf")" "size=24 threshold=20 priority=7 max_batch_size=16 \
max_transfer_size=65536 name=from_a_file block_on_fault=1 mode=shared group_id=0 state=enabled \
wq0.0 wq0.1" "--config: sysfs shows the queues of the file"
ok "--config: a queue of the file executes descriptors" ends_with 0 \
	"$emu" run --config "$work/good.conf" -- "$bin/storm" /dev/dsa/wq0.1 portal 2 20 8
if command -v accel-config >/dev/null; then
	ok "--config: accel-config save-config saves the device" ends_with 0 \
		"$emu" run --config "$work/good.conf" -- accel-config save-config -s "$work/saved"
	ok "--config: a file that save-config wrote is accepted" ends_with 0 \
		"$emu" run --config "$work/saved" -- accel-config save-config -s "$work/again"
	ok "--config: a file that save-config wrote gives the same device" \
		diff "$work/saved" "$work/again"
else
	skip "--config: a file that save-config wrote is accepted" "accel-config is not installed"
fi

# broken SED PATTERN: a file with a mistake is refused; the message names file, object and reason.
broken() {
	sed "$1" "$work/good.conf" >"$work/bad.conf"
	refused "$work/bad.conf: $2" --config "$work/bad.conf"
}
broken 's/"priority":7/"priority":99/' 'wq0.0: priority: Invalid argument'
broken 's/"size":24/"size":200/' 'wq0.0: size: '
broken 's/"threshold":20/"thresholds":20/' 'wq0.0: thresholds: unknown'
broken 's/"dev":"wq0.1"/"dev":"wq1.3"/' 'wq1.3: no such object'
broken 's/"dev":"wq0.1"/"dev":"wq0.9"/' 'wq0.9: no such object'
broken 's/"dev":"dsa0"/"dev":"dsa9"/' 'dsa9: only dsa0 to dsa7'
broken 's/"dev":"dsa0"/"dev":"iax1"/' 'iax1: only dsa0 to dsa7'
broken '$d' ''
broken '1s/\[//;$d' ''
refused "none.conf" --config "$work/none.conf"

# --- the other options ---

queue=wq0.0:shared,size=8,threshold=3,xfer=64K,batch=4,name=mine,group=1,priority=3,bof=0
is "$(shown --queues $queue)" "size=8 threshold=3 priority=3 max_batch_size=4 \
max_transfer_size=65536 name=mine block_on_fault=0 mode=shared group_id=1 state=enabled wq0.0" \
	"--queues: sysfs shows the value of each key"
is "$(shown --queues none)" "size=0 threshold=0 priority=0 max_batch_size=32 \
max_transfer_size=2097152 name= block_on_fault=0 mode=shared group_id=-1 state=disabled" \
	"--queues none: the queue is as after the driver was loaded"
listed=$("$emu" run --devices 3 -- sh -c 'ls /dev/dsa /sys/bus/dsa/devices')
is "$(grep -e ^dsa -e '^wq..[01]$' <<<"$listed" | xargs)" \
	"wq0.0 wq0.1 wq1.0 wq1.1 wq2.0 wq2.1 dsa0 dsa1 dsa2 wq0.0 wq0.1 wq1.0 wq1.1 wq2.0 wq2.1" \
	"--devices 3: three devices with two queues each"
ok "--devices 8: a queue of the last one executes descriptors" ends_with 0 \
	"$emu" run --devices 8 -- "$bin/storm" /dev/dsa/wq7.1 portal 2 20 16
ok "--queues wq2.0: the devices before that of the queue exist" ends_with 0 \
	"$emu" run --queues wq2.0 -- test -e /sys/bus/dsa/devices/dsa1
previous=
for profile in dsa1 dsa2 dsa3; do
	version=$("$emu" run --profile $profile -- \
		sh -c 'cd /sys/bus/dsa/devices/dsa0 && cat version gen_cap op_cap' | xargs)
	not_ok "--profile $profile shows other capabilities than the profile before" \
		test "$version" = "$previous"
	previous=$version
done

# entries OPTION…: how many descriptors a program gets into a queue that executes none.
entries() {
	"$emu" run --redirect --delay 10000000 "$@" -- bash -c "
		coproc '$bin/hold'; read -r n <&\${COPROC[0]}; echo \$n; kill -9 \$COPROC_PID"
}
is "$(entries --queues wq0.0:shared,size=8,threshold=3)" 3 \
	"threshold=3: a shared queue accepts 3 descriptors at a time"
is "$(entries --queues wq0.0:shared,size=8)" 8 \
	"size=8: a shared queue accepts 8 descriptors at a time"
is "$(entries --queues wq0.0:shared,size=8 --retry 6)" 5 \
	"--retry 6: the sixth ENQCMD is answered with retry"

counted() {
	"$emu" run --stats="$work/stats" "$@" >"$work/out" 2>&1 || cat "$work/out"
}
cat >"$work/one.c" <<'END'
#include <stdio.h>
#include "client.h"
int main(void)
{
	static struct sva_desc desc;
	static struct sva_comp comp;
	int fd = open("/dev/dsa/wq0.0", O_RDWR);

	ssize_t n;

	prep(&desc, &comp, SVA_OPCODE_NOOP, NULL, NULL, 0);
	n = write(fd, &desc, 64);
	printf("%zd %s\n", n, n < 0 && errno == EAGAIN ? "EAGAIN" : "");
	return 0;
}
END
# build NAME: $work/NAME from $work/NAME.c.
build() {
	${CC:-cc} -D_GNU_SOURCE -I"$top_srcdir/include" -I"$top_srcdir/tests/emu" "$work/$1.c" \
		-o "$work/$1" \
		2>"$work/out"
}
# kinds_of_lines FILE: the first words of its lines, sorted; of lines of the trace, "line".
kinds_of_lines() {
	sed 's/ .*//; s/^[0-9]*\/[0-9]*$/line/' "$1" | sort | xargs
}
if build one; then
	counted --queues wq0.0:shared,retries=4 --retry 1 -- "$work/one"
	is "$(cat "$work/out")" "-1 EAGAIN" \
		"retries=4: write(2) returns EAGAIN if ENQCMD is always answered with retry"
	is "$(counter retried "$work/stats")" 5 "retries=4: write(2) tries five times"
	is "$("$emu" run --stats -- "$work/one" 2>&1 >/dev/null)" \
		"sva-emu: write=1 executed=1 processes=1" \
		"--stats prints the counters on standard error"
	"$emu" run --trace "$work/lines" --trace-format json -- "$work/one" >/dev/null
	is "$(cut -c 1-7 "$work/lines")" '{"pid":' \
		"--trace-format json writes JSON to a file whose name does not end in .json"
	"$emu" run --trace "$work/lines.json" --trace-format text -- "$work/one" >/dev/null
	ok "--trace-format text writes text to a file whose name ends in .json" \
		grep -q '^[0-9]*/[0-9]* wq0.0 write at 0x[0-9a-f]*: noop ' "$work/lines.json"
	for where in /dev/stderr /dev/stdout; do
		"$emu" run --trace $where -- "$work/one" 2>&1 | cat >"$work/both"
		is "$(kinds_of_lines "$work/both")" "64 line" \
			"--trace $where, a pipe: one line of the trace"
		echo before >"$work/both"
		"$emu" run --trace $where -- "$work/one" >>"$work/both" 2>&1
		is "$(kinds_of_lines "$work/both")" "64 before line" \
			"--trace $where, a file that is not empty: its content stays"
		(echo before && "$emu" run --trace $where -- \
			"$work/one" && echo behind) >"$work/both" 2>&1
		is "$(kinds_of_lines "$work/both")" "64 before behind line" \
			"--trace $where, a file with other output: nothing is overwritten"
	done
	if command -v python3 >/dev/null; then
		"$emu" run --trace "$work/lines.json" --queues 'wq0.0:shared,size=2' --retry 3 \
			--error 4 -- \
			"$bin/storm" /dev/dsa/wq0.0 portal 2 10 2 >/dev/null
		ok "--trace to a file .json: each line is JSON with a known fate" \
			python3 -c 'import json, sys
fates = [json.loads(line)["fate"] for line in open(sys.argv[1])]
assert set(fates) == {"executed", "retry"}, fates' "$work/lines.json"
	fi
	is "$(SVA_EMU_QUIET='' "$emu" run -q -- "$work/one" 2>&1)" "64 " \
		"-q: sva-emu prints nothing"
	is "$(SVA_EMU_QUIET='' "$emu" run -- "$work/one" 2>&1 >/dev/null)" \
		"sva-emu: the DSA is emulated; times are not DSA times" \
		"without -q: sva-emu prints one line, that the DSA is emulated"
	# Descriptors that were refused or failed count no bytes.
	sed 's/SVA_OPCODE_NOOP, NULL, NULL, 0/SVA_OPCODE_MEMMOVE, from, to, sizeof(from)/
		s/^int main/static char from[100], to[100];\n&/' "$work/one.c" >"$work/move.c"
	sed 's/sizeof(from))/64u << 20)/' "$work/move.c" >"$work/large.c"
	for name in move large; do
		build $name
	done
	counted -- "$work/move"
	is "$(counter bytes "$work/stats")" 100 "--stats: a copy of 100 bytes counts 100 bytes"
	counted -- "$work/large"
	is "$(counter executed "$work/stats") $(counter errors "$work/stats") \
$(counter bytes "$work/stats")" "1 1 0" \
		"--stats: a copy that is larger than the queue allows counts no bytes"
	counted --error 1 -- "$work/move"
	is "$(counter errors "$work/stats") $(counter bytes "$work/stats")" "1 0" \
		"--stats: a descriptor that ends with a hardware error counts no bytes"
	counted --fault 1 -- "$work/move"
	is "$(counter faults "$work/stats") $(counter bytes "$work/stats")" "1 0" \
		"--stats: a copy that faults at its first byte counts no bytes"
	sed 's/SVA_OPCODE_NOOP/(enum sva_opcode)0x7f/
		s/n = write/for (int i = 0; i < 5; i++)\n\t\tn = write/
		s/ssize_t n;/ssize_t n = 0;/' "$work/one.c" >"$work/wrong.c"
	build wrong
	counted --check -- "$work/wrong"
	is "$(grep -c 'operation not supported here (0x10): 0x7f' "$work/out")" 1 \
		"--check: a finding is printed once for one instruction"
	is "$(counter unlawful "$work/stats")" 5 "--check: a finding is counted each time"
else
	skip "--stats, --trace and --check with one descriptor by write(2)" \
		"it does not compile here: $(head -n 1 "$work/out")"
fi
done_testing
