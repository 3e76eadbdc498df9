/* SPDX-License-Identifier: MIT */
/*
 * Text that somebody wrote by hand, or that is hostile: small files, handed over line by line, and
 * numbers. What reads the configuration file is compiled into the plug-ins, too.
 */
#ifndef SVA_TEXT_H
#define SVA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SVA_TEXT_MAX_SIZE 262144 /* bytes of a file */
#define SVA_TEXT_MAX_LINE 1023	 /* bytes of a line */

/*
 * Gets a line that is not blank and no comment, trimmed. 0 goes on; anything else ends the reading.
 */
typedef int sva_line_fn(void *arg, unsigned int number, char *text);

/*
 * 0; what the function returned; -ENOENT there is no such file; -EACCES it may not be read;
 * -EBADMSG it is not a text file that can be meant (a directory, too large, lines too long, control
 * characters); -EMFILE, -ENFILE, -ENOMEM it could not be looked at. But for -ENOENT, why says what
 * is wrong, with file and line; otherwise it is left empty.
 */
int sva_text_lines(const char *path, sva_line_fn *line, void *arg, char *why, size_t why_size);

/* Cuts white space off both ends, in place. */
char *sva_text_trim(char *text);

#define SVA_TEXT_UNITS 1u /* one of k, K, m, M, g and G may follow */
#define SVA_TEXT_HEX   2u /* 0x… is understood, too */

/* An unsigned number, and nothing else: 0, -EINVAL, -ERANGE. */
int sva_text_number(const char *text, unsigned int flags, uint64_t *value);

/*
 * 256 bits in words, the least significant first. As the kernel writes op_cap: eight groups of 32
 * bits with commas, the most significant first; before 6.0.9, four words of 64 bits with spaces,
 * the least significant first. Or as one number.
 */
bool sva_text_bitmap(const char *text, uint64_t words[4]);

#endif
