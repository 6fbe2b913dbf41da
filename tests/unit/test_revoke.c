/* SPDX-License-Identifier: BSD-2-Clause */
/* What a revocation does to links, jobs and this node (klp.md 4.6). */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "node/work/finish.h"
#include "node/work/ready.h"
#include "node/work/revoke.h"
#include "tests/unit/nodekit.h"
#include "tests/unit/vec.h"

#define ME 0x41

/* What trust says is listed now: at most two. */
static void
listed(unsigned n, struct listed a, struct listed b)
{
	struct listed *l = calloc(2, sizeof(*l));

	assert_non_null(l);
	l[0] = a;
	l[1] = b;
	qsort(l, n, sizeof(*l), listed_cmp);
	node_time(&w.n, w.now, w.wall_us);
	revoke_take(&w.n, l, n);
}

static struct listed
one(enum listed_kind kind, const uint8_t *id, bool suspended)
{
	struct listed l = {.kind = (uint8_t)kind, .suspended = suspended,
	    .reason = 2};

	memcpy(l.id, id, kind == LISTED_RNS ? 16 : 32);
	return l;
}

static struct listed
key(uint8_t who, bool suspended)
{
	struct fp fp;

	world_fp(&fp, who);
	return one(LISTED_KEY, fp.b, suspended);
}

static struct listed
rns(uint8_t who, bool suspended)
{
	const struct hash16 h = {{who}};

	return one(LISTED_RNS, h.b, suspended);
}

static const struct listed none;

/* Running and queued, of a submitter who has gone away. */
static void
test_gone_away(void **state)
{
	struct id32 running, waiting, other;

	(void)state;
	w.run_ms = 0;
	(void)submit(1, ME, 1, NULL, &running);
	(void)submit(1, ME, 2, with_volumes, &waiting);
	world_link(&w, 3, 0);
	world_identify(&w, 3, 0x42);
	(void)submit(3, 0x42, 3, NULL, &other);
	world_run(&w, 5);
	world_close(&w, 1);
	listed(1, key(ME, false), none);
	assert_int_equal(job_find(&w.n.jobs, &waiting)->state, JS_REFUSED);
	assert_string_equal(job_find(&w.n.jobs, &waiting)->reason,
	    "revoked: key");
	assert_int_equal(job_find(&w.n.jobs, &running)->kill, KILL_REVOKED);
	world_run(&w, 500);
	assert_int_equal(job_find(&w.n.jobs, &running)->state, JS_DONE);
	assert_int_equal(job_find(&w.n.jobs, &running)->outcome, OUT_KILLED);
	assert_int_equal(job_find(&w.n.jobs, &running)->code, KILL_REVOKED);
	assert_int_equal(job_find(&w.n.jobs, &other)->state, JS_RUNNING);
	assert_int_equal(w.events_seen[EVK_REVOKED], 2);
	/* he comes back, with any identity that has this key */
	w.level = 2;
	world_link(&w, 4, 0);
	world_identify(&w, 4, ME);
	world_run(&w, 5);
	assert_null(caller_find(&w.n, &(struct hash16){{4}}));
	assert_int_equal(w.lifted, 0);
}

/* Of links that are open, and of those that come. */
static void
test_links(void **state)
{
	(void)state;
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x60);
	world_run(&w, 5);
	listed(2, rns(0x60, false), rns(0x61, true));
	assert_int_equal(w.closes, 1);
	assert_int_equal(w.last_closed.b[0], 2);
	assert_int_equal(w.blackholes, 1);
	assert_int_equal(w.last_hole.b[0], 0x60);
	/* one that is suspended is told so, by its end; nobody drops him */
	world_link(&w, 3, 0);
	world_identify(&w, 3, 0x61);
	assert_int_equal(w.closes, 2);
	assert_int_equal(w.blackholes, 1);
	/* said again to a transport that starts anew */
	node_hello(&w.n, &(struct msg_T_HELLO){.dest = {{1}}});
	assert_int_equal(w.blackholes, 2);
	/* lifted: both may come again */
	listed(0, none, none);
	assert_int_equal(w.lifted, 1);
	assert_int_equal(w.last_hole.b[0], 0x60);
	world_link(&w, 4, 0);
	world_identify(&w, 4, 0x60);
	world_run(&w, 5);
	assert_non_null(caller_find(&w.n, &(struct hash16){{4}}));
	assert_int_equal(w.closes, 2);
}

