# SPDX-License-Identifier: MIT
# Fuzzing of the model. make check replays the corpus; make check-fuzz SECONDS=… runs libFuzzer,
# then AFL++, that long each.
check_PROGRAMS += %D%/fuzz-model
%C%_fuzz_model_SOURCES = %D%/fuzz-model.c %D%/fuzz-main.c
%C%_fuzz_model_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
%C%_fuzz_model_LDADD = tests/model/libmodeltest.la
TESTS += %D%/replay.sh
EXTRA_DIST += %D%/replay.sh %D%/check-fuzz.sh %D%/corpus

SECONDS = 60
.PHONY: check-fuzz
check-fuzz:
	@for engine in libfuzzer afl; do \
		top_srcdir='$(abs_top_srcdir)' $(SHELL) $(srcdir)/tests/fuzz/check-fuzz.sh \
	$$engine $(SECONDS) || \
			test $$? = 77 || exit 1; \
	done

clean-local: clean-fuzz
.PHONY: clean-fuzz
clean-fuzz:
	-rm -rf tests/fuzz/libfuzzer tests/fuzz/afl
