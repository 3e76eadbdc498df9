/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the model reaches guest memory: windows of at most one page, each a copy. A window is
 * translated and read when it is opened, translated again and written when it is closed, both under
 * the BQL, so nothing is kept across an invalidation: there is no device TLB that could be stale,
 * and an invalidation need not wait for this code.
 *
 * With a PASID translation is by ATS, and where it fails and the descriptor may block, by a page
 * request, which waits for the guest's answer. Without a PASID it is plain bus-master DMA.
 */
#include "dsa.h"
#include "exec/cpu-common.h"
#include "exec/target_page.h"
#include "hw/i386/umonitor.h"
#include "hw/pci/pcie.h"
#include "system/address-spaces.h"
#include "system/dma.h"
#include "system/memory.h"

#define DSA_PAGE 4096u

static void dsa_pri_answer(IOMMUPRINotifier *notifier, IOMMUPRIResponse *response)
{
    DSAState *s = container_of(notifier, DSAState, pri_notifier);
    int i;

    for (i = 0; i < DSA_NUM_ENGINES; i++) {
        DSAEngine *e = &s->engine[i];

        if (e->waiting && e->prgi == response->prgi) {
            e->answered = true;
            e->granted = response->response_code == IOMMU_PRI_RESP_SUCCESS;
            dsa_wake(e);
        }
    }
}

/* Requests a page from the guest and waits. True: the guest reports that the page is there. */
static bool dsa_request_page(DSAEngine *e, uint64_t addr, bool write)
{
    DSAState *s = e->dsa;
    PCIDevice *pdev = PCI_DEVICE(s);

    if (!pcie_pri_enabled(pdev)) {
        return false;
    }
    if (g_hash_table_add(s->pasids, GUINT_TO_POINTER(e->pasid))) {
        pci_pri_register_notifier(pdev, e->pasid, &s->pri_notifier);
    }
    e->prgi = s->next_prgi++ & 0x1ff;
    e->answered = e->granted = false;
    e->waiting = true;
    if (pci_pri_request_page(pdev, e->pasid, false, false, addr & ~(uint64_t)(DSA_PAGE - 1), true,
                             e->prgi, !write, write)) {
        e->waiting = false;
        return false;
    }
    while (!e->answered && !e->aborted && !s->stopping) {
        dsa_wait(e);
    }
    e->waiting = false;
    return e->answered && e->granted;
}

static bool dsa_translate(DSAEngine *e, uint64_t addr, bool write, hwaddr *phys)
{
    IOMMUTLBEntry entry;
    uint32_t errors;
    hwaddr xlat, len = 1;
    MemoryRegion *mr;

    if (!e->ats ||
        pci_ats_request_translation(PCI_DEVICE(e->dsa), e->pasid, false, false, addr, 1, !write,
                                    &entry, 1, &errors) != 1 ||
        errors) {
        return false;
    }
    *phys = (entry.translated_addr & ~entry.addr_mask) | (addr & entry.addr_mask);
    /* Peer-to-peer is not emulated: a page of another device is a fault. */
    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(&address_space_memory, *phys, &xlat, &len, write,
                                 MEMTXATTRS_UNSPECIFIED);
    return memory_access_is_direct(mr, write, MEMTXATTRS_UNSPECIFIED);
}

/*
 * Move len bytes, all in one page, between guest and host. The BQL is held. Records are written
 * status last.
 */
static bool dsa_move(DSAEngine *e, uint64_t addr, uint8_t *bytes, size_t len, unsigned int access)
{
    bool write = access & SVA_MODEL_WRITE;
    size_t first = access & SVA_MODEL_RECORD ? 1 : 0;
    hwaddr phys;

    if (e->aborted) {
        return false;
    }
    if (!e->has_pasid) {
        PCIDevice *pdev = PCI_DEVICE(e->dsa);
        MemTxResult res;

        if (!write) {
            return pci_dma_read(pdev, addr, bytes, len) == MEMTX_OK;
        }
        res = pci_dma_write(pdev, addr + first, bytes + first, len - first);
        smp_wmb();
        return res == MEMTX_OK && (!first || pci_dma_write(pdev, addr, bytes, first) == MEMTX_OK);
    }
    while (!dsa_translate(e, addr, write, &phys)) {
        if (!(e->prs && (access & (SVA_MODEL_BOF | SVA_MODEL_RECORD))) ||
            !dsa_request_page(e, addr, write) || e->aborted) {
            return false;
        }
    }
    if (!write) {
        return address_space_read(&address_space_memory, phys, MEMTXATTRS_UNSPECIFIED, bytes,
                                  len) == MEMTX_OK;
    }
    address_space_write(&address_space_memory, phys + first, MEMTXATTRS_UNSPECIFIED, bytes + first,
                        len - first);
    if (first) {
        smp_wmb();
        address_space_write(&address_space_memory, phys, MEMTXATTRS_UNSPECIFIED, bytes, first);
    }
    x86_umonitor_store(phys, len);
    return true;
}

