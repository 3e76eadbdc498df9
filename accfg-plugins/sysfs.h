/* SPDX-License-Identifier: MIT */
/*
 * Reading sysfs for the dsa plug-in: what libaccel-config gets wrong, or does not read at all.
 */
#ifndef SVA_PLUGIN_SYSFS_H
#define SVA_PLUGIN_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The text of DIRECTORY/ATTRIBUTE without its newline; false if it can not be read, is empty or
 * does not fit.
 */
bool sysfs_text(const char *directory, const char *attribute, char *text, size_t size);

/* A number, decimal or 0x…; false if it can not be read or is none. */
bool sysfs_number(const char *directory, const char *attribute, uint64_t *value);

/* 256 bits, the least significant word first; false if they can not be read. */
bool sysfs_bitmap(const char *directory, const char *attribute, uint64_t words[4]);

/*
 * Whether the PCI function above a device can be trusted, as SVA_TRUST_*: one that is removable,
 * sits behind something that is, or shares its IOMMU group with others could be made to do things
 * in the name of another.
 */
uint32_t sysfs_trust(const char *device_directory);

#endif
