/* SPDX-License-Identifier: MIT */
/* What the emulated device takes from this machine, and what kind of program is to be run. */
#ifndef EMU_RUN_MACHINE_H
#define EMU_RUN_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "emu/base/binary.h"
#include "emu/device/state.h"

/* The NUMA node for the nth device: one that the machine has. -1 if the kernel lists none. */
int emu_machine_node(unsigned int n);

/* Is this word among the flags of /proc/cpuinfo? */
bool emu_machine_has_flag(const char *flag);

/* Copy /proc/cpuinfo to a file, with the flags that the emulator adds. 0 or -errno. */
int emu_machine_cpuinfo(const char *path);

/* Is this process in the initial user namespace, where the kernel asks for capabilities? */
bool emu_machine_is_initial(void);

/* Fill the config space of the PCI function. */
void emu_machine_config(struct emu_device *dev);

/* What a program is, as far as the emulator must know before it runs it. */
struct emu_program {
	char path[4096];
	enum emu_binary kind;
	bool setuid;      /* the dynamic linker ignores LD_PRELOAD */
};

/* Find a program as execvp would, follow interpreters of scripts, and look into it. 0 or -errno. */
int emu_machine_program(const char *name, struct emu_program *program);

#endif
