/* SPDX-License-Identifier: MIT */
/* sva-emu doctor: what a run would use on this machine, and why. */
#ifndef EMU_RUN_DOCTOR_H
#define EMU_RUN_DOCTOR_H

/* Prints to stdout. 0 if a run is possible in some way, else 1. */
int emu_doctor(void);

#endif
