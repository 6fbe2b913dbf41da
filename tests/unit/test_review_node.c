/* SPDX-License-Identifier: BSD-2-Clause */
/* Jobs that wait for somebody's word (klp.md 6.1), in a node that pretends. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/work/late.h"
#include "node/work/review.h"
#include "tests/unit/nodekit.h"
#include "trust/doc/manifest_record.h"

#define OWNER 0x41
#define REVIEWER 0x52
#define MEMBER 0x61
#define OTHER 0x62
#define BOARD "kOS Core Trust Board v1.4"

static const char *const boards[] = {BOARD};

static int
begin(void **state)
{
	if (setup(state) != 0)
		return -1;
	world_link(&w, 2, 10000000);
	world_identify(&w, 2, REVIEWER);
	w.reviewer[REVIEWER] = true;
	world_run(&w, 1);
	return 0;
}

static void
with_board(struct manifest *m)
{
	m->has |= HAS_TRUST | HAS_APPROVED_BY;
	(void)snprintf(m->approved_by, sizeof(m->approved_by), "%s", BOARD);
}

static struct proto_ans *
word(uint8_t link, const struct id32 *id, bool approve, const uint8_t *who,
    size_t n)
{
	uint8_t frame[64];
	struct proto_req q = {.path = PATH_APPROVE, .frame = {frame, 0}};

	q.frame.n = world_frame(&w, frame, id, approve, who, n);
	return world_call(&w, link, &q);
}

static struct proto_ans *
one_word(const struct id32 *id, bool approve, uint8_t who)
{
	return word(2, id, approve, &who, 1);
}

static void
answers(const struct proto_ans *a, const struct id32 *id, const char *state,
    const char *reason)
{
	const uint8_t *got;
	struct pstr st, re;

	assert_non_null(a);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_approved(&got, &st, &re, a));
	assert_memory_equal(got, id->b, 32);
	if (!pstr_is(st, state) || (reason != NULL && !pstr_is(re, reason)))
		fail_msg("state %.*s reason %.*s", (int)st.n, st.p, (int)re.n,
		    re.p == NULL ? "" : re.p);
}

static void
hold(uint8_t nonce, void (*change)(struct manifest *), struct id32 *id)
{
	assert_int_equal(submit(1, OWNER, nonce, change, id)->status, ST_OK);
	state_is(id, "held", "review");
}

static void
test_approve(void **state)
{
	struct id32 id;

	(void)state;
	hold(1, review, &id);
	world_run(&w, 5000);
	assert_int_equal(w.starts, 0);
	answers(one_word(&id, true, REVIEWER), &id, "queued", "slots");
	assert_int_equal(w.events_seen[EVK_APPROVAL], 1);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	/* nothing is kept of a job that has ended */
	assert_null(votes_of(&w.n.votes, &id));
	answers(one_word(&id, true, REVIEWER), &id, "done", NULL);
	assert_int_equal(w.events_seen[EVK_APPROVAL], 1);
}

static void
test_reject(void **state)
{
	struct id32 id, queued;

	(void)state;
	hold(1, review, &id);
	answers(one_word(&id, false, REVIEWER), &id, "cancelled", "review");
	state_is(&id, "cancelled", "review");
	/* a job that waits for inputs needs no review, and is ended by one */
	assert_int_equal(submit(1, OWNER, 2, with_volumes, &queued)->status,
	    ST_OK);
	state_is(&queued, "queued", "inputs");
	answers(one_word(&queued, false, REVIEWER), &queued, "cancelled",
	    "review");
	assert_int_equal(w.starts, 0);
}

