/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernels differ. Each SVAD_HAVE_* comes from probes.h, which probe.sh writes by trying to
 * compile: distributions backport, so the version says little.
 */
#ifndef SVA_KMOD_COMPAT_H
#define SVA_KMOD_COMPAT_H

#include <linux/device/class.h>
#include <linux/io_uring.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include "probes.h"
#ifdef SVAD_HAVE_URING_CMD_H
#include <linux/io_uring/cmd.h>
#endif

/* Before Linux 6.4 the callbacks of a class interface had a second argument. */
#ifdef SVAD_HAVE_CLASS_INTERFACE_DEV
#define SVAD_CLASS_INTERFACE(name, added, removed) \
	static int name##_add(struct device *dev) \
	{ \
		added(dev); \
		return 0; \
	} \
	static struct class_interface name = { .add_dev = name##_add, .remove_dev = removed }
#else
#define SVAD_CLASS_INTERFACE(name, added, removed) \
	static int name##_add(struct device *dev, struct class_interface *intf) \
	{ \
		added(dev); \
		return 0; \
	} \
	static void name##_remove(struct device *dev, struct class_interface *intf) \
	{ \
		removed(dev); \
	} \
	static struct class_interface name = { .add_dev = name##_add, .remove_dev = name##_remove }
#endif

static inline void svad_vma_set_flags(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef SVAD_HAVE_VM_FLAGS_SET
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

/* The PASID of an address space, or -1. */
static inline u32 svad_mm_pasid(struct mm_struct *mm)
{
#if defined(SVAD_HAVE_MM_GET_ENQCMD_PASID)
	return mm_get_enqcmd_pasid(mm);
#elif defined(SVAD_HAVE_MM_PASID)
	return READ_ONCE(mm->pasid);
#else
	return (u32)-1;
#endif
}

/* The command bytes of a submission. */
static inline const void *svad_uring_payload(const struct io_uring_cmd *cmd)
{
#ifdef SVAD_HAVE_URING_CMD_POINTER
	return cmd->cmd;
#else
	return cmd->sqe->cmd;
#endif
}

static inline void svad_uring_complete(struct io_uring_cmd *cmd, int result,
				       unsigned int issue_flags)
{
#ifdef SVAD_HAVE_URING_DONE_SHORT
	io_uring_cmd_done(cmd, result, issue_flags);
#else
	io_uring_cmd_done(cmd, result, 0, issue_flags);
#endif
}

#endif /* SVA_KMOD_COMPAT_H */