/* He comes back again and again: the trail is not his to fill. */
static void
test_comes_again(void **state)
{
	(void)state;
	listed(1, rns(0x61, true), none);
	for (uint8_t i = 0; i < 100; i++) {
		world_link(&w, (uint8_t)(100 + i), 0);
		world_identify(&w, (uint8_t)(100 + i), 0x61);
		world_run(&w, 1000);
	}
	assert_int_equal(w.closes, 100);
	assert_int_equal(w.events_seen[EVK_PEER_BLOCKED], 1);
	world_run(&w, 3600 * 1000);
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x61);
	assert_int_equal(w.events_seen[EVK_PEER_BLOCKED], 2);
	/* something else is another line */
	listed(1, rns(0x61, false), none);
	world_link(&w, 3, 0);
	world_identify(&w, 3, 0x61);
	assert_int_equal(w.events_seen[EVK_PEER_BLOCKED], 3);
}

static void
test_artifacts(void **state)
{
	struct id32 id, again;
	struct job *j;

	(void)state;
	w.run_ms = 0;
	(void)submit(1, ME, 1, NULL, &id);
	world_run(&w, 5);
	j = job_find(&w.n.jobs, &id);
	assert_int_equal(j->state, JS_RUNNING);
	/* another image: nothing happens */
	listed(1, one(LISTED_ARTIFACT, (const uint8_t[32]){9}, false), none);
	assert_int_equal(j->kill, 0);
	listed(1, one(LISTED_ARTIFACT, j->image.b, false), none);
	assert_int_equal(j->kill, KILL_REVOKED);
	world_run(&w, 500);
	assert_int_equal(j->code, KILL_REVOKED);
	refused(submit(1, ME, 2, NULL, &again), "revoked", 3);
	listed(0, none, none);
	assert_int_equal(submit(1, ME, 2, NULL, &again)->status, ST_OK);
	/* a manifest, known before it comes: its digest is the job's id */
	(void)envelope(ME, 3, NULL, &id);
	listed(1, one(LISTED_ARTIFACT, id.b, true), none);
	refused(submit(1, ME, 3, NULL, &id), "revoked", 3);
	assert_int_equal(submit(1, ME, 4, NULL, &id)->status, ST_OK);
}

/* Its files go when the last job that has them is dead, and not before. */
static void
test_buried(void **state)
{
	struct id32 id, image, other;
	struct job *j;

	(void)state;
	memset(&image, 0x11, sizeof(image));
	memset(&other, 0x33, sizeof(other));
	w.run_ms = 0;
	(void)submit(1, ME, 1, NULL, &id);
	world_run(&w, 5);
	j = job_find(&w.n.jobs, &id);
	assert_int_equal(j->state, JS_RUNNING);
	/* suspended: that can be lifted; another one: not here */
	listed(2, one(LISTED_ARTIFACT, image.b, true),
	    one(LISTED_ARTIFACT, other.b, false));
	world_run(&w, 30000);
	assert_int_equal(w.buries, 0);
	/* the job does not die at once */
	w.jail_deaf = w.no_group_kill = true;
	listed(1, one(LISTED_ARTIFACT, image.b, false), none);
	assert_int_equal(j->kill, KILL_REVOKED);
	world_run(&w, 1);
	assert_int_equal(w.buries, 0);
	w.jail_deaf = false;
	finish_send_kill(&w.n, &id, KILL_REVOKED);
	world_run(&w, 60000);
	assert_int_not_equal(j->state, JS_RUNNING);
	assert_true(w.buries > 0);
	vec_equal(w.last_bury.image.b, 32, image.b, 32);
	assert_int_equal(w.last_bury.reason, 2);
	/* said again while it is here, at that pace, and no more when it is not */
	w.buries = 0;
	world_run(&w, 60000);
	assert_in_range(w.buries, 5, 7);
	w.no_roots = true;
	w.buries = 0;
	world_run(&w, 60000);
	assert_int_equal(w.buries, 0);
	/* imported again, under whatever name */
	w.no_roots = false;
	world_run(&w, 60000);
	assert_true(w.buries > 0);
	listed(0, none, none);
	w.buries = 0;
	world_run(&w, 60000);
	assert_int_equal(w.buries, 0);
}

/* A key that is listed has no files, even when its number is an image's. */
static void
test_buries_artifacts(void **state)
{
	struct id32 image;

	(void)state;
	memset(&image, 0x11, sizeof(image));
	listed(2, one(LISTED_KEY, image.b, false), one(LISTED_ARTIFACT,
	    (const uint8_t[32]){9}, false));
	world_run(&w, 60000);
	assert_int_equal(w.buries, 0);
	memset(&image, 0x12, sizeof(image));
	listed(1, one(LISTED_ARTIFACT, image.b, false), none);
	world_run(&w, 1);
	assert_int_equal(w.buries, 1);
}

