/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_HOLD_H
#define WARREN_NODE_WORK_HOLD_H

#include <stdbool.h>

#include <rns/mono.h>

#include "node/work/asked.h"

struct job;
struct node;

/*
 * Answers that wait for a job (compute.md 3, w): nothing goes over the air
 * while nothing changes. Of each only whom it is for and what it is about is
 * kept, no byte of the request.
 */
#define HOLD_MAX 256	/* ours: of all links; beyond, it is answered at once */
#define HOLD_LINK 4	/* ours: of one */
#define HOLD_MOST_S 600 /* compute.md 3: w is cut to it */

/* It is answered later: the caller ends it. false: answer it now. */
bool hold_put(struct node *, const struct asked *, const struct job *);
/* A link closes. */
void hold_forget(struct node *, const struct caller *);
/*
 * One that has something to say by now, or whose time is over: the caller's, as
 * if it had just been asked without time. NULL: none until *next.
 */
struct asked *hold_due(struct node *, struct mono *next);

#endif
