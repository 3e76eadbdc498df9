/* SPDX-License-Identifier: GPL-2.0 */
/*
 * file.c: the device file. Calls call.c, uring.c and what is below them.
 */
#ifndef SVA_KMOD_FILE_H
#define SVA_KMOD_FILE_H

struct file_operations;

extern const struct file_operations svad_fops;

#endif /* SVA_KMOD_FILE_H */
