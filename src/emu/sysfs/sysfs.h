/* SPDX-License-Identifier: MIT */
/*
 * The attributes of the idxd driver's objects in sysfs: what reading one shows, what writing one
 * does and when it is refused. The rules are those of Linux' driver. State only; the tree of files
 * is tree.c's.
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
	EMU_OBJ_FIXED,  /* a file that shows what tree.c put there */
};

/* One attribute of one object. */
struct emu_attr_ref {
	enum emu_object object;
	unsigned int device;
	unsigned int index;     /* of the queue, group or engine; of the driver in emu_drivers */
	const char *name;
};

/* The drivers of the bus; the last one is the old one that binds what the type says. */
enum { EMU_DRIVER_IDXD, EMU_DRIVER_USER, EMU_DRIVER_DMAENGINE, EMU_DRIVER_DSA, EMU_DRIVERS };
extern const char *const emu_drivers[EMU_DRIVERS];

/*
 * The names of an object's attributes, one after the other; NULL after the last. Those that this
 * device lacks are left out.
 */
const char *emu_attr_name(const struct emu_state *state, enum emu_object object,
			  unsigned int device, unsigned int n, bool *writable);

/* What the file shows. 0 or -errno. */
int emu_attr_show(struct emu_state *state, const struct emu_attr_ref *attr, struct emu_text *out);

/* A write to the file. 0 or -errno; on success anything of the device may have changed. */
int emu_attr_store(struct emu_state *state, const struct emu_attr_ref *attr, const char *value,
		   size_t len);

/* The state after power-on, or after the device was disabled: nothing is configured. */
void emu_device_reset(struct emu_device *dev);

/*
 * Bind (enable) and unbind (disable) as the drivers do. driver as in emu_drivers. 0 or -errno,
 * cmd_status is set.
 */
int emu_wq_enable(struct emu_state *state, unsigned int device, unsigned int wq,
		  unsigned int driver);
int emu_device_enable(struct emu_state *state, unsigned int device);
void emu_wq_disable(struct emu_state *state, unsigned int device, unsigned int wq);
void emu_device_disable(struct emu_state *state, unsigned int device);

#endif
