/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/nodekit.h"
#include "transport/core/base/crypt.h"

static void
test_conversation(void **state)
{
	struct proto_req q = {.path = PATH_DESCRIBE};
	static struct proto_describe d, brief;
	static struct proto_result r;
	struct proto_submitted s;
	struct left_item it;
	size_t at = 0;
	struct proto_ans *a;
	const uint8_t *missing;
	struct pbin bytes;
	uint64_t have;
	struct id32 id;

	(void)state;
	a = world_call(&w, 1, &q);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_describe(&d, a));
	assert_int_equal(d.level, 2);
	assert_true(d.accepting);
	assert_int_equal(d.left.jobs_queued, 16);
	assert_int_equal(d.nimages, 1);
	assert_false(d.brief);
	q.brief = true;
	assert_true(proto_get_describe(&brief, world_call(&w, 1, &q)));
	assert_true(brief.brief);
	assert_int_equal(brief.time, d.time);
	assert_int_equal(brief.limits.slice, d.limits.slice);
	assert_int_equal(brief.limits.log, d.limits.log);
	assert_int_equal(brief.limits.output, d.limits.output);
	assert_int_equal(brief.budget.bytes, d.budget.bytes);
	a = submit(1, 0x41, 1, with_volumes, &id);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_submitted(&s, a));
	assert_memory_equal(s.id, id.b, 32);
	assert_true(pstr_is(s.reason, "inputs"));
	/* one digest, though two volumes name it */
	assert_int_equal(s.nmissing, 1);
	assert_true(plist_next(&s.missing, &missing));
	assert_memory_equal(missing, tar_sha.b, 32);
	state_is(&id, "queued", "inputs");
	about(1, PATH_RESULT, &id);
	for (uint64_t o = 0; o < sizeof(tar); o += 1000) {
		q = (struct proto_req){.path = PATH_BLOB_PUT,
		    .digest = tar_sha.b, .offset = o, .n = sizeof(tar),
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
	left_add(&w.output_left, 0, LEFT_LINK, "out", 3);
	w.output_left.count = 2;
	world_run(&w, 5);
	state_is(&id, "running", NULL);
	a = about(1, PATH_FOLLOW, &id);
	assert_int_equal(a->status, ST_OK);
	a = about(1, PATH_RESULT, &id);
	assert_int_equal(a->status, ST_NOT_YET);
	assert_true(pstr_is(a->meta.state, "running"));
	world_run(&w, 50);
	state_is(&id, "done", NULL);
	assert_int_equal(status(&id).outcome.kind, OUT_EXITED);
	a = about(1, PATH_RESULT, &id);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_result(&r, a));
	assert_int_equal(r.noutputs, 1);
	assert_true(pstr_is(r.outputs[0].target, "/v1"));
	assert_int_equal(r.outputs[0].size, 2048);
	assert_int_equal(r.left.count, 2);
	assert_true(left_next(&r.left, &at, &it));
	assert_int_equal(it.volume, 0);
	assert_int_equal(it.reason, LEFT_LINK);
	assert_memory_equal(it.name, "out", 3);
	a = about(1, PATH_LOG, &id);
	assert_true(proto_get_bytes(&bytes, a));
	assert_null(a->meta.runs.p);
	q = (struct proto_req){.path = PATH_LOG, .id = id.b, .stream = 1,
	    .n = 100, .has_runs = true};
	a = world_call(&w, 1, &q);
	assert_int_equal(a->meta.runs.n, 4);
	assert_int_equal(get_u32(a->meta.runs.p), 10);
	q.runs = 1;
	a = world_call(&w, 1, &q);
	assert_int_equal(a->meta.runs.n, 0);
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
	struct id32 id, again;

	(void)state;
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	world_run(&w, 100);
	assert_true(proto_get_submitted(&s, submit(1, 0x41, 1, NULL, &again)));
	/* not the same second, so another payload: the nonce is used */
	world_run(&w, 1000);
	refused(submit(1, 0x41, 1, NULL, &again), "manifest", 7);
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
	m->node.b[0] = 0x99;
	(void)urn_make(m->node_urn, "kindai", "device", &m->node);
}

