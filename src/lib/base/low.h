/* SPDX-License-Identifier: MIT */
/*
 * For programs: where one of the descriptors 0 to 2 is closed at the start, a file that the program
 * opens must not get that number, since what the program prints would go into the file. The number
 * is occupied by a descriptor that can be neither read nor written, so the program meets the same
 * errors; a program that it starts finds the number closed again.
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
