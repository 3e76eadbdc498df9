#!/bin/sh
# SPDX-License-Identifier: MIT
# html.sh TARGET MAN [ALIAS…]: the pages of the folder MAN as HTML in the folder TARGET, with an
# index by section and a search over all names and what they are for. Further names of a page
# (ALIAS, files with a .so line) lead to it. Needs mandoc.
set -eu
command -v mandoc >/dev/null || { echo "html.sh: mandoc is not installed" >&2; exit 1; }
target=$1 man=$2
shift 2
rm -rf "$target"
mkdir -p "$target"

cat >"$target/style.css" <<'END'
body { max-width: 50em; margin: 1em auto; padding: 0 1em; font-family: sans-serif; }
pre, code, table.head, table.foot { font-family: monospace; }
pre { overflow-x: auto; padding: 0.5em; background: #f4f4f4; }
table.head, table.foot { width: 100%; font-size: 90%; }
td.head-vol { text-align: center; }
td.head-rtitle, td.foot-os { text-align: right; }
dl.index dt { font-family: monospace; margin-top: 0.3em; }
.Bl-tag > dt, dl > dt { font-weight: bold; }
@media (prefers-color-scheme: dark) {
	body { background: #111; color: #ddd; }
	pre { background: #222; }
	a { color: #8bf; }
}
END

# name_lines PAGE: "name what it is for" of each name of the page.
name_lines() {
	{ sed -n '/^\.SH NAME/,/ \\- /p' "$1" | sed 1d | tr '\n' ' ' |
		sed 's/ \\- /\n/; s/\\//g'; echo; } | {
		read -r names
		read -r about
		for name in $(echo "$names" | tr ',' ' '); do
			printf '%s\t%s\n' "$name" "$about"
		done
	}
}

printf '' >"$target/names"
for page in "$man"/*.[1-9]; do
	file=${page##*/}
	mandoc -T html -O style=style.css,man=%N.%S.html "$page" >"$target/$file.html"
	name_lines "$page" | sed "s/^/$file\t/" >>"$target/names"
done
for alias; do
	to=$(sed -n 's,^\.so man[0-9]/,,p' "$alias")
	[ -n "$to" ] || continue
	{
		echo "<!DOCTYPE html><meta http-equiv=\"refresh\" content=\"0; url=$to.html\">"
		echo "<a href=\"$to.html\">$to</a>"
	} >"$target/${alias##*/}.html"
done
# References that the pages write as name and section become links, where there is such a page.
for file in "$target"/*.[1-9].html; do
	grep -o '<b>[a-z_-]*</b>([1-9])' "$file" | sort -u |
		sed 's,<b>\(.*\)</b>(\(.\)),\1 \2,' |
		while read -r name section; do
			link=$name.$section.html
			[ ! -e "$target/$link" ] ||
				echo "s,<b>$name</b>($section),<a href=\"$link\">&</a>,g"
		done >"$target/edit"
	sed -f "$target/edit" "$file" >"$target/page"
	mv "$target/page" "$file"
done
rm -f "$target/edit"

{
	cat <<'END'
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>libsva: manual</title>
<link rel="stylesheet" href="style.css"></head>
<body>
<h1>libsva: manual</h1>
<p>Begin with <a href="sva_tutorial.7.html">the tutorial</a> or
<a href="sva.7.html">the overview</a>.</p>
<p><label>Search: <input id="search" type="search" autofocus></label></p>
END
	for section in 1 2 3 4 5 6 7 8; do
		grep -q "^[^	]*\.$section	" "$target/names" || continue
		case $section in
		1) title=Programs ;;
		3) title=Functions ;;
		4) title=Devices ;;
		5) title=Files ;;
		*) title=Subjects ;;
		esac
		printf '<h2>%s</h2>\n<dl class="index">\n' "$title"
		grep "^[^	]*\.$section	" "$target/names" | sort -t '	' -k 2 |
			sed 's/&/\&amp;/g; s/</\&lt;/g' |
			awk -F '\t' -v s="$section" '{
				printf "<dt><a href=\"%s.html\">%s(%s)</a></dt>", $1, $2, s
				printf "<dd>%s</dd>\n", $3
			}'
		echo '</dl>'
	done
	cat <<'END'
<script>
document.getElementById("search").addEventListener("input", function () {
	const words = this.value.toLowerCase().split(/\s+/);
	for (const term of document.querySelectorAll("dl.index dt")) {
		const about = term.nextElementSibling;
		const text = (term.textContent + " " + about.textContent).toLowerCase();
		term.hidden = about.hidden = !words.every((word) => text.includes(word));
	}
});
</script>
</body>
</html>
END
} >"$target/index.html"
rm -f "$target/names"
