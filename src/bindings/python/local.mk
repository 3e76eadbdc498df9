# SPDX-License-Identifier: MIT
# The Python module, which needs no compiler: ctypes over libsva.so. "make install pythondir=…"
# puts it elsewhere than where Debian's python3 looks.
pythondir = $(prefix)/lib/python3/dist-packages
svapythondir = $(pythondir)/sva
dist_svapython_DATA = %D%/sva/__init__.py %D%/sva/py.typed
