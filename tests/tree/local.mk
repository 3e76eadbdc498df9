# SPDX-License-Identifier: MIT
# Tests of the repository itself.

# The rooms of each folder, read from the objects; each unit with the prefix of its objects.
TESTS += %D%/t-rooms.sh
EXTRA_DIST += %D%/t-rooms.sh %D%/rooms %D%/rooms.sh %D%/rooms.awk %D%/includes.awk
check_DATA += %D%/objects
CLEANFILES += %D%/objects
%D%/objects: Makefile
	$(AM_V_GEN)$(MKDIR_P) %D% && { \
	echo 'model libmodel_la $(src_model_libmodel_la_OBJECTS)'; \
	} >$@
