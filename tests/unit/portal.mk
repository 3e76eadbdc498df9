# SPDX-License-Identifier: MIT
# The paths that need real instructions, under sva-emu.
check_PROGRAMS += %D%/t-api-portal
TESTS += %D%/t-api-portal.sh
EXTRA_DIST += %D%/t-api-portal.sh
%C%_t_api_portal_LDADD = src/lib/libsva.la
%C%_t_api_portal_LDFLAGS = $(AM_LDFLAGS) -pthread

# The dma path, with the module played by the test.
check_PROGRAMS += %D%/t-queue-dma
TESTS += %D%/t-queue-dma
%C%_t_queue_dma_LDADD = src/lib/libcore.la
%C%_t_queue_dma_LDFLAGS = $(AM_LDFLAGS) -pthread -Wl,--wrap=open,--wrap=stat,--wrap=fstat,--wrap=fcntl,--wrap=close,--wrap=ioctl
