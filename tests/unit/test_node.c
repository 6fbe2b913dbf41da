#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakehost.h"
#include "transport/core/crypt.h"

static struct world w;
static uint8_t env[16384];

static int
setup(void **state)
{
	(void)state;
	world_init(&w);
	world_up(&w, 2);
	world_link(&w, 1, 10000000);
	world_identify(&w, 1, 0x41);
	world_run(&w, 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_clear(&w);
	return 0;
}

static uint32_t
unix_now(void)
{
	return (uint32_t)(w.wall_us / 1000000);
}

/* An envelope of peer `who`; change(m) may alter the manifest before. */
static size_t
envelope(uint8_t who, uint8_t nonce, void (*change)(struct manifest *),
    uint8_t id[32])
{
	struct manifest m;
	size_t n = world_manifest(&m, who, nonce, unix_now(), env, sizeof(env));

	if (change != NULL) {
		change(&m);
		n = manifest_record_put(env, sizeof(env), &m);
	}
	assert_true(n > 0);
	manifest_clear(&m);
	crypt_sha256(id, env, n);
	return n;
}

static struct proto_ans *
submit(uint8_t link, uint8_t who, uint8_t nonce,
    void (*change)(struct manifest *), uint8_t id[32])
{
	struct proto_req q = {.path = PATH_SUBMIT};

	q.envelope = (struct pbin){env, envelope(who, nonce, change, id)};
	return world_call(&w, link, &q);
}

static struct proto_ans *
about(uint8_t link, enum proto_path path, const uint8_t *id)
{
	struct proto_req q = {.path = path, .id = id, .stream = 1,
	    .n = PROTO_SLICE};

	return world_call(&w, link, &q);
}

static struct proto_job_status
status(const uint8_t id[32])
{
	struct proto_ans *a = about(1, PATH_STATUS, id);
	struct proto_job_status s;

	assert_non_null(a);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_status(&s, a));
	return s;
}

static void
state_is(const uint8_t id[32], const char *state, const char *reason)
{
	struct proto_job_status s = status(id);

	if (!pstr_is(s.state, state) ||
	    (reason != NULL && !pstr_is(s.reason, reason)))
		fail_msg("state %.*s reason %.*s, wanted %s %s",
		    (int)s.state.n, s.state.p, (int)s.reason.n,
		    s.reason.p == NULL ? "" : s.reason.p, state,
		    reason == NULL ? "" : reason);
}

static void
killed_by(const uint8_t id[32], const char *reason)
{
	struct proto_job_status s = status(id);

	assert_true(pstr_is(s.state, "done"));
	assert_int_equal(s.outcome.kind, OUT_KILLED);
	if (!pstr_is(s.outcome.reason, reason))
		fail_msg("killed by %.*s", (int)s.outcome.reason.n,
		    s.outcome.reason.p);
}

static void
refused(const struct proto_ans *a, const char *code, unsigned step)
{
	assert_non_null(a);
	assert_int_equal(a->status, ST_REFUSED);
	if (!pstr_is(a->meta.code, code) || a->meta.step != step)
		fail_msg("refused %.*s %u: %.*s", (int)a->meta.code.n,
		    a->meta.code.p, (unsigned)a->meta.step,
		    (int)a->meta.why.n, a->meta.why.p);
}

/* ---- a submitter's whole conversation ---- */

static uint8_t tar[3000], tar_sha[32];

static void
with_volumes(struct manifest *m)
{
	crypt_sha256(tar_sha, tar, sizeof(tar));
	m->has |= HAS_VOLUMES;
	m->nvolumes = 2;
	for (unsigned i = 0; i < 2; i++) {
		struct manifest_volume *v = &m->volume[i];

		(void)snprintf(v->target, sizeof(v->target), "/v%u", i);
		v->rw = i == 1;
		memcpy(v->blob.sha256, tar_sha, 32);
		v->blob.size = sizeof(tar);
	}
}

