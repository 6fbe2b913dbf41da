/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/util.h"
#include "tests/unit/nodekit.h"

/*
 * Each member of struct admit_job moves an answer, through node_message() and
 * back: two worlds that differ in what makes this member, one request, and
 * two answers. test_admit.c has what the members mean.
 */
struct row {
	const char *member;
	void (*both)(void);    /* what the two worlds have in common */
	void (*differs)(void); /* done in the second only */
	void (*change)(struct manifest *);	   /* of both manifests */
	void (*change_second)(struct manifest *); /* of the second alone */
	uint8_t second_who;    /* who signs; 0: the one who asks */
	int64_t second_late_s; /* the envelope comes so much later */
	const char *code;
	unsigned step;
	const char *why;
	const char *which; /* what it is about, where it is not a number */
};

static uint8_t via; /* the link that the request takes */

static bool
has(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t *size)
{
	(void)ctx;
	(void)fp->b;
	(void)sha->b;
	if (size != NULL)
		*size = sizeof(tar);
	return true;
}

static bool
has_not(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t *size)
{
	(void)ctx;
	(void)fp->b;
	(void)sha->b;
	(void)size;
	return false;
}

static uint64_t
nothing_to_come(void *ctx, const struct fp *fp, const struct blob_ref *whole,
    const struct blob_ref *list)
{
	(void)ctx;
	(void)fp->b;
	(void)whole->size;
	(void)list;
	return 0;
}

static uint64_t
held(void *ctx, const struct fp *fp)
{
	(void)ctx;
	(void)fp->b;
	return 4000;
}

static const char *
no_profile(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return "not here";
}

/* ---- what both have ---- */

static void
small_spool(void)
{
	w.n.caps.spool = 5000;
}

static void
blob_here(void)
{
	w.n.caps.spool = 2000;
	w.n.host.blob_has = has;
}

static void
slow_link(void)
{
	world_link(&w, 2, 1200);
	world_identify(&w, 2, 0x41);
	via = 2;
}

static void
slower_link(void)
{
	world_link(&w, 2, 900);
	world_identify(&w, 2, 0x41);
	via = 2;
}

/* It was there when a third of its packets turned out to be lost. */
static void
loses(void)
{
	struct msg_T_LINK m = {.link = {{2}}, .bitrate = 1200,
	    .loss_permille = 300};

	peers_link(&w.n, &m);
	assert_int_equal(w.n.ncallers, 2);
}

static void
slow_blob_here(void)
{
	slow_link();
	w.n.policy.max_airtime_s = 555;
	w.n.host.blob_has = has;
	w.n.host.blob_to_come = nothing_to_come;
}

/* ---- what differs ---- */

static void
all_else_used(struct manifest *m)
{
	m->retries = 1;
	m->has |= HAS_RETRIES;
}

static void
use_nonce(void)
{
	struct id32 id;

	assert_int_equal(submit(1, 0x41, 1, all_else_used, &id)->status, ST_OK);
}

static void
no_image(void)
{
	w.image = IMAGE_UNKNOWN;
}

static void
no_seccomp(void)
{
	w.n.host.seccomp = no_profile;
}

static void
holds(void)
{
	w.n.host.blob_held = held;
}

/* A job before has said much, and nobody has fetched it. */
static void
said(void)
{
	struct id32 id;

	assert_int_equal(submit(1, 0x41, 3, NULL, &id)->status, ST_OK);
	job_find(&w.n.jobs, &id)->log[1] = 4000;
	world_run(&w, 1500);
}

/* ... and it has expired. */
static void
said_long_ago(void)
{
	struct id32 id;

	small_spool();
	assert_int_equal(submit(1, 0x41, 2, NULL, &id)->status, ST_OK);
	job_find(&w.n.jobs, &id)->log[1] = 4000;
	job_find(&w.n.jobs, &id)->expired = true;
	world_run(&w, 1500);
}

static void
blob_away(void)
{
	w.n.host.blob_has = has_not;
	w.n.host.blob_to_come = fake_to_come;
}

static void
full(void)
{
	w.disk_free = 10;
}

/* Two run and two wait, each for an hour at most; the job has two hours. */
static void
queue(void)
{
	struct id32 id;

	w.run_ms = 0;
	for (uint8_t i = 11; i <= 14; i++)
		assert_int_equal(submit(1, 0x41, i, NULL, &id)->status, ST_OK);
}

static void
one_cpu_less(void)
{
	w.n.policy.machine_cpu_milli = 499;
}

static void
little_memory(void)
{
	w.n.policy.machine_memory = 1 << 20;
}

static void
contract(struct manifest *m)
{
	m->has |= HAS_CONTRACT;
}

static void
long_log(struct manifest *m)
{
	m->limit[LIMIT_LOG] = 1u << 20;
	m->has |= HAS_LIMITS;
}

/* What nearly fills max_airtime on the slow link. */
static void
most_log(struct manifest *m)
{
	m->limit[LIMIT_LOG] = 65536;
	m->has |= HAS_LIMITS;
}

static void
volumes_and_log(struct manifest *m)
{
	with_volumes(m);
	most_log(m);
}

