/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_FOUND_H
#define WARREN_NODE_WORK_FOUND_H

#include "node/work/state.h"

/*
 * What jail says at its hello, before anything else: the jobs that it has kept
 * while node was away, those that are still built, and then what it gives. A
 * job that was active and was not named until then is lost.
 */
void found_running(struct node *, const struct msg_J_RUNNING *);
/* J_STARTED or J_FAILED follows. */
void found_staging(struct node *, const struct msg_J_STAGING *);
void found_posture(struct node *, const struct msg_J_POSTURE *);

#endif
