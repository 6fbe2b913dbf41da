/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/work/asked.h"
#include "node/work/challenge.h"
#include "node/work/park.h"
#include "node/work/serve.h"
#include "node/work/submit.h"
#include "tests/unit/nodekit.h"
#include "transport/core/base/crypt.h"

/* One request, T_REQUEST to N_REPLY: read once, kept whole, answered once. */

static unsigned nparsed;

int __real_proto_req_get(struct proto_req *, enum proto_path, const void *,
    size_t, const char **, uint64_t *);
int __wrap_proto_req_get(struct proto_req *, enum proto_path, const void *,
    size_t, const char **, uint64_t *);

int
__wrap_proto_req_get(struct proto_req *q, enum proto_path path,
    const void *data, size_t len, const char **why, uint64_t *max)
{
	nparsed++;
	return __real_proto_req_get(q, path, data, len, why, max);
}

/* The one that waits, at this stage. */
static struct asked *
waits(enum asked_stage stage)
{
	struct asked *a = TAILQ_FIRST(&w.n.parked);

	assert_int_equal(w.n.nparked, 1);
	assert_non_null(a);
	assert_int_equal(a->stage, stage);
	assert_int_not_equal(a->qid, 0);
	return a;
}

static void
nothing_waits(void)
{
	assert_int_equal(w.n.nparked, 0);
	assert_int_equal(w.n.parked_bytes, 0);
	assert_true(TAILQ_EMPTY(&w.n.parked));
}

static void
forget_replies(void)
{
	for (unsigned i = 0; i < w.nreplies; i++)
		free(w.replies[i].data);
	w.nreplies = 0;
}

static struct msg_V_VERDICT
verdict(uint64_t qid, uint8_t who, enum verdict_status status)
{
	struct msg_V_VERDICT v = {.qid = qid, .status = (uint8_t)status,
	    .level = w.level, .key_kind = KEY_SECP256K1, .key_len = 33,
	    .valid_until = unix_now() + 3600, .live_needed = w.live_needed};

	v.rns_hash.b[0] = who;
	world_fp(&v.fp, who);
	return v;
}

/* A submit with all that it can bring, to a node whose trust says nothing. */
static uint32_t
ask_with_all(struct id32 *id)
{
	static uint8_t b[BINDING_LEN], proof[PROTO_PROOF_LEN] = {1};
	struct proto_req q = {.path = PATH_SUBMIT, .binding = b,
	    .proof = proof};

	w.n.policy.live = PROOF_ALWAYS;
	w.live_needed = true;
	w.n.verdict_gen++;
	/* the nonce that the proof answers */
	refused(submit(1, 0x41, 1, NULL, id), "binding", 4);
	forget_replies();
	w.n.verdict_gen++;
	w.trust_silent = true;
	w.asks = w.lives = w.envelopes = nparsed = 0;
	q.envelope = (struct pbin){env, envelope(0x41, 1, NULL, id)};
	return world_ask(&w, 1, &q);
}

static void
test_stages(void **state)
{
	struct msg_V_MANIFEST m = {.ok = true};
	struct msg_V_LIVE_OK live = {.ok = true};
	struct msg_V_VERDICT v;
	const uint8_t zeros[BINDING_LEN] = {0};
	struct proto_submitted s;
	struct asked *a, *was;
	struct proto_ans *ans;
	uint32_t request;
	struct id32 id;

	(void)state;
	request = ask_with_all(&id);
	was = waits(ASKED_VERDICT);
	v = verdict(was->qid, 0x41, VERDICT_OK);
	serve_verdict(&w.n, &v);
	/* the b that came with it is the peer's, now that it holds */
	assert_true(peer_find(&w.n, &v.rns_hash)->has_sent);
	assert_memory_equal(peer_find(&w.n, &v.rns_hash)->sent, zeros,
	    sizeof(zeros));

	a = waits(ASKED_LIVE);
	assert_ptr_equal(a, was);
	live.qid = a->qid;
	submit_live(&w.n, &live);

	a = waits(ASKED_ENVELOPE);
	assert_ptr_equal(a, was);
	assert_int_equal(w.n.parked_bytes, a->len);
	assert_true(w.n.parked_bytes > a->req.envelope.n);
	assert_memory_equal(a->req.envelope.p, env, a->req.envelope.n);
	m.qid = a->qid;
	m.job = id;
	m.len = (uint32_t)a->req.envelope.n;
	assert_int_equal(w.nreplies, 0);
	submit_manifest(&w.n, &m, env, m.len);

	nothing_waits();
	ans = world_answer(&w, request);
	assert_non_null(ans);
	assert_int_equal(ans->status, ST_OK);
	assert_true(proto_get_submitted(&s, ans));
	assert_memory_equal(s.id, id.b, 32);
	/* its envelope is what is kept: the digest of it is the job's here */
	assert_memory_equal(w.kept.b, id.b, 32);
	assert_int_equal(nparsed, 1);
	assert_true(w.asks == 1 && w.lives == 1 && w.envelopes == 1);

	/* once: what is said again is of nobody */
	v = verdict(v.qid, 0x41, VERDICT_OK);
	serve_verdict(&w.n, &v);
	submit_live(&w.n, &live);
	submit_manifest(&w.n, &m, env, m.len);
	world_run(&w, 2 * NODE_ASK_S * 1000);
	assert_int_equal(w.nreplies, 1);
	assert_int_equal(w.n.jobs.count, 1);
}