/* Whose word does not count, and frames that are none. */
static void
test_refused(void **state)
{
	static const uint8_t both[] = {OWNER, REVIEWER};
	struct proto_req q = {.path = PATH_APPROVE, .frame = {both, 2}};
	static uint8_t huge[IPC_APPROVAL_MAX + 1];
	struct id32 id;

	(void)state;
	hold(1, review, &id);
	refused(one_word(&id, true, OTHER), "trust", 0);
	w.revoked[OTHER] = true;
	refused(one_word(&id, true, OTHER), "revoked", 0);
	/* the submitter's own key never counts, whatever its level */
	w.reviewer[OWNER] = true;
	refused(word(1, &id, true, both, 1), "trust", 0);
	refused(word(1, &id, false, both, 1), "trust", 0);
	assert_int_equal(world_call(&w, 2, &q)->status, ST_MALFORMED);
	q.frame = (struct pbin){huge, sizeof(huge)};
	assert_int_equal(world_call(&w, 2, &q)->status, ST_MALFORMED);
	state_is(&id, "held", "review");
	assert_int_equal(w.events_seen[EVK_APPROVAL], 0);
	w.trust_silent = true;
	q.frame.n = world_frame(&w, huge, &id, true, both, 2);
	(void)world_ask(&w, 2, &q);
	world_run(&w, 21000);
	w.trust_silent = false;
	state_is(&id, "held", "review");
	/* ... and does not keep another's from counting */
	answers(word(2, &id, true, both, 2), &id, "queued", "slots");
}

/* What trust was asked about his approvals, and its answer was lost. */
static void
test_answer_lost(void **state)
{
	struct job *j;
	struct id32 id;

	(void)state;
	hold(1, review, &id);
	w.disk_free = 0;
	answers(one_word(&id, true, REVIEWER), &id, "queued", "slots");
	world_run(&w, 10);
	/* verdicts are void, and this question is out */
	node_verdicts_void(&w.n);
	j = job_find(&w.n.jobs, &id);
	j->review_qid = node_qid(&w.n);
	j->review_asked = w.now;
	w.reviews = 0;
	w.disk_free = 1 << 20;
	world_run(&w, NODE_ASK_MS - 2000);
	state_is(&id, "queued", "trust");
	assert_int_equal(w.reviews, 0);
	world_run(&w, 5000);
	assert_int_equal(w.reviews, 1);
	assert_int_equal(w.n.count.unanswered, 1);
	state_is(&id, "done", NULL);
}

/* Before the submit; it is kept over a restart, and until its time is over. */
static void
test_early(void **state)
{
	struct id32 id, late;

	(void)state;
	(void)envelope(OWNER, 1, review, &id);
	assert_int_equal(one_word(&id, true, REVIEWER)->status, ST_NOT_FOUND);
	assert_int_equal(one_word(&id, true, REVIEWER)->status, ST_NOT_FOUND);
	assert_int_equal(w.n.votes.unknown, 1);
	(void)envelope(OWNER, 2, review, &late);
	assert_int_equal(one_word(&late, false, REVIEWER)->status,
	    ST_NOT_FOUND);
	world_restart(&w);
	world_up(&w, 2);
	world_link(&w, 1, 10000000);
	world_identify(&w, 1, OWNER);
	assert_int_equal(w.n.votes.unknown, 2);
	assert_int_equal(submit(1, OWNER, 1, review, &id)->status, ST_OK);
	world_run(&w, 0);
	assert_int_equal(w.n.votes.unknown, 1);
	assert_int_equal(submit(1, OWNER, 2, review, &late)->status, ST_OK);
	world_run(&w, 100);
	state_is(&late, "cancelled", "review");
	state_is(&id, "done", NULL);
	assert_int_equal(w.n.votes.unknown, 0);

	/* nobody comes */
	world_link(&w, 2, 10000000);
	world_identify(&w, 2, REVIEWER);
	world_run(&w, 1);
	memset(&id, 0x33, sizeof(id));
	assert_int_equal(one_word(&id, true, REVIEWER)->status, ST_NOT_FOUND);
	assert_int_equal(w.n.votes.unknown, 1);
	world_run(&w, 3700 * 1000);
	assert_int_equal(w.n.votes.unknown, 0);
	assert_null(votes_of(&w.n.votes, &id));
}

