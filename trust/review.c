/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/review.h"

#include <stdio.h>
#include <string.h>

#include "trust/doc/approval.h"
#include "trust/signers.h"
#include "common/util.h"

static bool
on_board(const struct verdict_board *b, const struct fp *fp)
{
	struct fp of;

	for (size_t i = 0; i < b->nkeys; i++) {
		key_fp(&of, &b->keys[i]);
		if (fp_eq(&of, fp))
			return true;
	}
	return false;
}

static bool
counts(const struct verdicts *v, const struct signer_id *who, int level)
{
	if (level >= REVIEW_LEVEL)
		return true;
	/* revoked, or suspended: no board speaks through it */
	if (level <= -2)
		return false;
	for (size_t i = 0; i < v->nboards; i++) {
		if (on_board(&v->boards[i], &who->fp))
			return true;
	}
	return false;
}

static void
put_signer(struct msg_V_APPROVED *out, const struct signer_id *who)
{
	uint8_t *at = out->signers + out->signers_len;

	if ((size_t)out->signers_len + IPC_SIGNER > sizeof(out->signers))
		return;
	memset(at, 0, IPC_SIGNER);
	memcpy(at, HASH_BYTES(who->fp));
	if (who->has_rns)
		memcpy(at + FP_LEN, HASH_BYTES(who->rns));
	out->signers_len = (uint16_t)(out->signers_len + IPC_SIGNER);
}

static void
say(struct msg_V_APPROVED *out, enum approval_status status, const char *why)
{
	out->status = (uint8_t)status;
	(void)snprintf(out->why, sizeof(out->why), "%s", why);
}

void
review_approval(const struct verdicts *v, struct msg_V_APPROVED *out,
    const struct msg_V_APPROVAL *m, uint32_t now)
{
	struct signers c;
	struct approval a;
	bool revoked = false;
	uint64_t signed_by;
	const char *why;
	struct env e;

	memset(out, 0, sizeof(*out));
	out->qid = m->qid;
	if (approval_parse(&a, &e, m->frame, m->frame_len, &why) != 0) {
		say(out, APPROVAL_FORM, why);
		return;
	}
	out->approve = a.approve;
	out->job = a.job;
	out->issued = a.issued;
	out->expires = a.expires;
	if ((why = approval_times(&a, now)) != NULL) {
		say(out, APPROVAL_TRUST, why);
		return;
	}
	signers_gather(&c, v, &e, m->rns_public, now);
	(void)env_signers(&e, TYPE_APPROVAL, c.key, c.n, &signed_by, NULL);
	for (size_t i = 0; i < c.n; i++) {
		int level;

		if ((signed_by & UINT64_C(1) << i) == 0)
			continue;
		level = signer_level(v, &c.who[i], "job.review", now);
		if (level <= -2)
			revoked = true;
		else if (counts(v, &c.who[i], level))
			put_signer(out, &c.who[i]);
	}
	if (out->signers_len > 0)
		say(out, APPROVAL_OK, "");
	else if (revoked)
		say(out, APPROVAL_REVOKED, "signed by a revoked key");
	else
		say(out, APPROVAL_TRUST, "no signature of a reviewer (level +2 "
		    "for job.review) or of a board");
}

void
review_job(const struct verdicts *v, struct msg_V_REVIEWED *out,
    const struct msg_V_REVIEW *m, uint32_t now)
{
	const struct verdict_board *b = verdict_board(v, m->board);
	static const struct hash16 none;
	size_t n = m->signers_len / IPC_SIGNER;

	memset(out, 0, sizeof(*out));
	out->qid = m->qid;
	if (b != NULL)
		out->threshold = (uint8_t)b->threshold;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *at = m->signers + i * IPC_SIGNER;
		struct signer_id who;
		uint32_t bit = UINT32_C(1) << i;
		int level;

		memcpy(who.fp.b, at, sizeof(who.fp.b));
		memcpy(who.rns.b, at + FP_LEN, sizeof(who.rns.b));
		who.has_rns = !hash16_eq(&who.rns, &none);
		level = signer_level(v, &who, "job.review", now);
		if (level <= -2) {
			out->revoked |= bit;
			continue;
		}
		if (level >= REVIEW_LEVEL)
			out->reviewers |= bit;
		if (b != NULL && on_board(b, &who.fp))
			out->members |= bit;
	}
}
