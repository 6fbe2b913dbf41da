/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every code that node/cli/refusal.c has words for is given out by a whole node
 * here, and what `explain` is told of jobs that wait and of peers.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "node/cli/refusal.h"
#include "node/host/waits.h"
#include "node/work/imagepolicy.h"
#include "node/work/finish.h"
#include "node/work/lend.h"
#include "node/work/revoke.h"
#include "tests/unit/nodekit.h"

static struct id32 id;

/* What is about it alone: one identity, or what a job names. */
static void
list(enum listed_kind kind, const uint8_t *what, size_t len, bool suspended)
{
	struct listed *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->kind = (uint8_t)kind;
	l->suspended = suspended;
	memcpy(l->id, what, len);
	node_time(&w.n, w.now, w.wall_us);
	revoke_take(&w.n, l, 1);
}

static void
not_accepting(void)
{
	w.n.policy.accept = false;
	refused(submit(1, 0x41, 1, NULL, &id), "not_accepting", 1);
}

static void
posture(void)
{
	w.n.layers = 0;
	refused(submit(1, 0x41, 1, NULL, &id), "posture", 1);
}

static void
not_identified(void)
{
	world_link(&w, 3, 0);
	refused(submit(3, 0x41, 1, NULL, &id), "not_identified", 2);
}

static void
revoked(void)
{
	(void)envelope(0x41, 1, NULL, &id);
	list(LISTED_ARTIFACT, id.b, 32, false);
	refused(submit(1, 0x41, 1, NULL, &id), "revoked", 3);
}

static void
stranger(int status, int level)
{
	w.verdict_status = status;
	w.level = level;
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x42);
	world_run(&w, 1);
}

static void
binding(void)
{
	stranger(VERDICT_NO_BINDING, 0);
	refused(submit(2, 0x42, 1, NULL, &id), "binding", 4);
}

static void
trust(void)
{
	stranger(VERDICT_OK, 0);
	refused(submit(2, 0x42, 1, NULL, &id), "trust", 5);
}

static void
quota(void)
{
	w.n.caps.jobs_queued = 1;
	w.run_ms = 0;
	for (uint8_t i = 1; i <= 3; i++)
		assert_int_equal(submit(1, 0x41, i, NULL, &id)->status, ST_OK);
	refused(submit(1, 0x41, 4, NULL, &id), "quota", 6);
}

static void
manifest(void)
{
	refused(submit(1, 0x42, 1, NULL, &id), "manifest", 7);
}

static void
image(void)
{
	w.image = IMAGE_UNKNOWN;
	refused(submit(1, 0x41, 1, NULL, &id), "image", 8);
}

static void
anchor(void)
{
	w.n.policy.anchor = ANCHOR_REQUIRE;
	refused(submit(1, 0x41, 1, NULL, &id), "anchor", 8);
}

static void
signature(void)
{
	w.n.policy.image_policy = 7;
	w.image_rules = 1;
	imagepolicy_take(&w.n, NULL, 0, 7);
	refused(submit(1, 0x41, 1, NULL, &id), "signature", 8);
}

static void
volume(void)
{
	w.volume_code = "volume";
	refused(submit(1, 0x41, 1, with_volumes, &id), "volume", 8);
}

static void
with_a_contract(struct manifest *m)
{
	m->has |= HAS_CONTRACT;
}

static void
contract(void)
{
	refused(submit(1, 0x41, 1, with_a_contract, &id),
	    "contract", 8);
}

static void
much(struct manifest *m)
{
	m->limit[LIMIT_MEMORY] = UINT64_C(1) << 40;
	m->has |= HAS_LIMITS;
}

static void
limits(void)
{
	refused(submit(1, 0x41, 1, much, &id), "limits", 9);
}

static void
too_large(void)
{
	w.n.policy.machine_memory = 1 << 20;
	refused(submit(1, 0x41, 1, NULL, &id), "too_large", 10);
}

