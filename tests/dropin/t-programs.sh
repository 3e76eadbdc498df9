#!/bin/bash
# SPDX-License-Identifier: MIT
# The drop-in in programs of others: their output is what it is without, with no device, with the
# DSA in software and on the emulated device; and without a device they run at most 1 % more
# instructions, in a few more pages.
# shellcheck source=tests/dropin/lib.sh
. "${top_srcdir:?}/tests/dropin/lib.sh"
cd "$work" || exit 1

seq 1 60000 | awk '{ printf "%d %08x %s\n", $1 * 7919 % 60013, $1 * 2654435761 % 4294967296,
	"the quick brown fox" }' >lines
cat lines lines lines >text
mkdir tree && split -b 300k text tree/part-

python='import hashlib, json, re
text = open("text", "rb").read()
b = bytearray(text)
b[1000:900000] = text[5:899005]
b *= 3
m = memoryview(b)
words = {w: i for i, w in enumerate(re.findall(rb"[0-9a-f]{8}", text[:400000]))}
s = json.dumps({k.decode(): v for k, v in words.items()})
print(hashlib.sha256(m).hexdigest(), len(json.loads(s)), bytes(m[7:]) == bytes(b)[7:],
      b == bytearray(m), b"".join([text] * 3)[-20:], ("x" * 100000 + "y").upper()[-3:])'
sql="create table t(a integer primary key, b blob);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 40)
insert into t select x, zeroblob(100000 + x) from c;
update t set b = cast(b || hex(a) as blob) where a % 2;
select count(*), sum(length(b)), hex(substr(b, -4)) from t where b = (select b from t where a = 7);
select sum(length(b)) from t; vacuum; pragma integrity_check;"
cat >program.c <<-'END'
	#include <stdio.h>
	#include <string.h>
	static char a[100000], b[100000];
	int main(void) { memset(a, 'x', sizeof(a)); memcpy(b, a, sizeof(b)); return puts("x") < 0; }
END

# Each prints what is compared. The name of each is that of the program that it needs.
run_python3() { /usr/bin/python3 -c "$python"; }
run_sort() { sort -S 20M --parallel=2 -k 2 text | cksum; }
run_tar() { tar -b 512 --sort=name --mtime=@0 -cf - tree | tar -b 512 -xOf - | cksum; }
run_sqlite3() { sqlite3 :memory: "$sql"; }
run_gcc() { gcc -O1 -g0 -pipe -S -o - program.c | cksum; }
run_xz() { xz -0 -T2 -c text | xz -dc | cksum; }
export -f run_python3 run_sort run_tar run_sqlite3 run_gcc run_xz
export python sql

programs=()
for program in python3 sort tar sqlite3 gcc xz; do
	if command -v $program >/dev/null; then
		programs+=($program)
		bash -c "run_$program" >"want-$program" 2>&1
	else
		skip "$program runs as without the drop-in" "$program is not installed"
	fi
done

# compare PROGRAM COMMAND…: the output under the command is what it is without.
compare() {
	local program=$1
	shift
	timeout 300 "$@" bash -c "run_$program" >got 2>got.err || { cat got got.err; return 1; }
	diff "want-$program" got && ! grep -v '^sva-preload' got.err
}

for program in "${programs[@]}"; do
	ok "$program without a device prints what it prints without the drop-in" \
		compare "$program" "$preload"
	rm -f stats
	ok "$program with the DSA in software does, too" \
		compare "$program" env SVA_PATHS=soft "$preload" -a -s"$work/stats"
	case $program in
	python3|sqlite3)
		ok "of $program the library has done copies" \
			test "$(by_device memcpy stats)" -gt 0 ;;
	esac
	if [ -x "$emu" ]; then
		rm -f stats
		ok "$program on the emulated device does, too" \
			compare "$program" "$emu" run -- "$preload" -s"$work/stats"
	else
		skip "$program on the emulated device does, too" "sva-emu was not built"
	fi
done
if [ -x "$emu" ]; then
	rm -f stats
	compare python3 "$emu" run -- "$preload" -s"$work/stats" >/dev/null
	ok "the emulated device has copied for python3" test "$(by_device memcpy stats)" -gt 0
	ok "the emulated device has compared for python3" test "$(by_device memcmp stats)" -gt 0
	not_ok "control: a device that flips a byte changes the output" \
		compare python3 "$emu" run --sabotage flip:2 -- "$preload"
fi

# ------------------------------------------------------------------ other allocators, servers

