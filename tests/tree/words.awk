# SPDX-License-Identifier: MIT
# Words that CONTRIBUTING.md ("Words") keeps out of this tree: two that are one, persons for threads
# and callers, "tell" for return, report and log, "shall" for should. Letters of either case, names
# in code, and words that a line break separates count. Prints "FILE:LINE: WORD" for each, and fails
# if there is one.
#
#	awk -f words.awk FILE…

BEGIN {
	n = split("can not,for ever,somebody,someone,anybody,everybody,nobody,whoever,he,his,him," \
		"she,tell,tells,telling,told,shall", word, ",")
}

FNR == 1 { last = "" }
{
	line = tolower($0)
	gsub(/[,.;:!?()]/, " & ", line)
	gsub(/[^a-z0-9,.;:!?()]+/, " ", line)
	line = " " last " " line " "
	gsub(/  +/, " ", line)
	for (i = 1; i <= n; i++)
		if (index(line, " " word[i] " ") && word[i] != last) {
			print FILENAME ":" FNR ": " word[i]
			failed = 1
		}
	k = split(line, part, " ")
	last = k ? part[k] : ""
}

END { exit failed }
