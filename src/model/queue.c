/* SPDX-License-Identifier: MIT */
/*
 * Work queues: what a portal answers. Source: [S3] 3.3, table 9-11. A full shared queue answers
 * retry (ENQCMD sets ZF, here -EAGAIN); a full dedicated one drops the descriptor and records error
 * 0x53. The wrong instruction, or a disabled queue, answers retry to ENQCMD and drops MOVDIR64B
 * without an error.
 */
#include <errno.h>

#include "model/bytes.h"
#include "model/internal.h"

int sva_model_enqueue(struct sva_model_queue *queue, enum sva_model_store how,
		      const struct sva_desc *desc)
{
	uint32_t room = queue->size;

	if (!queue->dedicated && how == SVA_MODEL_ENQCMD && queue->threshold < room)
		room = queue->threshold;
	if (how != SVA_MODEL_MOVDIR64B &&
	    (!queue->enabled || queue->dedicated || queue->count >= room)) {
		queue->retried++;
		return -EAGAIN;
	}
	if (how == SVA_MODEL_MOVDIR64B && (!queue->enabled || !queue->dedicated)) {
		queue->dropped++;
		return 0;
	}
	if (queue->count >= room) {
		queue->dropped++;
		queue->swerror = MODEL_SWERROR_DROPPED;
		return 0;
	}
	model_bytes_copy(&queue->ring[(queue->head + queue->count) % queue->size], desc,
			 sizeof(struct sva_desc));
	queue->count++;
	queue->accepted++;
	return 0;
}

bool sva_model_dequeue(struct sva_model_queue *queue, struct sva_desc *desc)
{
	if (!queue->count)
		return false;
	model_bytes_copy(desc, &queue->ring[queue->head], sizeof(struct sva_desc));
	queue->head = (queue->head + 1) % queue->size;
	queue->count--;
	return true;
}