static void
test_conversation(void **state)
{
	struct proto_req q = {.path = PATH_DESCRIBE};
	static struct proto_describe d;
	static struct proto_result r;
	struct proto_submitted s;
	struct proto_ans *a;
	const uint8_t *missing;
	struct pbin bytes;
	uint64_t have;
	uint8_t id[32];

	(void)state;
	a = world_call(&w, 1, &q);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_describe(&d, a));
	assert_int_equal(d.level, 2);
	assert_true(d.accepting);
	assert_int_equal(d.left.jobs_queued, 16);
	assert_int_equal(d.nimages, 1);
	a = submit(1, 0x41, 1, with_volumes, id);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_submitted(&s, a));
	assert_memory_equal(s.id, id, 32);
	assert_true(pstr_is(s.reason, "inputs"));
	/* one digest, though two volumes name it */
	assert_int_equal(s.nmissing, 1);
	assert_true(plist_next(&s.missing, &missing));
	assert_memory_equal(missing, tar_sha, 32);
	state_is(id, "queued", "inputs");
	about(1, PATH_RESULT, id);
	for (uint64_t o = 0; o < sizeof(tar); o += 1000) {
		q = (struct proto_req){.path = PATH_BLOB_PUT,
		    .digest = tar_sha, .offset = o, .n = sizeof(tar),
		    .body = {tar + o, 1000}};
		a = world_call(&w, 1, &q);
		assert_int_equal(a->status, ST_OK);
		assert_true(proto_get_have(&have, a));
		assert_int_equal(have, o + 1000);
	}
	/* the last slice again does no harm */
	a = world_call(&w, 1, &q);
	assert_int_equal(a->status, ST_OK);
	q = (struct proto_req){.path = PATH_BLOB_HAVE};
	w.prints = 10;
	w.output_size = 2048;
	world_run(&w, 5);
	state_is(id, "running", NULL);
	a = about(1, PATH_FOLLOW, id);
	assert_int_equal(a->status, ST_OK);
	a = about(1, PATH_RESULT, id);
	assert_int_equal(a->status, ST_NOT_YET);
	assert_true(pstr_is(a->meta.state, "running"));
	world_run(&w, 50);
	state_is(id, "done", NULL);
	assert_int_equal(status(id).outcome.kind, OUT_EXITED);
	a = about(1, PATH_RESULT, id);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_result(&r, a));
	assert_int_equal(r.noutputs, 1);
	assert_true(pstr_is(r.outputs[0].target, "/v1"));
	assert_int_equal(r.outputs[0].size, 2048);
	a = about(1, PATH_LOG, id);
	assert_true(proto_get_bytes(&bytes, a));
	assert_int_equal(a->meta.size, bytes.n);
	assert_true(a->meta.end);
	assert_int_equal(w.starts, 1);
	assert_int_equal(w.forgets, 1);
	assert_int_equal(w.running, 0);
	assert_true(w.events_seen[EVK_JOB_ADMITTED] == 1 &&
	    w.events_seen[EVK_JOB_STARTED] == 1 &&
	    w.events_seen[EVK_JOB_EXITED] == 1);
}

static void
test_idempotent(void **state)
{
	struct proto_submitted s;
	uint8_t id[32], again[32];

	(void)state;
	assert_int_equal(submit(1, 0x41, 1, NULL, id)->status, ST_OK);
	world_run(&w, 100);
	assert_true(proto_get_submitted(&s, submit(1, 0x41, 1, NULL, again)));
	/* not the same second, so another payload: the nonce is used */
	world_run(&w, 1000);
	refused(submit(1, 0x41, 1, NULL, again), "manifest", 7);
	assert_int_equal(w.starts, 1);
	assert_int_equal(w.n.jobs.count, 1);
}

static void
low(struct manifest *m)
{
	m->trust_level = 1;
	m->limit[LIMIT_MEMORY] = 128u << 20;
	m->has |= HAS_LIMITS | HAS_TRUST;
}

static void
contract(struct manifest *m)
{
	m->has |= HAS_CONTRACT;
}

static void
slow(struct manifest *m)
{
	m->limit[LIMIT_LOG] = 1u << 20;
	m->has |= HAS_LIMITS;
}

static void
elsewhere(struct manifest *m)
{
	m->has |= HAS_NODE;
	m->node[0] = 0x99;
	(void)urn_make(m->node_urn, "kindai", "device", m->node);
}

