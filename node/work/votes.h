/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_VOTES_H
#define WARREN_NODE_WORK_VOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "common/ipc_msg.h"
#include "common/util.h"

/*
 * What has been said of jobs by those whose word may count (klp.md 6.1): one
 * vote of a signer on a job, the newest. Trust has checked the signature; what
 * a vote is worth is asked again whenever it matters. Pure and bounded: what
 * is said of a job that is not here yet is kept too, so much in all and so
 * much of what one peer has brought.
 */
#define VOTES_UNKNOWN_MAX 1024 /* klp.md 6.1 */
#define VOTES_UNKNOWN_PEER 64  /* ours */
#define VOTES_JOB_MAX IPC_JOB_SIGNERS_MAX
#define VOTES_KEEP_S (30u * 86400u) /* klp.md 6.1 */
#define VOTE_NOT_ASKED 0xff

struct vote {
	RB_ENTRY(vote) node;
	struct id32 job;
	struct fp signer;
	struct hash16 rns; /* the signer's; zeros: not known */
	struct fp by;	   /* who brought it */
	bool approve;
	bool cosigned; /* in the manifest's envelope: for a board only */
	bool known;    /* the job is here */
	uint32_t issued, until; /* unix seconds */
	uint8_t asked; /* its bit in the last V_REVIEW of the job */
};
RB_HEAD(vote_tree, vote);

struct votes {
	struct vote_tree tree;
	unsigned unknown;
};

void votes_init(struct votes *);
void votes_clear(struct votes *);

enum vote_put {
	VOTE_NEW,   /* taken; *out is it */
	VOTE_OLD,   /* the signer has said the same, or something newer */
	VOTE_FULL,  /* no room: of this job, of this peer, of all */
};
/* A copy of v; known: the job is here. */
enum vote_put votes_put(struct votes *, const struct vote *v, bool known,
    struct vote **out);
/* The first vote on a job, and the one behind v of the same job; NULL. */
struct vote *votes_of(struct votes *, const struct id32 *job);
struct vote *votes_next(struct vote *);
/* The job has come: they count against it alone from now on. */
void votes_known(struct votes *, const struct id32 *job);
void vote_remove(struct votes *, struct vote *);
/*
 * One of a job that has not come, whose time is over, for vote_remove(); NULL:
 * none. What has counted is not undone by time.
 */
struct vote *votes_expired(struct votes *, uint32_t unix_now);

/* The row of the ledger beside job and signer. */
#define VOTE_RECORD 58
void vote_encode(uint8_t out[VOTE_RECORD], const struct vote *);
bool vote_decode(struct vote *, const struct id32 *job, const struct fp *signer,
    const uint8_t *, size_t);

/* ---- what they come to ---- */

struct review_terms {
	struct fp owner, self; /* the submitter; this node's key */
	bool reviewer; /* requires_review */
	bool board;    /* approved_by, which a board stands behind */
	unsigned threshold; /* of the board's keys; 0: nobody knows them */
	uint32_t reviewers, members, revoked; /* of V_REVIEWED */
};
enum review_end {
	REVIEW_HELD,
	REVIEW_PASSED,
	REVIEW_REJECTED,
};
/* A vote whose bit trust was not asked for is worth nothing, but our own. */
enum review_end review_decide(struct votes *, const struct id32 *job,
    const struct review_terms *);
/* Does this one count for these terms? */
bool review_counts(const struct vote *, const struct review_terms *);

#endif
