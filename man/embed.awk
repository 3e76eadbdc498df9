# SPDX-License-Identifier: MIT
# Puts the example programs into a manual page: what follows  .\" example: FILE  up to the next .EE
# is replaced by the program man/examples/FILE, without its licence line. "make man-examples" writes
# the pages anew, t-examples.sh compares.
#
#	awk -v dir=man/examples -f embed.awk PAGE

function embed(file,    line, lines) {
	print ".EX"
	while ((getline line < file) > 0) {
		if (!lines++ && line ~ /SPDX-License-Identifier/)
			continue
		gsub(/\t/, "    ", line)
		gsub(/\\/, "\\e", line)
		gsub(/-/, "\\-", line)
		gsub(/'/, "\\(aq", line)
		gsub(/`/, "\\(ga", line)
		gsub(/\^/, "\\(ha", line)
		gsub(/~/, "\\(ti", line)
		sub(/^\./, "\\\\\\&.", line)
		print line
	}
	close(file)
	if (!lines) {
		print "embed.awk: " FILENAME ": there is no " file > "/dev/stderr"
		exit 1
	}
	print ".EE"
}

skipping { skipping = !/^\.EE/; next }
{ print }
/^\.\\" example: / { embed(dir "/" $3); skipping = 1 }
