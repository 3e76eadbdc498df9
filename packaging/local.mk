# SPDX-License-Identifier: MIT
# What the system around the library gets: the rule of udev and the unit of systemd that "sva-info
# --setup" relies on, sample configurations of queues, completions. Each below the prefix: udev and
# systemd look there too if that is /usr or /usr/local.
EXTRA_DIST += %D%/60-libsva.rules %D%/libsva-queues.service.in %D%/completion/sva.bash \
	%D%/completion/_sva %D%/completion/sva.fish %D%/queues/README

queuesexamplesdir = $(docdir)/examples/queues
dist_queuesexamples_DATA = %D%/queues/shared.json %D%/queues/dedicated.json %D%/queues/both.json

if TOOLS
udevrulesdir = $(prefix)/lib/udev/rules.d
dist_udevrules_DATA = %D%/60-libsva.rules
systemunitdir = $(prefix)/lib/systemd/system
systemunit_DATA = %D%/libsva-queues.service
CLEANFILES += $(systemunit_DATA)
%D%/libsva-queues.service: %D%/libsva-queues.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) 's,@sysconfdir[@],$(sysconfdir),g' \
		$(srcdir)/%D%/libsva-queues.service.in >$@

# bash and fish look for a file of the program's name; the content is the same for all.
completed = sva-info sva-copy sva-bench sva-emu
bashcompletiondir = $(datadir)/bash-completion/completions
bashcompletion_DATA = $(completed:%=%D%/completion/bash/%)
fishcompletiondir = $(datadir)/fish/vendor_completions.d
fishcompletion_DATA = $(completed:%=%D%/completion/fish/%.fish)
zshcompletiondir = $(datadir)/zsh/site-functions
zshcompletion_DATA = %D%/completion/_sva
CLEANFILES += $(bashcompletion_DATA) $(fishcompletion_DATA)
$(bashcompletion_DATA): %D%/completion/sva.bash
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp -f $(srcdir)/%D%/completion/sva.bash $@ && chmod u+w $@
$(fishcompletion_DATA): %D%/completion/sva.fish
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp -f $(srcdir)/%D%/completion/sva.fish $@ && chmod u+w $@
endif
