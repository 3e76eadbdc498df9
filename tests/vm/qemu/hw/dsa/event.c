/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the device reports to the driver: interrupts, the software error register, the event log,
 * and that it has halted.
 */
#include "dsa.h"
#include "hw/pci/msix.h"

#define EVL_ENTRY 64u
#define SWERROR_VALID    1ull
#define SWERROR_OVERFLOW 2ull
#define SWERROR_QUEUE    (1ull << 3)
#define ERROR_LOG_FULL   0x54

static void dsa_msix(DSAState *s, unsigned int vector)
{
    if (msix_enabled(PCI_DEVICE(s))) {
        msix_notify(PCI_DEVICE(s), vector);
    }
}

/* Vector 0, for everything that is not a completion. */
void dsa_interrupt(DSAState *s, uint32_t cause)
{
    static const struct { uint32_t cause, enable; } ctrl[] = {
        { DSA_CAUSE_SWERROR, DSA_GENCTRL_SWERROR },
        { DSA_CAUSE_HALT, DSA_GENCTRL_HALT },
        { DSA_CAUSE_EVL, DSA_GENCTRL_EVL },
    };
    int i;

    for (i = 0; i < ARRAY_SIZE(ctrl); i++) {
        if (cause == ctrl[i].cause && !(s->genctrl & ctrl[i].enable)) {
            return;
        }
    }
    s->intcause |= cause;
    dsa_msix(s, 0);
}

void dsa_completion_interrupt(DSAState *s, const struct sva_desc *desc)
{
    if (desc->int_handle < DSA_NUM_VECTORS) {
        dsa_msix(s, desc->int_handle);
    }
}

/* A handle is an index of the MSI-X table; its permission entry has the PASID that may use it. */
bool dsa_int_handle_valid(DSAState *s, unsigned int handle, bool has_pasid, uint32_t pasid)
{
    uint32_t perm;

    if (handle >= DSA_NUM_VECTORS) {
        return false;
    }
    perm = s->msix_perm[handle * 2];
    if (perm & 4) { /* ignore */
        return true;
    }
    return (perm >> 3 & 1) == has_pasid && (!has_pasid || perm >> 12 == pasid);
}

static void dsa_set_swerror(DSAState *s, const uint64_t error[4])
{
    if (s->swerror[0] & SWERROR_VALID) {
        s->swerror[0] |= SWERROR_OVERFLOW;
        return;
    }
    memcpy(s->swerror, error, sizeof(s->swerror));
    s->swerror[0] |= SWERROR_VALID;
    dsa_interrupt(s, DSA_CAUSE_SWERROR);
}

void dsa_error_code(DSAState *s, uint8_t code, int queue)
{
    uint64_t error[4] = { (uint64_t)code << 8 };

    if (queue >= 0) {
        error[0] |= SWERROR_QUEUE | (uint64_t)queue << 16;
    }
    dsa_set_swerror(s, error);
}

void dsa_error(DSAState *s, const struct sva_desc *desc, const struct sva_model_outcome *outcome,
               unsigned int queue, uint32_t pasid)
{
    uint16_t size = s->evlcfg[1] & 0xffff;
    uint64_t entry[8];

    if (!sva_model_evl_entry(desc, outcome, pasid, queue, (uint8_t *)entry)) {
        return;
    }
    if (!(s->gencfg & DSA_GENCFG_EVL) || !size) {
        /*
         * The first half of a log entry is the layout of the register, but for what bytes 12-15
         * say.
         */
        entry[0] &= ~0x83ull; /* bits 1:0 are the register's, 7 is reserved there */
        entry[1] &= 0xffff;
        if ((outcome->comp.status & SVA_STATUS_MASK) == SVA_STATUS_INVALID_FLAGS) {
            entry[1] |= (uint64_t)outcome->comp.op.invalid_flags << 32;
        }
        dsa_set_swerror(s, entry);
        return;
    }
    if ((s->evl_tail + 1) % size == s->evl_head) {
        dsa_error_code(s, ERROR_LOG_FULL, queue);
        return;
    }
    if (!dsa_write_log(s, (s->evlcfg[0] & ~0xfffull) + s->evl_tail * EVL_ENTRY, entry, EVL_ENTRY)) {
        dsa_halt(s, 0);
        return;
    }
    s->evl_tail = (s->evl_tail + 1) % size;
    if (!s->evl_pending) {
        s->evl_pending = true;
        dsa_interrupt(s, DSA_CAUSE_EVL);
    }
}

/*
 * The device halts: portals return "retry", descriptors in flight are never completed, until a
 * reset of that type.
 */
void dsa_halt(DSAState *s, unsigned int reset_type)
{
    int i;

    s->state = DSA_HALTED;
    s->reset_type = reset_type;
    for (i = 0; i < DSA_NUM_QUEUES; i++) {
        s->queue[i].q.enabled = false;
    }
    dsa_abort(s, ~0u, -1);
    dsa_interrupt(s, DSA_CAUSE_HALT);
}