static void
test_refusals(void **state)
{
	struct proto_req q = {.path = PATH_SUBMIT};
	uint8_t id[32];

	(void)state;
	refused(submit(1, 0x41, 1, low, id), "limits", 9);
	refused(submit(1, 0x41, 2, contract, id), "contract", 8);
	refused(submit(1, 0x41, 3, elsewhere, id), "manifest", 7);
	/* another's signature, an envelope that does not open */
	refused(submit(1, 0x42, 4, NULL, id), "manifest", 7);
	q.envelope = (struct pbin){(const uint8_t *)"\xff", 1};
	refused(world_call(&w, 1, &q), "manifest", 7);
	w.image = IMAGE_UNKNOWN;
	refused(submit(1, 0x41, 5, NULL, id), "image", 8);
	w.image = IMAGE_HERE;
	world_link(&w, 2, 1000);
	world_identify(&w, 2, 0x41);
	refused(submit(2, 0x41, 6, slow, id), "airtime", 11);
	/* not identified */
	world_link(&w, 3, 0);
	refused(submit(3, 0x41, 7, NULL, id), "not_identified", 2);
	refused(about(3, PATH_STATUS, id), "not_identified", 0);
	w.n.layers = 0;
	refused(submit(1, 0x41, 8, NULL, id), "posture", 1);
	w.n.layers = 0x3ff;
	w.n.policy.accept = false;
	refused(submit(1, 0x41, 8, NULL, id), "not_accepting", 1);
	assert_int_equal(w.starts, 0);
	assert_true(w.events_seen[EVK_JOB_REFUSED] >= 9);
}

static void
test_trust(void **state)
{
	struct proto_req q = {.path = PATH_SUBMIT};
	uint8_t id[32], b[242] = {0}, bad[242] = {1};

	(void)state;
	w.verdict_status = VERDICT_NO_BINDING;
	w.level = 0;
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x42);
	world_run(&w, 1);
	refused(submit(2, 0x42, 1, NULL, id), "binding", 4);
	refused(about(2, PATH_STATUS, id), "binding", 0);
	/* with a b that does not hold, then with one that does */
	q.envelope = (struct pbin){env, envelope(0x42, 1, NULL, id)};
	q.binding = bad;
	refused(world_call(&w, 2, &q), "binding", 4);
	w.verdict_status = VERDICT_OK;
	q.binding = b;
	refused(world_call(&w, 2, &q), "trust", 5);
	w.level = 1;
	w.n.verdict_gen++;
	assert_int_equal(world_call(&w, 2, &q)->status, ST_OK);
	/* a b that was good is not asked about again */
	w.asks = 0;
	assert_int_equal(world_call(&w, 2, &q)->status, ST_OK);
	assert_int_equal(w.asks, 0);
	/* trust is silent: busy in the end, never an answer by chance */
	w.trust_silent = true;
	w.n.verdict_gen++;
	assert_null(submit(2, 0x42, 3, NULL, id));
	world_run(&w, 21000);
	assert_int_equal(w.replies[0].a.status, ST_BUSY);
	assert_int_equal(w.n.nparked, 0);
}

static void
test_live(void **state)
{
	struct proto_req q = {.path = PATH_SUBMIT};
	uint8_t id[32], proof[96] = {2};
	struct proto_ans *a;

	(void)state;
	w.n.policy.live = PROOF_ALWAYS;
	w.live_needed = true;
	w.n.verdict_gen++;
	a = submit(1, 0x41, 1, NULL, id);
	refused(a, "binding", 4);
	assert_non_null(a->meta.n);
	q.envelope = (struct pbin){env, envelope(0x41, 1, NULL, id)};
	q.proof = proof;
	refused(world_call(&w, 1, &q), "binding", 4);
	/* the nonce of a failed proof is not the next one's: ask anew */
	refused(submit(1, 0x41, 1, NULL, id), "binding", 4);
	proof[0] = 1;
	q.envelope = (struct pbin){env, envelope(0x41, 1, NULL, id)};
	assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
	/* once for a link */
	assert_int_equal(submit(1, 0x41, 2, NULL, id)->status, ST_OK);
}

