/* SPDX-License-Identifier: MIT */
/* What the tables of attributes (attrs_*.c) share with sysfs.c, which uses them. */
#ifndef EMU_SYSFS_ATTRS_H
#define EMU_SYSFS_ATTRS_H

#include <errno.h>

#include "emu/base/raw.h"
#include "emu/sysfs/sysfs.h"

#define MAX_READ_BUFFERS 96u

/*
 * One attribute: what it shows, what a write does (NULL: read-only), and which devices have it
 * (NULL: all).
 */
struct attr {
	const char *name;
	void (*show)(const struct emu_device *dev, unsigned int index, struct emu_text *out);
	int (*store)(struct emu_device *dev, unsigned int index, const char *value, size_t len);
	bool (*visible)(const struct emu_device *dev);
};

#define SHOW(fn, ...) \
	static void fn(const struct emu_device *dev, unsigned int index, struct emu_text *out) \
	{ \
		(void)dev; \
		(void)index; \
		text_add(out, __VA_ARGS__); \
	}
#define STORE(fn) \
	static int fn(struct emu_device *dev, unsigned int index, const char *value, size_t len)

/* Each ends with an attribute without a name. */
extern const struct attr emu_device_attrs[], emu_wq_attrs[], emu_group_attrs[], emu_engine_attrs[];

/*
 * A bitmap of 256 bits as the kernel prints it: groups of eight digits, the most significant first.
 */
void emu_show_bitmap(const uint64_t bits[4], struct emu_text *out);
int emu_parse_bitmap(const char *s, size_t len, uint64_t bits[4]);

/* Read a number up to max. 0 or -EINVAL. */
int emu_parse(const char *value, size_t len, uint64_t max, uint64_t *out);

/*
 * Copy a word that was written to sysfs, without the newline at its end. False if it does not fit.
 */
bool emu_parse_word(const char *value, size_t len, char *out, size_t size);

/* Store what was written to group_id of a queue or an engine: -1, or a group. */
int emu_store_group(const struct emu_device *dev, int32_t *where, const char *value, size_t len);

static inline const struct sva_model_profile *prof(const struct emu_device *dev)
{
	return emu_device_profile(dev);
}

#endif