jemalloc=$(ldconfig -p | sed -n 's/.*libjemalloc\.so\.2.* => //p' | head -n 1)
if [ -z "$jemalloc" ]; then
	skip "python3 with jemalloc runs as without the drop-in" "libjemalloc2 is not installed"
else
	for paths in soft cpu; do
		ok "python3 with jemalloc on $paths prints what it prints without the drop-in" \
			compare python3 env SVA_PATHS=$paths LD_PRELOAD="$jemalloc" "$preload" -a
	done
fi

# redis_load COMMAND…: a server under load, and what it has stored.
redis_load() {
	local server status=0
	timeout 240 "$@" redis-server --port 0 --unixsocket "$work/redis" --save '' \
		--appendonly no >redis.log 2>&1 &
	server=$!
	for _ in $(seq 100); do
		redis-cli -s "$work/redis" ping >/dev/null 2>&1 && break
		sleep 0.2
	done
	timeout 200 redis-benchmark -s "$work/redis" -q -n 600 -c 8 -d 100000 \
		-t set,get,lpush,lrange_100 >/dev/null || status=1
	redis-cli -s "$work/redis" -x set key <text >/dev/null || status=1
	redis-cli -s "$work/redis" append key tail >/dev/null || status=1
	redis-cli -s "$work/redis" debug digest-value key || status=1
	redis-cli -s "$work/redis" shutdown nosave 2>/dev/null
	wait $server || status=1
	return $status
}

if ! command -v redis-server >/dev/null || ! command -v redis-benchmark >/dev/null; then
	skip "redis-server under load stores what it stores without the drop-in" \
		"redis is not installed"
else
	want=$(redis_load)
	is "$(redis_load "$preload")" "$want" \
		"redis-server under load stores the same without a device"
	is "$(redis_load env SVA_PATHS=soft "$preload" -a)" "$want" \
		"redis-server under load stores the same with the DSA in software"
	[ ! -x "$emu" ] || is "$(redis_load "$emu" run -- "$preload")" "$want" \
		"redis-server under load stores the same on the emulated device"
fi

# ------------------------------------------------------------------ what it costs without a device

# instructions COMMAND…
instructions() {
	timeout 500 valgrind --tool=callgrind --callgrind-out-file=/dev/null --trace-children=yes \
		"$@" 2>&1 >/dev/null | sed -n 's/.*Collected : //p' | tail -n 1
}

# costs_at_most PERMILLE COMMAND…: no more instructions than that beyond those without.
costs_at_most() {
	local limit=$1 without with
	shift
	without=$(instructions "$@")
	with=$(instructions "${with_dropin[@]}" "$@")
	echo "$without instructions without, $with with the drop-in"
	[ "$with" -gt 0 ] && [ $((with * 1000)) -le $((without * (1000 + limit))) ]
}

if ! command -v valgrind >/dev/null; then
	skip "without a device a program runs at most 1 % more instructions" \
		"valgrind is not installed"
elif [ -e /dev/dsa ] || [ -e /dev/iax ] || [ -e /dev/sva_dma ]; then
	skip "without a device a program runs at most 1 % more instructions" "there is one here"
else
	head -n 20000 text >some
	with_dropin=("$top_builddir/src/preload/.libs/sva-preload")
	ok "without a device sort runs at most 1 % more instructions" \
		costs_at_most 10 sort --parallel=1 some
	[ ! -x /usr/bin/python3 ] || ok "without a device python3 runs at most 1 % more" \
		costs_at_most 10 /usr/bin/python3 -c \
		'd = {i: str(i) * 3 for i in range(20000)}; print(len(repr(d)))'
	with_dropin=(env LD_PRELOAD="$library")
	ok "without a device, preloaded by hand, sort runs at most 10 % more instructions" \
		costs_at_most 100 sort --parallel=1 some
	not_ok "control: that this is more than 0.1 % is noticed" \
		costs_at_most 1 sort --parallel=1 some
fi

# private KIB of memory of a process that holds still.
private() {
	"$@" awk '/^(Private_Dirty|Private_Clean):/ { sum += $2 } END { print sum }' \
		/proc/self/smaps
}
without=$(private env) with=$(private env LD_PRELOAD="$library")
ok "without a device a process has at most 12 private pages more ($without KiB, $with KiB)" \
	test $((with - without)) -le 48
ok "without a device libsva is not loaded" bash -c \
	"! LD_PRELOAD='$library' cat /proc/self/maps | grep -q 'libsva\.so'"
done_testing
