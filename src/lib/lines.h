/* SPDX-License-Identifier: MIT */
/*
 * Small text files that somebody wrote by hand, or that are hostile: checked as a whole, then handed over line by line. The
 * configuration file and the file plug-in's list of queues are read with this.
 */
#ifndef SVA_LINES_H
#define SVA_LINES_H

#include <stddef.h>

#define SVA_LINES_MAX_SIZE   262144 /* bytes of a file */
#define SVA_LINES_MAX_LENGTH 1023   /* bytes of a line */

/* Gets a line that is not blank and no comment, without the white space around it. 0 goes on; anything else ends the reading. */
typedef int sva_line_fn(void *arg, unsigned int number, char *text);

/*
 * 0; what the function returned; -ENOENT there is no such file; -EACCES it may not be read; -EBADMSG it is not a text file that
 * can be meant (a directory, too large, lines too long, control characters); -ENOMEM. For the last three, why says what
 * is wrong, with file and line; otherwise it is left empty.
 */
int sva_lines_read(const char *path, sva_line_fn *line, void *arg, char *why, size_t why_size);

/* Cuts white space off both ends, in place. */
char *sva_lines_trim(char *text);

#endif
