/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_WARM_H
#define WARREN_NODE_WORK_WARM_H

#include <rns/mono.h>

#include "node/work/state.h"

/*
 * What jail may prepare for jobs to come (J_WARM): the roots of those that ran
 * last, while this machine is lent and has memory to spare. What is prepared of
 * an image is void as soon as anything of that image is in doubt; jail drops
 * all of it then, and prepares a root again only after a job that was let in.
 */
#define WARM_MEMORY_LEAST (UINT64_C(128) << 20) /* ours: below it, none */

/* Says what has changed; after everything that it depends on. */
void warm_tick(struct node *);
/* A new jail knows nothing. */
void warm_down(struct node *);
/* Before any later J_RUN: nothing that is prepared now is used. */
void warm_void(struct node *);
/* What jail has told. */
void warm_pool(struct node *, const struct msg_J_POOL *);

#endif
