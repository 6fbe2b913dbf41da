/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_TRUSTWHY_H
#define WARREN_NODE_HOST_TRUSTWHY_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/clock.h"
#include "common/ipc_msg.h"
#include "node/work/node.h"

/*
 * `warren trust why`: a question of the operator's that warren-trust answers.
 * Node does not wait: who asks is told that it is under way and asks again, and
 * an answer is given out once. One question at a time.
 */
struct trustwhy {
	uint64_t qid; /* 0: none is out */
	struct mono asked;
	struct msg_V_WHY question;
	json_t *paths;	/* as they come */
	json_t *answer; /* NULL: not there yet */
};

/*
 * The question is {"id": 64 or 32 hex digits, "scope": name}. What to say: the
 * caller's; NULL: *bad, a literal, what is wrong with the question.
 */
json_t *trustwhy_ask(struct trustwhy *, struct node *, const json_t *question,
    const char **bad);
void trustwhy_hop(struct trustwhy *, const struct msg_V_HOP *);
void trustwhy_because(struct trustwhy *, const struct msg_V_BECAUSE *);
void trustwhy_clear(struct trustwhy *);

#endif
