/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command register. A command that must wait for descriptors stays active, and is checked again
 * whenever an engine has finished one. Abort does not wait: from that moment on the aborted
 * descriptors write no memory.
 */
#include "dsa.h"
#include "hw/pci/pcie.h"
#include "qemu/log.h"

enum {
    CMD_ENABLE_DEVICE = 1,
    CMD_DISABLE_DEVICE,
    CMD_DRAIN_ALL,
    CMD_ABORT_ALL,
    CMD_RESET_DEVICE,
    CMD_ENABLE_WQ,
    CMD_DISABLE_WQ,
    CMD_DRAIN_WQ,
    CMD_ABORT_WQ,
    CMD_RESET_WQ,
    CMD_DRAIN_PASID,
    CMD_ABORT_PASID,
};

const uint32_t dsa_command_cap = MAKE_64BIT_MASK(CMD_ENABLE_DEVICE, CMD_ABORT_PASID);

/*
 * CMDSTS 7:0. UNCERTAIN: which of the group codes stands for which error; drivers only log their
 * numbers.
 */
enum {
    OK = 0,
    INVALID_CMD = 0x01,
    INVALID_WQ = 0x02,
    DEV_ENABLED = 0x10,
    DEV_NO_BUSMASTER = 0x12,
    DEV_WQ_SIZES = 0x14,
    DEV_WQ_GROUPS = 0x15,
    DEV_ENGINE_GROUPS = 0x16,
    DEV_GROUP_HALF = 0x17,
    DEV_READ_BUFS = 0x18,
    DEV_NOT_ENABLED = 0x20,
    WQ_ENABLED = 0x21,
    WQ_SIZE = 0x22,
    WQ_PRIORITY = 0x23,
    WQ_MODE = 0x24,
    WQ_BOF = 0x25,
    WQ_PASID = 0x26,
    WQ_MAX_BATCH = 0x27,
    WQ_MAX_XFER = 0x28,
    WQ_PRIV = 0x2a,
    WQ_OCC_INT = 0x2b,
    WQ_OP_CONFIG = 0x2d,
    WQ_PRS = 0x2e,
    DISABLE_NOT_ENABLED = 0x31,
    WQ_NOT_ENABLED = 0x32,
};

#define CMDSTS_ACTIVE (1u << 31)
#define CMD_INTERRUPT (1u << 31)
#define CMD_CODE(cmd) ((cmd) >> 20 & 31)
#define CMD_OPERAND(cmd) ((cmd) & 0xfffff)

static bool dsa_pci_pasid(DSAState *s, uint16_t bit)
{
    PCIDevice *pdev = PCI_DEVICE(s);

    return pci_get_word(pdev->config + pdev->exp.pasid_cap + PCI_PASID_CTRL) & bit;
}

static uint8_t dsa_check_groups(DSAState *s)
{
    uint64_t queues = 0, engines = 0;
    int g;

    for (g = 0; g < DSA_NUM_GROUPS; g++) {
        uint64_t q = s->grpcfg[g][0], e = s->grpcfg[g][4];
        unsigned int allowed = s->grpcfg[g][5] >> 20 & 0xff, reserved = s->grpcfg[g][5] >> 8 & 0xff;

        if ((q >> DSA_NUM_QUEUES) || (q & queues)) {
            return DEV_WQ_GROUPS;
        }
        if ((e >> DSA_NUM_ENGINES) || (e & engines)) {
            return DEV_ENGINE_GROUPS;
        }
        if (!q != !e) {
            return DEV_GROUP_HALF;
        }
        if (e && (allowed < 4 * ctpop64(e) || allowed < reserved || allowed > DSA_READ_BUFS)) {
            return DEV_READ_BUFS;
        }
        queues |= q;
        engines |= e;
    }
    return OK;
}

static uint8_t dsa_enable_device(DSAState *s)
{
    unsigned int total = 0;
    uint8_t err;
    int i;

    if (s->state != DSA_DISABLED) {
        return DEV_ENABLED;
    }
    if (!(pci_get_word(PCI_DEVICE(s)->config + PCI_COMMAND) & PCI_COMMAND_MASTER)) {
        return DEV_NO_BUSMASTER;
    }
    for (i = 0; i < DSA_NUM_QUEUES; i++) {
        total += DSA_WQ_SIZE(&s->queue[i]);
    }
    if (total > DSA_TOTAL_SIZE) {
        return DEV_WQ_SIZES;
    }
    err = dsa_check_groups(s);
    if (!err) {
        s->state = DSA_ENABLED;
    }
    return err;
}

