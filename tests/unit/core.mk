# SPDX-License-Identifier: MIT
# The library's core, on the paths that every machine has. Tests that look inside link its objects;
# the others link the library.
check_LTLIBRARIES += %D%/librig.la
%C%_librig_la_SOURCES = %D%/rig.c %D%/rig.h %D%/reference.c %D%/reference.h %D%/words.h
%C%_librig_la_CPPFLAGS = $(core_cppflags)

core_programs = %D%/t-op-cpu %D%/t-op-prep %D%/t-op-result %D%/t-op-kinds %D%/t-op-progress \
	%D%/t-api-ops %D%/t-api-plain %D%/t-api-bad-input %D%/t-api-batch \
	%D%/t-api-sync %D%/t-api-async %D%/t-queue-soft %D%/t-queue-bond %D%/t-queue-descriptors \
	%D%/t-queue-ways %D%/t-run-queue %D%/t-run-batch %D%/t-run-faults %D%/t-base-guard \
	%D%/t-run-fork \
	%D%/t-run-owner %D%/t-run-threads %D%/t-run-group %D%/t-run-credits \
	%D%/t-run-result %D%/t-run-reap %D%/t-run-cq %D%/t-run-fast %D%/t-run-folded
check_PROGRAMS += $(core_programs)
TESTS += $(core_programs)

core_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
core_ldflags = $(AM_LDFLAGS) -pthread
core_outside = %D%/librig.la src/lib/libsva.la
core_inside = %D%/librig.la src/lib/libcore.la

%C%_t_op_prep_CPPFLAGS = $(core_cppflags)
%C%_t_op_prep_LDADD = src/lib/libsva.la

%C%_t_op_cpu_CPPFLAGS = $(core_cppflags)
%C%_t_op_cpu_LDADD = $(core_inside)

%C%_t_op_result_CPPFLAGS = $(core_cppflags)
%C%_t_op_result_LDADD = $(core_inside)

%C%_t_op_kinds_CPPFLAGS = $(core_cppflags)
%C%_t_op_kinds_LDADD = $(core_inside)

%C%_t_op_progress_CPPFLAGS = $(core_cppflags)
%C%_t_op_progress_LDADD = $(core_inside)

%C%_t_api_ops_CPPFLAGS = $(core_cppflags)
%C%_t_api_ops_LDADD = $(core_outside)

%C%_t_api_plain_CPPFLAGS = $(core_cppflags)
%C%_t_api_plain_LDADD = $(core_outside)

%C%_t_api_bad_input_CPPFLAGS = $(core_cppflags)
%C%_t_api_bad_input_LDADD = $(core_outside)

# A kernel of their own.
core_kernel = %D%/kernel.c %D%/kernel.h
core_kernel_ldflags = $(core_ldflags) -Wl,--wrap=open,--wrap=stat,--wrap=fstat,--wrap=fcntl \
	-Wl,--wrap=close,--wrap=write,--wrap=mmap,--wrap=munmap,--wrap=madvise \
	-Wl,--wrap=sva_cpu_features

%C%_t_queue_bond_SOURCES = %D%/t-queue-bond.c $(core_kernel)
%C%_t_queue_bond_CPPFLAGS = $(core_cppflags)
%C%_t_queue_bond_LDFLAGS = $(core_kernel_ldflags)
%C%_t_queue_bond_LDADD = $(core_inside)

%C%_t_queue_descriptors_SOURCES = %D%/t-queue-descriptors.c $(core_kernel)
%C%_t_queue_descriptors_CPPFLAGS = $(core_cppflags)
%C%_t_queue_descriptors_LDFLAGS = $(core_kernel_ldflags)
%C%_t_queue_descriptors_LDADD = $(core_inside)

%C%_t_run_queue_SOURCES = %D%/t-run-queue.c %D%/load.c %D%/load.h $(core_kernel)
%C%_t_run_queue_CPPFLAGS = $(core_cppflags)
%C%_t_run_queue_LDFLAGS = $(core_kernel_ldflags)
%C%_t_run_queue_LDADD = $(core_inside)

