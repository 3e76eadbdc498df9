/* SPDX-License-Identifier: MIT */
/*
 * Text from outside, which may be wrong or hostile: small files, read line by line, and numbers.
 * The plug-ins that read a configuration file compile this, too.
 */
#ifndef SVA_TEXT_H
#define SVA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SVA_TEXT_MAX_SIZE 262144 /* bytes of a file */
#define SVA_TEXT_MAX_LINE 1023	 /* bytes of a line */

/*
 * Called with each line that is neither blank nor a comment, trimmed. 0: continue; any other value
 * ends the reading.
 */
typedef int sva_line_fn(void *arg, unsigned int number, char *text);

/*
 * Returns 0; what line() returned; -ENOENT: there is no such file; -EACCES: it may not be read;
 * -EBADMSG: it is not a text file (a directory, too large, lines too long, control characters);
 * -EMFILE, -ENFILE, -ENOMEM: a shortage kept it from being read. Except for -ENOENT, why then says
 * what is wrong, with file and line; otherwise it is empty.
 */
int sva_text_lines(const char *path, sva_line_fn *line, void *arg, char *why, size_t why_size);

/* Cuts white space off both ends, in place. */
char *sva_text_trim(char *text);

#define SVA_TEXT_UNITS 1u /* one of k, K, m, M, g and G may follow */
#define SVA_TEXT_HEX   2u /* 0x… is accepted, too */

/* An unsigned number, and nothing else. Returns 0, -EINVAL, -ERANGE. */
int sva_text_number(const char *text, unsigned int flags, uint64_t *value);

/*
 * Parses 256 bits into words, the least significant first. Accepts what the kernel writes for
 * op_cap (eight groups of 32 bits with commas, the most significant first; before 6.0.9, four words
 * of 64 bits with spaces, the least significant first), and a single number.
 */
bool sva_text_bitmap(const char *text, uint64_t words[4]);

#endif
