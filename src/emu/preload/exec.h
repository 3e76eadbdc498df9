/* SPDX-License-Identifier: MIT */
/* A program that is about to be started: it is named if it is not emulated. */
#ifndef EMU_PRELOAD_EXEC_H
#define EMU_PRELOAD_EXEC_H

/* env NULL: not known. Safe between fork and exec. */
void emu_exec_look(const char *path, char *const *env);

#endif
