/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register file, BAR 0, in words of 32 bits. Configuration can be written while what it
 * configures is off.
 */
#include "dsa.h"

#define IN(addr, base, size) ((addr) >= (base) && (addr) < (base) + (size))
#define EVL_INT_PENDING (1u << 30)

static uint64_t dsa_wqcap(DSAState *s)
{
    uint64_t cap = DSA_TOTAL_SIZE | DSA_NUM_QUEUES << 16 | 1u << 24; /* WQCFG: 2^(5 + 1) bytes */

    /* shared, dedicated, ATS disable, priority, occupancy, its interrupt */
    cap |= MAKE_64BIT_MASK(48, 6);
    if (s->profile.version >= 0x200) {
        cap |= 3ull << 54; /* operations of each queue, PRS disable */
    }
    return cap;
}

static uint64_t dsa_grpcap(DSAState *s)
{
    /* read buffers: controlled, limited */
    uint64_t cap = DSA_NUM_GROUPS | DSA_READ_BUFS << 8 | 3u << 16;

    return s->profile.version >= 0x200 ? cap | 1u << 18 : cap; /* progress limits */
}

static uint64_t dsa_cap_read(DSAState *s, hwaddr addr)
{
    switch (addr) {
    case DSA_REG_VERSION:
        return s->profile.version;
    case DSA_REG_GENCAP:
        return s->profile.gen_cap;
    case DSA_REG_WQCAP:
        return dsa_wqcap(s);
    case DSA_REG_GRPCAP:
        return dsa_grpcap(s);
    case DSA_REG_ENGCAP:
        return DSA_NUM_ENGINES;
    case DSA_REG_OPCAP ... DSA_REG_OPCAP + 31:
        return s->profile.op_cap[(addr - DSA_REG_OPCAP) / 8];
    case DSA_REG_TABLES:
        return DSA_GRPCFG / 0x100 | DSA_WQCFG / 0x100 << 16 |
               (uint64_t)(DSA_MSIX_PERM / 0x100) << 32;
    case DSA_REG_TABLES + 8:
        return DSA_PERFMON / 0x100; /* without counters: Linux accepts that silently */
    case DSA_REG_DSACAP ... DSA_REG_DSACAP + 23:
        return s->profile.dsacap[(addr - DSA_REG_DSACAP) / 8];
    case DSA_REG_CMDCAP:
        return dsa_command_cap;
    default:
        return 0;
    }
}

static uint32_t dsa_wq_read(DSAState *s, hwaddr addr)
{
    DSAQueue *wq = &s->queue[addr / DSA_WQCFG_SIZE];
    unsigned int word = addr % DSA_WQCFG_SIZE / 4;

    if (word != 6) {
        return wq->cfg[word];
    }
    return (wq->cfg[6] & DSA_WQ_OCC_INT) | wq->q.count | 1u << 29 | (uint32_t)wq->state << 30;
}

static uint64_t dsa_mmio_read(void *opaque, hwaddr addr, unsigned int size)
{
    DSAState *s = opaque;

    if (IN(addr, DSA_GRPCFG, sizeof(s->grpcfg))) {
        addr -= DSA_GRPCFG;
        return (uint32_t)(s->grpcfg[addr / DSA_GRPCFG_SIZE][addr % DSA_GRPCFG_SIZE / 8] >>
                          (addr & 4) * 8);
    }
    if (IN(addr, DSA_WQCFG, DSA_NUM_QUEUES * DSA_WQCFG_SIZE)) {
        return dsa_wq_read(s, addr - DSA_WQCFG);
    }
    if (IN(addr, DSA_MSIX_PERM, sizeof(s->msix_perm))) {
        return s->msix_perm[(addr - DSA_MSIX_PERM) / 4];
    }
    switch (addr) {
    case DSA_REG_GENCFG:
        return s->gencfg;
    case DSA_REG_GENCTRL:
        return s->genctrl;
    case DSA_REG_GENSTS:
        return s->state | s->reset_type << 2;
    case DSA_REG_INTCAUSE:
        return s->intcause;
    case DSA_REG_CMDSTS:
        return s->cmdsts;
    case DSA_REG_SWERROR ... DSA_REG_SWERROR + 31:
        return (uint32_t)(s->swerror[(addr - DSA_REG_SWERROR) / 8] >> (addr & 4) * 8);
    case DSA_REG_EVLCFG ... DSA_REG_EVLCFG + 15:
        return (uint32_t)(s->evlcfg[(addr - DSA_REG_EVLCFG) / 8] >> (addr & 4) * 8);
    case DSA_REG_EVLSTS:
        return s->evl_head;
    case DSA_REG_EVLSTS + 4:
        return s->evl_tail | (s->evl_pending ? EVL_INT_PENDING : 0);
    default:
        return (uint32_t)(dsa_cap_read(s, addr & ~7ull) >> (addr & 4) * 8);
    }
}

