# SPDX-License-Identifier: MIT
# The paths that need real instructions, under sva-emu.
check_PROGRAMS += %D%/t-portal
TESTS += %D%/t-portal.sh
EXTRA_DIST += %D%/t-portal.sh
%C%_t_portal_LDADD = src/lib/libsva.la
%C%_t_portal_LDFLAGS = $(AM_LDFLAGS) -pthread

# The dma path, with the module played by the test.
check_PROGRAMS += %D%/t-dma
TESTS += %D%/t-dma
%C%_t_dma_LDADD = src/lib/libcore.la
%C%_t_dma_LDFLAGS = $(AM_LDFLAGS) -pthread -Wl,--wrap=open,--wrap=stat,--wrap=fstat,--wrap=fcntl,--wrap=close,--wrap=ioctl
