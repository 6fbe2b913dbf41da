/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_REPEAT_H
#define WARREN_NODE_CLI_REPEAT_H

#include <stdbool.h>

#include "node/cli/submitter.h"

/*
 * A job that the node has, or may have, submitted again: steps 1 to 5 come
 * before it is known again, so a node whose disk is full for a second refuses
 * that as well (compute.md 4). The job is there all the same, and runs when it
 * has its inputs: who took it to another node would have it run twice. So its
 * status is asked for, and where it still waits for inputs it is submitted again
 * later. Pure.
 */

/* Is that what this answer says? Then the status is asked for next. */
bool repeat_shut(struct submitter *s, const struct proto_ans *a);
/* ... and the node has no such job: it is refused as it was said. */
bool repeat_unknown(struct submitter *s, const struct proto_ans *a);
/* So it ended, by that answer: nothing more needs to be asked. */
bool repeat_never_had(const struct submitter *s);
/* The status came. true: submit again in *wait_s; false: watch it. */
bool repeat_waits(struct submitter *s, uint32_t *wait_s);
/*
 * The status came, with that seq: a job that was watched waits for inputs again,
 * since it runs anew and the node has not kept all of them. true, once for each
 * time: submit now, and hear what lacks.
 */
bool repeat_lacks(struct submitter *s, uint64_t seq);

#endif
