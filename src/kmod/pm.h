/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pm.c: suspend and hibernation. Calls queue.c and table.c.
 */
#ifndef SVA_KMOD_PM_H
#define SVA_KMOD_PM_H

int svad_pm_init(void);
void svad_pm_exit(void);

#endif /* SVA_KMOD_PM_H */