static uint8_t dsa_check_queue(DSAState *s, DSAQueue *wq)
{
    const struct sva_model_profile *p = &s->profile;
    int i;

    if (!DSA_WQ_SIZE(wq)) {
        return WQ_SIZE;
    }
    if (!DSA_WQ_PRIORITY(wq)) {
        return WQ_PRIORITY;
    }
    if (DSA_WQ_BOF(wq) && !(p->gen_cap & SVA_GENCAP_BLOCK_ON_FAULT)) {
        return WQ_BOF;
    }
    if (!DSA_WQ_DEDICATED(wq) && !DSA_WQ_PASID_EN(wq)) {
        return WQ_MODE;
    }
    if (DSA_WQ_PASID_EN(wq) && !dsa_pci_pasid(s, PCI_PASID_CTRL_ENABLE)) {
        return WQ_PASID;
    }
    if ((1u << DSA_WQ_MAX_BATCH(wq)) > SVA_GENCAP_MAX_BATCH(p->gen_cap)) {
        return WQ_MAX_BATCH;
    }
    if ((1ull << DSA_WQ_MAX_XFER(wq)) > SVA_GENCAP_MAX_XFER(p->gen_cap)) {
        return WQ_MAX_XFER;
    }
    if (DSA_WQ_DEDICATED(wq) && DSA_WQ_PASID_EN(wq) && DSA_WQ_PRIV(wq) &&
        !dsa_pci_pasid(s, PCI_PASID_CTRL_PRIV)) {
        return WQ_PRIV;
    }
    if ((wq->cfg[5] & DSA_WQ_OCC_INT_EN) && DSA_WQ_OCC_HANDLE(wq) >= DSA_NUM_VECTORS) {
        return WQ_OCC_INT;
    }
    if (p->version >= 0x200) {
        for (i = 0; i < 4; i++) {
            if ((wq->cfg[8 + i * 2] | (uint64_t)wq->cfg[9 + i * 2] << 32) & ~p->op_cap[i]) {
                return WQ_OP_CONFIG;
            }
        }
        if (DSA_WQ_PRS_OFF(wq) && (DSA_WQ_BOF(wq) || !(s->gencfg & DSA_GENCFG_EVL))) {
            return WQ_PRS;
        }
    }
    return OK;
}

static uint8_t dsa_enable_queue(DSAState *s, unsigned int index)
{
    DSAQueue *wq = &s->queue[index];
    uint8_t err;

    if (index >= DSA_NUM_QUEUES) {
        return INVALID_WQ;
    }
    if (s->state != DSA_ENABLED) {
        return DEV_NOT_ENABLED;
    }
    if (wq->state != DSA_WQ_DISABLED) {
        return WQ_ENABLED;
    }
    err = dsa_group_of(s, index) < 0 ? WQ_SIZE : dsa_check_queue(s, wq);
    if (!err) {
        wq->state = DSA_WQ_ENABLED;
        wq->q.enabled = true;
        wq->q.dedicated = DSA_WQ_DEDICATED(wq);
        wq->q.size = DSA_WQ_SIZE(wq);
        wq->q.head = wq->q.count = 0;
        wq->credits = DSA_WQ_PRIORITY(wq);
    }
    return err;
}

static void dsa_disable_queues(DSAState *s, uint32_t queues, bool clear)
{
    int i;

    for (i = 0; i < DSA_NUM_QUEUES; i++) {
        if (queues >> i & 1) {
            s->queue[i].state = DSA_WQ_DISABLED;
            s->queue[i].q.enabled = false;
            s->queue[i].q.count = 0;
            if (clear) {
                memset(s->queue[i].cfg, 0, sizeof(s->queue[i].cfg));
            }
        }
    }
}

/* Everything as after power-on, except PCI configuration. */
void dsa_reset_state(DSAState *s)
{
    dsa_abort(s, ~0u, -1);
    dsa_disable_queues(s, ~0u, true);
    s->state = DSA_DISABLED;
    s->reset_type = 0;
    s->gencfg = s->genctrl = s->intcause = 0;
    memset(s->grpcfg, 0, sizeof(s->grpcfg));
    memset(s->msix_perm, 0, sizeof(s->msix_perm));
    memset(s->swerror, 0, sizeof(s->swerror));
    memset(s->evlcfg, 0, sizeof(s->evlcfg));
    s->evl_head = s->evl_tail = 0;
    s->evl_pending = false;
    s->cmd = s->cmdsts = 0;
}

static void dsa_finish(DSAState *s, uint8_t err)
{
    bool interrupt = s->cmd & CMD_INTERRUPT;

    if (err) {
        qemu_log_mask(LOG_GUEST_ERROR, "intel-dsa: command %u, operand %#x: error %#x\n",
                      CMD_CODE(s->cmd), CMD_OPERAND(s->cmd), err);
    }
    s->cmdsts = err;
    s->cmd = 0;
    if (interrupt) {
        dsa_interrupt(s, DSA_CAUSE_COMMAND);
    }
}

