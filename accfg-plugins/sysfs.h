/* SPDX-License-Identifier: MIT */
/*
 * Reading sysfs for the dsa plug-in: attributes that libaccel-config reads wrongly or not at all.
 */
#ifndef SVA_PLUGIN_SYSFS_H
#define SVA_PLUGIN_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The text of DIRECTORY/ATTRIBUTE without its newline; false if it cannot be read, is empty or does
 * not fit.
 */
bool sysfs_text(const char *directory, const char *attribute, char *text, size_t size);

/* A number, decimal or 0x…; false if it cannot be read or is none. */
bool sysfs_number(const char *directory, const char *attribute, uint64_t *value);

/* 256 bits, the least significant word first; false if they cannot be read. */
bool sysfs_bitmap(const char *directory, const char *attribute, uint64_t words[4]);

/*
 * Whether the PCI function above a device can be trusted, as SVA_TRUST_*: one that is removable,
 * behind a removable device, or in an IOMMU group with others could be made to act in the name of
 * another device.
 */
uint32_t sysfs_trust(const char *device_directory);

#endif
