/* SPDX-License-Identifier: MIT */
/* One run: its directory, the program, its end. */
#ifndef EMU_RUN_H
#define EMU_RUN_H

/* sva-emu run …; argv[0] is "run". The program's exit status, 128 + its signal, or 125 to 127 if it never ran. */
int emu_run(int argc, char **argv);

#endif