static void
test_quota(void **state)
{
	struct proto_ans *a;
	uint8_t id[32];

	(void)state;
	w.n.caps.jobs_queued = 2;
	w.run_ms = 0;
	for (uint8_t i = 1; i <= 4; i++)
		assert_int_equal(submit(1, 0x41, i, NULL, id)->status, ST_OK);
	state_is(id, "queued", "slots");
	a = submit(1, 0x41, 5, NULL, id);
	refused(a, "quota", 6);
	assert_true(pstr_is(a->meta.why, "jobs_queued"));
	assert_int_equal(a->meta.limit, 2);
	/* also before a bad envelope (step 6 comes before 7) */
	refused(submit(1, 0x42, 6, NULL, id), "quota", 6);
	assert_int_equal(w.running, 2);
}

static void
test_busy(void **state)
{
	uint8_t id[32] = {0};
	unsigned busy = 0;

	(void)state;
	w.n.policy.requests_per_minute = 5;
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x43);
	world_run(&w, 1);
	for (int i = 0; i < 8; i++) {
		struct proto_ans *a = about(2, PATH_STATUS, id);

		busy += a->status == ST_BUSY && a->meta.s >= 1;
	}
	assert_int_equal(busy, 3);
	/* 8 requests for each link and minute without identification */
	world_link(&w, 3, 0);
	busy = 0;
	for (int i = 0; i < 10; i++) {
		struct proto_req q = {.path = PATH_DESCRIBE};
		struct proto_ans *a = world_call(&w, 3, &q);

		busy += a->status == ST_BUSY;
	}
	assert_int_equal(busy, 2);
	world_run(&w, 61000);
	assert_int_equal(about(2, PATH_STATUS, id)->status, ST_NOT_FOUND);
}

/* An upload over the budget is slowed down, not broken off. */
static void
test_bytes(void **state)
{
	static uint8_t big[200000];
	struct proto_req q;
	uint8_t id[32];
	struct proto_ans *a;

	(void)state;
	w.n.policy.bytes_per_minute = 100000;
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x44);
	world_run(&w, 1);
	(void)submit(2, 0x44, 1, with_volumes, id);
	q = (struct proto_req){.path = PATH_BLOB_PUT, .digest = tar_sha,
	    .n = sizeof(tar), .body = {tar, sizeof(tar)}};
	(void)big;
	for (int i = 0; i < 40; i++) {
		a = world_call(&w, 2, &q);
		if (a->status == ST_BUSY)
			break;
	}
	assert_int_equal(a->status, ST_BUSY);
	assert_true(a->meta.s >= 1 && a->meta.s <= 10);
	assert_true(w.holds > 0);
	world_run(&w, 1000 * (int64_t)a->meta.s);
	assert_int_equal(world_call(&w, 2, &q)->status, ST_OK);
}

static void
test_kills(void **state)
{
	uint8_t id[32];

	(void)state;
	w.run_ms = 0;
	assert_int_equal(submit(1, 0x41, 1, NULL, id)->status, ST_OK);
	world_run(&w, 5);
	assert_int_equal(about(1, PATH_CANCEL, id)->status, ST_OK);
	world_run(&w, 10);
	killed_by(id, "cancelled");
	/* cancelling again changes nothing */
	assert_int_equal(about(1, PATH_CANCEL, id)->status, ST_OK);
	killed_by(id, "cancelled");

	assert_int_equal(submit(1, 0x41, 2, NULL, id)->status, ST_OK);
	world_run(&w, 3600 * 1000 + 100);
	killed_by(id, "time");
	world_link(&w, 4, 0);
	world_identify(&w, 1, 0x41);
	w.run_ms = 10;
	w.oom = true;
	assert_int_equal(submit(1, 0x41, 3, NULL, id)->status, ST_OK);
	world_run(&w, 50);
	killed_by(id, "memory");
	w.oom = false;
	w.prints = (UINT64_C(256) << 20) + 1;
	assert_int_equal(submit(1, 0x41, 4, NULL, id)->status, ST_OK);
	world_run(&w, 50);
	killed_by(id, "output");
	w.prints = 0;
	assert_int_equal(w.running, 0);
}

