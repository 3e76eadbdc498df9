/* SPDX-License-Identifier: MIT */
/*
 * The library's own descriptors. None of them is ever 0, 1 or 2: a program that was started with
 * these closed prints to them all the same. And none is trusted because of its number alone:
 * programs close descriptors that they do not know (daemons, everything from 3 on), and open files
 * of theirs under the same numbers.
 */
#ifndef SVA_FD_H
#define SVA_FD_H

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * Short of descriptors or memory, the process or the machine: that says nothing about what was
 * looked for, and the next moment may be different. err: an errno of either sign.
 */
static inline bool sva_is_shortage(int err)
{
	err = err < 0 ? -err : err;
	return err == EMFILE || err == ENFILE || err == ENOMEM;
}

/*
 * For plug-ins, which ask after all is done whether something could not be looked at: -errno of
 * the first shortage that one of the functions below met since it was forgotten; 0: none.
 */
int sva_fd_shortage(void);
void sva_fd_forget_shortage(void);

/*
 * open(2) with O_CLOEXEC, again after EINTR. A descriptor from 3 on, or -errno; errno is left
 * alone.
 */
int sva_fd_open(const char *path, int flags);
int sva_fd_openat(int dir, const char *name, int flags);
/* To read a directory, or text; closed by closedir(3), fclose(3). NULL: errno says why. */
DIR *sva_fd_opendir(const char *path);
FILE *sva_fd_fopen(const char *path);

/*
 * For code of others that opens files: while held, 0 to 2 are in use, so that it is not given them.
 * held remembers which of them were closed. Nothing can be read from them or written to them, as
 * before.
 */
void sva_fd_hold_low(bool held[3]);
void sva_fd_release_low(const bool held[3]);

/* A descriptor that is kept open, and what tells it from another one with its number. */
struct sva_file {
	atomic_int fd; /* -1: none */
	int mark;
	dev_t dev, rdev;
	ino_t ino;
};

/*
 * Take a descriptor over to keep it. It gets a high number where that is possible, which the kernel
 * does not give to another file before hundreds are open.
 */
void sva_file_keep(struct sva_file *file, int fd);
/* Is that number still open on the same node? One system call. */
bool sva_file_same(const struct sva_file *file);
/* The same, and not by an open(2) of the program's own. Two system calls. */
bool sva_file_ours(const struct sva_file *file);
/* Close it if it is still ours. There is none afterwards. */
void sva_file_close(struct sva_file *file);

#endif
