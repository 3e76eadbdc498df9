#!/bin/sh
# SPDX-License-Identifier: MIT
# check-fuzz.sh ENGINE SECONDS: build the fuzz target with libFuzzer or AFL++ and run it that long,
# starting from the corpus. New inputs and crashes stay in the build folder. Exits 77 with a reason
# where the engine is not there.
set -eu
engine=$1 seconds=$2
: "${top_srcdir:=../..}"
work=$PWD/tests/fuzz/$engine
corpus=$top_srcdir/tests/fuzz/corpus
sources="$top_srcdir/tests/fuzz/fuzz-model.c $top_srcdir/tests/model/scenario.c
	$top_srcdir/tests/model/trial.c $top_srcdir/tests/model/reference.c
	$top_srcdir/tests/model/ref-rules.c $top_srcdir/tests/model/ref-ops.c
	$top_srcdir/tests/model/space.c $(find "$top_srcdir/src/model" -name '*.c')"
flags="-O1 -g -D_GNU_SOURCE -I$top_srcdir/include -I$top_srcdir/src -I$top_srcdir"
mkdir -p "$work/found"

skip()
{
	echo "SKIP: $engine: $1"
	exit 77
}

fail()
{
	echo "FAIL: $engine: $1"
	exit 1
}

# build COMPILER FLAGS…: a compiler that builds no target at all is a skip; one that builds another
# target, but not ours, is a failure. Tables instead of ISA-L, so that sanitizer and instrumentation
# see each access.
build()
{
	cat >"$work/probe.c" <<-'END'
		#include <stddef.h>
		int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
		int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
		{
			return size > 1 && *data == 1;
		}
	END
	"$@" "$work/probe.c" -o "$work/probe" 2>"$work/build.log" ||
		skip "$1 builds no targets: $(tail -n 1 "$work/build.log")"
	# shellcheck disable=SC2086
	"$@" $flags $sources -o "$work/fuzz-model" 2>"$work/build.log" || {
		tail -n 40 "$work/build.log"
		fail "the target does not build"
	}
}

case $engine in
libfuzzer)
	cc=${FUZZ_CC:-clang}
	command -v "$cc" >/dev/null || skip "no $cc"
	build "$cc" -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
	# The limit is wall time, which a busy machine may use otherwise: an input takes
	# milliseconds, two minutes are enough.
	"$work/fuzz-model" -max_total_time="$seconds" -max_len=1024 -timeout=120 \
		-print_final_stats=1 -artifact_prefix="$work/" -verbosity=1 \
		"$work/found" "$corpus" >"$work/run.log" 2>&1 || {
		grep -v '^#[0-9]' "$work/run.log" | tail -n 40
		fail "see $work"
	}
	grep -E '^stat::|DONE' "$work/run.log"
	;;
afl)
	cc=${AFL_CC_NAME:-afl-clang-fast}
	command -v "$cc" >/dev/null && command -v afl-fuzz >/dev/null ||
		skip "no $cc or no afl-fuzz"
	export AFL_QUIET=1
	build "$cc" -fsanitize=fuzzer
	rm -rf "$work/found"
	# afl-fuzz does not start with an input that crashes, which would look like a skip.
	"$work/fuzz-model" "$corpus"/* >"$work/replay.log" 2>&1 || {
		tail -n 20 "$work/replay.log"
		fail "an input of the corpus"
	}
	AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 \
		afl-fuzz -V "$seconds" -t 60000 -i "$corpus" -o "$work/found" -- \
		"$work/fuzz-model" >"$work/run.log" 2>&1 || {
		tail -n 20 "$work/run.log"
		skip "afl-fuzz does not run here"
	}
	stats=$work/found/default/fuzzer_stats
	grep -E '^(execs_done|execs_per_sec|corpus_count|saved_crashes|saved_hangs|bitmap_cvg)' \
		"$stats"
	if [ -n "$(find "$work/found/default/crashes" "$work/found/default/hangs" \
		-name 'id:*' 2>/dev/null)" ]; then
		fail "see $work/found/default/crashes and hangs"
	fi
	;;
*)
	echo "usage: check-fuzz.sh libfuzzer|afl SECONDS" >&2
	exit 2
	;;
esac
echo "PASS: $engine, $seconds seconds"
