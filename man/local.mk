# SPDX-License-Identifier: MIT
# The manual. A page for each family of calls; every further name in its NAME section gets an alias
# page when building. The pages of the programs are listed beside their sources.
man_pages = \
	%D%/libsva.conf.5 \
	%D%/sva.7 \
	%D%/sva_cpp.7 \
	%D%/sva_dml.7 \
	%D%/sva_bind.3 \
	%D%/sva_compare.3 \
	%D%/sva_copyv.3 \
	%D%/sva_cq_open.3 \
	%D%/sva_crc32c.3 \
	%D%/sva_create_delta.3 \
	%D%/sva_dma.4 \
	%D%/sva_dma_map.3 \
	%D%/sva_explain.3 \
	%D%/sva_faq.7 \
	%D%/sva_memcpy.3 \
	%D%/sva_op_result.3 \
	%D%/sva_open.3 \
	%D%/sva_paths.7 \
	%D%/sva_plugin.3 \
	%D%/sva_poll.3 \
	%D%/sva_prep.3 \
	%D%/sva_prep_batch.3 \
	%D%/sva_prep_dif_check.3 \
	%D%/sva_queue_describe.3 \
	%D%/sva_security.7 \
	%D%/sva_submit.3 \
	%D%/sva_tutorial.7
dist_man_MANS += $(man_pages)

# t-man.sh compares this list with the NAME sections.
man_aliases = \
	%D%/sva_apply_delta.3 \
	%D%/sva_bond_pasid.3 \
	%D%/sva_bond_path.3 \
	%D%/sva_bond_submit.3 \
	%D%/sva_cache_flush.3 \
	%D%/sva_close.3 \
	%D%/sva_compare_pattern.3 \
	%D%/sva_config_file.3 \
	%D%/sva_copy_crc32c.3 \
	%D%/sva_cq_close.3 \
	%D%/sva_cq_fd.3 \
	%D%/sva_cq_reap.3 \
	%D%/sva_cq_submit.3 \
	%D%/sva_cq_submit_many.3 \
	%D%/sva_cq_wait.3 \
	%D%/sva_dma_copy.3 \
	%D%/sva_dma_fill.3 \
	%D%/sva_dma_is_mapped.3 \
	%D%/sva_dma_sync.3 \
	%D%/sva_dma_unmap.3 \
	%D%/sva_dma_uring_done.3 \
	%D%/sva_dma_uring_prep.3 \
	%D%/sva_dualcast.3 \
	%D%/sva_last_result.3 \
	%D%/sva_memfill.3 \
	%D%/sva_memfill16.3 \
	%D%/sva_op_retire.3 \
	%D%/sva_path_name.3 \
	%D%/sva_prep_apply_delta.3 \
	%D%/sva_prep_cache_flush.3 \
	%D%/sva_prep_compare.3 \
	%D%/sva_prep_compare_pattern.3 \
	%D%/sva_prep_copy_crc.3 \
	%D%/sva_prep_copyv.3 \
	%D%/sva_prep_crc.3 \
	%D%/sva_prep_create_delta.3 \
	%D%/sva_prep_dif_insert.3 \
	%D%/sva_prep_dif_strip.3 \
	%D%/sva_prep_dif_update.3 \
	%D%/sva_prep_dix_generate.3 \
	%D%/sva_prep_dma_copy.3 \
	%D%/sva_prep_dma_fill.3 \
	%D%/sva_prep_drain.3 \
	%D%/sva_prep_dualcast.3 \
	%D%/sva_prep_memcpy.3 \
	%D%/sva_prep_memfill.3 \
	%D%/sva_prep_memfill16.3 \
	%D%/sva_prep_noop.3 \
	%D%/sva_prep_translation_fetch.3 \
	%D%/sva_problem.3 \
	%D%/sva_reap.3 \
	%D%/sva_reason_name.3 \
	%D%/sva_reason_text.3 \
	%D%/sva_run.3 \
	%D%/sva_setting_describe.3 \
	%D%/sva_setting_value.3 \
	%D%/sva_status_errno.3 \
	%D%/sva_status_name.3 \
	%D%/sva_status_text.3 \
	%D%/sva_submit_many.3 \
	%D%/sva_unbind.3 \
	%D%/sva_version.3 \
	%D%/sva_wait.3
man_MANS = $(man_aliases)
CLEANFILES += $(man_aliases)