static void
long_log(struct manifest *m)
{
	m->limit[LIMIT_LOG] = 1u << 20;
	m->has |= HAS_LIMITS;
}

static void
airtime(void)
{
	world_link(&w, 2, 1000);
	world_identify(&w, 2, 0x41);
	refused(submit(2, 0x41, 1, long_log, &id), "airtime", 11);
}

static struct proto_ans *
put(const uint8_t *bytes, size_t n)
{
	return world_call(&w, 1, &(struct proto_req){.path = PATH_BLOB_PUT,
	    .digest = tar_sha.b, .n = sizeof(tar), .body = {bytes, n}});
}

static void
not_wanted(void)
{
	(void)submit(1, 0x41, 1, NULL, &id);
	refused(put(tar, sizeof(tar)), "not_wanted", 0);
}

static void
digest(void)
{
	static uint8_t wrong[sizeof(tar)];

	memcpy(wrong, tar, sizeof(tar));
	wrong[7] ^= 1;
	(void)submit(1, 0x41, 1, with_volumes, &id);
	refused(put(wrong, sizeof(wrong)), "digest", 0);
}

static void
not_found(void)
{
	memset(&id, 9, sizeof(id));
	assert_int_equal(about(1, PATH_STATUS, &id)->status, ST_NOT_FOUND);
}

static void
gone(void)
{
	struct proto_req get = {.path = PATH_BLOB_GET, .n = 100};
	struct id32 sha = {{9}};
	struct job *j;

	w.n.policy.keep_results_s = 3600;
	(void)submit(1, 0x41, 1, with_volumes, &id);
	assert_int_equal(put(tar, sizeof(tar))->status, ST_OK);
	world_run(&w, 3000 * 1000);
	j = job_find(&w.n.jobs, &id);
	assert_int_equal(j->nouts, 1);
	get.digest = j->outs[0].sha256.b;
	assert_int_equal(world_call(&w, 1, &get)->status, ST_NOT_FOUND);
	world_run(&w, 4200 * 1000);
	assert_int_equal(about(1, PATH_RESULT, &id)->status, ST_GONE);
	/* in the midst of a fetch as well; what was never there is not here */
	assert_int_equal(world_call(&w, 1, &get)->status, ST_GONE);
	get.digest = sha.b;
	assert_int_equal(world_call(&w, 1, &get)->status, ST_NOT_FOUND);
}

/* The row of a new job alone cannot be written: nobody is told of it. */
static void
ledger(void)
{
	struct job *j;

	(void)submit(1, 0x41, 1, with_volumes, &id);
	j = job_find(&w.n.jobs, &id);
	j->kept = false;
	(void)finish_unwritten(&w.n, j, false, "datatype mismatch");
	assert_string_equal(w.refused.text,
	    "refused ledger: datatype mismatch");
	assert_null(job_find(&w.n.jobs, &id));
}

static void
malformed(void)
{
	(void)submit(1, 0x41, 1, with_volumes, &id);
	assert_int_equal(world_call(&w, 1, &(struct proto_req){
	    .path = PATH_BLOB_PUT, .digest = tar_sha.b, .n = 1,
	    .body = {tar, 1}})->status, ST_MALFORMED);
}

static const struct {
	const char *code;
	void (*trigger)(void);
} CODES[] = {{"not_accepting", not_accepting}, {"posture", posture},
    {"not_identified", not_identified}, {"revoked", revoked},
    {"binding", binding}, {"trust", trust}, {"quota", quota},
    {"manifest", manifest}, {"image", image}, {"anchor", anchor},
    {"signature", signature},
    {"volume", volume},
    {"contract", contract}, {"limits", limits}, {"too_large", too_large},
    {"airtime", airtime}, {"not_wanted", not_wanted}, {"digest", digest},
    {"not found", not_found}, {"gone", gone}, {"ledger", ledger},
    {"malformed", malformed}};

