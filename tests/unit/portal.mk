# SPDX-License-Identifier: MIT
# The paths that need real instructions, under sva-emu.
check_PROGRAMS += %D%/t-portal
TESTS += %D%/t-portal.sh
EXTRA_DIST += %D%/t-portal.sh
%C%_t_portal_LDADD = src/lib/libsva.la
%C%_t_portal_LDFLAGS = $(AM_LDFLAGS) -pthread
