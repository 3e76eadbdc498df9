/* SPDX-License-Identifier: GPL-2.0 */
/*
 * watch.c: finds channels, and learns that they go away. Calls channel.c and users.c.
 */
#ifndef SVA_KMOD_WATCH_H
#define SVA_KMOD_WATCH_H

void svad_watch_init(void);
void svad_watch_exit(void);

#endif /* SVA_KMOD_WATCH_H */