static void
test_outputs(void **state)
{
	static struct proto_result r;
	struct proto_req q = {.path = PATH_BLOB_PUT, .digest = tar_sha,
	    .n = sizeof(tar), .body = {tar, sizeof(tar)}};
	uint8_t id[32];

	(void)state;
	(void)submit(1, 0x41, 1, with_volumes, id);
	assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
	w.output_size = UINT64_C(65) << 20;
	world_run(&w, 50);
	killed_by(id, "output");
	assert_true(proto_get_result(&r, about(1, PATH_RESULT, id)));
	assert_int_equal(r.noutputs, 0);
	w.output_size = 1024;
	w.output_fails = true;
	(void)submit(1, 0x41, 2, with_volumes, id);
	world_run(&w, 50);
	killed_by(id, "output");
}

static void
test_cancel_waiting(void **state)
{
	struct proto_ans *a;
	struct pstr st, reason;
	uint8_t id[32];

	(void)state;
	(void)submit(1, 0x41, 1, with_volumes, id);
	a = about(1, PATH_CANCEL, id);
	assert_true(proto_get_cancelled(&st, &reason, a));
	assert_true(pstr_is(st, "cancelled"));
	assert_true(pstr_is(reason, "submitter"));
	world_run(&w, 10);
	/* it has a receipt too */
	assert_int_equal(about(1, PATH_RESULT, id)->status, ST_OK);
	/* an hour without a byte */
	(void)submit(1, 0x41, 2, with_volumes, id);
	world_run(&w, 3601 * 1000);
	state_is(id, "cancelled", "inputs");
	/* its inputs are not wanted any more */
	refused(world_call(&w, 1, &(struct proto_req){.path = PATH_BLOB_PUT,
		    .digest = tar_sha, .n = sizeof(tar)}), "not_wanted", 0);
}

static void
review(struct manifest *m)
{
	m->requires_review = true;
	m->has |= HAS_TRUST | HAS_REVIEW;
	m->deadline += 2 * 86400;
}

static void
soon(struct manifest *m)
{
	m->not_after = m->deadline = m->not_after - 3600 + 30;
}

static void
test_timers(void **state)
{
	uint8_t id[32];

	(void)state;
	(void)submit(1, 0x41, 1, review, id);
	state_is(id, "held", "review");
	world_run(&w, 86401 * INT64_C(1000));
	state_is(id, "cancelled", "review");
	w.run_ms = 0;
	(void)submit(1, 0x41, 2, soon, id);
	world_run(&w, 31000);
	killed_by(id, "deadline");
}

static void
test_jail_says_no(void **state)
{
	uint8_t id[32];

	(void)state;
	w.fail_code = "volume";
	(void)submit(1, 0x41, 1, NULL, id);
	world_run(&w, 50);
	state_is(id, "refused", "volume: because");
	assert_int_equal(about(1, PATH_RESULT, id)->status, ST_NOT_FOUND);
	w.fail_code = "internal";
	(void)submit(1, 0x41, 2, NULL, id);
	world_run(&w, 50);
	state_is(id, "lost", NULL);
	assert_int_equal(w.running, 0);
	assert_int_equal(about(1, PATH_RESULT, id)->status, ST_OK);
}

static void
retry(struct manifest *m)
{
	m->retries = 1;
	m->has |= HAS_RETRIES;
}

