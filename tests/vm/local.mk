# SPDX-License-Identifier: MIT
# Tests on real kernels in a virtual machine. They run there, not in "make check": "make check-vm"
# boots each kernel of VM_KERNELS; tests/vm/run boots one, for any command.
VM_KERNELS = 6.1 6.12 7

vm_programs = %D%/dma-args %D%/dma-fuzz %D%/dma-kill %D%/dma-limits %D%/dma-mapped \
	%D%/dma-provider %D%/dma-random %D%/dma-ring %D%/dma-shared %D%/dma-stress %D%/dma-stuck \
	%D%/dma-suspend %D%/dma-turns %D%/dma-uring
EXTRA_PROGRAMS = $(vm_programs)
CLEANFILES += $(vm_programs)

vm_sources = %D%/dma.c %D%/dma.h %D%/uring.h
vm_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
%C%_dma_args_SOURCES = %D%/dma-args.c $(vm_sources)
%C%_dma_args_CPPFLAGS = $(vm_cppflags)
%C%_dma_fuzz_SOURCES = %D%/dma-fuzz.c $(vm_sources)
%C%_dma_fuzz_CPPFLAGS = $(vm_cppflags)
%C%_dma_fuzz_CFLAGS = $(AM_CFLAGS) $(URING_CFLAGS)
%C%_dma_fuzz_LDADD = $(URING_LIBS)
%C%_dma_kill_SOURCES = %D%/dma-kill.c $(vm_sources)
%C%_dma_kill_CPPFLAGS = $(vm_cppflags)
%C%_dma_kill_CFLAGS = $(AM_CFLAGS) $(URING_CFLAGS)
%C%_dma_kill_LDADD = $(URING_LIBS)
%C%_dma_limits_SOURCES = %D%/dma-limits.c $(vm_sources)
%C%_dma_limits_CPPFLAGS = $(vm_cppflags)
%C%_dma_mapped_SOURCES = %D%/dma-mapped.c $(vm_sources)
%C%_dma_mapped_CPPFLAGS = $(vm_cppflags)
%C%_dma_mapped_CFLAGS = $(AM_CFLAGS) $(URING_CFLAGS)
%C%_dma_mapped_LDADD = src/lib/libsva.la $(URING_LIBS)
%C%_dma_provider_SOURCES = %D%/dma-provider.c $(vm_sources)
%C%_dma_provider_CPPFLAGS = $(vm_cppflags)
%C%_dma_provider_CFLAGS = $(AM_CFLAGS) -pthread
%C%_dma_provider_LDFLAGS = $(AM_LDFLAGS) -pthread
%C%_dma_random_SOURCES = %D%/dma-random.c $(vm_sources)
%C%_dma_random_CPPFLAGS = $(vm_cppflags)
%C%_dma_ring_SOURCES = %D%/dma-ring.c $(vm_sources)
%C%_dma_ring_CPPFLAGS = $(vm_cppflags)
%C%_dma_ring_CFLAGS = $(AM_CFLAGS) -pthread
%C%_dma_ring_LDFLAGS = $(AM_LDFLAGS) -pthread
%C%_dma_shared_SOURCES = %D%/dma-shared.c $(vm_sources)
%C%_dma_shared_CPPFLAGS = $(vm_cppflags)
%C%_dma_stress_SOURCES = %D%/dma-stress.c $(vm_sources)
%C%_dma_stress_CPPFLAGS = $(vm_cppflags)
%C%_dma_stress_CFLAGS = $(AM_CFLAGS) -pthread
%C%_dma_stress_LDFLAGS = $(AM_LDFLAGS) -pthread
%C%_dma_stuck_SOURCES = %D%/dma-stuck.c $(vm_sources)
%C%_dma_stuck_CPPFLAGS = $(vm_cppflags)
%C%_dma_suspend_SOURCES = %D%/dma-suspend.c $(vm_sources)
%C%_dma_suspend_CPPFLAGS = $(vm_cppflags)
%C%_dma_turns_SOURCES = %D%/dma-turns.c $(vm_sources)
%C%_dma_turns_CPPFLAGS = $(vm_cppflags)
%C%_dma_uring_SOURCES = %D%/dma-uring.c $(vm_sources)
%C%_dma_uring_CPPFLAGS = $(vm_cppflags)
%C%_dma_uring_CFLAGS = $(AM_CFLAGS) $(URING_CFLAGS)
%C%_dma_uring_LDADD = $(URING_LIBS)

EXTRA_DIST += %D%/check %D%/dkms %D%/dma-library %D%/init %D%/kernel.sh %D%/repeat %D%/run \
	%D%/suite %D%/swdma/Kbuild %D%/swdma/swdma.c

.PHONY: check-vm vm-programs
vm-programs: $(vm_programs)
check-vm: all vm-programs
	@$(AM_TESTS_ENVIRONMENT) VM_ONLY="$(VM_ONLY)" VM_PATIENCE="$(VM_PATIENCE)" \
		$(srcdir)/%D%/check $(VM_KERNELS)

include tests/vm/qemu/local.mk
include tests/vm/idxd/local.mk
include tests/vm/emu/local.mk
