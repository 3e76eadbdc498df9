# SPDX-License-Identifier: MIT
# The Debian packages, in bare roots: check-packages SUITES="bookworm trixie".
EXTRA_DIST += %D%/run %D%/rpm %D%/t-completion.sh %D%/t-alone.sh packaging/rpm/libsva.spec.in \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/libsva-accfg-plugins.install \
	debian/libsva-dev.install \
	debian/libsva0.install \
	debian/libsva0.symbols \
	debian/not-installed \
	debian/rules \
	debian/source/format \
	debian/sva-dma-dkms.install \
	debian/sva-dma-dkms.postinst \
	debian/sva-dma-dkms.postrm \
	debian/sva-emu.install \
	debian/sva-tools.install \
	debian/sva-tools.postinst \
	debian/sva-tools.postrm \
	debian/tests/control \
	debian/tests/emulated \
	debian/tests/program \
	debian/tests/tools
SUITES = bookworm trixie
PACKAGES_OPTIONS =
.PHONY: check-packages
check-packages:
	@for suite in $(SUITES); do \
		echo "==== $$suite"; \
		$(srcdir)/%D%/run $(PACKAGES_OPTIONS) $$suite || test $$? -eq 77 || exit 1; \
	done

TESTS += %D%/t-completion.sh

# RPM packages, from the tarball.
.PHONY: rpm-spec check-rpm check-alone
rpm-spec: Makefile
	@$(SED) 's/@PACKAGE_VERSION[@]/$(PACKAGE_VERSION)/g' \
		$(srcdir)/packaging/rpm/libsva.spec.in >libsva.spec
CLEANFILES += libsva.spec
check-rpm: dist rpm-spec
	$(srcdir)/%D%/rpm $(distdir).tar.xz libsva.spec || test $$? -eq 77

# The library alone: configured without tools, emulator, ISA-L and libnuma.
check-alone:
	top_srcdir='$(abs_top_srcdir)' CC='$(CC)' $(SHELL) $(srcdir)/%D%/t-alone.sh
