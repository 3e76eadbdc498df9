/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engines: threads beside the vCPUs. Each takes descriptors from the queues of its group in turn,
 * as many in a round as the queue's priority, and has the model execute them.
 *
 * With virtual-time=on there are no threads: a descriptor is taken by the vCPU's store, or when the
 * one before ends, and executed by a timer when the virtual clock says that it is done: latency,
 * and bytes over bandwidth, after an engine was free for it. A page request waits for the guest in
 * a coroutine that yields. So under icount a program sees the same device in every run.
 * The figures are made up.
 */
#include "dsa.h"
#include "qemu/memalign.h"

static void dsa_dispatch(DSAState *s);

int dsa_group_of(DSAState *s, unsigned int queue)
{
    int g;

    for (g = 0; g < DSA_NUM_GROUPS; g++) {
        if (s->grpcfg[g][0] >> queue & 1) {
            return g;
        }
    }
    return -1;
}

static int dsa_group_of_engine(DSAState *s, int engine)
{
    int g;

    for (g = 0; g < DSA_NUM_GROUPS; g++) {
        if (s->grpcfg[g][4] >> engine & 1) {
            return g;
        }
    }
    return -1;
}

void dsa_kick(DSAState *s, unsigned int queue)
{
    int g = dsa_group_of(s, queue);
    int i;

    if (s->virtual_time) {
        dsa_dispatch(s);
        return;
    }
    for (i = 0; g >= 0 && i < DSA_NUM_ENGINES; i++) {
        if ((s->grpcfg[g][4] >> i & 1) && !s->engine[i].busy) {
            qemu_cond_signal(&s->engine[i].cond);
        }
    }
}

bool dsa_busy(DSAState *s, uint32_t queues, int64_t pasid, uint64_t before)
{
    unsigned int i, n;

    for (i = 0; i < DSA_NUM_ENGINES; i++) {
        DSAEngine *e = &s->engine[i];

        if (e->busy && !e->aborted && (queues >> e->queue & 1) && e->seq <= before &&
            (pasid < 0 || (e->has_pasid && e->pasid == pasid))) {
            return true;
        }
    }
    for (i = 0; i < DSA_NUM_QUEUES; i++) {
        DSAQueue *wq = &s->queue[i];

        if (!(queues >> i & 1)) {
            continue;
        }
        for (n = 0; n < wq->q.count; n++) {
            unsigned int at = (wq->q.head + n) % wq->q.size;
            uint32_t theirs =
                DSA_WQ_DEDICATED(wq) ? DSA_WQ_PASID(wq) : wq->q.ring[at].pasid_priv & 0xfffff;

            if (wq->seq[at] <= before && (pasid < 0 || (DSA_WQ_PASID_EN(wq) && theirs == pasid))) {
                return true;
            }
        }
    }
    return false;
}

void dsa_abort(DSAState *s, uint32_t queues, int64_t pasid)
{
    unsigned int i, n, kept;

    for (i = 0; i < DSA_NUM_ENGINES; i++) {
        DSAEngine *e = &s->engine[i];

        if (e->busy && (queues >> e->queue & 1) &&
            (pasid < 0 || (e->has_pasid && e->pasid == pasid))) {
            e->aborted = true;
            dsa_wake(e);
        }
    }
    for (i = 0; i < DSA_NUM_QUEUES; i++) {
        DSAQueue *wq = &s->queue[i];

        if (!(queues >> i & 1)) {
            continue;
        }
        for (n = kept = 0; n < wq->q.count; n++) {
            unsigned int from = (wq->q.head + n) % wq->q.size,
                         to = (wq->q.head + kept) % wq->q.size;
            uint32_t theirs =
                DSA_WQ_DEDICATED(wq) ? DSA_WQ_PASID(wq) : wq->q.ring[from].pasid_priv & 0xfffff;

            if (pasid >= 0 && !(DSA_WQ_PASID_EN(wq) && theirs == pasid)) {
                wq->q.ring[to] = wq->q.ring[from];
                wq->seq[to] = wq->seq[from];
                kept++;
            }
        }
        wq->q.count = kept;
    }
}

static void dsa_check_occupancy(DSAState *s, DSAQueue *wq)
{
    if ((wq->cfg[5] & DSA_WQ_OCC_INT_EN) && wq->q.count <= DSA_WQ_OCC_LIMIT(wq)) {
        struct sva_desc handle = { .int_handle = DSA_WQ_OCC_HANDLE(wq) };

        wq->cfg[5] &= ~DSA_WQ_OCC_INT_EN;
        wq->cfg[6] |= DSA_WQ_OCC_INT;
        dsa_completion_interrupt(s, &handle);
        dsa_interrupt(s, DSA_CAUSE_OCCUPANCY);
    }
}