static void
test_refusals(void **state)
{
	struct proto_req q = {.path = PATH_SUBMIT};
	struct id32 id;

	(void)state;
	refused(submit(1, 0x41, 1, low, &id), "limits", 9);
	refused(submit(1, 0x41, 2, contract, &id), "contract", 8);
	refused(submit(1, 0x41, 3, elsewhere, &id), "manifest", 7);
	/* another's signature, an envelope that does not open */
	refused(submit(1, 0x42, 4, NULL, &id), "manifest", 7);
	q.envelope = (struct pbin){(const uint8_t *)"\xff", 1};
	refused(world_call(&w, 1, &q), "manifest", 7);
	w.image = IMAGE_UNKNOWN;
	refused(submit(1, 0x41, 5, NULL, &id), "image", 8);
	w.image = IMAGE_HERE;
	w.volume_code = "volume";
	refused(submit(1, 0x41, 8, with_volumes, &id), "volume", 8);
	w.volume_code = NULL;
	world_link(&w, 2, 1000);
	world_identify(&w, 2, 0x41);
	refused(submit(2, 0x41, 6, slow, &id), "airtime", 11);
	/* not identified */
	world_link(&w, 3, 0);
	refused(submit(3, 0x41, 7, NULL, &id), "not_identified", 2);
	refused(about(3, PATH_STATUS, &id), "not_identified", 0);
	w.n.layers = 0;
	refused(submit(1, 0x41, 8, NULL, &id), "posture", 1);
	w.n.layers = 0x3ff;
	w.n.policy.accept = false;
	refused(submit(1, 0x41, 8, NULL, &id), "not_accepting", 1);
	assert_int_equal(w.starts, 0);
	assert_true(w.events_seen[EVK_JOB_REFUSED] >= 9);
}

static void
test_trust(void **state)
{
	struct proto_req q = {.path = PATH_SUBMIT};
	struct id32 id;
	uint8_t b[242] = {0}, bad[242] = {1};

	(void)state;
	w.verdict_status = VERDICT_NO_BINDING;
	w.level = 0;
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x42);
	world_run(&w, 1);
	refused(submit(2, 0x42, 1, NULL, &id), "binding", 4);
	refused(about(2, PATH_STATUS, &id), "binding", 0);
	/* with a b that does not hold, then with one that does */
	q.envelope = (struct pbin){env, envelope(0x42, 1, NULL, &id)};
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
	assert_null(submit(2, 0x42, 3, NULL, &id));
	world_run(&w, 21000);
	assert_int_equal(w.replies[0].a.status, ST_BUSY);
	assert_int_equal(w.n.nparked, 0);
}

/* A binding that does not hold for its time: which time, and the node's. */
static void
test_clocks(void **state)
{
	static const struct {
		int64_t from, to, value;
	} rows[] = {{3600, 7200, 3600}, {-7200, -3600, -3600}, {-5, 60, 0}};
	struct proto_req q = {.path = PATH_DESCRIBE};
	uint8_t raw[BINDING_LEN];
	struct id32 id;

	(void)state;
	w.verdict_status = VERDICT_BAD_BINDING;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct binding b = {.serial = (uint32_t)i + 1};
		uint32_t now = unix_now();

		b.not_before = (uint32_t)(now + rows[i].from);
		b.not_after = (uint32_t)(now + rows[i].to);
		binding_put(raw, &b);
		for (int k = 0; k < 2; k++) {
			struct proto_ans *a;

			q = (struct proto_req){.path = k == 0 ? PATH_DESCRIBE :
				PATH_SUBMIT, .binding = raw};
			q.envelope = (struct pbin){env,
			    envelope(0x41, (uint8_t)i, NULL, &id)};
			a = world_call(&w, 1, &q);
			refused(a, "binding", k == 0 ? 0 : 4);
			assert_int_equal(a->meta.has_time, rows[i].value != 0);
			if (rows[i].value == 0)
				continue;
			assert_int_equal(a->meta.time, unix_now());
			assert_int_equal(a->meta.value, now + rows[i].value);
		}
	}
}

