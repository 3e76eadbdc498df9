/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI device: 8086:0b25, an endpoint of the root complex with ATS, PASID, PRI and
 * function-level reset.
 *
 *   -device intel-dsa,profile=dsa2,id=dsa0
 *
 * profile: dsa1, dsa2 or dsa3. virtual-time, latency-ns, bytes-per-us: see engine.c. To halt the
 * device, set its property "halt" to the reset that it then asks for: software, flr, warm or cold
 * (qom-set /machine/peripheral/dsa0 halt flr).
 */
#include "dsa.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"

static void dsa_write_config(PCIDevice *pdev, uint32_t addr, uint32_t value, int len)
{
    pci_default_write_config(pdev, addr, value, len);
    pcie_cap_flr_write_config(pdev, addr, value, len);
}

static void dsa_realize(PCIDevice *pdev, Error **errp)
{
    DSAState *s = INTEL_DSA(pdev);
    const struct sva_model_profile *profile =
        sva_model_profile_find(s->profile_name ? s->profile_name : "dsa1");

    if (!profile) {
        error_setg(errp, "profile: dsa1, dsa2 or dsa3, not '%s'", s->profile_name);
        return;
    }
    s->profile = *profile;
    memory_region_init_io(&s->regs, OBJECT(s), &dsa_mmio_ops, s, "dsa-registers", DSA_BAR0_SIZE);
    memory_region_init_io(&s->portals, OBJECT(s), &dsa_portal_ops, s, "dsa-portals",
                          DSA_NUM_QUEUES * DSA_PORTAL_PAGES * 4096);
    pci_register_bar(pdev, 0, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH,
                     &s->regs);
    pci_register_bar(pdev, 2, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH,
                     &s->portals);
    if (pcie_endpoint_cap_init(pdev, 0x40) < 0) {
        error_setg(errp, "no room for the PCI Express capability");
        return;
    }
    pcie_cap_flr_init(pdev);
    if (msix_init(pdev, DSA_NUM_VECTORS, &s->regs, 0, DSA_MSIX_TABLE, &s->regs, 0, DSA_MSIX_PBA,
                  0x80, errp)) {
        return;
    }
    for (int i = 0; i < DSA_NUM_VECTORS; i++) {
        msix_vector_use(pdev, i);
    }
    pcie_ats_init(pdev, 0x100, true);
    pcie_pasid_init(pdev, 0x110, 20, false, true);
    pcie_pri_init(pdev, 0x120, 512, true);
    dsa_memory_init(s);
    dsa_engines_start(s);
}

static void dsa_exit(PCIDevice *pdev)
{
    DSAState *s = INTEL_DSA(pdev);

    dsa_engines_stop(s);
    dsa_memory_exit(s);
    msix_uninit(pdev, &s->regs, &s->regs);
    pcie_cap_exit(pdev);
}

static void dsa_reset(DeviceState *dev)
{
    PCIDevice *pdev = PCI_DEVICE(dev);

    dsa_reset_state(INTEL_DSA(dev));
    pci_set_word(pdev->config + pdev->exp.ats_cap + PCI_ATS_CTRL, 0);
    pci_set_word(pdev->config + pdev->exp.pasid_cap + PCI_PASID_CTRL, 0);
    pci_set_word(pdev->config + pdev->exp.pri_cap + PCI_PRI_CTRL, 0);
}

static void dsa_set_halt(Object *obj, const char *value, Error **errp)
{
    static const char *const types[] = { "software", "flr", "warm", "cold" };

    for (int i = 0; i < ARRAY_SIZE(types); i++) {
        if (!strcmp(value, types[i])) {
            dsa_halt(INTEL_DSA(obj), i);
            return;
        }
    }
    error_setg(errp, "halt: software, flr, warm or cold, not '%s'", value);
}

static const Property dsa_properties[] = {
    DEFINE_PROP_STRING("profile", DSAState, profile_name),
    DEFINE_PROP_BOOL("virtual-time", DSAState, virtual_time, false),
    DEFINE_PROP_UINT32("latency-ns", DSAState, latency_ns, 1000),
    DEFINE_PROP_UINT32("bytes-per-us", DSAState, bytes_per_us, 30000),
};

/* Threads are under way in the middle of descriptors: nothing to migrate. */
static const VMStateDescription dsa_vmstate = {
    .name = TYPE_INTEL_DSA,
    .unmigratable = 1,
};

static void dsa_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = dsa_realize;
    pc->exit = dsa_exit;
    pc->config_write = dsa_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = 0x0b25;
    pc->class_id = PCI_CLASS_SYSTEM_OTHER;
    dc->vmsd = &dsa_vmstate;
    dc->desc = "Intel Data Streaming Accelerator";
    device_class_set_legacy_reset(dc, dsa_reset);
    device_class_set_props(dc, dsa_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    object_class_property_add_str(klass, "halt", NULL, dsa_set_halt);
}

static const TypeInfo dsa_info = {
    .name = TYPE_INTEL_DSA,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(DSAState),
    .class_init = dsa_class_init,
    .interfaces = (const InterfaceInfo[]) {
        { INTERFACE_PCIE_DEVICE },
        { }
    },
};

static void dsa_register(void)
{
    type_register_static(&dsa_info);
}

type_init(dsa_register)
