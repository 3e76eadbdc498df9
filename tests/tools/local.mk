# SPDX-License-Identifier: MIT
# The programs, by their command lines; in t-trees.sh the machines are trees of files.
TESTS += %D%/t-tools.sh %D%/t-bench.sh %D%/t-ratios.sh %D%/t-trees.sh %D%/t-setup.sh
EXTRA_DIST += %D%/t-tools.sh %D%/t-bench.sh %D%/t-ratios.sh %D%/t-trees.sh \
	%D%/t-setup.sh tests/fixtures/make-tree
