/* SPDX-License-Identifier: MIT */
/*
 * The instructions MOVDIR64B and ENQCMD of the library reach the queues of kernel.h: a handler of
 * SIGILL (the processor has none of them) and of SIGSEGV (it does, and the portal faults) decodes
 * them and gives the descriptor to the queue. For queues with rings set.
 */
#ifndef SVA_TESTS_UNIT_DOORBELL_H
#define SVA_TESTS_UNIT_DOORBELL_H

/* Install the handler; prints a plan and exits where the library has no portals. */
void doorbell_begin(void);

#endif
