# SPDX-License-Identifier: MIT
# Reports an #include of a header of a higher room, or of another room of the same level. Input are
# the sources and headers below one folder. Variables: folder (as in "src/lib"), rooms (see
# rooms.awk). A header of another room is named from the folder "src" on: #include
# "lib/base/text.h". Exits with 1 if anything was reported.
BEGIN {
	n = split(rooms, level, " ")
	for (i = 1; i <= n; i++) {
		m = split(level[i], same, ",")
		for (j = 1; j <= m; j++)
			level_of[same[j]] = i
	}
	below = folder
	sub(/^src\//, "", below)
}

FNR == 1 {
	at = substr(FILENAME, index(FILENAME, folder "/") + length(folder) + 1)
	from = index(at, "/") ? substr(at, 1, index(at, "/") - 1) : "."
}

/^#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\"")
	if (quoted[2] ~ /\.\.\//) {
		print "include: " at " includes " quoted[2] " instead of naming it from src on"
		failed = 1
	}
	if (index(quoted[2], below "/") != 1)
		next
	to = substr(quoted[2], length(below) + 2)
	to = index(to, "/") ? substr(to, 1, index(to, "/") - 1) : "."
	if (from == to || !(from in level_of) || !(to in level_of) || level_of[from] > level_of[to])
		next
	print "include: " at " includes " quoted[2]
	failed = 1
}

END { exit failed }