static void
test_restart(void **state)
{
	uint8_t queued[32], running[32], gone[32], done[32];

	(void)state;
	(void)submit(1, 0x41, 1, NULL, done);
	world_run(&w, 100);
	w.run_ms = 60000;
	(void)submit(1, 0x41, 2, NULL, running);
	(void)submit(1, 0x41, 3, retry, gone);
	(void)submit(1, 0x41, 4, with_volumes, queued);
	world_run(&w, 10);
	state_is(gone, "running", NULL);
	/* node falls; one of its jobs is gone with a jail that forgot it */
	world_restart(&w);
	for (unsigned i = 1; i <= 2; i++) {
		if (memcmp(w.running_id[i], gone, 32) == 0) {
			memset(w.running_id[i], 0, 32);
			w.running--;
		}
	}
	world_up(&w, 2);
	world_link(&w, 1, 0);
	world_identify(&w, 1, 0x41);
	world_run(&w, 20);
	state_is(queued, "queued", "inputs");
	state_is(running, "running", NULL);
	state_is(done, "done", NULL);
	assert_int_equal(about(1, PATH_RESULT, done)->status, ST_OK);
	/* lost, and with its retry queued and started again */
	assert_int_equal(status(gone).attempts, 2);
	state_is(gone, "running", NULL);
	assert_true(status(gone).seq >= 6);
	world_run(&w, 61000);
	state_is(running, "done", NULL);
	state_is(gone, "done", NULL);
	assert_int_equal(status(running).attempts, 1);
}

static void
test_jail_falls(void **state)
{
	uint8_t id[32];

	(void)state;
	w.run_ms = 0;
	(void)submit(1, 0x41, 1, NULL, id);
	world_run(&w, 10);
	node_down(&w.n, PEER_JAIL);
	memset(w.running_id, 0, sizeof(w.running_id));
	state_is(id, "lost", "the jail fell");
	assert_false(node_accepting(&w.n));
	world_up(&w, 2);
	assert_true(node_accepting(&w.n));
	world_link(&w, 1, 0);
	world_identify(&w, 1, 0x41);
	world_run(&w, 1);
	assert_int_equal(about(1, PATH_RESULT, id)->status, ST_OK);
}

/* Keys or audit that do not answer hold nothing up for long. */
static void
test_silent_siblings(void **state)
{
	uint8_t id[32];

	(void)state;
	w.keys_silent = w.audit_silent = true;
	(void)submit(1, 0x41, 1, NULL, id);
	world_run(&w, 4000);
	state_is(id, "done", NULL);
	assert_int_equal(about(1, PATH_RESULT, id)->status, ST_NOT_YET);
	w.keys_silent = false;
	world_run(&w, NODE_RECEIPT_S * 1000);
	assert_int_equal(about(1, PATH_RESULT, id)->status, ST_OK);
}

static void
test_others(void **state)
{
	uint8_t id[32];
	struct proto_list *l = malloc(sizeof(*l));
	struct proto_req q = {.path = PATH_LIST, .n = 2};
	unsigned n = 0;

	(void)state;
	assert_non_null(l);
	for (uint8_t i = 1; i <= 5; i++)
		(void)submit(1, 0x41, i, NULL, id);
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x42);
	assert_int_equal(about(2, PATH_STATUS, id)->status, ST_NOT_FOUND);
	assert_int_equal(about(2, PATH_CANCEL, id)->status, ST_NOT_FOUND);
	assert_true(proto_get_list(l, world_call(&w, 2, &q)));
	assert_int_equal(l->njobs, 0);
	assert_false(l->has_next);
	do {
		assert_true(proto_get_list(l, world_call(&w, 1, &q)));
		n += (unsigned)l->njobs;
		q.after = l->next;
	} while (l->has_next);
	assert_int_equal(n, 5);
	free(l);
}

static void
test_follow_rules(void **state)
{
	uint8_t id[32], other[32];
	struct proto_req q = {.path = PATH_FOLLOW, .id = id, .stream = 1,
	    .offset = 5};
	struct msg_T_FOLLOW_END end = {.link = {1}, .stream = 1};
	uint64_t o;

	(void)state;
	w.run_ms = 0;
	w.prints = 100;
	(void)submit(1, 0x41, 1, NULL, id);
	(void)submit(1, 0x41, 2, NULL, other);
	world_run(&w, 10);
	assert_true(proto_get_offset(&o, world_call(&w, 1, &q)));
	assert_int_equal(o, 5);
	q.offset = 50;
	assert_true(proto_get_offset(&o, world_call(&w, 1, &q)));
	assert_int_equal(o, 5);
	assert_int_equal(w.follows, 1);
	q.id = other;
	assert_int_equal(world_call(&w, 1, &q)->status, ST_BUSY);
	node_message(&w.n, IPC_T_FOLLOW_END, &end, NULL, 0);
	q.offset = 1000;
	assert_true(proto_get_offset(&o, world_call(&w, 1, &q)));
	assert_int_equal(o, 100);
	assert_int_equal(w.follows, 2);
}

