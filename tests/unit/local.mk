# SPDX-License-Identifier: MIT

# Configuration and discovery, on trees of files that are shown as the machine's. The library's own
# files are linked in, so that their inner functions can be called and libc's can be wrapped; path.c
# is in the programs and, to preload, a module of its own.
check_LTLIBRARIES += %D%/libfinding.la tests/preload/path.la
%C%_libfinding_la_SOURCES = src/lib/base/words.c \
	src/lib/find/config.c src/lib/find/settings.c src/lib/base/names.c src/lib/base/text.c \
	src/lib/base/fd.c src/lib/find/log.c src/lib/find/discover.c \
	src/lib/find/plugin.c src/lib/find/elf-check.c src/lib/find/queue-check.c \
	src/lib/base/numa.c src/lib/base/cpu.c \
	src/lib/base/clock.c
%C%_libfinding_la_CFLAGS = $(AM_CFLAGS) $(NUMA_CFLAGS) -pthread
%C%_libfinding_la_LIBADD = $(NUMA_LIBS)
tests_preload_path_la_SOURCES = tests/preload/path.c
tests_preload_path_la_CFLAGS = $(AM_CFLAGS)
tests_preload_path_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere

finding_programs = %D%/t-find-config %D%/t-find-include %D%/t-find-plugin \
	%D%/t-find-discover %D%/t-find-file %D%/t-base-cpu %D%/t-base-numa
check_PROGRAMS += $(finding_programs)
TESTS += $(finding_programs)
EXTRA_DIST += tests/lsan.supp tests/valgrind.supp

finding_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
finding_ldflags = $(AM_LDFLAGS) -pthread -export-dynamic \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup
scene_sources = %D%/scene.c %D%/scene.h tests/preload/path.c

%C%_t_find_config_SOURCES = %D%/t-find-config.c $(scene_sources)
%C%_t_find_config_CPPFLAGS = $(finding_cppflags)
%C%_t_find_config_LDFLAGS = $(finding_ldflags) -Wl,--wrap=secure_getenv
%C%_t_find_config_LDADD = %D%/libfinding.la

%C%_t_find_include_SOURCES = %D%/t-find-include.c $(scene_sources)
%C%_t_find_include_CPPFLAGS = $(finding_cppflags)
%C%_t_find_include_LDFLAGS = $(finding_ldflags)
%C%_t_find_include_LDADD = %D%/libfinding.la

%C%_t_find_plugin_SOURCES = %D%/t-find-plugin.c $(scene_sources)
%C%_t_find_plugin_CPPFLAGS = $(finding_cppflags)
%C%_t_find_plugin_LDFLAGS = $(finding_ldflags)
%C%_t_find_plugin_LDADD = %D%/libfinding.la

%C%_t_find_discover_SOURCES = %D%/t-find-discover.c $(scene_sources)
%C%_t_find_discover_CPPFLAGS = $(finding_cppflags)
%C%_t_find_discover_LDFLAGS = $(finding_ldflags) -Wl,--wrap=sva_plugin_load
%C%_t_find_discover_LDADD = %D%/libfinding.la

%C%_t_find_file_SOURCES = %D%/t-find-file.c accfg-plugins/file.c $(scene_sources)
%C%_t_find_file_CPPFLAGS = $(finding_cppflags)
%C%_t_find_file_LDFLAGS = $(finding_ldflags)
%C%_t_find_file_LDADD = %D%/libfinding.la

%C%_t_base_cpu_SOURCES = %D%/t-base-cpu.c $(scene_sources)
%C%_t_base_cpu_CPPFLAGS = $(finding_cppflags)
%C%_t_base_cpu_LDFLAGS = $(finding_ldflags)
%C%_t_base_cpu_LDADD = %D%/libfinding.la

%C%_t_base_numa_SOURCES = %D%/t-base-numa.c
%C%_t_base_numa_CPPFLAGS = $(finding_cppflags)
%C%_t_base_numa_LDFLAGS = $(AM_LDFLAGS) -pthread \
	-Wl,--wrap=numa_available,--wrap=numa_max_node,--wrap=numa_num_possible_cpus \
	-Wl,--wrap=numa_node_of_cpu,--wrap=numa_distance,--wrap=numa_move_pages \
	-Wl,--wrap=sched_getcpu,--wrap=calloc
%C%_t_base_numa_LDADD = %D%/libfinding.la

include tests/unit/core.mk
include tests/unit/portal.mk
