/* SPDX-License-Identifier: GPL-2.0 */
/*
 * uring.c: operations through io_uring. Calls queue.c and op.c.
 */
#ifndef SVA_KMOD_URING_H
#define SVA_KMOD_URING_H

#include <linux/types.h>

struct io_comp_batch;
struct io_uring_cmd;

int svad_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);
int svad_uring_iopoll(struct io_uring_cmd *cmd, struct io_comp_batch *iob, unsigned int flags);
u32 svad_uring_features(void);

#endif /* SVA_KMOD_URING_H */
