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

# May this commit become a version? First what is quick; then the interface against that of the last
# version; then everything that .ci/run runs. CONTRIBUTING.md has the procedure.
.PHONY: release-check check-abi
EXTRA_DIST += %D%/abi %D%/ready
check-abi: src/lib/libsva.la
	$(srcdir)/%D%/abi $(abs_top_builddir)
release-check:
	$(srcdir)/%D%/ready $(abs_top_builddir)
	$(MAKE) check-abi
	$(srcdir)/.ci/run
