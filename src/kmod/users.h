/* SPDX-License-Identifier: GPL-2.0 */
/*
 * users.c: how many files are open, and requests for the work that searches for channels or ends
 * them (watch.c). Calls no file of the module but base.c.
 */
#ifndef SVA_KMOD_USERS_H
#define SVA_KMOD_USERS_H

#include <linux/types.h>
#include <linux/workqueue.h>

void svad_users_init(work_func_t search);
void svad_users_exit(void);
int svad_users_get(bool have_channels);
void svad_users_put(void);
void svad_users_idle(void);
bool svad_users_exist(unsigned int *asked);
void svad_search_soon(void);
void svad_search_now(void);
void svad_search_done(unsigned int asked);

#endif /* SVA_KMOD_USERS_H */