/* The answer to one question is no answer to another. */
static void
test_wrong_answers(void **state)
{
	struct msg_V_MANIFEST m = {.ok = true};
	struct msg_V_LIVE_OK live = {.ok = true};
	struct msg_K_CHALLENGED c = {.ok = true};
	struct msg_V_VERDICT v;
	struct asked *a;
	struct id32 id;

	(void)state;
	(void)ask_with_all(&id);
	a = waits(ASKED_VERDICT);
	m.qid = live.qid = c.qid = a->qid;
	submit_manifest(&w.n, &m, env, 1);
	submit_live(&w.n, &live);
	challenge_done(&w.n, &c);
	assert_ptr_equal(waits(ASKED_VERDICT), a);
	assert_int_equal(w.n.jobs.count, 0);

	v = verdict(a->qid, 0x41, VERDICT_OK);
	serve_verdict(&w.n, &v);
	live.qid = waits(ASKED_LIVE)->qid;
	submit_live(&w.n, &live);
	assert_ptr_equal(waits(ASKED_ENVELOPE), a);
	v.qid = live.qid = a->qid;
	serve_verdict(&w.n, &v);
	submit_live(&w.n, &live);
	assert_ptr_equal(waits(ASKED_ENVELOPE), a);
	assert_int_equal(w.nreplies, 0);
	/* its time is over: busy, and nothing of it is left */
	world_run(&w, NODE_ASK_S * 1000);
	nothing_waits();
	assert_int_equal(w.nreplies, 1);
	assert_int_equal(w.replies[0].a.status, ST_BUSY);
	m.qid = v.qid;
	submit_manifest(&w.n, &m, env, 1);
	assert_int_equal(w.nreplies, 1);
}

/* With its link goes what it asked, at each stage; the others' stays. */
static void
test_link_closes(void **state)
{
	struct msg_V_LIVE_OK live = {.ok = true};
	struct id32 id;
	struct msg_V_VERDICT v;
	struct asked *a;

	(void)state;
	for (int stage = ASKED_VERDICT; stage <= ASKED_ENVELOPE; stage++) {
		(void)ask_with_all(&id);
		a = waits(ASKED_VERDICT);
		v = verdict(a->qid, 0x41, VERDICT_OK);
		if (stage > ASKED_VERDICT)
			serve_verdict(&w.n, &v);
		live.qid = a->qid;
		if (stage > ASKED_LIVE)
			submit_live(&w.n, &live);
		assert_ptr_equal(waits((enum asked_stage)stage), a);
		/* another's, beside it */
		world_link(&w, 2, 0);
		world_identify(&w, 2, 0x42);
		(void)world_ask(&w, 2, &(struct proto_req){
			.path = PATH_STATUS, .id = id.b});
		assert_int_equal(w.n.nparked, 2);
		world_close(&w, 1);
		a = waits(ASKED_VERDICT);
		assert_int_equal(a->caller->id.b[0], 2);
		serve_verdict(&w.n, &v);
		submit_live(&w.n, &live);
		assert_int_equal(w.nreplies, 0);
		v = verdict(a->qid, 0x42, VERDICT_OK);
		serve_verdict(&w.n, &v);
		nothing_waits();
		assert_int_equal(w.nreplies, 1);
		assert_int_equal(w.replies[0].a.status, ST_NOT_FOUND);
		forget_replies();
		world_close(&w, 2);
		w.trust_silent = false;
		world_link(&w, 1, 0);
		world_identify(&w, 1, 0x41);
		world_run(&w, 1);
	}
}

/* Every path, answered at once and after a verdict. */
static void
test_parsed_once(void **state)
{
	uint8_t d[32] = {3};
	struct proto_req q = {.nonce = d, .digest = d, .id = d, .stream = 1,
	    .n = 100, .atag = d, .ptag = d, .uri = {"klp://test.kos/x", 16}};

	(void)state;
	for (int i = 0; i < 2 * PATH_COUNT; i++) {
		q.path = (enum proto_path)(i / 2);
		q.envelope = (struct pbin){(const uint8_t *)"\xff", 1};
		if (i % 2 != 0)
			w.n.verdict_gen++;
		nparsed = 0;
		assert_non_null(world_call(&w, 1, &q));
		assert_int_equal(nparsed, 1);
		assert_int_equal(w.nreplies, 1);
		nothing_waits();
	}
}

static void
ask_status(uint8_t link)
{
	struct id32 id = {0};

	(void)world_ask(&w, link, &(struct proto_req){.path = PATH_STATUS,
	    .id = id.b});
}

