/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Portals, BAR 2: four pages for each queue. The first is unlimited, the second takes an ENQCMD
 * only below the queue's threshold; the two of IMS do not exist, so they return "retry". Only a
 * 64-byte store does anything, and bits 11:6 of its address do not matter. Reads give ones.
 */
#include "dsa.h"

static bool dsa_portal_store(void *opaque, hwaddr addr, const void *data, bool enqueue)
{
    DSAState *s = opaque;
    unsigned int page = addr / 4096 % DSA_PORTAL_PAGES;
    unsigned int index = addr / 4096 / DSA_PORTAL_PAGES;
    DSAQueue *wq = &s->queue[index];
    int retry;

    if (page > 1) {
        return !enqueue;
    }
    wq->q.threshold = page ? DSA_WQ_THRESHOLD(wq) : DSA_WQ_SIZE(wq);
    retry = sva_model_enqueue(&wq->q, enqueue ? SVA_MODEL_ENQCMD : SVA_MODEL_MOVDIR64B, data);
    if (wq->q.swerror) {
        dsa_error_code(s, wq->q.swerror, index);
        wq->q.swerror = 0;
    }
    if (retry) {
        return false;
    }
    if (wq->q.enabled && wq->q.count) {
        wq->seq[(wq->q.head + wq->q.count - 1) % wq->q.size] = ++s->seq;
        dsa_kick(s, index);
    }
    return true;
}

static uint64_t dsa_portal_read(void *opaque, hwaddr addr, unsigned int size)
{
    return ~0ull;
}

static void dsa_portal_write(void *opaque, hwaddr addr, uint64_t value, unsigned int size)
{
}

const MemoryRegionOps dsa_portal_ops = {
    .read = dsa_portal_read,
    .write = dsa_portal_write,
    .write64b = dsa_portal_store,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};
