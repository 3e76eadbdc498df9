/* SPDX-License-Identifier: MIT */
/*
 * The library's own descriptors. None of them is ever 0, 1 or 2: a program that was started with
 * these closed still prints to them. And none is trusted because of its number alone: programs
 * close descriptors that they do not know (daemons close everything from 3 on), and open files of
 * their own under the same numbers.
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
 * Is err (an errno of either sign) a shortage of descriptors or memory in the process or the
 * machine? It says nothing about the object that was to be opened, and may be over the next moment.
 */
static inline bool sva_is_shortage(int err)
{
	err = err < 0 ? -err : err;
	return err == EMFILE || err == ENFILE || err == ENOMEM;
}

/*
 * For plug-ins, which check at their end whether a shortage hid something from them: -errno of the
 * first shortage that one of the functions below met since the last sva_fd_forget_shortage(); 0:
 * none.
 */
int sva_fd_shortage(void);
void sva_fd_forget_shortage(void);

/*
 * open(2) with O_CLOEXEC, repeated after EINTR. Returns a descriptor from 3 on, or -errno; errno is
 * left alone.
 */
int sva_fd_open(const char *path, int flags);
int sva_fd_openat(int dir, const char *name, int flags);
/* To read a directory, or text; the caller closes it by closedir(3), fclose(3). NULL: see errno. */
DIR *sva_fd_opendir(const char *path);
FILE *sva_fd_fopen(const char *path);

/*
 * For code of other libraries that opens files: while held, 0 to 2 are in use, so the kernel does
 * not return them. held remembers which of them were closed. Reading and writing them fails as
 * before.
 */
void sva_fd_hold_low(bool held[3]);
void sva_fd_release_low(const bool held[3]);

/* An event counter, eventfd(2), that never blocks; as sva_fd_open(). */
int sva_fd_event(void);

/* A descriptor that is kept open, and what distinguishes it from another file under its number. */
struct sva_file {
	atomic_int fd; /* -1: none */
	int mark;
	dev_t dev, rdev;
	ino_t ino;
};

/*
 * Take over a descriptor that stays open. It is moved to a high number where that is possible: the
 * kernel gives such a number to another file only when hundreds are open.
 */
void sva_file_keep(struct sva_file *file, int fd);
/* Is the number still open on the same node? One system call. */
bool sva_file_same(const struct sva_file *file);
/* Is it, and was it not opened anew by the program? Two system calls. */
bool sva_file_ours(const struct sva_file *file);
/* Close it if it is still ours. fd is -1 afterwards. */
void sva_file_close(struct sva_file *file);

#endif
