/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An emulated Intel DSA for QEMU: what its files share.
 *
 * Path of a descriptor: portal.c (accept or retry) → engine.c (a thread takes it) → the model
 * (checks, operation, record), which reaches memory through memory.c (translation by PASID, page
 * requests) → event.c (interrupts, errors). mmio.c is the register file, command.c what the command
 * register does, dsa.c the PCI device.
 *
 * One lock guards everything: the BQL. Engines hold it while they copy a page in or out, and not
 * while they compute (unless they run on the virtual clock, see engine.c).
 */
#ifndef HW_DSA_DSA_H
#define HW_DSA_DSA_H

#include "qemu/osdep.h"
#include "hw/pci/pci_device.h"
#include "qemu/coroutine.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"
#include "qemu/timer.h"
#include "qom/object.h"

#include "model/model.h"

#define TYPE_INTEL_DSA "intel-dsa"
OBJECT_DECLARE_SIMPLE_TYPE(DSAState, INTEL_DSA)

#define DSA_NUM_QUEUES  8
#define DSA_NUM_GROUPS  4
#define DSA_NUM_ENGINES 4
#define DSA_TOTAL_SIZE  128 /* entries of all queues together */
#define DSA_READ_BUFS   96
#define DSA_NUM_VECTORS (1 + DSA_NUM_QUEUES)
#define DSA_PORTAL_PAGES 4  /* of each queue: unlimited, limited, and the same two for IMS */

/* The register file, BAR 0. Table offsets are multiples of 0x100. */
#define DSA_BAR0_SIZE   0x10000
#define DSA_REG_VERSION 0x00
#define DSA_REG_GENCAP  0x10
#define DSA_REG_WQCAP   0x20
#define DSA_REG_GRPCAP  0x30
#define DSA_REG_ENGCAP  0x38
#define DSA_REG_OPCAP   0x40
#define DSA_REG_TABLES  0x60
#define DSA_REG_GENCFG  0x80
#define DSA_REG_GENCTRL 0x88
#define DSA_REG_GENSTS  0x90
#define DSA_REG_INTCAUSE 0x98
#define DSA_REG_CMD     0xa0
#define DSA_REG_CMDSTS  0xa8
#define DSA_REG_CMDCAP  0xb0
#define DSA_REG_SWERROR 0xc0
#define DSA_REG_EVLCFG  0xe0
#define DSA_REG_EVLSTS  0xf0
#define DSA_REG_DSACAP  0x180
#define DSA_GRPCFG      0x400
#define DSA_GRPCFG_SIZE 64
#define DSA_WQCFG       0x500
#define DSA_WQCFG_SIZE  64
#define DSA_MSIX_PERM   0x700
#define DSA_PERFMON     0x800
#define DSA_MSIX_TABLE  0x2000
#define DSA_MSIX_PBA    0x3000

#define DSA_GENCFG_USER_INT  (1u << 12)
#define DSA_GENCFG_EVL       (1u << 13)
#define DSA_GENCTRL_SWERROR  (1u << 0)
#define DSA_GENCTRL_HALT     (1u << 1)
#define DSA_GENCTRL_EVL      (1u << 2)
#define DSA_CAUSE_SWERROR    (1u << 0)
#define DSA_CAUSE_COMMAND    (1u << 1)
#define DSA_CAUSE_OCCUPANCY  (1u << 2)
#define DSA_CAUSE_HALT       (1u << 4)
#define DSA_CAUSE_EVL        (1u << 5)

enum { DSA_DISABLED, DSA_ENABLED, DSA_DRAINING, DSA_HALTED }; /* GENSTS 1:0 */
enum { DSA_WQ_DISABLED, DSA_WQ_ENABLED, DSA_WQ_DRAINING };    /* WQCFG 223:222 */

/* WQCFG, by 32-bit word. */
#define DSA_WQ_SIZE(wq)       ((wq)->cfg[0] & 0xffff)
#define DSA_WQ_THRESHOLD(wq)  ((wq)->cfg[1] & 0xffff)
#define DSA_WQ_DEDICATED(wq)  ((wq)->cfg[2] & 1)
#define DSA_WQ_BOF(wq)        ((wq)->cfg[2] >> 1 & 1)
#define DSA_WQ_ATS_OFF(wq)    ((wq)->cfg[2] >> 2 & 1)
#define DSA_WQ_PRS_OFF(wq)    ((wq)->cfg[2] >> 3 & 1)
#define DSA_WQ_PRIORITY(wq)   ((wq)->cfg[2] >> 4 & 15)
#define DSA_WQ_PASID(wq)      ((wq)->cfg[2] >> 8 & 0xfffff)
#define DSA_WQ_PASID_EN(wq)   ((wq)->cfg[2] >> 28 & 1)
#define DSA_WQ_PRIV(wq)       ((wq)->cfg[2] >> 29 & 1)
#define DSA_WQ_MAX_XFER(wq)   ((wq)->cfg[3] & 31)
#define DSA_WQ_MAX_BATCH(wq)  ((wq)->cfg[3] >> 5 & 15)
#define DSA_WQ_OCC_HANDLE(wq) ((wq)->cfg[4] & 0xffff)
#define DSA_WQ_OCC_LIMIT(wq)  ((wq)->cfg[5] & 0xffff)
#define DSA_WQ_OCC_INT_EN     (1u << 16) /* of word 5 */
#define DSA_WQ_OCC_INT        (1u << 16) /* of word 6 */

