# SPDX-License-Identifier: MIT
# The tests in roots of other Debian releases, all of those that there are: check-release
# RELEASES="trixie sid".
EXTRA_DIST += %D%/root.sh %D%/run
RELEASES = bookworm trixie sid
.PHONY: check-release
check-release:
	@for suite in $(RELEASES); do \
		echo "==== $$suite"; $(srcdir)/%D%/run $$suite || test $$? -eq 77 || exit 1; \
	done