static void
test_links(void **state)
{
	(void)state;
	for (uint8_t i = 10; i < 10 + NODE_IDLE_LINKS; i++)
		world_link(&w, i, 0);
	assert_int_equal(w.closes, 0);
	world_link(&w, 200, 0);
	assert_int_equal(w.closes, 1);
	assert_int_equal(w.last_closed[0], 10);
	/* one asks, one identifies: those stay */
	(void)world_call(&w, 11, &(struct proto_req){.path = PATH_DESCRIBE});
	world_identify(&w, 12, 0x50);
	world_run(&w, 61000);
	assert_int_equal(w.n.nidle, 0);
	assert_non_null(link_find(&w.n, (uint8_t[16]){11}));
	assert_non_null(link_find(&w.n, (uint8_t[16]){12}));
	assert_null(link_find(&w.n, (uint8_t[16]){13}));
}

static void
test_pinned_out(void **state)
{
	static const struct policy_pin pins[] = {
	    {true, {0x60}, -2}, {true, {0x61}, -3}, {false, {0x41}, -3}};
	uint8_t id[32], waiting[32];

	(void)state;
	w.run_ms = 0;
	(void)submit(1, 0x41, 1, NULL, id);
	(void)submit(1, 0x41, 2, with_volumes, waiting);
	world_run(&w, 5);
	w.n.policy.pins = pins;
	w.n.policy.npins = NELEM(pins);
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x60);
	assert_int_equal(w.closes, 1);
	assert_int_equal(w.blackholes, 0);
	world_link(&w, 3, 0);
	world_identify(&w, 3, 0x61);
	assert_int_equal(w.closes, 2);
	assert_int_equal(w.blackholes, 1);
	/* by its key: once trust has told which that is */
	node_message(&w.n, IPC_V_CHANGED, "", NULL, 0);
	world_run(&w, 10);
	assert_int_equal(job_find(&w.n.jobs, waiting)->state, JS_CANCELLED);
	assert_int_equal(job_find(&w.n.jobs, id)->state, JS_DONE);
	assert_int_equal(job_find(&w.n.jobs, id)->code, KILL_OPERATOR);
	assert_int_equal(w.blackholes, 2);
}

static void
test_revoked(void **state)
{
	uint8_t id[32], waiting[32];

	(void)state;
	w.run_ms = 0;
	(void)submit(1, 0x41, 1, NULL, id);
	(void)submit(1, 0x41, 2, with_volumes, waiting);
	world_run(&w, 5);
	w.verdict_status = VERDICT_REVOKED;
	node_message(&w.n, IPC_V_CHANGED, "", NULL, 0);
	world_run(&w, 10);
	assert_int_equal(job_find(&w.n.jobs, waiting)->state, JS_REFUSED);
	assert_int_equal(job_find(&w.n.jobs, id)->code, KILL_REVOKED);
}

static void
test_challenge(void **state)
{
	uint8_t n1[32] = {7}, n2[32] = {8};
	struct proto_req q = {.path = PATH_CHALLENGE, .nonce = n1};
	struct proto_challenge c;

	(void)state;
	world_link(&w, 2, 0);
	assert_true(proto_get_challenge(&c, world_call(&w, 2, &q)));
	assert_int_equal(c.s[0], 7);
	/* the same again is answered alike, another is refused */
	assert_true(proto_get_challenge(&c, world_call(&w, 2, &q)));
	q.nonce = n2;
	refused(world_call(&w, 2, &q), "binding", 0);
}

