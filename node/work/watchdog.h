/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_WATCHDOG_H
#define WARREN_NODE_WORK_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/mono.h>

#include "common/ipc_msg.h"
#include "node/work/quota.h"

struct job;
struct node;

/*
 * What a watchdog (klp.md 10) does to jobs here, and what it sees of them.
 * Audit has judged its verdicts; the bounds that hurt hold here once more.
 */
#define WATCHDOG_TTL_S 600	/* klp.md 10 */
#define WATCHDOG_KILLS_HOUR 6	/* klp.md 10 */
#define WATCHDOG_SLOW_PART 4	/* a throttled job has this part of its cpu */
#define WATCHDOG_LOG 65536	/* bytes a second of all jobs: klp.md 10 */
#define WATCHDOG_LOG_JOB 16384	/* ... of one, so that none hides another */
#define WATCHDOG_SAMPLE 1024	/* bytes at once: klp.md 10 */

/* What was sent of the log of the job in a slot. */
struct watchdog_feed {
	bool used;
	struct id32 job;
	struct bucket room;
	uint64_t at[2];
};

void watchdog_there(struct node *, const struct msg_D_THERE *);
void watchdog_act(struct node *, const struct msg_D_ACT *);
/* Audit is gone, and with it whoever spoke through it. */
void watchdog_down(struct node *);
struct mono watchdog_tick(struct node *);

/*
 * How many bytes of this stream (0, 1) of a job it is to see now, and from
 * where on; 0: none. What has no room is skipped.
 */
uint32_t watchdog_sample(struct node *, const struct job *, unsigned stream,
    uint64_t *at);
#endif