static void
test_live(void **state)
{
	struct proto_req q = {.path = PATH_SUBMIT};
	struct id32 id;
	uint8_t proof[96] = {2};
	struct proto_ans *a;

	(void)state;
	w.n.policy.live = PROOF_ALWAYS;
	w.live_needed = true;
	w.n.verdict_gen++;
	a = submit(1, 0x41, 1, NULL, &id);
	refused(a, "binding", 4);
	assert_non_null(a->meta.n);
	q.envelope = (struct pbin){env, envelope(0x41, 1, NULL, &id)};
	q.proof = proof;
	refused(world_call(&w, 1, &q), "binding", 4);
	/* the nonce of a failed proof is not the next one's: ask anew */
	refused(submit(1, 0x41, 1, NULL, &id), "binding", 4);
	proof[0] = 1;
	q.envelope = (struct pbin){env, envelope(0x41, 1, NULL, &id)};
	assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
	/* once for a link */
	assert_int_equal(submit(1, 0x41, 2, NULL, &id)->status, ST_OK);
}

static uint16_t many;

static void
numbered(struct manifest *m)
{
	m->limit[LIMIT_TIME] = 1000;
	m->nonce[1] = (uint8_t)many;
	m->nonce[2] = (uint8_t)(many >> 8);
}

/* The first job of a peer comes before the thousandth of another. */
static void
test_long_queue(void **state)
{
	struct id32 id, first;

	(void)state;
	w.n.caps.jobs_queued = 2000;
	owner_get(&w.n, &peer_next(&w.n, NULL)->v.fp)->quota.jobs.cap = 0;
	peer_next(&w.n, NULL)->requests.cap = 0;
	peer_next(&w.n, NULL)->bytes.cap = 0;
	world_link(&w, 2, 10000000);
	world_identify(&w, 2, 0x42);
	w.run_ms = 0;
	for (many = 0; many < 1000; many++) {
		assert_int_equal(submit(1, 0x41, 1, numbered, &id)->status,
		    ST_OK);
		if (many == 0)
			first = id;
	}
	assert_int_equal(w.n.jobs.n[JS_QUEUED], 998);
	assert_int_equal(submit(2, 0x42, 1, NULL, &id)->status, ST_OK);
	world_run(&w, 10);
	assert_int_equal(about(1, PATH_CANCEL, &first)->status, ST_OK);
	world_run(&w, 100);
	assert_int_equal(job_find(&w.n.jobs, &id)->state, JS_RUNNING);
	assert_int_equal(w.running, 2);
	assert_int_equal(w.n.jobs.n[JS_QUEUED], 998);
}

static void
test_quota(void **state)
{
	struct proto_ans *a;
	struct id32 id;

	(void)state;
	w.n.caps.jobs_queued = 2;
	w.run_ms = 0;
	for (uint8_t i = 1; i <= 4; i++)
		assert_int_equal(submit(1, 0x41, i, NULL, &id)->status, ST_OK);
	state_is(&id, "queued", "slots");
	a = submit(1, 0x41, 5, NULL, &id);
	refused(a, "quota", 6);
	assert_true(pstr_is(a->meta.why, "jobs_queued"));
	assert_int_equal(a->meta.limit, 2);
	/* also before a bad envelope (step 6 comes before 7) */
	refused(submit(1, 0x42, 6, NULL, &id), "quota", 6);
	assert_int_equal(w.running, 2);
}

/* Busy for a budget: which, whose, how much, until when (compute.md 3). */
static void
used_up(const struct proto_ans *a, const char *code, const char *of,
    uint64_t limit, uint64_t left)
{
	assert_int_equal(a->status, ST_BUSY);
	assert_true(pstr_is(a->meta.code, code));
	assert_true(pstr_is(a->meta.of, of));
	assert_true(a->meta.has_s && a->meta.s >= 1);
	assert_true(a->meta.has_limit && a->meta.has_left);
	assert_int_equal(a->meta.limit, limit);
	assert_int_equal(a->meta.left, left);
	/* a minute for all of it; a debt comes on top */
	assert_true(a->meta.has_full_s && a->meta.full_s >= a->meta.s &&
	    a->meta.full_s >= 59);
}