static void
test_codes(void **state)
{
	const char *code;
	size_t n, k;

	(void)state;
	for (n = 0; (code = refusal_code(n)) != NULL; n++) {
		struct cli_refusal r = {.step = 0};
		char remedy[REFUSAL_TEXT];

		for (k = 0; k < NELEM(CODES); k++)
			if (strcmp(CODES[k].code, code) == 0)
				break;
		if (k == NELEM(CODES))
			fail_msg("nothing triggers %s", code);
		(void)setup(NULL);
		CODES[k].trigger();
		(void)teardown(NULL);
		/* both sides are told something */
		(void)snprintf(r.code, sizeof(r.code), "%s", code);
		if (strcmp(code, "limits") == 0)
			(void)snprintf(r.why, sizeof(r.why), "memory");
		if (strcmp(code, "too_large") == 0)
			(void)snprintf(r.why, sizeof(r.why), "cpu");
		if (strcmp(code, "quota") == 0)
			(void)snprintf(r.why, sizeof(r.why), "spool");
		if (strcmp(code, "airtime") == 0)
			(void)snprintf(r.why, sizeof(r.why), "max_airtime");
		refusal_remedy(remedy, &r, true);
		if (remedy[0] == '\0' || refusal_operator(&r)[0] == '\0')
			fail_msg("%s: nothing helps", code);
	}
	assert_int_equal(n, NELEM(CODES));
}

/* ---- what explain is told ---- */

static json_int_t
of(const json_t *o, const char *a, const char *b)
{
	const json_t *v = json_object_get(o, a);

	if (b != NULL)
		v = json_object_get(v, b);
	if (!json_is_integer(v))
		fail_msg("%s %s: no number", a, b == NULL ? "" : b);
	return json_integer_value(v);
}

static json_t *
waiting(void)
{
	json_t *o = waits_json(&w.n, job_find(&w.n.jobs, &id));

	assert_non_null(o);
	return o;
}

/* What is owed for letters about a job, and nothing of other jobs. */
static void
letters(const struct job *j)
{
	static const struct id32 first = {{1}}, second = {{2}};
	struct mail *m = mailbag_add(&w.n.mail.bag, &first, "x", 1);
	json_t *o, *l;

	assert_non_null(m);
	assert_null(waits_letters(&w.n, j));
	m->has_job = true;
	m->job = j->id;
	assert_non_null(o = waits_letters(&w.n, j));
	assert_int_equal(json_array_size(o), 1);
	l = json_array_get(o, 0);
	assert_string_equal(json_string_value(json_object_get(l, "state")),
	    "asks");
	assert_null(json_object_get(l, "tries"));
	json_decref(o);
	m->state = MAIL_DUE;
	m->tries = 2;
	m->again = mono_add(w.n.now, 90 * MONO_SECOND);
	(void)snprintf(m->why, sizeof(m->why), "no \033[1mway");
	assert_non_null(mailbag_add(&w.n.mail.bag, &second, "y", 1));
	assert_non_null(o = waits_letters(&w.n, j));
	assert_int_equal(json_array_size(o), 1);
	l = json_array_get(o, 0);
	assert_int_equal(of(l, "tries", NULL), 2);
	assert_int_equal(of(l, "again_s", NULL), 90);
	assert_null(strchr(json_string_value(json_object_get(l, "why")),
	    '\033'));
	json_decref(o);
	mailbag_clear(&w.n.mail.bag);
	mailbag_init(&w.n.mail.bag);
}

static void
with_volumes_long(struct manifest *m)
{
	with_volumes(m);
	m->deadline += 2 * JOB_INPUT_IDLE_S;
}

static void
test_inputs(void **state)
{
	json_t *o;

	(void)state;
	(void)submit(1, 0x41, 1, with_volumes_long, &id);
	world_run(&w, 60 * 1000);
	o = waiting();
	assert_int_equal(of(o, "missing_bytes", NULL), sizeof(tar));
	/* of the time without a byte a minute has gone */
	assert_in_range(of(o, "end_s", NULL), JOB_INPUT_IDLE_S - 100,
	    JOB_INPUT_IDLE_S - 60);
	assert_true(json_is_true(json_object_get(o, "jail")));
	json_decref(o);
	(void)about(1, PATH_CANCEL, &id);
	o = waiting();
	assert_true(json_is_null(o));
	json_decref(o);
}

