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
#include "trust/doc/manifest_record.h"

struct world w;
uint8_t env[16384];

int
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

int
teardown(void **state)
{
	(void)state;
	world_clear(&w);
	return 0;
}

uint32_t
unix_now(void)
{
	return (uint32_t)(w.wall_us / 1000000);
}

/* An envelope of peer `who`; change(m) may alter the manifest before. */
size_t
envelope(uint8_t who, uint8_t nonce, void (*change)(struct manifest *),
    struct id32 *id)
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

struct proto_ans *
submit(uint8_t link, uint8_t who, uint8_t nonce,
    void (*change)(struct manifest *), struct id32 *id)
{
	struct proto_req q = {.path = PATH_SUBMIT};

	q.envelope = (struct pbin){env, envelope(who, nonce, change, id)};
	return world_call(&w, link, &q);
}

struct proto_ans *
about(uint8_t link, enum proto_path path, const struct id32 *id)
{
	struct proto_req q = {.path = path, .id = id->b, .stream = 1,
	    .n = PROTO_SLICE};

	return world_call(&w, link, &q);
}

struct proto_job_status
status(const struct id32 *id)
{
	struct proto_ans *a = about(1, PATH_STATUS, id);
	struct proto_job_status s;

	assert_non_null(a);
	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_status(&s, a));
	return s;
}

void
state_is(const struct id32 *id, const char *state, const char *reason)
{
	struct proto_job_status s = status(id);

	if (!pstr_is(s.state, state) ||
	    (reason != NULL && !pstr_is(s.reason, reason)))
		fail_msg("state %.*s reason %.*s, wanted %s %s",
		    (int)s.state.n, s.state.p, (int)s.reason.n,
		    s.reason.p == NULL ? "" : s.reason.p, state,
		    reason == NULL ? "" : reason);
}

void
killed_by(const struct id32 *id, const char *reason)
{
	struct proto_job_status s = status(id);

	assert_true(pstr_is(s.state, "done"));
	assert_int_equal(s.outcome.kind, OUT_KILLED);
	if (!pstr_is(s.outcome.reason, reason))
		fail_msg("killed by %.*s", (int)s.outcome.reason.n,
		    s.outcome.reason.p);
}

void
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

uint8_t tar[3000];
struct id32 tar_sha;

void
with_volumes(struct manifest *m)
{
	crypt_sha256(&tar_sha, tar, sizeof(tar));
	m->has |= HAS_VOLUMES;
	m->nvolumes = 2;
	for (unsigned i = 0; i < 2; i++) {
		struct manifest_volume *v = &m->volume[i];

		(void)snprintf(v->target, sizeof(v->target), "/v%u", i);
		v->rw = i == 1;
		v->blob.sha256 = tar_sha;
		v->blob.size = sizeof(tar);
	}
}

void
review(struct manifest *m)
{
	m->requires_review = true;
	m->has |= HAS_TRUST | HAS_REVIEW;
	m->deadline += 2 * 86400;
}

void
with_contract(struct manifest *m)
{
	struct id32 sha;

	with_volumes(m); /* the blob of its volumes is its contract too */
	sha = tar_sha;
	m->nvolumes = 0;
	m->has = (m->has & ~(uint32_t)HAS_VOLUMES) | HAS_CONTRACT;
	m->contract.sha256 = sha;
	m->contract.size = sizeof(tar);
}

void
submit_bound(uint8_t who, uint8_t nonce, struct id32 *id)
{
	struct proto_req put = {.path = PATH_BLOB_PUT, .digest = tar_sha.b,
	    .n = sizeof(tar), .body = {tar, sizeof(tar)}};
	struct proto_submitted s;
	struct proto_ans *a = submit(1, who, nonce, with_contract, id);

	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_submitted(&s, a));
	if (s.missing.n == 0)
		return;
	state_is(id, "queued", "inputs");
	put.digest = tar_sha.b;
	assert_int_equal(world_call(&w, 1, &put)->status, ST_OK);
}

void
plain_contract(struct contract *c)
{
	memset(c, 0, sizeof(*c));
	memset(c->action, ACTION_KILL, sizeof(c->action));
	c->anonymous_exec = true;
	memset(&c->image, 0x11, sizeof(c->image));
	c->expires = UINT32_MAX;
}
