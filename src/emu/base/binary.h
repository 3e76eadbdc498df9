/* SPDX-License-Identifier: MIT */
/*
 * The kind of a program, read from its file: it decides whether the preload library can be loaded
 * into it and works there.
 */
#ifndef EMU_BASE_BINARY_H
#define EMU_BASE_BINARY_H

enum emu_binary {
	EMU_BINARY_OTHER,   /* no 64-bit x86 program */
	EMU_BINARY_DYNAMIC, /* the dynamic linker loads it, and libc with it */
	EMU_BINARY_STATIC,  /* nothing loads a library into it */
	/*
	 * it has a dynamic linker but no libc, which the library needs for threads: Go without cgo
	 */
	EMU_BINARY_BARE,
};

/* Safe between fork and exec. The file offset does not change. */
enum emu_binary emu_binary_kind(int fd);

#endif
