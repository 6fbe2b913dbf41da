/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_THROTTLE_H
#define WARREN_NODE_WORK_THROTTLE_H

#include <stdint.h>

#include <rns/mono.h>

struct job;
struct node;

/*
 * What a contract slows down (klp.md 6.2, throttle). Its time goes on meanwhile:
 * who is slowed down has no more of it.
 */
#define THROTTLE_CPU_PART 2 /* ours: of its processor it keeps a half */
#define THROTTLE_WAIT_MS 10000u /* klp.md 6.2: whatever audit says */

/* It stands still for so long, or where it cannot has less processor. */
void throttle_wait(struct node *, struct job *, uint32_t ms);
/* Less processor, to its end. */
void throttle_cpu(struct node *, struct job *);
/* It has exited: what packs it must not stand still. */
void throttle_over(struct node *, struct job *);
/* When this job is to be looked at again. */
struct mono throttle_tick(struct node *, struct job *);

#endif
