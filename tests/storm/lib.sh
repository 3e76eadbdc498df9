# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the tests that run the storm. To be sourced. OPERATIONS is how many all rows of both
# tests do together, SEED that of every row; make check-storm OPERATIONS=10000000 SEED=7 sets them.
# shellcheck source=tests/tap.sh
. "$top_srcdir/tests/tap.sh"

# shellcheck disable=SC2034
storm=$top_builddir/tests/storm/storm
emu=$top_builddir/src/emu/sva-emu
work=$(mktemp -d "${TMPDIR:-/tmp}/storm-XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
export SVA_EMU_QUIET=1 SVA_LOG=error
: "${OPERATIONS:=60000}" "${SEED:=1}"
case $SANITIZERS in
*address*)
	export ASAN_OPTIONS=verify_asan_link_order=0:$ASAN_OPTIONS
	OPERATIONS=$((OPERATIONS / 3))
	;;
*thread*) OPERATIONS=$((OPERATIONS / 6)) ;;
esac

# row SHARE "NAME" "WORD…" COMMAND…: one run of the storm, SHARE thousandths of all operations.
# Every WORD must have a number other than 0 in what it reports: a path, a kind, faults, retries.
row() {
	local share=$1 name=$2 words=$3 n
	shift 3
	n=$((OPERATIONS * share / 1000))
	[ $n -ge 500 ] || n=500
	ok "$name, $n operations" storm_passes "$words" "$@" --operations $n --seed "$SEED"
}

storm_passes() {
	local words=$1 word status=0
	shift
	printf '%q ' "$@"
	echo
	"$@" >"$work/out" 2>&1 || status=$?
	cat "$work/out"
	if [ $status != 0 ]; then
		echo "ended with $status"
		return 1
	fi
	for word in $words; do
		grep -q -E "(^| )$word=[1-9]" "$work/out" && continue
		echo "$word=0: the run did not do what it is there for"
		return 1
	done
}

# exits SEED COMMAND…: the process ends while its threads work, which must not fail. What they
# have allocated is no leak.
exits() {
	local seed=$1
	shift
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 storm_passes "" "$@" --exit-early \
		--operations $((80 * seed)) --seed "$seed"
}

# spoiled "NAME" "MESSAGE" COMMAND…: the storm must end with 1 and that message.
spoiled() {
	local name=$1 message=$2
	shift 2
	ok "$name" storm_fails "$message" "$@"
}

storm_fails() {
	local message=$1 status=0
	shift
	"$@" >"$work/out" 2>&1 || status=$?
	cat "$work/out"
	echo "ended with $status"
	[ $status = 1 ] && grep -q "FAILED.*$message" "$work/out"
}
