# SPDX-License-Identifier: MIT
# What runs all tests in another way. Each has a build folder of its own under this one, so that
# nothing is mixed up and a second run is quick.
#
#	make check-sanitizers    check-asan (addresses, undefined behaviour) and check-tsan
#	make check-clang         builds with clang; warnings are errors
#	make check-valgrind-unit the programs of tests/unit under valgrind; check-valgrind-memcheck
#	                         does all, which takes long
#	make check-static        programs that are linked with libsva.a
#	make coverage            make check with --enable-coverage, and what gcovr makes of it
.PHONY: check-sanitizers check-asan check-tsan check-clang check-valgrind-unit check-static coverage

# These look at texts, which are the same in every build.
tree_tests = tests/tree/t-abi.sh tests/tree/t-headers.sh tests/tree/t-doc.sh tests/tree/t-man.sh \
	tests/tree/t-env.sh tests/tree/t-pc.sh tests/tree/t-rooms.sh tests/tree/t-addresses.sh \
	tests/tree/t-quickstart.sh tests/tree/t-tap.sh tests/tree/t-lines.sh tests/tree/t-words.sh \
	tests/tree/t-packages.sh

check-sanitizers: check-asan check-tsan

check-asan:
	@tests=; for t in $(TESTS); do \
		case " $(tree_tests) " in *" $$t "*) ;; *) tests="$$tests $$t" ;; esac; \
	done; \
	$(MKDIR_P) asan && cd asan && \
	{ test -f config.status || $(abs_srcdir)/configure -q \
		--enable-sanitizers=address,undefined CC='$(CC)' CFLAGS='-O1 -g'; } && \
	$(MAKE) check TESTS="$$tests"

# The model has neither threads nor shared data; its tests are the longest.
check-tsan:
	@tests=; for t in $(TESTS); do \
		case " $(tree_tests) $$t" in *" $$t "*|*" tests/model/"*|*" tests/fuzz/"*) ;; \
		*) tests="$$tests $$t" ;; esac; \
	done; \
	$(MKDIR_P) tsan && cd tsan && \
	{ test -f config.status || $(abs_srcdir)/configure -q \
		--enable-sanitizers=thread CC='$(CC)' CFLAGS='-O1 -g'; } && \
	$(MAKE) check TESTS="$$tests"

check-clang:
	$(MKDIR_P) clang && cd clang && \
	{ test -f config.status || \
		$(abs_srcdir)/configure -q CC=clang CFLAGS='-O2 -g -Werror'; } && \
	$(MAKE) all

check-valgrind-unit:
	@tests=; for t in $(TESTS); do \
		case $$t in *.sh) ;; tests/unit/*) tests="$$tests $$t" ;; esac; \
	done; \
	$(MAKE) check TESTS= && $(MAKE) check-valgrind-memcheck TESTS="$$tests"

# Of the static build only what a program links and loads; sva-emu is that of this build.
check-static: all
	@$(MKDIR_P) static && cd static && \
	{ test -f config.status || $(abs_srcdir)/configure -q --enable-static --without-isal \
		CC='$(CC)' CFLAGS='-O2 -g'; } && \
	plugins=accfg-plugins/file.la && \
	{ ! test -f ../accfg-plugins/dsa.la || plugins="$$plugins accfg-plugins/dsa.la"; } && \
	$(MAKE) -s src/lib/libsva.la $$plugins && cd .. && \
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		static_builddir='$(abs_top_builddir)/static' CC='$(CC)' \
		$(abs_top_srcdir)/tests/tree/t-static.sh

# Counters are atomic, since threads share them.
coverage:
	$(MKDIR_P) coverage && cd coverage && \
	{ test -f config.status || $(abs_srcdir)/configure -q --enable-coverage CC='$(CC)' \
		CFLAGS='-g -fprofile-update=atomic'; } && \
	$(MAKE) check && \
	root=`cd $(abs_srcdir) && pwd -P` && \
	gcovr -r "$$root" -f "$$root/(src|accfg-plugins|bench)/" --gcov-ignore-parse-errors -s \
		-o coverage.txt . && \
	cat coverage.txt

# The rules of autoconf-archive for check-valgrind and its kin.
VALGRIND_SUPPRESSIONS_FILES = $(top_srcdir)/tests/valgrind.supp
@VALGRIND_CHECK_RULES@