static void
test_expiry(void **state)
{
	uint8_t id[32];

	(void)state;
	(void)submit(1, 0x41, 1, NULL, id);
	world_run(&w, 100);
	w.n.policy.keep_results_s = 600;
	world_run(&w, 700 * 1000);
	assert_int_equal(about(1, PATH_RESULT, id)->status, ST_GONE);
	assert_int_equal(about(1, PATH_LOG, id)->status, ST_GONE);
	state_is(id, "done", NULL);
	/* its nonce is remembered until not_after, whatever has expired */
	world_run(&w, 2000 * INT64_C(1000));
	assert_non_null(job_find(&w.n.jobs, id));
	world_run(&w, 1200 * INT64_C(1000));
	assert_null(job_find(&w.n.jobs, id));
}

static void
test_full_disk(void **state)
{
	struct proto_req q = {.path = PATH_BLOB_PUT, .digest = tar_sha,
	    .n = sizeof(tar), .body = {tar, sizeof(tar)}};
	uint8_t id[32], other[32];

	(void)state;
	(void)submit(1, 0x41, 1, with_volumes, id);
	w.disk_free = 0;
	assert_int_equal(world_call(&w, 1, &q)->status, ST_BUSY);
	assert_int_equal(submit(1, 0x41, 2, NULL, other)->status, ST_OK);
	world_run(&w, 100);
	state_is(other, "queued", "resources");
	w.n.ledger_fails = true;
	assert_int_equal(submit(1, 0x41, 3, NULL, other)->status, ST_BUSY);
	w.n.ledger_fails = false;
	w.disk_free = 1 << 20;
	world_run(&w, 60000);
	assert_int_equal(w.starts, 1);
	assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
	world_run(&w, 100);
	state_is(id, "done", NULL);
}

static void
test_stop(void **state)
{
	uint8_t id[32];

	(void)state;
	w.run_ms = 0;
	(void)submit(1, 0x41, 1, NULL, id);
	world_run(&w, 5);
	node_stop(&w.n);
	state_is(id, "lost", "the node was stopped");
	refused(submit(1, 0x41, 2, NULL, id), "not_accepting", 1);
}

static void
test_announce(void **state)
{
	unsigned before;

	(void)state;
	before = w.announces;
	world_run(&w, 1801 * 1000);
	assert_int_equal(w.announces, before + 1);
	node_down(&w.n, PEER_TRUST);
	assert_int_equal(w.announces, before + 2);
	node_up(&w.n, PEER_TRUST);
	assert_int_equal(w.announces, before + 3);
	node_announce(&w.n, false);
	assert_int_equal(w.announces, before + 3);
}

/* Many jobs of two owners over a week: every one ends, each ran once. */
static void
test_week(void **state)
{
	uint8_t id[32];
	unsigned admitted = 0;

	(void)state;
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x42);
	w.n.policy.keep_results_s = 86400;
	for (unsigned i = 0; i < 60; i++) {
		uint8_t who = i % 2 != 0 ? 1 : 2;
		struct proto_ans *a = submit(who, who == 1 ? 0x41 : 0x42,
		    (uint8_t)(i + 1), i % 5 == 0 ? review : NULL, id);

		if (a != NULL && a->status == ST_OK)
			admitted++;
		w.run_ms = 1000 * (i % 7 + 1);
		world_run(&w, (int64_t)(i % 3) * 3600 * 1000 + 500);
		assert_true(w.running <= 2);
	}
	world_run(&w, INT64_C(7) * 86400 * 1000);
	assert_true(admitted >= 50);
	assert_true(TAILQ_EMPTY(&w.n.jobs.live));
	assert_int_equal(w.n.count.edges, 0);
	assert_int_equal(w.running, 0);
	assert_int_equal(w.n.jobs.count, 0);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_conversation), T(test_idempotent), T(test_refusals),
	    T(test_trust), T(test_live), T(test_quota), T(test_busy),
	    T(test_bytes), T(test_kills), T(test_outputs),
	    T(test_cancel_waiting), T(test_timers), T(test_jail_says_no),
	    T(test_restart), T(test_jail_falls), T(test_silent_siblings),
	    T(test_others), T(test_follow_rules), T(test_links),
	    T(test_pinned_out), T(test_revoked), T(test_challenge),
	    T(test_expiry), T(test_full_disk), T(test_stop), T(test_announce),
	    T(test_week),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
