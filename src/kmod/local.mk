# SPDX-License-Identifier: MIT
# The kernel module is no part of an ordinary build: it needs the headers of the kernel that it is
# for.
#
#   make module [KDIR=/lib/modules/…/build]
#			builds build-tree/src/kmod/module/sva_dma.ko
#   make install-dkms [DESTDIR=…]
#			installs its source for DKMS; "dkms install sva_dma/VERSION" builds it
kmod_files = \
	%D%/Kbuild \
	%D%/base.c \
	%D%/base.h \
	%D%/call.c \
	%D%/call.h \
	%D%/channel.c \
	%D%/channel.h \
	%D%/client.c \
	%D%/client.h \
	%D%/compat.h \
	%D%/file.c \
	%D%/file.h \
	%D%/main.c \
	%D%/map.c \
	%D%/map.h \
	%D%/mapping.c \
	%D%/mapping.h \
	%D%/op.c \
	%D%/op.h \
	%D%/pages.c \
	%D%/pages.h \
	%D%/pm.c \
	%D%/pm.h \
	%D%/probe.sh \
	%D%/queue.c \
	%D%/queue.h \
	%D%/ring.c \
	%D%/ring.h \
	%D%/table.c \
	%D%/table.h \
	%D%/turns.c \
	%D%/turns.h \
	%D%/uring.c \
	%D%/uring.h \
	%D%/users.c \
	%D%/users.h \
	%D%/watch.c \
	%D%/watch.h
EXTRA_DIST += $(kmod_files) %D%/dkms.conf.in
dist_examples_DATA += %D%/60-sva_dma.rules
# In a folder of libsva's: include/linux and include/uapi belong to the kernel's own headers.
svauapidir = $(svaincludedir)/uapi
svauapi_HEADERS = include/uapi/sva_dma.h

kmod_stage = mkdir -p $$to/include/uapi && (cd $(srcdir) && cp -f $(kmod_files) $$to/ && \
	cp -f include/uapi/sva_dma.h $$to/include/uapi/)
KDIR = /lib/modules/`uname -r`/build

.PHONY: module install-dkms uninstall-dkms
module:
	$(AM_V_GEN)to=$(abs_builddir)/%D%/module && $(kmod_stage) && \
		$(MAKE) -C $(KDIR) M=$$to modules

dkms_dir = $(DESTDIR)/usr/src/sva_dma-$(PACKAGE_VERSION)
install-dkms:
	to=$(dkms_dir) && $(kmod_stage)
	cp -f $(srcdir)/%D%/60-sva_dma.rules $(dkms_dir)/
	$(SED) 's/@PACKAGE_VERSION[@]/$(PACKAGE_VERSION)/' $(srcdir)/%D%/dkms.conf.in \
		>$(dkms_dir)/dkms.conf
	@echo "now: dkms install sva_dma/$(PACKAGE_VERSION)"

uninstall-dkms:
	rm -rf $(dkms_dir)

mostlyclean-local: clean-module
.PHONY: clean-module
clean-module:
	rm -rf %D%/module