static void
test_bounds(void **state)
{
	struct proto_ans *a = NULL;
	struct id32 id = {{0}};
	unsigned n = 0;

	(void)state;
	/* of one peer */
	for (; n < VOTES_UNKNOWN_PEER + 1; n++) {
		id.b[0] = 0x80;
		id.b[1] = (uint8_t)n;
		if ((a = one_word(&id, true, REVIEWER))->status != ST_NOT_FOUND)
			break;
	}
	assert_int_equal(n, VOTES_UNKNOWN_PEER);
	assert_int_equal(a->status, ST_BUSY);
	assert_true(pstr_is(a->meta.code, "load"));
	/* of all: who = the peer that brings it */
	for (uint8_t who = 0x90; w.n.votes.unknown < VOTES_UNKNOWN_MAX &&
	    who < 0xf0; who++) {
		world_link(&w, who, 10000000);
		world_identify(&w, who, who);
		world_run(&w, 1);
		for (unsigned i = 0; i < VOTES_UNKNOWN_PEER &&
		    w.n.votes.unknown < VOTES_UNKNOWN_MAX; i++) {
			const uint8_t r = REVIEWER;

			id.b[0] = who;
			id.b[1] = (uint8_t)i;
			(void)word(who, &id, true, &r, 1);
		}
	}
	assert_int_equal(w.n.votes.unknown, VOTES_UNKNOWN_MAX);
	world_link(&w, 0xf7, 10000000);
	world_identify(&w, 0xf7, 0xf7);
	world_run(&w, 1);
	id.b[0] = 0xf7;
	{
		const uint8_t r = REVIEWER;

		assert_int_equal(word(0xf7, &id, true, &r, 1)->status, ST_BUSY);
	}
	/* what is said of a job that is here has its own room */
	hold(1, review, &id);
	answers(one_word(&id, true, REVIEWER), &id, "queued", "slots");
}

/* approved_by: so many of the board's keys, here or in the envelope. */
static void
test_board(void **state)
{
	struct id32 id;

	(void)state;
	/* unmapped: as if it were not there, and told */
	assert_int_equal(submit(1, OWNER, 1, with_board, &id)->status, ST_OK);
	assert_int_equal(w.events_seen[EVK_BOARD_ABSENT], 1);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);

	w.n.policy.boards = boards;
	w.n.policy.nboards = 1;
	w.member[MEMBER] = w.member[OTHER] = true;
	w.threshold = 2;
	hold(2, with_board, &id);
	/* a reviewer who is not of the board does not stand for it */
	answers(one_word(&id, true, REVIEWER), &id, "held", "review");
	answers(one_word(&id, true, MEMBER), &id, "held", "review");
	answers(one_word(&id, true, MEMBER), &id, "held", "review");
	answers(one_word(&id, true, OTHER), &id, "queued", "slots");
	world_run(&w, 1000);
	state_is(&id, "done", NULL);

	/* nobody knows the board's keys: nobody can sign */
	w.threshold = 0;
	hold(3, with_board, &id);
	answers(one_word(&id, true, MEMBER), &id, "held", "review");
	w.threshold = 1;
	/* a member's reject */
	answers(one_word(&id, false, OTHER), &id, "cancelled", "review");

	/* signed in the envelope: enough at once, or one of two */
	w.cosigner = MEMBER;
	assert_int_equal(submit(1, OWNER, 4, with_board, &id)->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	w.threshold = 2;
	assert_int_equal(submit(1, OWNER, 5, with_board, &id)->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id, "held", "review");
	answers(one_word(&id, true, OTHER), &id, "queued", "slots");
	/* of the board, but the submitter's own */
	world_run(&w, 1000);
	w.threshold = 1;
	w.cosigner = OWNER;
	w.member[OWNER] = true;
	assert_int_equal(submit(1, OWNER, 6, with_board, &id)->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id, "held", "review");
}

static void
both(struct manifest *m)
{
	review(m);
	with_board(m);
}

