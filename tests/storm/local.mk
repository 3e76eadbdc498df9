# SPDX-License-Identifier: MIT
# The storm: random operations by several threads through the library; each byte and
# result is checked. A short form is part of make check. By hand, for hours if need be:
#
#	make check-storm OPERATIONS=10000000 SEED=7
TESTS += %D%/t-storm-soft.sh %D%/t-storm-emu.sh
EXTRA_DIST += %D%/t-storm-soft.sh %D%/t-storm-emu.sh %D%/lib.sh
noinst_HEADERS += %D%/storm.h
check_PROGRAMS += %D%/storm
%C%_storm_SOURCES = %D%/main.c %D%/worker.c %D%/ways.c %D%/lists.c %D%/life.c %D%/bad.c \
	%D%/judge.c %D%/kinds.c %D%/deltas.c %D%/blocks.c %D%/memory.c %D%/expect.c \
	tests/unit/reference.c tests/unit/reference.h
%C%_storm_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
%C%_storm_LDADD = src/lib/libsva.la
%C%_storm_LDFLAGS = $(AM_LDFLAGS) -pthread

.PHONY: check-storm
check-storm: all
	$(MAKE) %D%/storm
	@failed=0; for t in soft emu; do \
		echo "# t-storm-$$t.sh"; \
		$(AM_TESTS_ENVIRONMENT) OPERATIONS='$(or $(OPERATIONS),10000000)' \
			SEED='$(or $(SEED),1)' bash $(srcdir)/%D%/t-storm-$$t.sh || failed=1; \
	done; exit $$failed
