/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_WATCHED_H
#define WARREN_NODE_WORK_WATCHED_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/mono.h>

#include "common/ipc_msg.h"

struct job;
struct node;

/*
 * Jobs under the probes of warren-audit. Where it has them a job's J_RUN waits
 * until audit says that its group is watched; its receipt waits for what was
 * seen (seen.h).
 */
#define WATCHED_FREEZE_S 600 /* klp.md 10: then it goes on */
#define WATCHED_KILLS_HOUR 60 /* ours: more than that is no job's fault */

/* What this machine gives: jail's layers and audit's together. */
void watched_layers(struct node *);
/* Audit's words; those about a job that is not ours change nothing. */
void watched_posture(struct node *, const struct msg_W_POSTURE *);
void watched_ready(struct node *, const struct msg_W_READY *);
void watched_flag(struct node *, const struct msg_W_FLAG *);
void watched_done(struct node *, const struct msg_W_DONE *);
/* Audit is gone: what waits for it goes on without. */
void watched_down(struct node *);

/* host has made its group and said W_JOB; J_RUN waits. */
void watched_waits(struct node *, struct job *);
/* It was found running: watched from now on, if it is not still. */
void watched_found(struct node *, struct job *);
struct mono watched_tick(struct node *);

/* May one more be ended for what audit says? This one, that is. */
bool watched_may_kill(struct node *, struct job *);
/* It ends for a rule that was told; it may not run yet, or no more. */
void watched_kill(struct node *, struct job *, uint8_t rule);
/* It stands still for a rule, for WATCHED_FREEZE_S; name: for people. */
void watched_stop(struct node *, struct job *, uint8_t rule, const char *name);

#endif