%C%_t_run_batch_SOURCES = %D%/t-run-batch.c %D%/load.c %D%/load.h $(core_kernel)
%C%_t_run_batch_CPPFLAGS = $(core_cppflags)
%C%_t_run_batch_LDFLAGS = $(core_kernel_ldflags)
%C%_t_run_batch_LDADD = $(core_inside)

%C%_t_run_faults_SOURCES = %D%/t-run-faults.c $(core_kernel)
%C%_t_run_faults_CPPFLAGS = $(core_cppflags)
%C%_t_run_faults_LDFLAGS = $(core_kernel_ldflags)
%C%_t_run_faults_LDADD = $(core_inside)

%C%_t_api_batch_CPPFLAGS = $(core_cppflags)
%C%_t_api_batch_LDADD = $(core_outside)

%C%_t_api_sync_SOURCES = %D%/t-api-sync.c $(core_kernel)
%C%_t_api_sync_CPPFLAGS = $(core_cppflags)
%C%_t_api_sync_LDFLAGS = $(core_kernel_ldflags)
%C%_t_api_sync_LDADD = $(core_inside)

%C%_t_api_async_SOURCES = %D%/t-api-async.c $(core_kernel)
%C%_t_api_async_CPPFLAGS = $(core_cppflags)
%C%_t_api_async_LDFLAGS = $(core_kernel_ldflags)
%C%_t_api_async_LDADD = $(core_inside)

# With a submission table of its own, which src/lib/queue/ways.c is included for.
%C%_t_queue_ways_SOURCES = %D%/t-queue-ways.c %D%/mirror.c %D%/mirror.h
%C%_t_queue_ways_CPPFLAGS = $(core_cppflags)
%C%_t_queue_ways_LDADD = $(core_inside)

%C%_t_queue_soft_CPPFLAGS = $(core_cppflags)
%C%_t_queue_soft_LDFLAGS = $(core_ldflags) -Wl,--wrap=pthread_create,--wrap=madvise
%C%_t_queue_soft_LDADD = $(core_inside)

%C%_t_base_guard_CPPFLAGS = $(core_cppflags)
%C%_t_base_guard_LDFLAGS = $(core_ldflags)
%C%_t_base_guard_LDADD = $(core_outside)

%C%_t_run_fork_SOURCES = %D%/t-run-fork.c $(core_kernel)
%C%_t_run_fork_CPPFLAGS = $(core_cppflags)
%C%_t_run_fork_LDFLAGS = $(core_kernel_ldflags)
%C%_t_run_fork_LDADD = $(core_inside)

%C%_t_run_owner_SOURCES = %D%/t-run-owner.c $(core_kernel)
%C%_t_run_owner_CPPFLAGS = $(core_cppflags)
%C%_t_run_owner_LDFLAGS = $(core_kernel_ldflags)
%C%_t_run_owner_LDADD = $(core_inside)

%C%_t_run_threads_SOURCES = %D%/t-run-threads.c $(core_kernel)
%C%_t_run_threads_CPPFLAGS = $(core_cppflags)
%C%_t_run_threads_LDFLAGS = $(core_kernel_ldflags)
%C%_t_run_threads_LDADD = $(core_inside)

# The same, with portals.
core_portal = $(core_kernel) %D%/doorbell.c %D%/doorbell.h

%C%_t_run_group_SOURCES = %D%/t-run-group.c %D%/load.c %D%/load.h $(core_portal)
%C%_t_run_group_CPPFLAGS = $(core_cppflags)
%C%_t_run_group_LDFLAGS = $(core_kernel_ldflags)
%C%_t_run_group_LDADD = $(core_inside)

%C%_t_run_credits_SOURCES = %D%/t-run-credits.c %D%/load.c %D%/load.h $(core_portal)
%C%_t_run_credits_CPPFLAGS = $(core_cppflags)
%C%_t_run_credits_LDFLAGS = $(core_kernel_ldflags)
%C%_t_run_credits_LDADD = $(core_inside)

