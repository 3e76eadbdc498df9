# SPDX-License-Identifier: MIT

# The checks of the tree itself: interface, headers, comments, manual, settings, installation, examples. settings prints the table
# that t-env.sh compares with the manual.
TESTS += %D%/t-abi.sh %D%/t-headers.sh %D%/t-doc.sh %D%/t-man.sh %D%/t-env.sh %D%/t-pc.sh %D%/t-examples.sh
EXTRA_DIST += tests/tap.sh %D%/documented.awk \
	%D%/t-abi.sh %D%/t-headers.sh %D%/t-doc.sh %D%/t-man.sh %D%/t-env.sh %D%/t-pc.sh %D%/t-examples.sh
check_PROGRAMS += %D%/settings
%C%_settings_LDADD = src/lib/libsva.la
