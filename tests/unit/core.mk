# SPDX-License-Identifier: MIT
# The library's core, on the paths that every machine has. Tests that look inside link its objects; the others link the library.
check_LTLIBRARIES += %D%/librig.la
%C%_librig_la_SOURCES = %D%/rig.c %D%/rig.h %D%/reference.c %D%/reference.h
%C%_librig_la_CPPFLAGS = $(core_cppflags)

core_programs = %D%/t-prep %D%/t-result %D%/t-kinds %D%/t-progress %D%/t-ops %D%/t-bad-input %D%/t-batch \
	%D%/t-sync %D%/t-async %D%/t-soft %D%/t-bond %D%/t-descriptors \
	%D%/t-queue %D%/t-faults %D%/t-guard %D%/t-fork \
	%D%/t-owner %D%/t-threads
check_PROGRAMS += $(core_programs)
TESTS += $(core_programs)

core_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
core_ldflags = $(AM_LDFLAGS) -pthread
core_outside = %D%/librig.la src/lib/libsva.la
core_inside = %D%/librig.la src/lib/libcore.la

%C%_t_prep_CPPFLAGS = $(core_cppflags)
%C%_t_prep_LDADD = src/lib/libsva.la

%C%_t_result_CPPFLAGS = $(core_cppflags)
%C%_t_result_LDADD = $(core_inside)

%C%_t_kinds_CPPFLAGS = $(core_cppflags)
%C%_t_kinds_LDADD = $(core_inside)

%C%_t_progress_CPPFLAGS = $(core_cppflags)
%C%_t_progress_LDADD = $(core_inside)

%C%_t_ops_CPPFLAGS = $(core_cppflags)
%C%_t_ops_LDADD = $(core_outside)

%C%_t_bad_input_CPPFLAGS = $(core_cppflags)
%C%_t_bad_input_LDADD = $(core_outside)

# A kernel of their own.
core_kernel = %D%/kernel.c %D%/kernel.h
core_kernel_ldflags = $(core_ldflags) -Wl,--wrap=open,--wrap=stat,--wrap=fstat,--wrap=fcntl \
	-Wl,--wrap=close,--wrap=write,--wrap=mmap,--wrap=munmap,--wrap=madvise,--wrap=sva_cpu_features

%C%_t_bond_SOURCES = %D%/t-bond.c $(core_kernel)
%C%_t_bond_CPPFLAGS = $(core_cppflags)
%C%_t_bond_LDFLAGS = $(core_kernel_ldflags)
%C%_t_bond_LDADD = $(core_inside)

%C%_t_descriptors_SOURCES = %D%/t-descriptors.c $(core_kernel)
%C%_t_descriptors_CPPFLAGS = $(core_cppflags)
%C%_t_descriptors_LDFLAGS = $(core_kernel_ldflags)
%C%_t_descriptors_LDADD = $(core_inside)

%C%_t_queue_SOURCES = %D%/t-queue.c $(core_kernel)
%C%_t_queue_CPPFLAGS = $(core_cppflags)
%C%_t_queue_LDFLAGS = $(core_kernel_ldflags)
%C%_t_queue_LDADD = $(core_inside)

%C%_t_faults_SOURCES = %D%/t-faults.c $(core_kernel)
%C%_t_faults_CPPFLAGS = $(core_cppflags)
%C%_t_faults_LDFLAGS = $(core_kernel_ldflags)
%C%_t_faults_LDADD = $(core_inside)

%C%_t_batch_CPPFLAGS = $(core_cppflags)
%C%_t_batch_LDADD = $(core_outside)

%C%_t_sync_SOURCES = %D%/t-sync.c $(core_kernel)
%C%_t_sync_CPPFLAGS = $(core_cppflags)
%C%_t_sync_LDFLAGS = $(core_kernel_ldflags)
%C%_t_sync_LDADD = $(core_inside)

%C%_t_async_SOURCES = %D%/t-async.c $(core_kernel)
%C%_t_async_CPPFLAGS = $(core_cppflags)
%C%_t_async_LDFLAGS = $(core_kernel_ldflags)
%C%_t_async_LDADD = $(core_inside)

%C%_t_soft_CPPFLAGS = $(core_cppflags)
%C%_t_soft_LDFLAGS = $(core_ldflags) -Wl,--wrap=pthread_create
%C%_t_soft_LDADD = $(core_inside)

%C%_t_guard_CPPFLAGS = $(core_cppflags)
%C%_t_guard_LDFLAGS = $(core_ldflags)
%C%_t_guard_LDADD = $(core_outside)

%C%_t_fork_SOURCES = %D%/t-fork.c $(core_kernel)
%C%_t_fork_CPPFLAGS = $(core_cppflags)
%C%_t_fork_LDFLAGS = $(core_kernel_ldflags)
%C%_t_fork_LDADD = $(core_inside)

%C%_t_owner_SOURCES = %D%/t-owner.c $(core_kernel)
%C%_t_owner_CPPFLAGS = $(core_cppflags)
%C%_t_owner_LDFLAGS = $(core_kernel_ldflags)
%C%_t_owner_LDADD = $(core_inside)

%C%_t_threads_SOURCES = %D%/t-threads.c $(core_kernel)
%C%_t_threads_CPPFLAGS = $(core_cppflags)
%C%_t_threads_LDFLAGS = $(core_kernel_ldflags)
%C%_t_threads_LDADD = $(core_inside)

# What the surroundings do: forks, shortages, sandboxes, cancellations.
around_programs = %D%/t-first %D%/t-sandbox %D%/t-cancel %D%/t-shortage
check_PROGRAMS += $(around_programs)
TESTS += $(around_programs)

%C%_t_first_CPPFLAGS = $(core_cppflags)
%C%_t_first_LDFLAGS = $(core_ldflags) -Wl,--wrap=open,--wrap=mmap,--wrap=madvise,--wrap=calloc \
	-Wl,--wrap=pthread_key_create,--wrap=pthread_atfork
%C%_t_first_LDADD = $(core_inside)

%C%_t_sandbox_CPPFLAGS = $(core_cppflags)
%C%_t_sandbox_LDFLAGS = $(core_ldflags)
%C%_t_sandbox_LDADD = $(core_inside)

%C%_t_cancel_SOURCES = %D%/t-cancel.c $(core_kernel)
%C%_t_cancel_CPPFLAGS = $(core_cppflags)
%C%_t_cancel_LDFLAGS = $(core_kernel_ldflags)
%C%_t_cancel_LDADD = $(core_inside)

%C%_t_shortage_SOURCES = %D%/t-shortage.c $(core_kernel)
%C%_t_shortage_CPPFLAGS = $(core_cppflags)
%C%_t_shortage_LDFLAGS = $(core_kernel_ldflags) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
%C%_t_shortage_LDADD = $(core_inside)
