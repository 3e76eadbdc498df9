/* SPDX-License-Identifier: MIT */
/*
 * For programs: a descriptor of 0 to 2 that is closed at the start must not become that of a file
 * which the program opens, since what it prints would go there. It is occupied by something that
 * can be neither read nor written, so the program meets the same errors; a program that it starts
 * finds it closed again.
 */
#ifndef SVA_LOW_H
#define SVA_LOW_H

#include <fcntl.h>

static inline void sva_occupy_low(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/", O_PATH | O_CLOEXEC) != fd)
			return;
}

#endif
