/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_CELL_WARM_H
#define WARREN_SANDBOX_JAIL_CELL_WARM_H

#include <stdint.h>

#include "common/ipc_msg.h"
#include "sandbox/jail/cell.h"

/*
 * When a slot that is free prepares the root of its next job (member.h): a
 * moment after its last one has gone, so that a job that waits for it is not
 * held up, and only while no other slot builds anything. What is prepared goes
 * by node's word, after its time, and with the node.
 */
#define WARM_AFTER_MS 5      /* ours: node's next job is here by then */
#define WARM_BUILD_MS 10000  /* who takes longer is killed */
#define WARM_COOL_MS 20	     /* until a slot that is busy is told again */

/* Before its first job. */
void cell_warm_init(struct cell *);
/* Node's word; also that of a node which is gone. */
void cells_warm(struct jail *, const struct msg_J_WARM *);
/*
 * Its slot has become free; a job comes; its process is gone. false: the slot
 * does not hear that what it has is void, and must get no job.
 */
void cell_warm_free(struct jail *, struct cell *);
bool cell_warm_job(struct cell *);
void cell_warm_lost(struct jail *, struct cell *);
/* How the job started: enum member_how, as the slot says. */
void cell_warm_went(struct jail *, const struct cell *, uint8_t how);
/* The slot's answer to SLOT_WARM; fds are closed. */
void cell_warm_answer(struct jail *, struct cell *, const uint8_t *buf,
    int *fds);
/* Something to read on its descriptors. */
void cell_warm_on_report(struct jail *, struct cell *);
void cell_warm_on_pidfd(struct jail *, struct cell *);
void cell_warm_tick(struct jail *, struct cell *, struct mono now);
/* When the clock has something to do: microseconds, INT64_MAX: never. */
int64_t cell_warm_next(const struct cell *);

#endif
