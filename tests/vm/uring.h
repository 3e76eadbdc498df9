/* SPDX-License-Identifier: MIT */
/* One operation of /dev/sva_dma as an io_uring submission. */
#ifndef SVA_TESTS_VM_URING_H
#define SVA_TESTS_VM_URING_H

#include <liburing.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uapi/sva_dma.h>

static inline void uring_prep(struct io_uring_sqe *sqe, int fd, const struct sva_dma_op *op,
			      uint64_t user_data)
{
	struct sva_dma_uring_cmd cmd = {
		.op = (uintptr_t)op, .op_size = sizeof(*op), .node = SVA_DMA_NODE_ANY};

	if (!sqe) {
		printf("Bail out! the submission queue is full\n");
		exit(1);
	}
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->cmd_op = SVA_DMA_OP_CMD;
	sqe->user_data = user_data;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
}

#endif
