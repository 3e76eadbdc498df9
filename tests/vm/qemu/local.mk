# SPDX-License-Identifier: MIT
# The patched QEMU is built by a script of its own when a test needs it. These are its sources.
EXTRA_DIST += %D%/README.md %D%/build %D%/smoke %D%/smoke-guest.c %D%/smoke.guest \
	%D%/patches/0001-build.patch %D%/patches/0002-tcg.patch %D%/patches/0003-iommu.patch \
	%D%/patches/0004-dsa.patch %D%/patches/0005-pmu.patch \
	%D%/hw/dsa/Kconfig %D%/hw/dsa/meson.build %D%/hw/dsa/dsa.h %D%/hw/dsa/dsa.c \
	%D%/hw/dsa/mmio.c %D%/hw/dsa/command.c %D%/hw/dsa/portal.c %D%/hw/dsa/engine.c \
	%D%/hw/dsa/memory.c %D%/hw/dsa/event.c