static void
test_both(void **state)
{
	struct id32 id;

	(void)state;
	w.n.policy.boards = boards;
	w.n.policy.nboards = 1;
	w.member[MEMBER] = true;
	w.threshold = 1;
	hold(1, both, &id);
	answers(one_word(&id, true, MEMBER), &id, "held", "review");
	answers(one_word(&id, true, REVIEWER), &id, "queued", "slots");
	/* to sit on a board is no right to review */
	hold(2, review, &id);
	answers(one_word(&id, true, MEMBER), &id, "held", "review");
}

/* What has counted does not count any more when trust takes it back. */
static void
test_taken_back(void **state)
{
	struct id32 id;

	(void)state;
	/* both slots are taken, so it waits behind its approval */
	w.run_ms = 0;
	assert_int_equal(submit(1, OWNER, 1, NULL, &id)->status, ST_OK);
	assert_int_equal(submit(1, OWNER, 2, NULL, &id)->status, ST_OK);
	hold(3, review, &id);
	answers(one_word(&id, true, REVIEWER), &id, "queued", "slots");
	/* nothing has changed for it */
	node_verdicts_void(&w.n);
	world_run(&w, 10);
	state_is(&id, "queued", NULL);
	w.revoked[REVIEWER] = true;
	node_verdicts_void(&w.n);
	world_run(&w, 10);
	state_is(&id, "refused", "revoked: approver");
	w.revoked[REVIEWER] = false;
	hold(4, review, &id);
	answers(one_word(&id, true, REVIEWER), &id, "queued", "slots");
	w.reviewer[REVIEWER] = false;
	node_verdicts_void(&w.n);
	world_run(&w, 10);
	state_is(&id, "refused",
	    "trust: its approval does not count any more");
	/* and the other way round: who was nobody may have become one */
	w.member[REVIEWER] = true;
	hold(5, review, &id);
	answers(one_word(&id, true, REVIEWER), &id, "held", "review");
	w.reviewer[REVIEWER] = true;
	node_verdicts_void(&w.n);
	world_run(&w, 10);
	state_is(&id, "queued", NULL);
}

/* A restart between approval and start: asked again, then started. */
static void
test_restart(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	assert_int_equal(submit(1, OWNER, 1, NULL, &id)->status, ST_OK);
	assert_int_equal(submit(1, OWNER, 2, NULL, &id)->status, ST_OK);
	hold(3, review, &id);
	answers(one_word(&id, true, REVIEWER), &id, "queued", "slots");
	world_restart(&w);
	world_up(&w, 2);
	world_link(&w, 1, 10000000);
	world_identify(&w, 1, OWNER);
	world_run(&w, 100);
	state_is(&id, "queued", NULL);
	assert_non_null(votes_of(&w.n.votes, &id));
	world_link(&w, 2, 10000000);
	world_identify(&w, 2, REVIEWER);
	world_run(&w, 1);
	/* of two words of one second the reject counts */
	answers(one_word(&id, false, REVIEWER), &id, "cancelled", "review");
}