# The page in whose NAME section the name stands.
$(man_aliases): $(man_pages)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && name=$(@F) && \
	for page in $(man_pages); do \
		sed -n '/^\.SH NAME/,/\\-/p' $(srcdir)/$$page | tr ' ,' '\n\n' | \
			grep -qx "$${name%.3}" || continue; \
		printf '.so man3/%s\n' "$${page##*/}" >$@; exit 0; \
	done; echo "$$name: no page has this name" >&2; exit 1

# The programs shown in the pages, which t-examples.sh runs; t-pc.sh builds them with nothing but
# pkg-config.
man_examples = \
	%D%/examples/batch \
	%D%/examples/bind \
	%D%/examples/compare \
	%D%/examples/copy \
	%D%/examples/copyv \
	%D%/examples/cq \
	%D%/examples/crc \
	%D%/examples/delta \
	%D%/examples/dif \
	%D%/examples/dma \
	%D%/examples/explain \
	%D%/examples/open \
	%D%/examples/overview \
	%D%/examples/prep \
	%D%/examples/queues \
	%D%/examples/result \
	%D%/examples/submit \
	%D%/examples/tutorial \
	%D%/examples/wait
check_PROGRAMS += $(man_examples)
%C%_examples_batch_LDADD = src/lib/libsva.la
%C%_examples_bind_LDADD = src/lib/libsva.la
%C%_examples_compare_LDADD = src/lib/libsva.la
%C%_examples_copy_LDADD = src/lib/libsva.la
%C%_examples_copyv_LDADD = src/lib/libsva.la
%C%_examples_cq_LDADD = src/lib/libsva.la
%C%_examples_cq_LDFLAGS = $(AM_LDFLAGS) -pthread
%C%_examples_crc_LDADD = src/lib/libsva.la
%C%_examples_delta_LDADD = src/lib/libsva.la
%C%_examples_dif_LDADD = src/lib/libsva.la
%C%_examples_dma_LDADD = src/lib/libsva.la
%C%_examples_explain_LDADD = src/lib/libsva.la
%C%_examples_open_LDADD = src/lib/libsva.la
%C%_examples_overview_LDADD = src/lib/libsva.la
%C%_examples_prep_LDADD = src/lib/libsva.la
%C%_examples_queues_LDADD = src/lib/libsva.la
%C%_examples_result_LDADD = src/lib/libsva.la
%C%_examples_submit_LDADD = src/lib/libsva.la
%C%_examples_tutorial_LDADD = src/lib/libsva.la
%C%_examples_wait_LDADD = src/lib/libsva.la

dist_examples_DATA += \
	%D%/examples/batch.c \
	%D%/examples/bind.c \
	%D%/examples/compare.c \
	%D%/examples/copy.c \
	%D%/examples/copyv.c \
	%D%/examples/cq.c \
	%D%/examples/crc.c \
	%D%/examples/delta.c \
	%D%/examples/dif.c \
	%D%/examples/dma.c \
	%D%/examples/explain.c \
	%D%/examples/first-dsa.c \
	%D%/examples/open.c \
	%D%/examples/overview.c \
	%D%/examples/plugin.c \
	%D%/examples/prep.c \
	%D%/examples/queues.c \
	%D%/examples/result.c \
	%D%/examples/submit.c \
	%D%/examples/tutorial.c \
	%D%/examples/wait.c

check_LTLIBRARIES += %D%/examples/example.la
%C%_examples_example_la_SOURCES = %D%/examples/plugin.c
%C%_examples_example_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere \
	-export-symbols-regex '^sva_accfg_plugin_v1$$'

EXTRA_DIST += %D%/embed.awk %D%/html.sh

# The pages as HTML with an index and a search over the names, in the folder html/. Needs mandoc.
.PHONY: html-local
html-local: $(man_aliases)
	$(AM_V_GEN)$(SHELL) $(srcdir)/%D%/html.sh html $(srcdir)/%D% $(man_aliases)
distclean-local:
	rm -rf html

# Puts the programs of man/examples/ into the pages anew. Writes into the source tree.
.PHONY: man-examples lint-man
man-examples:
	@for page in $(man_pages); do \
		$(AWK) -v dir=$(srcdir)/%D%/examples -f $(srcdir)/%D%/embed.awk \
			$(srcdir)/$$page >page.tmp || exit 1; \
		cmp -s page.tmp $(srcdir)/$$page || \
			{ echo "  $$page"; cat page.tmp >$(srcdir)/$$page; }; \
	done; rm -f page.tmp

lint-man:
	cd $(srcdir) && mandoc -T lint -W error $(dist_man_MANS)
