/* SPDX-License-Identifier: MIT */
/* The state of the drop-in, for the process and for each thread. All of it is zero at first. */
#include "preload/preload.h"

struct preload preload;
__thread struct preload_thread preload_thread;
__thread int preload_vforked;
