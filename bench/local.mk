# SPDX-License-Identifier: MIT
# sva-bench is installed; icount belongs to the build tree: make check-icount.
bin_PROGRAMS += %D%/sva-bench
dist_man_MANS += man/sva-bench.1

%C%_sva_bench_SOURCES = %D%/sva-bench.c %D%/bench.h %D%/buffers.c %D%/burst.c %D%/measure.c %D%/table.c %D%/json.c \
	%D%/plot.c %D%/output.c %D%/instructions.c src/tools/term.c src/tools/term.h
%C%_sva_bench_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS) -pthread
%C%_sva_bench_LDADD = src/lib/libsva.la $(JSON_LIBS)
%C%_sva_bench_LDFLAGS = $(AM_LDFLAGS) -pthread

EXTRA_DIST += %D%/README.md %D%/budgets %D%/icount-profile

# -no-install: a program and not libtool's script, which would be single-stepped instead of it.
if X86_64
noinst_PROGRAMS += %D%/icount %D%/icount-child
%C%_icount_SOURCES = %D%/icount.c %D%/icount.h %D%/icount-insn.c %D%/icount-step.c
%C%_icount_child_SOURCES = %D%/icount-child.c %D%/icount.h
%C%_icount_child_LDADD = src/lib/libsva.la
%C%_icount_child_LDFLAGS = $(AM_LDFLAGS) -no-install

# Limits must hold, and a limit that can not hold must fail: else the counting or the comparing is broken.
check-icount: all
	@if test "x$(SANITIZER_NAMES)" != xno; then \
		echo "SKIP: counts of a build with sanitizers mean nothing"; exit 0; fi; \
	SVA_PLUGIN_DIR='$(abs_top_builddir)/accfg-plugins/.libs'; export SVA_PLUGIN_DIR; \
	%D%/icount --budgets $(srcdir)/%D%/budgets; rc=$$?; \
	test $$rc -eq 77 && exit 0; test $$rc -eq 0 || exit $$rc; \
	echo "sync-enqcmd limit 1 0 0" >%D%/budgets.control; \
	if %D%/icount --budgets %D%/budgets.control sync-enqcmd >/dev/null; then \
		echo "FAILED: a limit of 1 instruction was held"; exit 1; fi; \
	echo "Control: a limit of 1 instruction fails, as it must."
else
check-icount:
	@echo "SKIP: icount knows the instructions of x86-64 only"
endif
.PHONY: check-icount
CLEANFILES += %D%/budgets.control
