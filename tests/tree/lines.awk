# SPDX-License-Identifier: MIT
# Lines that are too long: sources at 100 columns, prose and the text of the manual at 80. A tab
# goes to the next multiple of 8. Prints "FILE:LINE: COLUMNS" for each, and fails if there is one.
# Exempt are
#
#	in sources, a quoted string that is alone on its line but for punctuation, so that messages
#	need not be split;
#	in prose, tables, blocks of code, and a single word that is longer than the line, such as an
#	address;
#	in the manual, requests and the rows of tables, up to 100 columns.
#
# Run it with LC_ALL=C: characters of several bytes are counted by their first byte.
#
#	awk -f lines.awk FILE…

function columns(line,    at, n) {
	gsub(/[\200-\277]/, "", line)
	n = 0
	while (at = index(line, "\t")) {
		n += at - 1
		n += 8 - n % 8
		line = substr(line, at + 1)
	}
	return n + length(line)
}

function report(limit,    n) {
	n = columns($0)
	if (n <= limit)
		return
	print FILENAME ":" FNR ": " n
	failed = 1
}

FNR == 1 {
	prose = FILENAME ~ /(\.md|(^|\/)NEWS)$/
	page = FILENAME ~ /\.[1-9]$/
	code = table = example = 0
}

prose {
	if (/^[ ]*```/)
		code = !code
	else if (!code && !/^(    |\t|\|)/ && /[^ ] [^ ]/)
		report(80)
	next
}

page {
	if (/^\.TS/) table = 1
	if (/^\.TE/) table = 0
	if (/^\.EX/) example = 1
	if (/^\.EE/) example = 0
	report(/^[.']/ || example || (table && /\t/) ? 100 : 80)
	next
}

/^[^A-Za-z0-9_"']*("([^"\\]|\\.)*"|'[^']*')[^A-Za-z0-9_"']*$/ { next }
{ report(100) }

END { exit failed }
