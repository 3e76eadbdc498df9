# SPDX-License-Identifier: MIT
# Reads the symbols of the kernel module out of its sources, for machines without kernel headers,
# and prints them as "nm -P" of its objects would, for rooms.awk: "FILE: NAME T" for a name that
# FILE defines, "FILE: NAME U" for a name that it only uses. Input are the .c files, one folder.
# Variables: with_static (1: static functions and variables as well, as "t"), unconditional (1:
# without what is between #if and #endif, which some kernels do not compile).
#
# It relies on the kernel's style: a definition begins in the first column, everything else does
# not, and no .c file declares what another one defines. t-kmod.sh compares the result with real
# objects where there are some.

# The line without comments and strings.
function code_of(line,    at) {
	gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
	if (in_comment) {
		if (!(at = index(line, "*/")))
			return ""
		line = substr(line, at + 2)
		in_comment = 0
	}
	while (at = index(line, "/*")) {
		rest = substr(line, at + 2)
		line = substr(line, 1, at - 1)
		if (!(at = index(rest, "*/"))) {
			in_comment = 1
			return line
		}
		line = line " " substr(rest, at + 2)
	}
	sub(/\/\/.*/, "", line)
	return line
}

# The name that a line in the first column defines, or "".
function name_of(line) {
	if (line !~ /^[A-Za-z_]/ || line ~ /^(extern|typedef|module_[a-z_]*\(|MODULE_|[a-z_]+:)/)
		return ""
	if (match(line, /^(static )?DEFINE_[A-Z_]+\(/) ||
	    match(line, /^(static )?LIST_HEAD\(/) || match(line, /^static DECLARE_[A-Z_]+\(/))
		line = substr(line, RLENGTH + 1)
	else if (match(line, /^[A-Z_]+\(/))
		return ""
	else if (line ~ /^(struct|union|enum) [a-z_0-9]+ *[{;]/)
		return ""
	gsub(/typeof\([^=]*->[a-z_]+\)/, "int", line)
	if (!match(line, /[A-Za-z_0-9]+ *(\(|=|;|\[|\)|,)/))
		return ""
	line = substr(line, RSTART, RLENGTH)
	sub(/[^A-Za-z_0-9].*/, "", line)
	return line
}

FNR == 1 {
	file = FILENAME
	sub(/.*\//, "", file)
	in_comment = depth = 0
}

/^[ \t]*#[ \t]*if/ { depth++ }
/^[ \t]*#[ \t]*endif/ { depth-- }
/^[ \t]*#/ || (unconditional && depth) { next }

{
	code = code_of($0)
	name = name_of(code)
	if (name != "") {
		if (code !~ /^static /)
			print file ": " name " T"
		else if (with_static)
			print file ": " name " t"
		if (code !~ /^static /)
			own[file, name] = 1
	}
	gsub(/(struct|union|enum) [a-z_0-9]+/, "", code)
	while (match(code, /[A-Za-z_][A-Za-z_0-9]*/)) {
		word = substr(code, RSTART, RLENGTH)
		code = substr(code, RSTART + RLENGTH)
		if (word ~ /^svad_/)
			used[file, word] = 1
	}
}

END {
	for (use in used) {
		split(use, part, SUBSEP)
		if (!(use in own))
			print part[1] ": " part[2] " U"
	}
}
