/* SPDX-License-Identifier: MIT */
/*
 * idxd-open NODE: prints the result of open(2): "ok", or the name of an errno. Only open(2) shows
 * whether a kernel grants SVA.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	const char *name;

	if (argc != 2)
		return 2;
	if (open(argv[1], O_RDWR | O_CLOEXEC) >= 0) {
		puts("ok");
		return 0;
	}
	name = strerrorname_np(errno);
	puts(name ? name : "unknown");
	return 0;
}
