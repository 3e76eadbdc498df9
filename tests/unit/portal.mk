# SPDX-License-Identifier: MIT
# The paths that need real instructions, under sva-emu.
check_PROGRAMS += %D%/t-api-portal
TESTS += %D%/t-api-portal.sh
EXTRA_DIST += %D%/t-api-portal.sh
%C%_t_api_portal_LDADD = src/lib/libsva.la
%C%_t_api_portal_LDFLAGS = $(AM_LDFLAGS) -pthread

# The dma path and mapped buffers, with the module played by the test.
dma_programs = %D%/t-queue-dma %D%/t-api-dma
check_PROGRAMS += $(dma_programs)
TESTS += $(dma_programs)
dma_module = %D%/module.c %D%/module.h
dma_ldflags = $(AM_LDFLAGS) -pthread -Wl,--wrap=open,--wrap=stat,--wrap=fstat,--wrap=fcntl \
	-Wl,--wrap=close,--wrap=ioctl

%C%_t_queue_dma_SOURCES = %D%/t-queue-dma.c $(dma_module)
%C%_t_queue_dma_CPPFLAGS = $(core_cppflags)
%C%_t_queue_dma_LDADD = src/lib/libcore.la
%C%_t_queue_dma_LDFLAGS = $(dma_ldflags)

%C%_t_api_dma_SOURCES = %D%/t-api-dma.c $(dma_module)
%C%_t_api_dma_CPPFLAGS = $(core_cppflags)
%C%_t_api_dma_LDADD = src/lib/libcore.la
%C%_t_api_dma_LDFLAGS = $(dma_ldflags)