/*
 * The queue whose turn it is: the next one with descriptors and credits; when none has credits, a
 * new round begins.
 */
static int dsa_choose(DSAState *s, int group)
{
    unsigned int round, i;

    for (round = 0; round < 2; round++) {
        for (i = 0; i < DSA_NUM_QUEUES; i++) {
            unsigned int n = (s->next_queue[group] + i) % DSA_NUM_QUEUES;
            DSAQueue *wq = &s->queue[n];

            if ((s->grpcfg[group][0] >> n & 1) && wq->q.count && wq->credits) {
                wq->credits--;
                s->next_queue[group] = wq->credits ? n : n + 1;
                return n;
            }
        }
        for (i = 0; i < DSA_NUM_QUEUES; i++) {
            s->queue[i].credits = MAX(DSA_WQ_PRIORITY(&s->queue[i]), 1);
        }
    }
    return -1;
}

/* The profile of this device, this queue and this descriptor, for the model. */
static void dsa_fill_profile(DSAState *s, DSAEngine *e, DSAQueue *wq)
{
    struct sva_model_profile *p = &e->profile;
    int i;

    *p = s->profile;
    p->max_transfer = 1ull << DSA_WQ_MAX_XFER(wq);
    p->max_batch = 1u << DSA_WQ_MAX_BATCH(wq);
    p->block_on_fault = DSA_WQ_BOF(wq);
    p->prs_disable = !e->prs;
    p->event_log = s->gencfg & DSA_GENCFG_EVL;
    p->priv = !e->has_pasid ||
              pci_get_word(s->parent_obj.config + s->parent_obj.exp.pasid_cap + PCI_PASID_CTRL) &
                  PCI_PASID_CTRL_PRIV;
    p->user_interrupt = s->gencfg & DSA_GENCFG_USER_INT;
    p->int_handles = 0;
    if (dsa_int_handle_valid(s, e->desc.int_handle, e->has_pasid, e->pasid)) {
        p->int_handles = DSA_NUM_VECTORS;
    }
    if (p->version >= 0x200) {
        for (i = 0; i < 4; i++) {
            p->op_cap[i] &= wq->cfg[8 + i * 2] | (uint64_t)wq->cfg[9 + i * 2] << 32;
        }
    }
}

static bool dsa_take(DSAEngine *e)
{
    DSAState *s = e->dsa;
    int group = dsa_group_of_engine(s, e->index);
    int n = group < 0 || s->state != DSA_ENABLED ? -1 : dsa_choose(s, group);
    DSAQueue *wq;

    if (n < 0) {
        return false;
    }
    wq = &s->queue[n];
    e->seq = wq->seq[wq->q.head];
    sva_model_dequeue(&wq->q, &e->desc);
    e->queue = n;
    e->busy = true;
    e->aborted = e->write_failed = false;
    e->has_pasid = DSA_WQ_PASID_EN(wq);
    if (DSA_WQ_DEDICATED(wq)) {
        /* the PASID of the queue, not that in the descriptor */
        e->desc.pasid_priv = DSA_WQ_PASID(wq) | (uint32_t)DSA_WQ_PRIV(wq) << 31;
    }
    e->pasid = e->desc.pasid_priv & 0xfffff;
    e->ats = !DSA_WQ_ATS_OFF(wq);
    e->prs = !DSA_WQ_PRS_OFF(wq) && e->ats && e->has_pasid;
    dsa_fill_profile(s, e, wq);
    dsa_check_occupancy(s, wq);
    return true;
}

/* Virtual time: give each free engine its next descriptor. */
static void dsa_dispatch(DSAState *s)
{
    int i;

    for (i = 0; i < DSA_NUM_ENGINES; i++) {
        DSAEngine *e = &s->engine[i];

        if (!e->busy && !e->co && dsa_take(e)) {
            uint64_t bytes =
                sva_desc_opcode(&e->desc) == SVA_OPCODE_BATCH ? 64ull * e->desc.size : e->desc.size;
            int64_t ns = s->latency_ns + bytes * 1000 / MAX(s->bytes_per_us, 1);

            timer_mod(e->timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns);
        }
    }
}

void dsa_wait(DSAEngine *e)
{
    if (e->dsa->virtual_time) {
        qemu_coroutine_yield();
    } else {
        qemu_cond_wait_bql(&e->cond);
    }
}