typedef struct DSAQueue {
    struct sva_model_queue q;
    uint64_t seq[DSA_TOTAL_SIZE]; /* when each entry of the ring was accepted */
    uint32_t cfg[DSA_WQCFG_SIZE / 4];
    uint8_t state;
    uint32_t credits; /* left of its priority in this round */
} DSAQueue;

typedef struct DSAEngine {
    DSAState *dsa;
    QemuThread thread;
    QemuCond cond;
    QEMUTimer *timer;   /* virtual time: when the current descriptor is done, or goes on */
    Coroutine *co;      /* virtual time: it is under way */
    int index;

    /* The current descriptor. */
    bool busy;
    bool aborted;       /* it must not touch memory any more, nor report */
    unsigned int queue;
    uint64_t seq;
    bool has_pasid, ats, prs;
    uint32_t pasid;
    struct sva_desc desc;
    struct sva_model_profile profile;
    bool write_failed;  /* a page went away between the check and the write */

    /* Its page request. */
    bool waiting, answered, granted;
    uint16_t prgi;

    struct DSAWindow {
        bool used;
        uint64_t addr;
        uint8_t bytes[4096];
    } window[4];
} DSAEngine;

struct DSAState {
    PCIDevice parent_obj;

    MemoryRegion regs, portals;
    struct sva_model_profile profile;
    char *profile_name;
    bool virtual_time;
    uint32_t latency_ns, bytes_per_us;

    DSAQueue queue[DSA_NUM_QUEUES];
    DSAEngine engine[DSA_NUM_ENGINES];
    unsigned int next_queue[DSA_NUM_GROUPS]; /* whose turn it is */
    uint64_t seq;       /* descriptors accepted so far */
    uint16_t next_prgi;
    bool stopping;

    uint8_t state, reset_type;
    uint32_t gencfg, genctrl, intcause;
    uint64_t grpcfg[DSA_NUM_GROUPS][DSA_GRPCFG_SIZE / 8];
    uint32_t msix_perm[DSA_NUM_VECTORS * 2];
    uint64_t swerror[4];
    uint64_t evlcfg[2];
    uint16_t evl_head, evl_tail;
    bool evl_pending;

    uint32_t cmdsts;
    uint32_t cmd;       /* the command under way */
    uint64_t cmd_seq;   /* it waits for descriptors accepted before */

    IOMMUPRINotifier pri_notifier;
    GHashTable *pasids; /* those whose answers to page requests come to us */
};

/* portal.c */
extern const MemoryRegionOps dsa_portal_ops;

/* engine.c */
void dsa_engines_start(DSAState *s);
void dsa_engines_stop(DSAState *s);
void dsa_kick(DSAState *s, unsigned int queue);
/*
 * For an engine: wait until something has changed, under the lock; and signal that something has
 * changed.
 */
void dsa_wait(DSAEngine *e);
void dsa_wake(DSAEngine *e);
/* Around accesses that need the lock, for an engine that computes without it. */
void dsa_lock(DSAEngine *e);
void dsa_unlock(DSAEngine *e);
int dsa_group_of(DSAState *s, unsigned int queue);
/*
 * Is anything that matches still queued or executing? queues: a mask; pasid < 0: any; accepted
 * before seq.
 */
bool dsa_busy(DSAState *s, uint32_t queues, int64_t pasid, uint64_t before);
/* Drop what matches: no record, no more accesses to memory. */
void dsa_abort(DSAState *s, uint32_t queues, int64_t pasid);

/* memory.c */
void dsa_memory_init(DSAState *s);
void dsa_memory_exit(DSAState *s);
extern const struct sva_model_mem dsa_mem_ops; /* ctx: a DSAEngine */
bool dsa_write_log(DSAState *s, uint64_t addr, const void *bytes, size_t len);

/* event.c */
void dsa_interrupt(DSAState *s, uint32_t cause);
void dsa_completion_interrupt(DSAState *s, const struct sva_desc *desc);
bool dsa_int_handle_valid(DSAState *s, unsigned int handle, bool has_pasid, uint32_t pasid);
void dsa_error(DSAState *s, const struct sva_desc *desc, const struct sva_model_outcome *outcome,
               unsigned int queue, uint32_t pasid);
void dsa_error_code(DSAState *s, uint8_t code, int queue);
void dsa_halt(DSAState *s, unsigned int reset_type);

/* command.c */
void dsa_command(DSAState *s, uint32_t value);
void dsa_command_poll(DSAState *s); /* something finished: perhaps the command has too */
void dsa_reset_state(DSAState *s);
extern const uint32_t dsa_command_cap;

/* mmio.c */
extern const MemoryRegionOps dsa_mmio_ops;

#endif
