/* SPDX-License-Identifier: MIT */
/*
 * A program that limits its system calls is warned that the emulator makes some, which may kill it.
 */
#ifndef EMU_PRELOAD_FILTER_H
#define EMU_PRELOAD_FILTER_H

/*
 * The program installed a filter; it opened a queue. The warning is printed once, when both are so.
 */
void emu_filter_installed(void);
void emu_filter_opened(void);

#endif
