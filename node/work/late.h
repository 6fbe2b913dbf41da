/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_LATE_H
#define WARREN_NODE_WORK_LATE_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/mono.h>

#include "node/work/state.h"

/*
 * What is asked of jail and of trust has its time. Jail's own clocks are
 * shorter: one that lives answers first, be it with a failure.
 */
#define NODE_STEP_MS 600000  /* sandbox/jail: a step is killed then */
#define NODE_GRACE_MS 10000  /* ... and a start, after the job's time */
#define NODE_JAIL_MS 60000   /* more than that: jail itself was stopped */
#define NODE_LATE_MS 5000    /* to read what came while we were stopped */
#define NODE_ASK_MS 30000    /* trust's: then it is asked again */

/* J_RUN is out, or jail says that it still builds the job. */
void late_run(struct node *, struct job *);
/* J_STEP is. */
void late_step(struct node *, struct job *);
/* Its group was killed past jail, which is to say that it ended. */
void late_kill(struct node *, struct job *);
/* J_FORGET is. */
void late_forget(struct node *, struct job *);
/* Is it over, and was all read that came before? Else *next is not later. */
bool late_passed(struct node *, struct job *, struct mono *next);
/* It is counted and said: jail has not answered this, and what follows. */
void late_alarm(struct node *, const struct job *, const char *what,
    const char *text);
/*
 * Is the answer to this question of trust still awaited? If it is late, it is
 * counted and no more awaited. j and p: whom it is about; may be NULL.
 */
bool late_trust(struct node *, uint64_t *qid, struct mono asked,
    const struct job *j, const struct peer *p, const char *what);

#endif
