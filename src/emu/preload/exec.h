/* SPDX-License-Identifier: MIT */
/* Print a warning if a program that is about to be started cannot be emulated. */
#ifndef EMU_PRELOAD_EXEC_H
#define EMU_PRELOAD_EXEC_H

/* env NULL: not known. Safe between fork and exec. */
void emu_exec_look(const char *path, char *const *env);

#endif
