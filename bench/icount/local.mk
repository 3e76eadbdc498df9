# SPDX-License-Identifier: MIT
# icount counts the instructions of one operation. It is not installed; make check-icount runs it.
EXTRA_DIST += %D%/budgets %D%/icount-profile

# -no-install: icount single-steps the program that it starts, which must not be libtool's script.
if X86_64
noinst_PROGRAMS += %D%/icount %D%/icount-child
%C%_icount_SOURCES = %D%/icount.c %D%/icount.h %D%/insn.c %D%/step.c
%C%_icount_child_SOURCES = %D%/icount-child.c %D%/icount.h
%C%_icount_child_LDADD = src/lib/libsva.la
%C%_icount_child_LDFLAGS = $(AM_LDFLAGS) -no-install

# Every limit of the file must be met. A limit of 1 instruction must not: if it is, counting or
# comparing is broken.
check-icount: all
	@if test "x$(SANITIZER_NAMES)" != xno; then \
		echo "SKIP: counts of a build with sanitizers mean nothing"; exit 0; fi; \
	SVA_PLUGIN_DIR='$(abs_top_builddir)/accfg-plugins/.libs'; export SVA_PLUGIN_DIR; \
	%D%/icount --budgets $(srcdir)/%D%/budgets; rc=$$?; \
	test $$rc -eq 77 && exit 0; test $$rc -eq 0 || exit $$rc; \
	echo "sync-enqcmd limit 1 0 0" >%D%/budgets.control; \
	if %D%/icount --budgets %D%/budgets.control sync-enqcmd >/dev/null; then \
		echo "FAILED: a limit of 1 instruction was met"; exit 1; fi; \
	echo "Control: a limit of 1 instruction fails, as it must."
else
check-icount:
	@echo "SKIP: icount knows the instructions of x86-64 only"
endif
.PHONY: check-icount
CLEANFILES += %D%/budgets.control