static void
test_busy(void **state)
{
	struct id32 id = {0};
	unsigned busy = 0;

	(void)state;
	w.n.policy.requests_per_minute = 5;
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x43);
	world_run(&w, 1);
	for (int i = 0; i < 8; i++) {
		struct proto_ans *a = about(2, PATH_STATUS, &id);

		if (a->status != ST_BUSY)
			continue;
		busy++;
		used_up(a, "requests", "peer", 5, 0);
	}
	assert_int_equal(busy, 3);
	/* 8 requests for each link and minute without identification */
	world_link(&w, 3, 0);
	busy = 0;
	for (int i = 0; i < 10; i++) {
		struct proto_req q = {.path = PATH_DESCRIBE};
		struct proto_ans *a = world_call(&w, 3, &q);

		if (a->status != ST_BUSY)
			continue;
		busy++;
		used_up(a, "requests", "link", 8, 0);
	}
	assert_int_equal(busy, 2);
	world_run(&w, 61000);
	assert_int_equal(about(2, PATH_STATUS, &id)->status, ST_NOT_FOUND);
}

/* An upload over the budget is slowed down, not broken off. */
static void
test_bytes(void **state)
{
	static struct proto_describe d;
	uint64_t least;
	struct proto_req q;
	struct id32 id;
	struct proto_ans *a;

	(void)state;
	w.n.policy.bytes_per_minute = 100000;
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x44);
	world_run(&w, 1);
	(void)submit(2, 0x44, 1, with_volumes, &id);
	q = (struct proto_req){.path = PATH_BLOB_PUT, .digest = tar_sha.b,
	    .n = sizeof(tar), .body = {tar, sizeof(tar)}};
	for (int i = 0; i < 40; i++) {
		a = world_call(&w, 2, &q);
		if (a->status == ST_BUSY)
			break;
	}
	assert_int_equal(a->status, ST_BUSY);
	assert_true(a->meta.s >= 1 && a->meta.s <= 10);
	used_up(a, "bytes", "peer", 100000, 0);
	assert_true(w.holds > 0);
	world_run(&w, 1000 * (int64_t)a->meta.s);
	assert_int_equal(world_call(&w, 2, &q)->status, ST_OK);
	/* and it is told before: what a minute gives, what of it is there */
	q = (struct proto_req){.path = PATH_DESCRIBE};
	world_run(&w, 30000);
	a = world_call(&w, 2, &q);
	assert_true(proto_get_describe(&d, a));
	assert_int_equal(d.budget.bytes, 100000);
	assert_in_range(d.budget.left, 40000, 60000);
	assert_in_range(d.budget.full_s, 24, 36);
	/* a fast link needs no word of its airtime; a slow one has it */
	assert_int_equal(d.air.bitrate, 0);
	world_link(&w, 5, 1200);
	q.brief = true;
	assert_true(proto_get_describe(&d, world_call(&w, 2, &q)));
	assert_false(d.slow);
	assert_true(proto_get_describe(&d, world_call(&w, 5, &q)));
	assert_true(d.brief && d.slow);
	q.brief = false;
	assert_true(proto_get_describe(&d, world_call(&w, 5, &q)));
	assert_int_equal(d.air.bitrate, 1200);
	assert_int_equal(d.air.max_s, w.n.policy.max_airtime_s);
	assert_in_range(d.air.kib_ms, 8 * 1024 * 1000 / 1200, 15000);
	assert_in_range(d.air.kib16_ms, 10 * d.air.kib_ms, 16 * d.air.kib_ms);
	assert_int_equal(d.air.kib_p90_ms, 0);
	/* a radio that loses: on the average, and what nine of ten need */
	peers_link(&w.n, &(struct msg_T_LINK){.link = {{5}}, .bitrate = 1200,
	    .frame = 254, .loss_permille = 100, .direct = true});
	least = d.air.kib_ms;
	assert_true(proto_get_describe(&d, world_call(&w, 5, &q)));
	assert_int_equal(d.air.loss, 100);
	assert_in_range(d.air.kib_ms, least * 11 / 10, least * 2);
	assert_in_range(d.air.kib_p90_ms, d.air.kib_ms * 5 / 4,
	    d.air.kib_ms * 3);
	assert_in_range(d.air.kib16_p90_ms, d.air.kib16_ms * 21 / 20,
	    d.air.kib16_ms * 2);
	world_close(&w, 5);
	/* strangers share one */
	bucket_take(&w.n.unidentified, 2 * w.n.unidentified.cap, w.now);
	world_link(&w, 4, 0);
	used_up(world_call(&w, 4, &q), "bytes", "strangers",
	    w.n.unidentified.cap, 0);
}