static const struct row ROWS[] = {
    {.member = "m", .change_second = contract, .code = "contract", .step = 8},
    {.member = "signer_is_peer", .second_who = 0x42, .code = "manifest",
	.step = 7, .why = "submitter"},
    {.member = "nonce_used", .differs = use_nonce, .code = "manifest",
	.step = 7, .why = "nonce"},
    {.member = "now", .second_late_s = 3601, .code = "manifest", .step = 7,
	.why = "not_after: is past"},
    {.member = "image", .differs = no_image, .code = "image", .step = 8,
	.why = "is not on the node", .which = "test:1"},
    {.member = "seccomp_why", .differs = no_seccomp, .code = "limits",
	.step = 9, .why = "seccomp_profile: not here", .which = ""},
    {.member = "spool_held", .both = small_spool, .change = with_volumes,
	.differs = holds, .code = "quota", .step = 6, .why = "spool"},
    {.member = "spool_held: logs", .both = said_long_ago,
	.change = with_volumes, .differs = said, .code = "quota", .step = 6,
	.why = "spool"},
    {.member = "spool_more", .both = blob_here, .change = with_volumes,
	.differs = blob_away, .code = "quota", .step = 6, .why = "spool"},
    {.member = "disk_free", .change = with_volumes, .differs = full,
	.code = "too_large", .step = 10, .why = "disk"},
    {.member = "path", .change = long_log, .differs = slow_link,
	.code = "airtime", .step = 11, .why = "max_airtime"},
    {.member = "path.loss_permille", .both = slow_link,
	.change = most_log, .differs = loses,
	.code = "airtime", .step = 11, .why = "max_airtime"},
    {.member = "bytes_to_come", .both = slow_blob_here,
	.change = volumes_and_log, .differs = blob_away, .code = "airtime",
	.step = 11, .why = "max_airtime"},
    {.member = "bytes_to_go", .both = slow_link, .change_second = long_log,
	.code = "airtime", .step = 11, .why = "max_airtime"},
    /* who names no log is not refused for one */
    {.member = "limit.log", .both = slower_link, .change_second = most_log,
	.code = "airtime", .step = 11, .why = "max_airtime"},
    {.member = "wait_s", .differs = queue, .code = "airtime", .step = 11,
	.why = "deadline"},
    /* not of the job, but of the same steps */
    {.member = "policy.machine_cpu_milli", .differs = one_cpu_less,
	.code = "too_large", .step = 10, .why = "cpu"},
    {.member = "policy.machine_memory", .differs = little_memory,
	.code = "too_large", .step = 10, .why = "memory"},
};

static struct proto_ans *
ask(const struct row *r, bool second)
{
	struct proto_req q = {.path = PATH_SUBMIT};
	uint8_t who = second && r->second_who != 0 ? r->second_who : 0x41;
	struct id32 id;

	via = 1;
	if (r->both != NULL)
		r->both();
	if (second && r->differs != NULL)
		r->differs();
	q.envelope = (struct pbin){env, envelope(who, 1,
	    second && r->change_second != NULL ? r->change_second : r->change,
	    &id)};
	if (second)
		world_run(&w, r->second_late_s * 1000);
	return world_call(&w, via, &q);
}

/* What was asked and what is allowed, or what it is about (compute.md 3). */
static void
values(const struct row *r, const struct proto_ans *a)
{
	static const char *const counted[] = {"limits", "too_large", "airtime",
	    "quota"};
	bool now = strcmp(r->member, "now") == 0;

	if (r->which != NULL) {
		if (!pstr_is(a->meta.value_text, r->which))
			fail_msg("%s: about %.*s", r->member,
			    (int)a->meta.value_text.n, a->meta.value_text.p);
		return;
	}
	for (size_t i = 0; i < NELEM(counted); i++) {
		if (strcmp(r->code, counted[i]) == 0 &&
		    (!a->meta.has_limit || !a->meta.has_value ||
			a->meta.value < a->meta.limit))
			fail_msg("%s: no values", r->member);
	}
	assert_int_equal(a->meta.has_time, now || (r->why != NULL &&
	    strcmp(r->why, "deadline") == 0));
	if (now) {
		assert_int_equal(a->meta.time, unix_now());
		assert_int_equal(a->meta.limit, unix_now());
		assert_int_equal(a->meta.value, unix_now() - 1);
	}
}

static void
test_members(void **state)
{
	const struct proto_ans *a;

	(void)state;
	for (size_t i = 0; i < NELEM(ROWS); i++) {
		const struct row *r = &ROWS[i];

		(void)setup(NULL);
		a = ask(r, false);
		if (a == NULL || a->status != ST_OK)
			fail_msg("%s: the first is not admitted", r->member);
		(void)teardown(NULL);
		(void)setup(NULL);
		a = ask(r, true);
		if (a == NULL || a->status != ST_REFUSED)
			fail_msg("%s: the second is not refused", r->member);
		refused(a, r->code, r->step);
		if (r->why != NULL && !pstr_is(a->meta.why, r->why))
			fail_msg("%s: %.*s", r->member, (int)a->meta.why.n,
			    a->meta.why.p);
		values(r, a);
		(void)teardown(NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_members)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
