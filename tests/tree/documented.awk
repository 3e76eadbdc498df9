# SPDX-License-Identifier: MIT
# What public headers declare, and whether it has a comment: functions, types, fields, enumerators
# and macros. Prints what has none and the share of what has; fails below 100 %. A function says
# itself since when there is it; what is inside a file or a type may leave that to the comment of
# the file.
#
#	awk -f documented.awk include/sva/*.h

function item(kind, name, doc,    since) {
	total++
	since = doc ~ /Since: [0-9]+\.[0-9]+/ || (kind != "function" && file_since)
	if (doc != "" && since)
		documented++
	else
		printf "%s:%d: %s %s has no %s\n", FILENAME, FNR, kind, name, \
			doc == "" ? "comment" : "Since"
}

# The comment of what stands in this line: behind it, or above it.
function doc_of(line) {
	return line ~ /\/\*\*</ ? line : above
}

function name_before(line, mark) {
	sub(mark ".*", "", line)
	sub(/[ \t]+$/, "", line)
	sub(/.*[^A-Za-z0-9_]/, "", line)
	return line
}

# What a macro is called, and where, is known only after its #undef.
function macros(    m) {
	for (m in macro)
		if (!(m in undefined)) {
			total++
			if (macro[m])
				documented++
			else
				print macro_at[m] ": macro " m " has no comment"
		}
	split("", macro)
	split("", undefined)
}

FNR == 1 { macros(); depth = in_body = in_comment = continued = 0; above = ""; file_since = 0 }

in_comment {
	above = above $0
	if (/\*\//) {
		in_comment = 0
		if (above ~ /@file/) {
			file_since = above ~ /Since: [0-9]+\.[0-9]+/
			above = ""
		}
	}
	next
}
continued { continued = /\\$/; if (!continued) above = ""; next }
in_body { in_body = !/^}/; above = ""; next }

/^[ \t]*\/\*\*[^<]/ || /^[ \t]*\/\*\*$/ { above = $0; in_comment = !/\*\//; next }
/^[ \t]*\/\*/ { above = ""; plain = !/\*\//; next }
plain { plain = !/\*\//; next }
/^[ \t]*$/ { above = ""; next }

/^#[ \t]*undef/ { undefined[$2] = 1; next }
/^#[ \t]*define/ {
	name = $2
	sub(/\(.*/, "", name)
	if (name !~ /_H$/ && !(name in macro && macro[name])) {
		macro[name] = doc_of($0) != ""
		macro_at[name] = FILENAME ":" FNR
	}
	continued = /\\$/
	if (!continued)
		above = ""
	next
}
/^#/ { next }

# The body of a type: fields, enumerators, and types in it.
depth {
	line = $0
	sub(/\/\*.*/, "", line)
	if (line ~ /\{[ \t]*$/) {
		depth++
	} else if (line ~ /^[ \t]*}/) {
		if (--depth && line ~ /;/)
			item("field", name_before(line, ";"), doc_of($0))
	} else if (enumeration && line ~ /^[ \t]*[A-Z][A-Z0-9_]*[ \t]*(,|=|$)/) {
		split(line, word, /[ \t,=]+/)
		item("enumerator", word[1] == "" ? word[2] : word[1], doc_of($0))
	} else if (!enumeration && line ~ /;/) {
		item("field", name_before(line, line ~ /\(\*/ ? "\\)\\(" : "(\\[[^]]*\\])*;"), \
		     doc_of($0))
	}
	above = ""
	next
}

/^(struct|enum|union) [a-z_0-9]+ \{/ {
	item("type", $1 " " $2, above)
	defined[$2] = 1
	depth = 1
	enumeration = $1 == "enum"
	above = ""
	next
}
# A type that is only named counts once, with a comment wherever it is named or defined.
/^struct [a-z_0-9]+;/ {
	name = substr($2, 1, length($2) - 1)
	if (!(name in named) || doc_of($0) != "")
		named[name] = doc_of($0)
	named_at[name] = FILENAME ":" FNR
	above = ""
	next
}
/^(SVA_API|SVA_INLINE|static inline) / {
	item("function", name_before($0, "\\("), above)
	above = ""
	in_body = !/;/ && !/^SVA_API/
	next
}
/^extern SVA_/ { item("object", name_before($0, ";"), above); above = "" }

END {
	macros()
	for (name in named)
		if (!(name in defined)) {
			total++
			if (named[name] != "")
				documented++
			else
				print named_at[name] ": struct " name " has no comment"
		}
	printf "documented: %d of %d (%d %%)\n", documented, total, \
		total ? documented * 100 / total : 0
	exit documented < total || !total
}
