# SPDX-License-Identifier: MIT
# The drop-in, in a program that calls everything it replaces, and in programs of others.
TESTS += %D%/t-dropin.sh %D%/t-programs.sh
EXTRA_DIST += %D%/lib.sh %D%/t-dropin.sh %D%/t-programs.sh
check_PROGRAMS += %D%/dropin
%C%_dropin_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
%C%_dropin_CFLAGS = $(AM_CFLAGS) -fno-builtin
%C%_dropin_LDFLAGS = $(AM_LDFLAGS) -pthread
