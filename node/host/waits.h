/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_WAITS_H
#define WARREN_NODE_HOST_WAITS_H

#include <jansson.h>

#include "node/work/state.h"

/*
 * `warren explain`: what stands between a job and its end, in numbers: what it
 * waits for, what it asked for and what others have of it, until when. null:
 * it has ended.
 */
json_t *waits_json(struct node *, const struct job *);
/*
 * The letters about a job (docs/spec/lxmf.md 5): who asked and when, how far it
 * is, and of an answer that is to be handed over how often that failed, why,
 * and when it is tried again. NULL: there are none.
 */
json_t *waits_letters(const struct node *, const struct job *);
/* What its budgets are at most and when they are full; whether it is listed. */
void waits_peer(json_t *into, struct node *, struct peer *);

#endif
