# SPDX-License-Identifier: MIT
# Tests of the model: an accessor and a reference that they share, then one program for each
# subject, fastest first.
check_LTLIBRARIES += %D%/libmodeltest.la
%C%_libmodeltest_la_SOURCES = \
	%D%/space.h %D%/space.c %D%/reference.h %D%/reference.c %D%/ref-rules.c %D%/ref-ops.c \
	%D%/trial.h %D%/trial.c %D%/scenario.h %D%/scenario.c
%C%_libmodeltest_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
%C%_libmodeltest_la_LIBADD = src/model/libmodel.la

model_tests = \
	%D%/test-queue %D%/test-bytes %D%/test-bytes-sse %D%/test-chosen %D%/test-vectors \
	%D%/test-checksum %D%/test-record \
	%D%/test-controls %D%/test-batch %D%/test-delta %D%/test-dif %D%/test-sizes \
	%D%/test-random \
	%D%/test-faults %D%/test-checks
check_PROGRAMS += $(model_tests)
TESTS += $(model_tests) %D%/test-symbols.sh
EXTRA_DIST += %D%/test-symbols.sh

MODEL_TEST_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
MODEL_TEST_LDADD = %D%/libmodeltest.la
%C%_test_queue_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_queue_LDADD = src/model/libmodel.la
%C%_test_record_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_record_LDADD = src/model/libmodel.la
%C%_test_chosen_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_chosen_LDADD = $(MODEL_TEST_LDADD)
%C%_test_vectors_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_vectors_LDADD = $(MODEL_TEST_LDADD)
%C%_test_checksum_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_checksum_LDADD = $(MODEL_TEST_LDADD)
%C%_test_controls_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_controls_LDADD = $(MODEL_TEST_LDADD)
%C%_test_batch_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_batch_LDADD = $(MODEL_TEST_LDADD)
%C%_test_delta_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_delta_LDADD = $(MODEL_TEST_LDADD)
%C%_test_dif_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_dif_LDADD = $(MODEL_TEST_LDADD)
%C%_test_sizes_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_sizes_LDADD = $(MODEL_TEST_LDADD)
%C%_test_random_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_random_LDADD = $(MODEL_TEST_LDADD)
%C%_test_faults_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_faults_LDADD = $(MODEL_TEST_LDADD)
%C%_test_checks_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_checks_LDADD = $(MODEL_TEST_LDADD)
%C%_test_bytes_CPPFLAGS = $(MODEL_TEST_CPPFLAGS)
%C%_test_bytes_LDADD = $(MODEL_TEST_LDADD)
# As on a processor without AVX2; this bytes.c stands in for the one of the library.
%C%_test_bytes_sse_SOURCES = %D%/test-bytes.c src/model/bytes.c
%C%_test_bytes_sse_CPPFLAGS = $(MODEL_TEST_CPPFLAGS) -DMODEL_AVX2=0
%C%_test_bytes_sse_CFLAGS = $(AM_CFLAGS) $(MODEL_CFLAGS)
%C%_test_bytes_sse_LDADD = $(MODEL_TEST_LDADD)

# Times, to be run by hand. They are compared with ISA-L's.
if HAVE_ISAL
check_PROGRAMS += %D%/speed
%C%_speed_CPPFLAGS = $(AM_CPPFLAGS) $(ISAL_CFLAGS)
%C%_speed_LDADD = src/model/libmodel.la $(ISAL_LIBS)
endif

# One change of the model at a time: does a test notice? An hour, or less with ONLY=batch.c,check.c.
EXTRA_DIST += %D%/mutate.py %D%/mutation-survivors.txt
.PHONY: check-mutation
check-mutation:
	@if command -v python3 >/dev/null; then \
		python3 $(srcdir)/tests/model/mutate.py --srcdir $(srcdir) --cc '$(CC)' \
	--libs='$(ISAL_LIBS)' --only='$(ONLY)'; \
	else \
		echo 'SKIP: check-mutation needs python3'; \
	fi