static void
test_kills(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	world_run(&w, 5);
	assert_int_equal(about(1, PATH_CANCEL, &id)->status, ST_OK);
	world_run(&w, 10);
	killed_by(&id, "cancelled");
	/* cancelling again changes nothing */
	assert_int_equal(about(1, PATH_CANCEL, &id)->status, ST_OK);
	killed_by(&id, "cancelled");

	assert_int_equal(submit(1, 0x41, 2, NULL, &id)->status, ST_OK);
	world_run(&w, 3600 * 1000 + 100);
	killed_by(&id, "time");
	world_link(&w, 4, 0);
	world_identify(&w, 1, 0x41);
	w.run_ms = 10;
	w.oom = true;
	assert_int_equal(submit(1, 0x41, 3, NULL, &id)->status, ST_OK);
	world_run(&w, 50);
	killed_by(&id, "memory");
	w.oom = false;
	w.prints = (UINT64_C(256) << 20) + 1;
	assert_int_equal(submit(1, 0x41, 4, NULL, &id)->status, ST_OK);
	world_run(&w, 50);
	killed_by(&id, "output");
	w.prints = 0;
	assert_int_equal(w.running, 0);
}

static void
test_outputs(void **state)
{
	static struct proto_result r;
	struct proto_req q = {.path = PATH_BLOB_PUT, .digest = tar_sha.b,
	    .n = sizeof(tar), .body = {tar, sizeof(tar)}};
	struct id32 id;

	(void)state;
	(void)submit(1, 0x41, 1, with_volumes, &id);
	assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
	w.output_size = UINT64_C(65) << 20;
	left_add(&w.output_left, 0, LEFT_LINK, "out", 3);
	world_run(&w, 50);
	killed_by(&id, "output");
	assert_true(proto_get_result(&r, about(1, PATH_RESULT, &id)));
	assert_int_equal(r.noutputs, 0);
	assert_int_equal(r.left.count, 0);
}

/* What ends a job is its outcome; outputs that do not come are told beside. */
static void
test_lost_outputs(void **state)
{
	static const char lost[] = "lost outputs: /v1: too many files";
	static const char large[] =
	    "lost outputs: /v1: larger than limits.output";
	static struct proto_result r;
	struct proto_req q = {.path = PATH_BLOB_PUT, .digest = tar_sha.b,
	    .n = sizeof(tar), .body = {tar, sizeof(tar)}};
	struct id32 id;

	(void)state;
	w.output_fails = true;
	(void)submit(1, 0x41, 1, with_volumes, &id);
	assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
	world_run(&w, 50);
	state_is(&id, "done", lost);
	assert_int_equal(status(&id).outcome.kind, OUT_EXITED);
	assert_true(proto_get_result(&r, about(1, PATH_RESULT, &id)));
	assert_int_equal(r.noutputs, 0);
	w.oom = true;
	(void)submit(1, 0x41, 2, with_volumes, &id);
	world_run(&w, 50);
	killed_by(&id, "memory");
	state_is(&id, "done", lost);
	/* too large, and killed before: not for that */
	w.output_fails = false;
	w.output_size = UINT64_C(65) << 20;
	(void)submit(1, 0x41, 3, with_volumes, &id);
	world_run(&w, 50);
	killed_by(&id, "memory");
	state_is(&id, "done", large);
	assert_true(proto_get_result(&r, about(1, PATH_RESULT, &id)));
	assert_int_equal(r.noutputs, 0);
	w.oom = false;
	w.output_size = 1024;
	(void)submit(1, 0x41, 4, with_volumes, &id);
	world_run(&w, 50);
	state_is(&id, "done", NULL);
	assert_int_equal(status(&id).reason.n, 0);
}