static void
test_slots(void **state)
{
	const struct msg_FACTS facts = {.mains = true, .jobs_known = true,
	    .memory_free = UINT64_C(1) << 40};
	const struct job *j;
	json_t *o;

	(void)state;
	w.run_ms = 0;
	for (uint8_t i = 1; i <= 3; i++)
		assert_int_equal(submit(1, 0x41, i, NULL, &id)->status, ST_OK);
	state_is(&id, "queued", "slots");
	world_run(&w, 10);
	j = job_find(&w.n.jobs, &id);
	letters(j);
	o = waiting();
	assert_int_equal(of(o, "slots", "used"), 2);
	assert_int_equal(of(o, "slots", "of"), 2);
	assert_int_equal(of(o, "memory", "asked"), j->limits.v[LIMIT_MEMORY]);
	assert_int_equal(of(o, "memory", "used"),
	    2 * j->limits.v[LIMIT_MEMORY]);
	assert_int_equal(of(o, "cpu", "asked"), j->limits.v[LIMIT_CPU]);
	assert_true(of(o, "wait_s", NULL) > 0);
	assert_int_equal(of(o, "lent_s", NULL), 0);
	json_decref(o);
	/* the machine is lent at night alone */
	w.n.policy.when = (struct when_conf){.set = true,
	    .days = WHEN_ALL_DAYS, .nhours = 1, .hours = {{23 * 60, 0}}};
	lend_again(&w.n);
	lend_facts(&w.n, &facts);
	world_run(&w, 1000);
	state_is(&id, "queued", "when");
	o = waiting();
	assert_true(of(o, "lent_s", NULL) > 3600);
	assert_string_not_equal(json_string_value(json_object_get(o,
	    "lent_why")), "");
	json_decref(o);
}

static void
test_running(void **state)
{
	json_t *o;

	(void)state;
	w.run_ms = 0;
	(void)submit(1, 0x41, 1, NULL, &id);
	world_run(&w, 10);
	o = waiting();
	assert_string_equal(json_string_value(json_object_get(o, "phase")),
	    "running");
	assert_null(json_object_get(o, "wait_s"));
	json_decref(o);
	list(LISTED_ARTIFACT, id.b, 32, true);
	o = waiting();
	assert_true(json_is_true(json_object_get(o, "suspended")));
	json_decref(o);
	(void)about(1, PATH_CANCEL, &id);
	o = waiting();
	assert_string_equal(json_string_value(json_object_get(o, "kill")),
	    "cancelled");
	json_decref(o);
}

static void
test_peer(void **state)
{
	struct peer *p;
	json_t *o = json_object();

	(void)state;
	w.n.caps.jobs_per_hour = 7;
	(void)submit(1, 0x41, 1, NULL, &id);
	world_run(&w, 10);
	p = peer_next(&w.n, NULL);
	waits_peer(o, &w.n, p);
	assert_int_equal(of(o, "jobs_hour_limit", NULL), 7);
	assert_int_equal(of(o, "bytes_limit", NULL), p->bytes.cap);
	assert_int_equal(of(o, "spool_limit", NULL), w.n.caps.spool);
	assert_string_equal(json_string_value(json_object_get(o, "listed")),
	    "");
	list(LISTED_RNS, p->rns_hash.b, 16, false);
	waits_peer(o, &w.n, p);
	assert_string_equal(json_string_value(json_object_get(o, "listed")),
	    "revoked");
	json_decref(o);
}

#define IN_WORLD(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_codes),
	    IN_WORLD(test_inputs), IN_WORLD(test_slots),
	    IN_WORLD(test_running), IN_WORLD(test_peer)};

	return cmocka_run_group_tests_name("codes", tests, NULL, NULL);
}
