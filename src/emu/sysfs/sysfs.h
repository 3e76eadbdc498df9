/* SPDX-License-Identifier: MIT */
/*
 * The room "sysfs" shows the device as files: attributes with the rules of Linux' idxd driver, the
 * tree, and paths. It calls "device" and below, and must not know of instructions. This file: what
 * reading an attribute shows, what writing one does, and when it is refused.
 */
#ifndef EMU_SYSFS_SYSFS_H
#define EMU_SYSFS_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

#include "emu/base/text.h"
#include "emu/device/state.h"

enum emu_object {
	EMU_OBJ_DEVICE,
	EMU_OBJ_WQ,
	EMU_OBJ_GROUP,
	EMU_OBJ_ENGINE,
	EMU_OBJ_DRIVER, /* a driver of the bus: its attributes are bind and unbind */
	EMU_OBJ_FIXED,  /* a file with constant content, written by tree.c */
};

/* One attribute of one object. */
struct emu_attr_ref {
	enum emu_object object;
	unsigned int device;
	unsigned int index;     /* of the queue, group or engine; of the driver in emu_drivers */
	const char *name;
};

/* The drivers of the bus. The last one is the old one, which binds a queue as its type says. */
enum { EMU_DRIVER_IDXD, EMU_DRIVER_USER, EMU_DRIVER_DMAENGINE, EMU_DRIVER_DSA, EMU_DRIVERS };
extern const char *const emu_drivers[EMU_DRIVERS];

/*
 * The name of the nth attribute of an object; NULL after the last. Those that this device lacks are
 * left out.
 */
const char *emu_attr_name(const struct emu_state *state, enum emu_object object,
			  unsigned int device, unsigned int n, bool *writable);

/* Print what the file shows. 0 or -errno. */
int emu_attr_show(struct emu_state *state, const struct emu_attr_ref *attr, struct emu_text *out);

/*
 * Carry out a write to the file. 0 or -errno; after success any attribute of the device may have
 * changed.
 */
int emu_attr_store(struct emu_state *state, const struct emu_attr_ref *attr, const char *value,
		   size_t len);

/* Reset a device, as at power-on and when it is disabled: nothing is configured. */
void emu_device_reset(struct emu_device *dev);

/*
 * Bind (enable) and unbind (disable) as the drivers do. driver is an index of emu_drivers. 0 or
 * -errno; cmd_status is set.
 */
int emu_wq_enable(struct emu_state *state, unsigned int device, unsigned int wq,
		  unsigned int driver);
int emu_device_enable(struct emu_state *state, unsigned int device);
void emu_device_disable(struct emu_state *state, unsigned int device);

#endif