void dsa_wake(DSAEngine *e)
{
    if (!e->dsa->virtual_time) {
        qemu_cond_signal(&e->cond);
    } else if (e->busy && (e->co || e->aborted)) {
        timer_mod(e->timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    }
}

void dsa_lock(DSAEngine *e)
{
    if (!e->dsa->virtual_time) {
        bql_lock();
    }
}

void dsa_unlock(DSAEngine *e)
{
    if (!e->dsa->virtual_time) {
        bql_unlock();
    }
}

/* A drain descriptor ends after all earlier ones of its queue and PASID. */
static void dsa_wait_earlier(DSAEngine *e)
{
    DSAState *s = e->dsa;

    while (!e->aborted && !s->stopping &&
           dsa_busy(s, 1u << e->queue, e->has_pasid ? (int64_t)e->pasid : -1, e->seq - 1)) {
        dsa_wait(e);
    }
}

static void dsa_done(DSAEngine *e, const struct sva_model_outcome *outcome)
{
    DSAState *s = e->dsa;
    int i;

    e->busy = false;
    if (!e->aborted && (sva_desc_flags(&e->desc) & SVA_DESC_RCI) &&
        outcome->end != SVA_MODEL_LOST && outcome->swerror != SVA_STATUS_INT_HANDLE) {
        dsa_completion_interrupt(s, &e->desc);
    }
    /* drains wait for this */
    for (i = 0; i < DSA_NUM_ENGINES; i++) {
        if (s->engine[i].busy) {
            dsa_wake(&s->engine[i]);
        }
    }
    dsa_command_poll(s);
}

/* Executes the current descriptor of an engine. */
static void dsa_run(DSAEngine *e)
{
    struct sva_model_mem mem = dsa_mem_ops;
    struct sva_model_outcome outcome;

    mem.ctx = e;
    if (sva_desc_opcode(&e->desc) == SVA_OPCODE_DRAIN) {
        dsa_wait_earlier(e);
    }
    if (!e->aborted) {
        dsa_unlock(e);
        sva_model_execute(&e->profile, &mem, &e->desc, &outcome);
        dsa_lock(e);
    }
    dsa_done(e, &outcome);
}

static void *dsa_engine_thread(void *opaque)
{
    DSAEngine *e = opaque;

    rcu_register_thread();
    bql_lock();
    while (!e->dsa->stopping) {
        if (dsa_take(e)) {
            dsa_run(e);
        } else {
            dsa_wait(e);
        }
    }
    bql_unlock();
    rcu_unregister_thread();
    return NULL;
}

static void coroutine_fn dsa_engine_coroutine(void *opaque)
{
    DSAEngine *e = opaque;

    dsa_run(e);
    e->co = NULL;
}

static void dsa_timer(void *opaque)
{
    DSAEngine *e = opaque;

    if (e->busy) {
        if (!e->co) {
            e->co = qemu_coroutine_create(dsa_engine_coroutine, e);
        }
        qemu_coroutine_enter(e->co);
        dsa_dispatch(e->dsa);
    }
}

void dsa_engines_start(DSAState *s)
{
    int i;

    for (i = 0; i < DSA_NUM_QUEUES; i++) {
        s->queue[i].q.ring = qemu_memalign(64, DSA_TOTAL_SIZE * sizeof(struct sva_desc));
    }
    for (i = 0; i < DSA_NUM_ENGINES; i++) {
        DSAEngine *e = &s->engine[i];
        g_autofree char *name = g_strdup_printf("dsa-engine%d", i);

        e->dsa = s;
        e->index = i;
        e->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, dsa_timer, e);
        qemu_cond_init(&e->cond);
        if (!s->virtual_time) {
            qemu_thread_create(&e->thread, name, dsa_engine_thread, e, QEMU_THREAD_JOINABLE);
        }
    }
}

void dsa_engines_stop(DSAState *s)
{
    int i;

    s->stopping = true;
    dsa_abort(s, ~0u, -1);
    for (i = 0; i < DSA_NUM_ENGINES; i++) {
        DSAEngine *e = &s->engine[i];

        if (!s->virtual_time) {
            qemu_cond_signal(&e->cond);
            bql_unlock();
            qemu_thread_join(&e->thread);
            bql_lock();
        } else if (e->co) {
            qemu_coroutine_enter(e->co);
        }
        timer_free(e->timer);
        qemu_cond_destroy(&e->cond);
    }
    for (i = 0; i < DSA_NUM_QUEUES; i++) {
        qemu_vfree(s->queue[i].q.ring);
    }
}