static void
test_bounds(void **state)
{
	static uint8_t big[PROTO_ENVELOPE_MAX * 2];
	struct proto_req q = {.path = PATH_SUBMIT, .envelope = {big,
	    sizeof(big)}};
	unsigned n;

	(void)state;
	w.trust_silent = true;
	w.n.policy.requests_per_minute = w.n.policy.bytes_per_minute = 0;
	world_link(&w, 100, 0);
	world_identify(&w, 100, 0x50);
	for (n = 0; n < NODE_PARKED_LINK; n++)
		ask_status(100);
	assert_int_equal(w.nreplies, 0);
	ask_status(100);
	assert_int_equal(w.nreplies, 1);
	assert_int_equal(w.replies[0].a.status, ST_BUSY);
	assert_int_equal(w.n.count.parked_out, 1);
	assert_int_equal(w.n.nparked, NODE_PARKED_LINK);
	world_close(&w, 100);
	nothing_waits();
	forget_replies();

	/* of all links together */
	for (n = 0; n < NODE_PARKED_MAX + 1; n++) {
		if (n % NODE_PARKED_LINK == 0) {
			world_link(&w, (uint8_t)(10 + n / NODE_PARKED_LINK), 0);
			world_identify(&w,
			    (uint8_t)(10 + n / NODE_PARKED_LINK), 0x50);
		}
		ask_status((uint8_t)(10 + n / NODE_PARKED_LINK));
		assert_int_equal(w.nreplies, n == NODE_PARKED_MAX);
	}
	assert_int_equal(w.replies[0].a.status, ST_BUSY);
	peers_gone(&w.n);
	nothing_waits();
	forget_replies();

	/* and their bytes */
	for (n = 0; w.nreplies == 0; n++) {
		uint8_t link = (uint8_t)(10 + n / NODE_PARKED_LINK);

		assert_true(n < NODE_PARKED_MAX);
		world_link(&w, link, 0);
		world_identify(&w, link, 0x50);
		(void)world_ask(&w, link, &q);
		assert_true(w.n.parked_bytes <= NODE_PARKED_BYTES);
	}
	assert_int_equal(w.replies[0].a.status, ST_BUSY);
	assert_int_equal(n, NODE_PARKED_BYTES / sizeof(big) + 1);
	peers_gone(&w.n);
	nothing_waits();
}

/* Each pair of stages: a request only goes on. */
static void
test_stage_pairs(void **state)
{
	const struct msg_T_REQUEST m = {.request = {{7}}};
	struct caller c = {.id = {{9}}};

	(void)state;
	for (int from = ASKED_NEW; from <= ASKED_CHALLENGE; from++) {
		for (int to = ASKED_NEW; to <= ASKED_CHALLENGE; to++) {
			struct asked *a = asked_new(&c, &m, NULL, 0);
			uint64_t edges = w.n.count.edges;

			assert_non_null(a);
			a->stage = (enum asked_stage)from;
			assert_int_equal(park_put(&w.n, a,
			    (enum asked_stage)to, 5), to > from);
			assert_int_equal(w.n.count.edges,
			    edges + (to <= from));
			if (to > from) {
				assert_null(park_take(&w.n, 6, a->stage));
				assert_ptr_equal(park_take(&w.n, 5,
				    (enum asked_stage)to), a);
			}
			assert_int_equal(a->qid, 0);
			asked_end(a);
			nothing_waits();
		}
	}
	assert_int_equal(c.parked, 0);
}

/* Trust falls and had not written down yet whom it has seen. */
static void
test_trust_forgets(void **state)
{
	static uint8_t b[BINDING_LEN];
	struct proto_req q = {.path = PATH_SUBMIT, .binding = b};
	struct id32 id;

	(void)state;
	w.needs_binding = true;
	w.n.verdict_gen++;
	refused(submit(1, 0x41, 1, NULL, &id), "binding", 4);
	q.envelope = (struct pbin){env, envelope(0x41, 1, NULL, &id)};
	assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
	world_run(&w, 1000);
	for (uint8_t i = 2; i < 4; i++) {
		node_down(&w.n, PROGRAM_TRUST);
		w.has_binding = false;
		world_run(&w, 10);
		node_up(&w.n, PROGRAM_TRUST);
		if (i == 3)
			world_close(&w, 1);
		node_verdicts_void(&w.n);
		world_run(&w, 10);
		if (i == 3) {
			world_link(&w, 2, 0);
			world_identify(&w, 2, 0x41);
		}
		/* he shows none, as one that was shown is known */
		assert_int_equal(submit(i == 3 ? 2 : 1, 0x41, i, NULL,
		    &id)->status, ST_OK);
	}
	/* it forgets in one life: then the same one that he shows counts */
	w.has_binding = false;
	node_verdicts_void(&w.n);
	world_run(&w, 10);
	refused(submit(2, 0x41, 4, NULL, &id), "binding", 4);
	q.envelope = (struct pbin){env, envelope(0x41, 4, NULL, &id)};
	assert_int_equal(world_call(&w, 2, &q)->status, ST_OK);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_stages),
	    T(test_wrong_answers),
	    T(test_link_closes),
	    T(test_parsed_once),
	    T(test_bounds),
	    T(test_stage_pairs),
	    T(test_trust_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