/* What it has made is withheld, though it ended before. */
static void
test_withheld(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	w.run_ms = 10;
	w.jail_silent = false;
	(void)submit(1, ME, 1, NULL, &id);
	world_run(&w, 5);
	j = job_find(&w.n.jobs, &id);
	assert_true(job_set_phase(&w.n.jobs, j, PHASE_PACKING));
	listed(1, key(ME, false), none);
	assert_int_equal(j->kill, KILL_REVOKED);
}

/* Suspended: it stands still, and goes on when that is lifted. */
static void
test_suspended(void **state)
{
	struct id32 id, waiting;
	struct job *j;

	(void)state;
	w.run_ms = 1000;
	(void)submit(1, ME, 1, NULL, &id);
	(void)submit(1, ME, 2, with_volumes, &waiting);
	world_run(&w, 5);
	j = job_find(&w.n.jobs, &id);
	listed(1, key(ME, true), none);
	assert_true(j->frozen && w.frozen);
	assert_int_equal(j->kill, 0);
	assert_int_equal(job_find(&w.n.jobs, &waiting)->state, JS_REFUSED);
	/* both jobs, and the link */
	assert_int_equal(w.events_seen[EVK_REVOKED], 3);
	world_run(&w, 5000);
	assert_int_equal(j->state, JS_RUNNING);
	/* said again, it changes nothing */
	listed(1, key(ME, true), none);
	assert_true(j->frozen);
	assert_int_equal(w.events_seen[EVK_REVOKED], 3);
	listed(0, none, none);
	assert_false(j->frozen || w.frozen);
	world_run(&w, 1100);
	assert_int_equal(j->state, JS_DONE);
	assert_int_equal(j->outcome, OUT_EXITED);
}

/* Suspended, then revoked for good. */
static void
test_suspended_revoked(void **state)
{
	struct id32 id;
	struct job *j;

	(void)state;
	w.run_ms = 0;
	(void)submit(1, ME, 1, NULL, &id);
	world_run(&w, 5);
	j = job_find(&w.n.jobs, &id);
	listed(1, key(ME, true), none);
	assert_true(j->frozen);
	listed(1, key(ME, false), none);
	world_run(&w, 500);
	assert_int_equal(j->state, JS_DONE);
	assert_int_equal(j->code, KILL_REVOKED);
}

static void
test_cannot_freeze(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	w.cannot_freeze = true;
	(void)submit(1, ME, 1, NULL, &id);
	world_run(&w, 5);
	listed(1, key(ME, true), none);
	world_run(&w, 500);
	assert_int_equal(job_find(&w.n.jobs, &id)->code, KILL_REVOKED);
}

static void
test_suspended_found(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	(void)submit(1, ME, 1, NULL, &id);
	world_run(&w, 5);
	listed(1, key(ME, true), none);
	world_restart(&w);
	listed(1, key(ME, true), none);
	world_up(&w, 2);
	world_run(&w, 50);
	assert_true(job_find(&w.n.jobs, &id)->frozen);
	assert_int_equal(job_find(&w.n.jobs, &id)->kill, 0);
}

static void
test_self(void **state)
{
	struct id32 id;
	char why[NODE_READY_WHY];
	struct hash16 own;

	(void)state;
	listed(1, one(LISTED_KEY, w.n.fp.b, false), none);
	world_run(&w, 5);
	assert_false(node_accepting(&w.n));
	node_why(&w.n, why);
	assert_non_null(strstr(why, "revoked"));
	refused(submit(1, ME, 1, NULL, &id), "not_accepting", 1);
	assert_int_equal(w.events_seen[EVK_SELF_REVOKED], 1);
	listed(0, none, none);
	assert_int_equal(submit(1, ME, 1, NULL, &id)->status, ST_OK);
	rns_hash_of(&own, w.n.rns_public);
	listed(1, one(LISTED_RNS, own.b, true), none);
	assert_false(node_accepting(&w.n));
}

/* A list that is too old, as trust says it of each peer. */
static void
test_stale(void **state)
{
	struct id32 id, late;

	(void)state;
	w.run_ms = 0;
	assert_int_equal(submit(1, ME, 1, NULL, &id)->status, ST_OK);
	assert_int_equal(submit(1, ME, 2, NULL, &id)->status, ST_OK);
	world_run(&w, 5);
	w.verdict_jobs = VJOBS_NOT_NEW;
	peers_changed(&w.n);
	world_run(&w, 5);
	refused(submit(1, ME, 3, NULL, &late), "trust", 5);
	/* what was taken before still starts */
	about(1, PATH_CANCEL, &id);
	assert_true(admit_again(&(struct refusal){0}, &(struct admit_node){
	    .policy = &w.n.policy}, &(struct admit_peer){.level = 2,
	    .jobs = VJOBS_NOT_NEW}, &(struct admit_job){
	    .m = &(struct manifest){.retries = 0}, .image = IMAGE_HERE}));
	assert_false(admit_again(&(struct refusal){0}, &(struct admit_node){
	    .policy = &w.n.policy}, &(struct admit_peer){.level = 2,
	    .jobs = VJOBS_NOT_STARTED}, &(struct admit_job){
	    .m = &(struct manifest){.retries = 0}, .image = IMAGE_HERE}));
	w.verdict_jobs = VJOBS_TAKEN;
	peers_changed(&w.n);
	world_run(&w, 5);
	assert_int_equal(submit(1, ME, 3, NULL, &late)->status, ST_OK);
}

