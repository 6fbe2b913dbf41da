/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "node/work/review.h"
#include "trust/doc/contract.h"
#include "tests/unit/fakehost.h"

/* Whose word counts in the pretended world, and what the ledger keeps of it. */

#define POST(w, ms, TYPE, m)                                                   \
	fake_post(w, ms, IPC_##TYPE, m, sizeof(*(m)), NULL, 0)

/*
 * A frame is: verdict u8, job, issued u32, until u32, then a byte for each
 * signer. The last second of a signature is its own.
 */
void
fake_V_APPROVAL(void *ctx, const struct msg_V_APPROVAL *m)
{
	struct msg_V_APPROVED out = {.qid = m->qid, .status = APPROVAL_TRUST};
	struct rd r = rd_make(m->frame, m->frame_len);
	struct world *w = ctx;
	bool revoked = false;
	struct fp fp;
	uint8_t who;

	w->approvals++;
	if (!rd_bool(&r, &out.approve) || !rd_copy(&r, HASH_BYTES(out.job)) ||
	    !rd_u32(&r, &out.issued) || !rd_u32(&r, &out.expires))
		out.status = APPROVAL_FORM;
	while (out.status != APPROVAL_FORM && rd_u8(&r, &who)) {
		revoked |= w->revoked[who];
		if (w->revoked[who] || !(w->reviewer[who] || w->member[who]))
			continue;
		world_fp(&fp, who);
		memcpy(out.signers + out.signers_len, HASH_BYTES(fp));
		out.signers[out.signers_len + FP_LEN] = who;
		out.signers_len = (uint16_t)(out.signers_len + IPC_SIGNER);
		out.status = APPROVAL_OK;
	}
	if (out.status == APPROVAL_TRUST && revoked)
		out.status = APPROVAL_REVOKED;
	if (!w->trust_silent)
		POST(w, 0, V_APPROVED, &out);
}

size_t
world_frame(struct world *w, uint8_t out[64], const struct id32 *job,
    bool approve, const uint8_t *who, size_t n)
{
	struct wr o = wr_make(out, 64);

	wr_bool(&o, approve);
	wr_bytes(&o, HASH_BYTES(*job));
	wr_u32(&o, (uint32_t)(w->wall_us / 1000000));
	wr_u32(&o, (uint32_t)(w->wall_us / 1000000) + 3600);
	wr_bytes(&o, who, n);
	assert_true(wr_ok(&o));
	return o.len;
}

void
fake_V_REVIEW(void *ctx, const struct msg_V_REVIEW *m)
{
	struct world *w = ctx;
	struct msg_V_REVIEWED out = {.qid = m->qid,
	    .threshold = m->board[0] == '\0' ? 0 : (uint8_t)w->threshold};

	w->reviews++;
	for (unsigned i = 0; i < m->signers_len / IPC_SIGNER; i++) {
		/* the identity hash, or the key where there is none */
		uint8_t who = m->signers[i * IPC_SIGNER + FP_LEN];

		if (who == 0)
			who = m->signers[i * IPC_SIGNER];
		out.reviewers |= (uint32_t)w->reviewer[who] << i;
		out.members |= (uint32_t)(w->member[who] &&
		    m->board[0] != '\0') << i;
		out.revoked |= (uint32_t)w->revoked[who] << i;
	}
	if (!w->trust_silent)
		POST(w, 0, V_REVIEWED, &out);
}

void
fake_K_APPROVE(void *ctx, const struct msg_K_APPROVE *m)
{
	struct msg_K_APPROVED out = {.qid = m->qid, .ok = true};
	struct world *w = ctx;

	if (!w->keys_silent)
		POST(w, 0, K_APPROVED, &out);
}

void
fake_contract(void *ctx, const struct msg_V_CONTRACT *m,
    const uint8_t *envelope, size_t len)
{
	static struct msg_V_CONTRACTED out;
	struct world *w = ctx;

	(void)envelope;
	memset(&out, 0, sizeof(out));
	out.qid = m->qid;
	w->contracts++;
	assert_int_equal(m->len, len);
	if (w->contract_silent)
		return;
	if (w->contract_revoked) {
		out.status = CONTRACT_REVOKED;
	} else if (w->contract == NULL) {
		out.status = CONTRACT_BAD;
		memcpy(out.why, "payload: bad", 13);
	} else {
		out.level = w->contract_level;
		out.record_len = (uint16_t)contract_record_put(out.record,
		    sizeof(out.record), w->contract);
		assert_true(out.record_len > 0);
	}
	POST(w, 0, V_CONTRACTED, &out);
}

/* Votes outlive a restart of the node. */
static struct vote kept[2048];
static unsigned nkept;

void
fake_drop_vote(void *ctx, const struct vote *v)
{
	(void)ctx;
	for (unsigned i = 0; i < nkept; i++) {
		if (!id32_eq(&kept[i].job, &v->job) ||
		    !fp_eq(&kept[i].signer, &v->signer))
			continue;
		kept[i] = kept[--nkept];
		return;
	}
}

void
fake_keep_vote(void *ctx, const struct vote *v)
{
	uint8_t rec[VOTE_RECORD];

	fake_drop_vote(ctx, v);
	assert_true(nkept < NELEM(kept));
	vote_encode(rec, v);
	assert_true(vote_decode(&kept[nkept++], &v->job, &v->signer, rec,
	    sizeof(rec)));
}

void
fake_votes_none(void)
{
	nkept = 0;
}

void
fake_votes_restore(struct world *w)
{
	for (unsigned i = 0; i < nkept; i++)
		review_restore(&w->n, &kept[i]);
}