/* The queues that the command is about. */
static uint32_t dsa_command_queues(uint32_t cmd)
{
    switch (CMD_CODE(cmd)) {
    case CMD_DISABLE_WQ:
    case CMD_DRAIN_WQ:
    case CMD_ABORT_WQ:
    case CMD_RESET_WQ:
        return CMD_OPERAND(cmd) >> 16 ? 0 : CMD_OPERAND(cmd) & 0xffff;
    default:
        return (1u << DSA_NUM_QUEUES) - 1;
    }
}

static void dsa_stop_accepting(DSAState *s, uint32_t queues)
{
    int i;

    for (i = 0; i < DSA_NUM_QUEUES; i++) {
        if ((queues >> i & 1) && s->queue[i].state == DSA_WQ_ENABLED) {
            s->queue[i].state = DSA_WQ_DRAINING;
            s->queue[i].q.enabled = false;
        }
    }
}

void dsa_command_poll(DSAState *s)
{
    uint32_t queues = dsa_command_queues(s->cmd);
    int64_t pasid = CMD_CODE(s->cmd) == CMD_DRAIN_PASID ? (int64_t)CMD_OPERAND(s->cmd) : -1;

    if (!(s->cmdsts & CMDSTS_ACTIVE) || dsa_busy(s, queues, pasid, s->cmd_seq)) {
        return;
    }
    switch (CMD_CODE(s->cmd)) {
    case CMD_DISABLE_DEVICE:
        dsa_disable_queues(s, queues, false);
        s->state = DSA_DISABLED;
        break;
    case CMD_DISABLE_WQ:
        dsa_disable_queues(s, queues, false);
        break;
    }
    dsa_finish(s, OK);
}

/* The error of a command about queues or about a PASID, or OK. */
static uint8_t dsa_check_command(DSAState *s, uint32_t queues)
{
    int i;

    if (s->state != DSA_ENABLED) {
        return CMD_CODE(s->cmd) == CMD_DISABLE_DEVICE ? DISABLE_NOT_ENABLED : WQ_NOT_ENABLED;
    }
    if (CMD_CODE(s->cmd) < CMD_DISABLE_WQ || CMD_CODE(s->cmd) > CMD_RESET_WQ) {
        return OK;
    }
    if (!queues || (queues >> DSA_NUM_QUEUES)) {
        return INVALID_WQ;
    }
    for (i = 0; i < DSA_NUM_QUEUES; i++) {
        if ((queues >> i & 1) && s->queue[i].state == DSA_WQ_DISABLED &&
            CMD_CODE(s->cmd) != CMD_RESET_WQ) {
            return WQ_NOT_ENABLED;
        }
    }
    return OK;
}

void dsa_command(DSAState *s, uint32_t value)
{
    uint32_t queues = dsa_command_queues(value);
    bool interrupt = value & CMD_INTERRUPT;
    uint8_t err;

    if (s->cmdsts & CMDSTS_ACTIVE) {
        dsa_error_code(s, 0x52, -1); /* overrun */
        return;
    }
    s->cmd = value;
    s->cmd_seq = s->seq;
    switch (CMD_CODE(value)) {
    case CMD_ENABLE_DEVICE:
        dsa_finish(s, dsa_enable_device(s));
        return;
    case CMD_ENABLE_WQ:
        dsa_finish(s, dsa_enable_queue(s, CMD_OPERAND(value)));
        return;
    case CMD_RESET_DEVICE:
        /* A halted device that asks for a stronger reset stays halted. */
        if (s->state == DSA_HALTED && s->reset_type) {
            dsa_finish(s, INVALID_CMD);
            return;
        }
        dsa_reset_state(s);
        s->cmd = interrupt ? CMD_INTERRUPT : 0;
        dsa_finish(s, OK);
        return;
    case CMD_DISABLE_DEVICE ... CMD_ABORT_ALL:
    case CMD_DISABLE_WQ ... CMD_ABORT_PASID:
        break;
    default:
        dsa_finish(s, INVALID_CMD);
        return;
    }
    err = dsa_check_command(s, queues);
    if (err) {
        dsa_finish(s, err);
        return;
    }
    switch (CMD_CODE(value)) {
    case CMD_ABORT_ALL:
    case CMD_ABORT_WQ:
        dsa_abort(s, queues, -1);
        dsa_finish(s, OK);
        return;
    case CMD_ABORT_PASID:
        dsa_abort(s, queues, CMD_OPERAND(value));
        dsa_finish(s, OK);
        return;
    case CMD_RESET_WQ:
        dsa_abort(s, queues, -1);
        dsa_disable_queues(s, queues, true);
        dsa_finish(s, OK);
        return;
    case CMD_DISABLE_DEVICE:
    case CMD_DISABLE_WQ:
        dsa_stop_accepting(s, queues);
        break;
    }
    s->cmdsts = CMDSTS_ACTIVE;
    dsa_command_poll(s);
}