/* The operator lowers a pin below the floor: like a revocation. */
static void
test_lowered(void **state)
{
	struct id32 id, waiting;

	(void)state;
	w.run_ms = 0;
	w.verdict_pinned = true;
	(void)submit(1, ME, 1, NULL, &id);
	(void)submit(1, ME, 2, with_volumes, &waiting);
	world_run(&w, 5);
	world_close(&w, 1); /* he need not be there */
	w.level = 1;
	peers_changed(&w.n);
	world_run(&w, 500);
	assert_int_equal(job_find(&w.n.jobs, &id)->state, JS_RUNNING);
	w.level = 0;
	peers_changed(&w.n);
	world_run(&w, 500);
	assert_int_equal(job_find(&w.n.jobs, &id)->state, JS_DONE);
	assert_int_equal(job_find(&w.n.jobs, &id)->code, KILL_REVOKED);
	assert_int_equal(job_find(&w.n.jobs, &waiting)->state, JS_REFUSED);
}

/* What a graph says less does not end what runs. */
static void
test_graph_falls(void **state)
{
	struct id32 id;

	(void)state;
	w.run_ms = 0;
	(void)submit(1, ME, 1, NULL, &id);
	world_run(&w, 5);
	w.level = 0;
	peers_changed(&w.n);
	world_run(&w, 500);
	assert_int_equal(job_find(&w.n.jobs, &id)->state, JS_RUNNING);
	w.level = -3;
	peers_changed(&w.n);
	world_run(&w, 500);
	assert_int_equal(job_find(&w.n.jobs, &id)->state, JS_DONE);
	assert_int_equal(w.blackholes, 1);
	/* and rises again */
	w.level = 2;
	peers_changed(&w.n);
	world_run(&w, 5);
	assert_int_equal(w.lifted, 1);
}

/* ---- its bytes ---- */

struct bytes {
	size_t n;
};

static void
cut(void *arg, const uint8_t *p, size_t n)
{
	const struct bytes *b = arg;
	struct listed l[4], back[4];
	uint8_t out[4 * LISTED_BYTES];

	if (!listed_get(l, p, n, b->n))
		return;
	listed_put(out, l, b->n);
	vec_equal(out, b->n * LISTED_BYTES, p, n);
	assert_true(listed_get(back, out, n, b->n));
}

static void
test_bytes(void **state)
{
	struct listed l[3] = {{.kind = LISTED_KEY, .id = {5}, .reason = 1},
	    {.kind = LISTED_RNS, .id = {1}, .suspended = true},
	    {.kind = LISTED_RNS, .id = {2}}}, back[3];
	uint8_t buf[3 * LISTED_BYTES];
	struct bytes b = {3};

	(void)state;
	listed_put(buf, l, 3);
	assert_true(listed_get(back, buf, sizeof(buf), 3));
	assert_true(listed_find(back, 3, LISTED_RNS, l[1].id)->suspended);
	assert_null(listed_find(back, 3, LISTED_ARTIFACT, l[1].id));
	assert_null(listed_find(NULL, 0, LISTED_KEY, l[0].id));
	assert_false(listed_get(back, buf, sizeof(buf), 2));
	vec_each_prefix(buf, sizeof(buf), cut, &b);
	vec_each_flip(buf, sizeof(buf), cut, &b);
	/* out of order, twice, of a kind that nobody asks about */
	listed_put(buf, &l[1], 1);
	listed_put(buf + LISTED_BYTES, &l[0], 1);
	assert_false(listed_get(back, buf, 2 * LISTED_BYTES, 2));
	listed_put(buf + LISTED_BYTES, &l[1], 1);
	assert_false(listed_get(back, buf, 2 * LISTED_BYTES, 2));
	buf[0] = 3;
	assert_false(listed_get(back, buf, LISTED_BYTES, 1));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_gone_away), T(test_links),
	    T(test_comes_again), T(test_artifacts), T(test_buried),
	    T(test_buries_artifacts), T(test_withheld), T(test_suspended),
	    T(test_suspended_revoked), T(test_cannot_freeze),
	    T(test_suspended_found), T(test_self), T(test_stale),
	    T(test_lowered), T(test_graph_falls), T(test_bytes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