static void
with_volumes_long(struct manifest *m)
{
	with_volumes(m);
	m->not_after = m->deadline = m->deadline + 2 * JOB_INPUT_IDLE_S;
}

static void
test_cancel_waiting(void **state)
{
	struct proto_ans *a;
	struct pstr st, reason;
	struct id32 id;

	(void)state;
	(void)submit(1, 0x41, 1, with_volumes, &id);
	a = about(1, PATH_CANCEL, &id);
	assert_true(proto_get_cancelled(&st, &reason, a));
	assert_true(pstr_is(st, "cancelled"));
	assert_true(pstr_is(reason, "submitter"));
	world_run(&w, 10);
	/* it has a receipt too */
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_OK);
	/* hours without a byte: links come and go */
	(void)submit(1, 0x41, 2, with_volumes_long, &id);
	world_run(&w, (JOB_INPUT_IDLE_S - 1) * 1000);
	state_is(&id, "queued", "inputs");
	world_run(&w, 2000);
	state_is(&id, "cancelled", "inputs");
	/* its inputs are not wanted any more */
	refused(world_call(&w, 1, &(struct proto_req){.path = PATH_BLOB_PUT,
		    .digest = tar_sha.b, .n = sizeof(tar)}), "not_wanted", 0);
}

static void
soon(struct manifest *m)
{
	m->not_after = m->deadline = m->not_after - 3600 + 30;
}

static void
test_timers(void **state)
{
	struct id32 id;

	(void)state;
	(void)submit(1, 0x41, 1, review, &id);
	state_is(&id, "held", "review");
	world_run(&w, 86401 * INT64_C(1000));
	state_is(&id, "cancelled", "review");
	w.run_ms = 0;
	(void)submit(1, 0x41, 2, soon, &id);
	world_run(&w, 31000);
	killed_by(&id, "deadline");
}

/* Anyone can be an owner; only budgets in use are remembered. */
static void
test_owners(void **state)
{
	struct fp fp = {0}, mine;
	struct owner *o;

	(void)state;
	memset(&mine, 0xee, sizeof(mine));
	o = owner_get(&w.n, &mine);
	assert_non_null(o);
	bucket_take(&o->quota.jobs, 1, w.n.now);
	for (unsigned i = 0; i < 3 * NODE_OWNERS_MAX; i++) {
		memcpy(fp.b, &i, sizeof(i));
		assert_non_null(owner_get(&w.n, &fp));
		assert_true(w.n.nowners <= NODE_OWNERS_MAX);
	}
	o = owner_get(&w.n, &mine);
	assert_non_null(o);
	assert_true(bucket_left(&o->quota.jobs, w.n.now) <
	    o->quota.jobs.cap);
}

/* Who has only pulled images does not get a new day's by that. */
static void
test_pullers(void **state)
{
	struct fp fp = {0}, mine;
	struct owner *o;

	(void)state;
	w.n.caps.image_bytes_per_day = 1000;
	memset(&mine, 0xee, sizeof(mine));
	o = owner_get(&w.n, &mine);
	assert_non_null(o);
	bucket_take(&o->quota.images, 1000, w.n.now);
	for (unsigned i = 0; i < 3 * NODE_OWNERS_MAX; i++) {
		memcpy(fp.b, &i, sizeof(i));
		assert_non_null(owner_get(&w.n, &fp));
	}
	o = owner_get(&w.n, &mine);
	assert_non_null(o);
	assert_int_equal(bucket_left(&o->quota.images, w.n.now), 0);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_owners), T(test_pullers), T(test_conversation),
	    T(test_idempotent),
	    T(test_refusals),
	    T(test_trust),
	    T(test_live),
	    T(test_clocks),
	    T(test_long_queue),
	    T(test_quota),
	    T(test_busy),
	    T(test_bytes),
	    T(test_kills),
	    T(test_outputs),
	    T(test_lost_outputs),
	    T(test_cancel_waiting),
	    T(test_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
