/* SPDX-License-Identifier: GPL-2.0 */
/*
 * call.c: the ioctls that run operations. Calls queue.c, op.c and client.c.
 */
#ifndef SVA_KMOD_CALL_H
#define SVA_KMOD_CALL_H

#include <uapi/sva_dma.h>

struct svad_client;

int svad_call_copy(struct svad_client *client, struct sva_dma_copy_args *args);
int svad_call_fill(struct svad_client *client, struct sva_dma_fill_args *args);
int svad_call_submit(struct svad_client *client, struct sva_dma_submit_args *args);

#endif /* SVA_KMOD_CALL_H */
