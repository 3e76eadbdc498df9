# SPDX-License-Identifier: MIT
# Reports calls that leave their room in the wrong direction, and circles of files. Input is "nm -P
# -A" of the objects of one program or library, with "SOURCE:" in place of the object's name;
# sources are relative to the unit's folder. Variables:
#
#	rooms	the folder's rooms, the lowest first; "a,b" are two rooms of one level, which must
#		not call each other; "." is the folder itself, without rooms
#	loops	"x.c+y.c z.c+w.c": files that call each other in a circle on purpose
#
# An arrow from one file to another is a symbol that the first leaves undefined and the second
# defines. Exits with 1 if anything was reported.
function room_of(file) {
	return index(file, "/") ? substr(file, 1, index(file, "/") - 1) : "."
}

function report(text) {
	print text
	failed = 1
}

function read_rooms(    i, j, n, m, level, same) {
	n = split(rooms, level, " ")
	for (i = 1; i <= n; i++) {
		m = split(level[i], same, ",")
		for (j = 1; j <= m; j++)
			level_of[same[j]] = i
	}
}

function check_direction(arrow,    ends, from, to) {
	split(arrow, ends, SUBSEP)
	from = room_of(ends[1])
	to = room_of(ends[2])
	if (from == to || !(from in level_of) || !(to in level_of))
		return
	if (level_of[from] < level_of[to])
		report("up: " ends[1] " uses " ends[2] ":" why[arrow])
	else if (level_of[from] == level_of[to])
		report("across: " ends[1] " uses " ends[2] ":" why[arrow])
}

# reach[a, b]: file b can be reached from file a along arrows.
function close_over(    k, i, j) {
	for (k in files)
		for (i in files)
			if ((i, k) in reach)
				for (j in files)
					if ((k, j) in reach)
						reach[i, j] = 1
}

# The files of the circle that file is in, sorted and joined by "+"; "" if it is in none.
function circle_of(file,    i, j, n, list, text, t) {
	if (!((file, file) in reach))
		return ""
	for (i in files)
		if ((file, i) in reach && (i, file) in reach)
			list[++n] = i
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
			t = list[j]
			list[j] = list[j - 1]
			list[j - 1] = t
		}
	text = list[1]
	for (i = 2; i <= n; i++)
		text = text "+" list[i]
	return text
}

function report_circle(circle,    list, n, i, j) {
	report("circle: " circle)
	n = split(circle, list, "+")
	for (i = 1; i <= n; i++)
		for (j = 1; j <= n; j++)
			if ((list[i], list[j]) in why)
				print "    " list[i] " uses " list[j] ":" why[list[i], list[j]]
}

function check_circles(    f, n, i, list, circle, seen, wanted) {
	n = split(loops, list, " ")
	for (i = 1; i <= n; i++)
		wanted[list[i]] = 1
	for (f in files) {
		circle = circle_of(f)
		if (circle == "" || circle in seen)
			continue
		seen[circle] = 1
		if (!(circle in wanted))
			report_circle(circle)
	}
	for (circle in wanted)
		if (!(circle in seen))
			report("no such circle any more: " circle)
}

{
	file = $1
	sub(/:$/, "", file)
	files[file] = 1
}
$3 == "U" { uses[file, $2] = 1; next }
$3 ~ /^[A-Z]$/ { defined_in[$2] = file }

END {
	read_rooms()
	for (f in files)
		if (!(room_of(f) in level_of))
			report("in no room: " f)
	for (use in uses) {
		split(use, part, SUBSEP)
		if (!(part[2] in defined_in) || defined_in[part[2]] == part[1])
			continue
		arrow = part[1] SUBSEP defined_in[part[2]]
		why[arrow] = why[arrow] " " part[2]
		reach[arrow] = 1
	}
	for (arrow in why)
		check_direction(arrow)
	close_over()
	check_circles()
	exit failed
}
