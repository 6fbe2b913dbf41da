/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_EVENT_H
#define WARREN_NODE_WORK_EVENT_H

#include <stdint.h>

#include "common/ipc_msg.h"
#include "node/work/state.h"

struct refusal;

/*
 * A line of the trail, in the name of the job or the peer (either may be
 * NULL; a peer is named by its key when one is known). text is escaped and
 * cut; it and code may be NULL. Nothing is answered but to node_trail().
 */
void node_event(struct node *, enum event_kind, unsigned severity,
    const struct job *, const struct peer *, const char *code,
    const char *text, int64_t a, int64_t b);
/*
 * A refusal at admission, with all that explains it later: a is the step, b the
 * seconds until it may be asked again.
 */
void node_event_refused(struct node *, const struct job *,
    const struct peer *, const struct refusal *);
/* A line of a job (or NULL), with an answer HEAD that carries qid. */
void node_event_head(struct node *, enum event_kind, const struct job *,
    const char *code, int64_t a, int64_t b, uint64_t qid);

#endif
