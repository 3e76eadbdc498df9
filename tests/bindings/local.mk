# SPDX-License-Identifier: MIT
# The bindings for other languages, each with the tools of its language where they are installed.
TESTS += %D%/t-cpp.sh %D%/t-python.sh
EXTRA_DIST += %D%/t-cpp.sh %D%/cpp.cpp %D%/t-python.sh %D%/python.py
