/* SPDX-License-Identifier: MIT */
/*
 * Reading small text files, and numbers: see text.h. No line of a file reaches the caller before
 * the whole file was found to be text.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/text.h"

char *sva_text_trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length && strchr(" \t", text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

/*
 * O_NONBLOCK: opening a FIFO in the file's place must not block; fstat(2) then finds out what it
 * is.
 */
static int open_regular(const char *path, char *why, size_t why_size)
{
	struct stat st;
	int fd, err;

	fd = sva_fd_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		err = -fd;
		if (err == ENOENT || err == ENOTDIR)
			return -ENOENT;
		snprintf(why, why_size, "%s: cannot be opened: %s", path, strerror(err));
		return err == EACCES || err == EPERM ? -EACCES :
		       sva_is_shortage(err)	     ? -err :
						       -EBADMSG;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		snprintf(why, why_size, "%s: not a regular file", path);
		close(fd);
		return -EBADMSG;
	}
	return fd;
}

/* All of the file, terminated; the length goes into *length. */
static char *read_all(int fd, size_t *length, int *error)
{
	char *data = malloc(SVA_TEXT_MAX_SIZE + 2);
	ssize_t n = 1;

	*error = ENOMEM;
	if (!data)
		return NULL;
	*length = 0;
	while (n && *length <= SVA_TEXT_MAX_SIZE) {
		n = read(fd, data + *length, SVA_TEXT_MAX_SIZE + 1 - *length);
		if (n < 0 && errno != EINTR) {
			*error = errno;
			free(data);
			return NULL;
		}
		*length += n > 0 ? (size_t)n : 0;
	}
	data[*length] = '\0';
	return data;
}

static int check_text(const char *path, const char *data, size_t length, char *why, size_t why_size)
{
	unsigned int number = 1, column = 0;

	if (length > SVA_TEXT_MAX_SIZE) {
		snprintf(why, why_size, "%s: larger than %d bytes", path, SVA_TEXT_MAX_SIZE);
		return -EBADMSG;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c == '\n') {
			number++;
			column = 0;
		} else if ((c < 0x20 && c != '\t') || c == 0x7f) {
			snprintf(why, why_size,
				 "%s:%u: control character 0x%02x: this is not a text file", path,
				 number, c);
			return -EBADMSG;
		} else if (++column > SVA_TEXT_MAX_LINE) {
			snprintf(why, why_size, "%s:%u: line is longer than %d bytes", path, number,
				 SVA_TEXT_MAX_LINE);
			return -EBADMSG;
		}
	}
	return 0;
}

static int each_line(char *data, sva_line_fn *line, void *arg)
{
	unsigned int number = 1;
	char *end, *text;
	int err = 0;

	for (; data && !err; data = end, number++) {
		end = strchr(data, '\n');
		if (end)
			*end++ = '\0';
		text = sva_text_trim(data);
		if (*text && *text != '#')
			err = line(arg, number, text);
	}
	return err;
}

int sva_text_lines(const char *path, sva_line_fn *line, void *arg, char *why, size_t why_size)
{
	int fd, err, error;
	size_t length;
	char *data;

	why[0] = '\0';
	fd = open_regular(path, why, why_size);
	if (fd < 0)
		return fd;
	data = read_all(fd, &length, &error);
	close(fd);
	if (!data) {
		snprintf(why, why_size, "%s: cannot be read: %s", path, strerror(error));
		return sva_is_shortage(error) ? -error : -EBADMSG;
	}
	err = check_text(path, data, length, why, why_size);
	if (!err)
		err = each_line(data, line, arg);
	free(data);
	return err;
}

int sva_text_number(const char *text, unsigned int flags, uint64_t *value)
{
	static const char letters[] = "kKmMgG";
	bool hex = flags & SVA_TEXT_HEX && text[0] == '0' && text[1] == 'x';
	const char *letter;
	char *end;

	text += hex ? 2 : 0;
	if (!(hex ? isxdigit((unsigned char)*text) : isdigit((unsigned char)*text)))
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, hex ? 16 : 10);
	if (errno)
		return -ERANGE;
	letter = flags & SVA_TEXT_UNITS && *end ? strchr(letters, *end) : NULL;
	if (letter) {
		unsigned int shift = 10 * (1 + (unsigned int)(letter - letters) / 2);

		if (*value > UINT64_MAX >> shift)
			return -ERANGE;
		*value <<= shift;
		end++;
	}
	return *end ? -EINVAL : 0;
}

/*
 * Did sscanf parse all items and the whole text? end: the position behind the last item, from %n.
 */
static bool is_complete(const char *text, int items, int wanted, int end)
{
	return items == wanted && end >= 0 && !text[end];
}

bool sva_text_bitmap(const char *text, uint64_t words[4])
{
	unsigned long long word[4];
	unsigned int group[8];
	int end = -1, items;

	if (text[strspn(text, "0123456789abcdefABCDEFx, ")])
		return false;
	items = sscanf(text, "%8x,%8x,%8x,%8x,%8x,%8x,%8x,%8x%n", &group[7], &group[6], &group[5],
		       &group[4], &group[3], &group[2], &group[1], &group[0], &end);
	if (is_complete(text, items, 8, end)) {
		for (int i = 0; i < 4; i++)
			words[i] = (uint64_t)group[2 * i + 1] << 32 | group[2 * i];
		return true;
	}
	end = -1;
	items = sscanf(text, "%18llx %18llx %18llx %18llx%n", &word[0], &word[1], &word[2],
		       &word[3], &end);
	if (is_complete(text, items, 4, end)) {
		for (int i = 0; i < 4; i++)
			words[i] = word[i];
		return true;
	}
	words[1] = words[2] = words[3] = 0;
	return !sva_text_number(text, SVA_TEXT_HEX, &words[0]);
}
