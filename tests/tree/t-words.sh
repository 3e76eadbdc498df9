#!/bin/bash
# SPDX-License-Identifier: MIT
# Plain words: none of those that CONTRIBUTING.md keeps out is in comments, messages, names or pages
# (words.awk).
# shellcheck source=tests/tap.sh
. "${top_srcdir:?}/tests/tap.sh"
cd "$top_srcdir" || exit 1
# shellcheck source=tests/tree/files.sh
. tests/tree/files.sh

bad_words() {
	LC_ALL=C ${AWK:-awk} -f tests/tree/words.awk "$@"
}

mapfile -t all < <(sources | grep -v -E '^tests/tree/(t-words\.sh|words\.awk)$')
ok "${#all[@]} files use plain words" bad_words "${all[@]}"

file=$(mktemp)
trap 'rm -f "$file"' EXIT
for text in 'It can not be mapped.' 'Cancelled for ever' 'whoever unmaps it' \
	'if nobody waits, the bond' 'he waits' 'is told of it' \
	'sva_tell(op);' 'static void full_for_ever(void)' 'Nobody: the' 'the caller shall free it' \
	'as Somebody waits'; do
	echo "$text" >"$file"
	not_ok "control: reported in \"$text\"" bad_words "$file"
done
printf ' * what can\n * not be mapped\n' >"$file"
is "$(bad_words "$file")" "$file:2: can not" \
	"control: two words that should be one are reported across a line break"
echo 'It cannot be: as long as it can, not more. There, forever; the foretold marshalling.' >"$file"
ok "control: the same letters in other words pass" bad_words "$file"
done_testing