%C%_t_run_result_SOURCES = %D%/t-run-result.c %D%/load.c %D%/load.h $(core_portal)
%C%_t_run_result_CPPFLAGS = $(core_cppflags)
%C%_t_run_result_LDFLAGS = $(core_kernel_ldflags)
%C%_t_run_result_LDADD = $(core_inside)

%C%_t_run_reap_SOURCES = %D%/t-run-reap.c $(core_kernel)
%C%_t_run_reap_CPPFLAGS = $(core_cppflags)
%C%_t_run_reap_LDFLAGS = $(core_kernel_ldflags)
%C%_t_run_reap_LDADD = $(core_inside)

%C%_t_run_fast_CPPFLAGS = $(core_cppflags)
%C%_t_run_fast_LDADD = $(core_inside)

%C%_t_run_cq_SOURCES = %D%/t-run-cq.c %D%/load.c %D%/load.h $(core_kernel)
%C%_t_run_cq_CPPFLAGS = $(core_cppflags)
%C%_t_run_cq_LDFLAGS = $(core_kernel_ldflags) -Wl,--wrap=pthread_create
%C%_t_run_cq_LDADD = $(core_inside)

# Completion queues under load. By hand, for as long as it takes:
#
#	make check-cq OPERATIONS=10000000
check_PROGRAMS += %D%/cq-load
TESTS += %D%/t-run-cq-load.sh
EXTRA_DIST += %D%/t-run-cq-load.sh
%C%_cq_load_CPPFLAGS = $(core_cppflags)
%C%_cq_load_LDFLAGS = $(core_ldflags)
%C%_cq_load_LDADD = src/lib/libsva.la

.PHONY: check-cq
check-cq: all
	$(MAKE) %D%/cq-load
	$(AM_TESTS_ENVIRONMENT) OPERATIONS=$${OPERATIONS:-10000000} \
		bash $(srcdir)/%D%/t-run-cq-load.sh
%C%_t_run_folded_SOURCES = %D%/t-run-folded.c %D%/load.c %D%/load.h $(core_portal)
%C%_t_run_folded_CPPFLAGS = $(core_cppflags)
%C%_t_run_folded_LDFLAGS = $(core_kernel_ldflags)
%C%_t_run_folded_LDADD = $(core_inside)

# What the surroundings do: forks, shortages, sandboxes, cancellations.
around_programs = %D%/t-api-first %D%/t-base-sandbox %D%/t-api-cancel %D%/t-api-shortage
check_PROGRAMS += $(around_programs)
TESTS += $(around_programs)

%C%_t_api_first_CPPFLAGS = $(core_cppflags)
%C%_t_api_first_LDFLAGS = $(core_ldflags) -Wl,--wrap=open,--wrap=mmap,--wrap=madvise,--wrap=calloc \
	-Wl,--wrap=pthread_key_create,--wrap=pthread_atfork
%C%_t_api_first_LDADD = $(core_inside)

%C%_t_base_sandbox_CPPFLAGS = $(core_cppflags)
%C%_t_base_sandbox_LDFLAGS = $(core_ldflags)
%C%_t_base_sandbox_LDADD = $(core_inside)

%C%_t_api_cancel_SOURCES = %D%/t-api-cancel.c $(core_kernel)
%C%_t_api_cancel_CPPFLAGS = $(core_cppflags)
%C%_t_api_cancel_LDFLAGS = $(core_kernel_ldflags)
%C%_t_api_cancel_LDADD = $(core_inside)

%C%_t_api_shortage_SOURCES = %D%/t-api-shortage.c $(core_kernel)
%C%_t_api_shortage_CPPFLAGS = $(core_cppflags)
%C%_t_api_shortage_LDFLAGS = $(core_kernel_ldflags) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
%C%_t_api_shortage_LDADD = $(core_inside)
