/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/votes.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire.h"

static int
cmp_vote(struct vote *a, struct vote *b)
{
	int c = id32_cmp(&a->job, &b->job);

	return c != 0 ? c : fp_cmp(&a->signer, &b->signer);
}

TREE_PROTOTYPE(vote_tree, vote, node, cmp_vote)
TREE_GENERATE(vote_tree, vote, node, cmp_vote)

void
votes_init(struct votes *vs)
{
	RB_INIT(&vs->tree);
	vs->unknown = 0;
}

void
votes_clear(struct votes *vs)
{
	struct vote *v;

	while ((v = RB_ROOT(&vs->tree)) != NULL)
		vote_remove(vs, v);
}

struct vote *
votes_of(struct votes *vs, const struct id32 *job)
{
	struct vote key, *v;

	key.job = *job;
	memset(&key.signer, 0, sizeof(key.signer));
	v = RB_NFIND(vote_tree, &vs->tree, &key);
	return v != NULL && id32_eq(&v->job, job) ? v : NULL;
}

struct vote *
votes_next(struct vote *v)
{
	struct vote *next = RB_NEXT(vote_tree, NULL, v);

	return next != NULL && id32_eq(&next->job, &v->job) ? next : NULL;
}

static bool
has_room(struct votes *vs, const struct vote *want, bool known)
{
	unsigned of_job = 0, of_peer = 0;
	struct vote *v;

	for (v = votes_of(vs, &want->job); v != NULL; v = votes_next(v))
		of_job++;
	if (of_job >= VOTES_JOB_MAX)
		return false;
	if (known)
		return true;
	RB_FOREACH(v, vote_tree, &vs->tree)
		of_peer += !v->known && fp_eq(&v->by, &want->by);
	return vs->unknown < VOTES_UNKNOWN_MAX && of_peer < VOTES_UNKNOWN_PEER;
}

enum vote_put
votes_put(struct votes *vs, const struct vote *want, bool known,
    struct vote **out)
{
	struct vote key = *want, *v = RB_FIND(vote_tree, &vs->tree, &key);

	*out = NULL;
	if (v != NULL) {
		/* the newest word; of two of one second the reject */
		if (want->issued < v->issued || (want->issued == v->issued &&
		    (want->approve || !v->approve)))
			return VOTE_OLD;
		v->approve = want->approve;
		v->cosigned = want->cosigned;
		v->issued = want->issued;
		v->until = want->until;
		*out = v;
		return VOTE_NEW;
	}
	if (!has_room(vs, want, known) || (v = malloc(sizeof(*v))) == NULL)
		return VOTE_FULL;
	*v = *want;
	v->known = known;
	v->asked = VOTE_NOT_ASKED;
	vs->unknown += !known;
	(void)RB_INSERT(vote_tree, &vs->tree, v);
	*out = v;
	return VOTE_NEW;
}

void
votes_known(struct votes *vs, const struct id32 *job)
{
	struct vote *v;

	for (v = votes_of(vs, job); v != NULL; v = votes_next(v)) {
		vs->unknown -= !v->known;
		v->known = true;
	}
}

void
vote_remove(struct votes *vs, struct vote *v)
{
	(void)RB_REMOVE(vote_tree, &vs->tree, v);
	vs->unknown -= !v->known;
	free(v);
}

struct vote *
votes_expired(struct votes *vs, uint32_t unix_now)
{
	struct vote *v;

	RB_FOREACH(v, vote_tree, &vs->tree) {
		if (!v->known && unix_now >= v->until)
			return v;
	}
	return NULL;
}

void
vote_encode(uint8_t out[VOTE_RECORD], const struct vote *v)
{
	struct wr w = wr_make(out, VOTE_RECORD);

	wr_bytes(&w, HASH_BYTES(v->rns));
	wr_bytes(&w, HASH_BYTES(v->by));
	wr_bool(&w, v->approve);
	wr_bool(&w, v->cosigned);
	wr_u32(&w, v->issued);
	wr_u32(&w, v->until);
}

bool
vote_decode(struct vote *v, const struct id32 *job, const struct fp *signer,
    const uint8_t *buf, size_t len)
{
	struct rd r = rd_make(buf, len);

	memset(v, 0, sizeof(*v));
	v->job = *job;
	v->signer = *signer;
	return rd_copy(&r, HASH_BYTES(v->rns)) &&
	    rd_copy(&r, HASH_BYTES(v->by)) && rd_bool(&r, &v->approve) &&
	    rd_bool(&r, &v->cosigned) && rd_u32(&r, &v->issued) &&
	    rd_u32(&r, &v->until) && rd_end(&r);
}

/* ---- what they come to ---- */

static bool
is_set(const struct vote *v, uint32_t mask)
{
	return v->asked < VOTES_JOB_MAX &&
	    (mask & UINT32_C(1) << v->asked) != 0;
}

static bool
of_reviewer(const struct vote *v, const struct review_terms *t)
{
	return !v->cosigned && (fp_eq(&v->signer, &t->self) ||
	    (is_set(v, t->reviewers) && !is_set(v, t->revoked)));
}

static bool
of_board(const struct vote *v, const struct review_terms *t)
{
	return t->board && is_set(v, t->members) && !is_set(v, t->revoked);
}

bool
review_counts(const struct vote *v, const struct review_terms *t)
{
	/* nobody approves what he has submitted himself */
	return !fp_eq(&v->signer, &t->owner) &&
	    (of_reviewer(v, t) || of_board(v, t));
}

enum review_end
review_decide(struct votes *vs, const struct id32 *job,
    const struct review_terms *t)
{
	bool reviewed = !t->reviewer;
	unsigned members = 0;
	struct vote *v;

	for (v = votes_of(vs, job); v != NULL; v = votes_next(v)) {
		if (!review_counts(v, t))
			continue;
		if (!v->approve)
			return REVIEW_REJECTED;
		reviewed |= of_reviewer(v, t);
		members += of_board(v, t);
	}
	if (t->board && (t->threshold == 0 || members < t->threshold))
		return REVIEW_HELD;
	return reviewed ? REVIEW_PASSED : REVIEW_HELD;
}