static void *dsa_map(void *ctx, uint64_t addr, size_t *len, unsigned int access, uint64_t *fault)
{
    DSAEngine *e = ctx;
    struct DSAWindow *w = e->window;
    size_t room = DSA_PAGE - addr % DSA_PAGE;
    bool good;

    *len = MIN(*len, room);
    while (w->used) {
        w++;
        assert(w < e->window + ARRAY_SIZE(e->window));
    }
    /*
     * What is to be written is read too, which the model may rely on. But it must be writable:
     * translate it as a write, so that a fault shows now.
     */
    dsa_lock(e);
    if ((access & SVA_MODEL_WRITE) && e->has_pasid) {
        hwaddr phys;

        good = true;
        while (!e->aborted && !dsa_translate(e, addr, true, &phys)) {
            if (!(e->prs && (access & (SVA_MODEL_BOF | SVA_MODEL_RECORD))) ||
                !dsa_request_page(e, addr, true)) {
                good = false;
                break;
            }
        }
        good = good && !e->aborted &&
               address_space_read(&address_space_memory, phys, MEMTXATTRS_UNSPECIFIED, w->bytes,
                                  *len) == MEMTX_OK;
    } else {
        good = dsa_move(e, addr, w->bytes, *len, access & ~SVA_MODEL_WRITE);
    }
    dsa_unlock(e);
    if (!good) {
        *fault = addr;
        return NULL;
    }
    w->used = true;
    w->addr = addr;
    return w->bytes;
}

static void dsa_unmap(void *ctx, void *host, size_t used, unsigned int access)
{
    DSAEngine *e = ctx;
    struct DSAWindow *w = container_of(host, struct DSAWindow, bytes[0]);

    w->used = false;
    if (!(access & SVA_MODEL_WRITE) || !used) {
        return;
    }
    if (access & SVA_MODEL_RECORD) {
        struct sva_comp *comp = host;

        /*
         * A page went away after it was translated: data is lost, and the record must not say
         * otherwise.
         */
        if (e->write_failed &&
            (comp->status == SVA_STATUS_SUCCESS || comp->status == SVA_STATUS_SUCCESS_PRED)) {
            comp->status = SVA_STATUS_HW_ERROR_WRITE;
        }
        e->write_failed = false;
    }
    dsa_lock(e);
    if (!dsa_move(e, w->addr, w->bytes, used, access)) {
        e->write_failed = true;
    }
    dsa_unlock(e);
}

static void dsa_event(void *ctx, const struct sva_desc *desc,
                      const struct sva_model_outcome *outcome)
{
    DSAEngine *e = ctx;

    dsa_lock(e);
    if (!e->aborted) {
        dsa_error(e->dsa, desc, outcome, e->queue, e->pasid);
    }
    dsa_unlock(e);
}

const struct sva_model_mem dsa_mem_ops = {
    .map = dsa_map,
    .unmap = dsa_unmap,
    .event = dsa_event,
};

/* The event log is written with its own PASID, or none. */
bool dsa_write_log(DSAState *s, uint64_t addr, const void *bytes, size_t len)
{
    DSAEngine log = {
        .dsa = s,
        .ats = true,
        .has_pasid = s->evlcfg[0] & 1,
        .pasid = s->evlcfg[1] >> 16 & 0xfffff,
    };

    return dsa_move(&log, addr, (uint8_t *)bytes, len, SVA_MODEL_WRITE);
}

void dsa_memory_init(DSAState *s)
{
    s->pri_notifier.notify = dsa_pri_answer;
    s->pasids = g_hash_table_new(NULL, NULL);
}

void dsa_memory_exit(DSAState *s)
{
    GHashTableIter it;
    gpointer pasid;

    g_hash_table_iter_init(&it, s->pasids);
    while (g_hash_table_iter_next(&it, &pasid, NULL)) {
        pci_pri_unregister_notifier(PCI_DEVICE(s), GPOINTER_TO_UINT(pasid));
    }
    g_hash_table_destroy(s->pasids);
}
