# SPDX-License-Identifier: MIT
# The programs, as a user meets them; t-trees.sh shows machines to sva-info that are trees of files.
TESTS += %D%/t-tools.sh %D%/t-bench.sh %D%/t-trees.sh
EXTRA_DIST += %D%/t-tools.sh %D%/t-bench.sh %D%/t-trees.sh tests/fixtures/make-tree
