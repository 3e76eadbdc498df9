# SPDX-License-Identifier: MIT
# "make check-vm-emu": the tests of sva-emu on CPUs with and without the instructions.
EXTRA_DIST += %D%/check %D%/guest
.PHONY: check-vm-emu
check-vm-emu: all
	$(MAKE) $(emu_programs)
	@$(AM_TESTS_ENVIRONMENT) VM_PATIENCE="$(VM_PATIENCE)" CC='$(CC)' \
		$(srcdir)/%D%/check $(VM_EMU_TESTS)