static void dsa_wq_write(DSAState *s, hwaddr addr, uint32_t value)
{
    DSAQueue *wq = &s->queue[addr / DSA_WQCFG_SIZE];
    unsigned int word = addr % DSA_WQCFG_SIZE / 4;

    if (word == 6) {
        wq->cfg[6] &= ~(value & DSA_WQ_OCC_INT);
    } else if (word == 5 || wq->state == DSA_WQ_DISABLED) {
        /*
         * the limit of the occupancy interrupt may change while the queue is on; its size not while
         * the device is
         */
        if (word || s->state == DSA_DISABLED || !(s->profile.gen_cap >> 31 & 1)) {
            wq->cfg[word] = value;
        } else if (wq->cfg[0] == 0 || value <= wq->cfg[0]) {
            wq->cfg[0] = value;
        }
    }
}

static void dsa_set_half(uint64_t *reg, hwaddr addr, uint32_t value)
{
    *reg = deposit64(*reg, addr & 4 ? 32 : 0, 32, value);
}

static void dsa_mmio_write(void *opaque, hwaddr addr, uint64_t value, unsigned int size)
{
    DSAState *s = opaque;
    bool off = s->state == DSA_DISABLED;

    if (IN(addr, DSA_GRPCFG, sizeof(s->grpcfg))) {
        addr -= DSA_GRPCFG;
        if (off) {
            dsa_set_half(&s->grpcfg[addr / DSA_GRPCFG_SIZE][addr % DSA_GRPCFG_SIZE / 8], addr,
                         value);
        }
        return;
    }
    if (IN(addr, DSA_WQCFG, DSA_NUM_QUEUES * DSA_WQCFG_SIZE)) {
        dsa_wq_write(s, addr - DSA_WQCFG, value);
        return;
    }
    if (IN(addr, DSA_MSIX_PERM, sizeof(s->msix_perm))) {
        s->msix_perm[(addr - DSA_MSIX_PERM) / 4] = addr & 4 ? 0 : value & 0xfffff00c;
        return;
    }
    switch (addr) {
    case DSA_REG_GENCFG:
        s->gencfg = value & (0xff | DSA_GENCFG_USER_INT |
                             (s->profile.gen_cap >> 13 & 3 ? DSA_GENCFG_EVL : 0));
        break;
    case DSA_REG_GENCTRL:
        s->genctrl = value & (DSA_GENCTRL_SWERROR | DSA_GENCTRL_HALT | DSA_GENCTRL_EVL);
        break;
    case DSA_REG_INTCAUSE:
        s->intcause &= ~value;
        break;
    case DSA_REG_CMD:
        dsa_command(s, value);
        break;
    case DSA_REG_SWERROR:
        s->swerror[0] &= ~(value & 3);
        break;
    case DSA_REG_EVLCFG ... DSA_REG_EVLCFG + 15:
        if (!(s->gencfg & DSA_GENCFG_EVL)) {
            dsa_set_half(&s->evlcfg[(addr - DSA_REG_EVLCFG) / 8], addr, value);
            s->evl_head = s->evl_tail = 0;
        }
        break;
    case DSA_REG_EVLSTS:
        s->evl_head = value;
        break;
    case DSA_REG_EVLSTS + 4:
        if (value & EVL_INT_PENDING) {
            s->evl_pending = false;
        }
        break;
    }
}

const MemoryRegionOps dsa_mmio_ops = {
    .read = dsa_mmio_read,
    .write = dsa_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};