static void
test_operator(void **state)
{
	const char *why = NULL;
	struct id32 id;
	struct job *j;

	(void)state;
	hold(1, review, &id);
	j = job_find(&w.n.jobs, &id);
	w.keys_silent = true;
	assert_int_equal(review_operator(&w.n, j, true, &why), REVIEW_ASKED);
	assert_int_equal(review_operator(&w.n, j, true, &why), REVIEW_ASKED);
	world_run(&w, 11000);
	state_is(&id, "held", "review");
	/* no signature, no release; asked again when it took too long */
	w.keys_silent = false;
	assert_int_equal(review_operator(&w.n, j, true, &why), REVIEW_ASKED);
	world_run(&w, 0);
	assert_int_equal(review_operator(&w.n, j, true, &why), REVIEW_SIGNED);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	assert_int_equal(review_operator(&w.n, j, true, &why), REVIEW_SIGNED);
	assert_int_equal(review_operator(&w.n, j, false, &why), REVIEW_NOT);
	assert_int_equal(w.events_seen[EVK_APPROVAL], 1);
	/* trust was not needed for it */
	assert_int_equal(w.reviews, 0);

	hold(2, review, &id);
	j = job_find(&w.n.jobs, &id);
	assert_int_equal(review_operator(&w.n, j, false, &why), REVIEW_ASKED);
	world_run(&w, 0);
	state_is(&id, "cancelled", "review");
	assert_int_equal(review_operator(&w.n, j, false, &why), REVIEW_SIGNED);

	/* the operator alone does not stand for a board */
	w.n.policy.boards = boards;
	w.n.policy.nboards = 1;
	w.threshold = 1;
	hold(3, both, &id);
	j = job_find(&w.n.jobs, &id);
	assert_int_equal(review_operator(&w.n, j, true, &why), REVIEW_ASKED);
	world_run(&w, 0);
	state_is(&id, "held", "review");

	/* his own job */
	w.n.fp = j->owner;
	assert_int_equal(review_operator(&w.n, j, false, &why), REVIEW_NOT);
	node_down(&w.n, PROGRAM_KEYS);
	memset(&w.n.fp, 0, sizeof(w.n.fp));
	j->approve_qid = 0;
	assert_int_equal(review_operator(&w.n, j, false, &why), REVIEW_NOT);
}

static void
test_page(void **state)
{
	struct proto_req q = {.path = PATH_REVIEW, .n = 2};
	struct id32 id[4], other;
	struct proto_review p;
	struct proto_ans *a;

	(void)state;
	refused(world_call(&w, 1, &q), "trust", 0);
	a = world_call(&w, 2, &q);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_review(&p, a));
	assert_int_equal(p.njobs, 0);
	assert_false(p.has_next);
	for (uint8_t i = 0; i < 3; i++)
		hold((uint8_t)(i + 1), review, &id[i]);
	assert_int_equal(submit(1, OWNER, 9, with_volumes, &other)->status,
	    ST_OK);
	for (unsigned at = 0; at < 3; at += 2) {
		a = world_call(&w, 2, &q);
		assert_int_equal(a->status, ST_OK);
		assert_true(proto_get_review(&p, a));
		assert_int_equal(p.njobs, at == 0 ? 2 : 1);
		assert_int_equal(p.has_next, at == 0);
		for (unsigned i = 0; i < p.njobs; i++) {
			size_t n = envelope(OWNER, (uint8_t)(at + i + 1),
			    review, &other);

			assert_memory_equal(p.jobs[i].id, id[at + i].b, 32);
			assert_int_equal(p.jobs[i].envelope.n, n);
			assert_int_equal(p.jobs[i].at, unix_now());
		}
		q.after = p.next;
	}
	/* a pin of the operator holds in every scope */
	{
		const struct policy_pin pin = {.by_rns = true,
		    .id = {{REVIEWER}}, .level = -1};

		w.n.policy.pins = &pin;
		w.n.policy.npins = 1;
		refused(world_call(&w, 2, &q), "trust", 0);
		w.n.policy.npins = 0;
	}
	node_down(&w.n, PROGRAM_TRUST);
	assert_int_equal(world_call(&w, 2, &q)->status, ST_BUSY);
}

static void
test_timeout(void **state)
{
	struct id32 id;

	(void)state;
	hold(1, review, &id);
	world_run(&w, 86399 * INT64_C(1000));
	state_is(&id, "held", "review");
	world_run(&w, 2000);
	state_is(&id, "cancelled", "review");
	answers(one_word(&id, true, REVIEWER), &id, "cancelled", "review");
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, begin, teardown)
	const struct CMUnitTest tests[] = {T(test_approve), T(test_reject),
	    T(test_refused), T(test_answer_lost), T(test_early),
	    T(test_bounds), T(test_board),
	    T(test_both), T(test_taken_back), T(test_restart),
	    T(test_operator), T(test_page), T(test_timeout)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
