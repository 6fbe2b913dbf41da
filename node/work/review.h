/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_REVIEW_H
#define WARREN_NODE_WORK_REVIEW_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/mono.h>

#include "common/ipc_msg.h"
#include "trust/doc/manifest.h"

struct asked;
struct job;
struct node;
struct vote;

/*
 * Jobs that wait for somebody's word (klp.md 6.1): the paths job/review and
 * job/approve, the operator's own approval, and what all of it comes to. Trust
 * says whose signature it is and what that is worth; the votes are kept here
 * and in the ledger.
 */

/* PATH_REVIEW, PATH_APPROVE: answered, or waiting for trust. */
void review_request(struct node *, struct asked *);
/* Trust's answers. true: the verdict was for a request of ours. */
bool review_scope(struct node *, const struct msg_V_VERDICT *);
void review_approved(struct node *, const struct msg_V_APPROVED *);
void review_reviewed(struct node *, const struct msg_V_REVIEWED *);

/* A job was admitted; who of its board has signed the envelope too. */
void review_admitted(struct node *, struct job *, const struct msg_V_MANIFEST *);
/* It waits no more. */
void review_over(struct node *, struct job *);
/* Verdicts are void, or trust is there again: whoever waits is asked for. */
void review_again(struct node *);
/*
 * May it start? It needs nobody's word, or has it under the present verdicts;
 * else trust is being asked.
 */
bool review_fresh(struct node *, struct job *);

/*
 * The operator's word, to be signed by keys. REVIEW_SIGNED: it is, and has had
 * its effect; REVIEW_ASKED: ask again soon; else why not, a literal.
 */
enum review_word { REVIEW_SIGNED, REVIEW_ASKED, REVIEW_NOT };
enum review_word review_operator(struct node *, struct job *, bool approve,
    const char **why);
void review_signed(struct node *, const struct msg_K_APPROVED *);

/* What was in the ledger. */
void review_restore(struct node *, const struct vote *);
/* What was said of jobs that never came goes when its time is over. */
struct mono review_tick(struct node *);

#endif
