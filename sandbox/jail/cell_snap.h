/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_CELL_SNAP_H
#define WARREN_SANDBOX_JAIL_CELL_SNAP_H

#include "sandbox/jail/cell.h"

/*
 * A snapshot of a job that runs: J_SNAP -> J_SNAP_READY, node stops the job,
 * J_SNAP_GO -> J_SNAPPED. Whatever fails ends it with its reason, so that
 * node lets the job go on; who takes it has JAIL_SNAP_MS for each half.
 */
#define JAIL_SNAP_MS 20000

/* The slot's own groups may hold so much; never less than snapshots have. */
void cell_snap_room(const struct cell *, uint64_t bytes);
/* Before the first job: opens what bounds the slot's own groups. */
struct slot_setup;
void cell_snap_init(struct cell *, const struct slot_setup *);

void cells_snap(struct jail *, const struct msg_J_SNAP *);
void cells_snap_go(struct jail *, const struct id32 *job);
/* The slot's answer to it; fds are closed. */
void cell_snap_answer(struct jail *, struct cell *, const uint8_t *, int *fds);
/* Something to read on snap.report, snap.pidfd. */
void cell_snap_on_report(struct jail *, struct cell *);
void cell_snap_on_pidfd(struct jail *, struct cell *);
void cell_snap_tick(struct jail *, struct cell *, struct mono now);
/* Nobody waits for it any more, or it cannot go on. */
void cell_snap_end(struct jail *, struct cell *, const char *why);

#endif
