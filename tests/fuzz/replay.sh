#!/bin/sh
# SPDX-License-Identifier: MIT
# Every input of the corpus once, through the target of the fuzzers.
corpus=$top_srcdir/tests/fuzz/corpus
echo 1..1
out=$("$top_builddir/tests/fuzz/fuzz-model" "$corpus" 2>&1) && rc=0 || rc=$?
files=$(find "$corpus" -type f | wc -l)
echo "$out" | sed 's/^/# /'
if [ "$rc" = 0 ] && [ "$files" -gt 0 ] && echo "$out" | grep -q "^$files inputs"; then
	echo "ok 1 - the $files inputs of the corpus are as the reference has them"
else
	echo "not ok 1 - replay of $files inputs ended with $rc"
fi
