# SPDX-License-Identifier: MIT
# The Debian packages, in bare roots: check-packages SUITES="bookworm trixie".
EXTRA_DIST += %D%/run \
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
