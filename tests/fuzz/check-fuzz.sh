#!/bin/sh
# SPDX-License-Identifier: MIT
# check-fuzz.sh ENGINE SECONDS: build the fuzz target with libFuzzer or AFL++ and run it that long, starting from the
# corpus. New inputs and crashes stay in the build folder. Exits 77 with a reason where the engine is not there.
set -eu
engine=$1 seconds=$2
: "${top_srcdir:=../..}"
work=$PWD/tests/fuzz/$engine
sources="$top_srcdir/tests/fuzz/fuzz-model.c $top_srcdir/tests/model/scenario.c $top_srcdir/tests/model/trial.c
	$top_srcdir/tests/model/reference.c $top_srcdir/tests/model/ref-rules.c $top_srcdir/tests/model/ref-ops.c
	$top_srcdir/tests/model/space.c $(find "$top_srcdir/src/model" -name '*.c')"
flags="-O1 -g -D_GNU_SOURCE -I$top_srcdir/include -I$top_srcdir/src -I$top_srcdir"
mkdir -p "$work/found"

skip()
{
	echo "SKIP: $engine: $1"
	exit 77
}

case $engine in
libfuzzer)
	cc=${FUZZ_CC:-clang}
	command -v "$cc" >/dev/null || skip "no $cc"
	# Tables instead of ISA-L, so that the sanitizer sees each access.
	# shellcheck disable=SC2086
	"$cc" $flags -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined $sources \
		-o "$work/fuzz-model" 2>"$work/build.log" || skip "$cc can not build it: $(tail -n 1 "$work/build.log")"
	"$work/fuzz-model" -max_total_time="$seconds" -max_len=1024 -timeout=20 -print_final_stats=1 \
		-artifact_prefix="$work/" -verbosity=1 "$work/found" "$top_srcdir/tests/fuzz/corpus" \
		>"$work/run.log" 2>&1 || {
		grep -v '^#[0-9]' "$work/run.log" | tail -n 40
		echo "FAIL: libfuzzer: see $work"
		exit 1
	}
	grep -E '^stat::|DONE' "$work/run.log"
	;;
afl)
	cc=${AFL_CC_NAME:-afl-clang-fast}
	command -v "$cc" >/dev/null && command -v afl-fuzz >/dev/null || skip "no $cc or no afl-fuzz"
	# shellcheck disable=SC2086
	AFL_QUIET=1 "$cc" $flags $sources "$top_srcdir/tests/fuzz/fuzz-main.c" -o "$work/fuzz-model" \
		2>"$work/build.log" || skip "$cc can not build it: $(tail -n 1 "$work/build.log")"
	rm -rf "$work/found"
	AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 \
		afl-fuzz -V "$seconds" -i "$top_srcdir/tests/fuzz/corpus" -o "$work/found" -- "$work/fuzz-model" \
		>"$work/run.log" 2>&1 || {
		tail -n 20 "$work/run.log"
		skip "afl-fuzz does not run here"
	}
	stats=$work/found/default/fuzzer_stats
	grep -E '^(execs_done|execs_per_sec|corpus_count|saved_crashes|saved_hangs|bitmap_cvg)' "$stats"
	if [ -n "$(find "$work/found/default/crashes" -name 'id:*' 2>/dev/null)" ]; then
		echo "FAIL: afl: see $work/found/default/crashes"
		exit 1
	fi
	;;
*)
	echo "usage: check-fuzz.sh libfuzzer|afl SECONDS" >&2
	exit 2
	;;
esac
echo "PASS: $engine, $seconds seconds"
